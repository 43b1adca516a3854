"""Pictures to be a logo, and files that only seem to be one."""

import io

from PIL import Image


def a_logo(
    width: int = 400, height: int = 120, *, form: str = "PNG", mode: str = "RGB", colour: str = "#0b6b3a"
) -> bytes:
    """Return a picture of one colour with a white corner."""
    picture = Image.new(mode, (width, height), colour)
    picture.putpixel((0, 0), 0 if mode in ("L", "P", "1") else (255,) * len(picture.getbands()))
    file = io.BytesIO()
    picture.save(file, form)
    return file.getvalue()
