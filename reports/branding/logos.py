"""Logos: what somebody sends is read as a picture and drawn anew, so that nothing else of the file survives."""

import io

from PIL import Image, ImageOps

from mmm_project.problems import Invalid

FORMS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 2**20
MOST_PX = 4_000  # a side, of what is sent
WIDTH_PX, HEIGHT_PX = 800, 300  # at most, of what is kept


def redrawn(sent: bytes) -> bytes:
    """Return a PNG of the picture in `sent`, at most 800 by 300 pixels. Raises Invalid for what is no such picture."""
    if len(sent) > MOST_BYTES:
        raise _refused("The file is larger than 1 MB. A logo is never printed that large: save a smaller copy.")
    try:
        picture = Image.open(io.BytesIO(sent), formats=FORMS)
        if max(picture.size) > MOST_PX:
            raise _refused(f"The picture has more than {MOST_PX:,} pixels a side. Save a smaller copy.")
        if not _is_whole(sent, picture.format):
            raise EOFError
        drawn = _drawn(picture)
    except Invalid:
        raise
    # Whatever a file breaks in its decoder: it is no picture that can be used.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refused(
            "This is not a PNG, JPEG or WebP picture that can be read. SVG and other kinds of files are not taken: "
            "export the logo as PNG."
        ) from None
    file = io.BytesIO()
    drawn.save(file, "PNG", optimize=True)
    return file.getvalue()


def _is_whole(sent: bytes, form: str | None) -> bool:
    """Whether the file has its end. Pillow asks that only until WeasyPrint is loaded, which tells it not to."""
    if form == "WEBP":
        return len(sent) >= 8 + int.from_bytes(sent[4:8], "little")
    return (b"IEND" if form == "PNG" else b"\xff\xd9") in sent


def _drawn(picture: Image.Image) -> Image.Image:
    """The first frame's pixels, upright and no larger than is kept, on a new sheet."""
    upright = ImageOps.exif_transpose(picture)
    has_alpha = "transparency" in upright.info or upright.mode in ("RGBA", "LA", "PA")
    pixels = upright.convert("RGBA" if has_alpha else "RGB")
    pixels.thumbnail((WIDTH_PX, HEIGHT_PX))
    sheet = Image.new(pixels.mode, pixels.size)
    sheet.paste(pixels)
    return sheet


def _refused(sentence: str) -> Invalid:
    return Invalid("The logo cannot be used.", errors={"logo": [sentence]})
