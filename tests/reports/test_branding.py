"""Settings > Branding: what may be chosen, who may, and that of a file nothing but its picture is kept."""

import io
import struct
import zlib
from collections.abc import Callable
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageFile, PngImagePlugin

from accounts.models import AuditEvent, User, Workspace
from mmm_project.problems import Invalid
from reports.branding.actions import change_look
from reports.branding.logos import redrawn
from reports.branding.look import ACCENT, PLAIN, Look
from reports.branding.looks import look_of
from reports.models import Branding
from tests.reports.logos import a_logo

ClientFor = Callable[[User | None], Client]
PAGE, LOGO = "/w/acme/settings/branding/", "/w/acme/settings/branding/logo.png"
AS_IT_IS = {"colour": "", "paper": "a4"}
NO_PICTURE = "This is not a PNG, JPEG or WebP picture that can be read."


def sent(content: bytes, name: str = "logo.png", kind: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def a_small_file_of_a_large_picture(width: int, height: int) -> bytes:
    """A PNG that says it is as large, with no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_everybody_sees_the_look_and_who_changes_settings_changes_it(
    client_for: ClientFor, admin: User, analyst: User, viewer: User, outsider: User
) -> None:
    assert client_for(admin).get(PAGE).status_code == 200
    for user in (analyst, viewer):
        page = client_for(user).get(PAGE)
        assert page.status_code == 200
        assert "An owner or admin of the workspace can change this." in page.text
        assert 'type="file"' not in page.text
        assert client_for(user).post(PAGE, AS_IT_IS | {"colour": "#0b6b3a"}).status_code == 403
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(PAGE, AS_IT_IS).status_code == 404
    assert client_for(None).get(PAGE)["Location"].startswith("/accounts/login/")
    assert client_for(admin).put(PAGE).status_code == 405
    assert not Branding.objects.exists()


@pytest.mark.parametrize(
    ("answers", "look"),
    [
        ({"colour": "#0b6b3a"}, Look(colour="#0b6b3a")),
        ({"colour": " 0B6B3A "}, Look(colour="#0b6b3a")),
        ({"paper": "letter"}, Look(paper="letter")),
    ],
)
def test_an_admin_changes_colour_and_paper(
    client_for: ClientFor, workspace: Workspace, admin: User, answers: dict[str, str], look: Look
) -> None:
    client = client_for(admin)
    response = client.post(PAGE, AS_IT_IS | answers)
    assert (response.status_code, response.headers["Location"]) == (302, PAGE)
    assert look_of(workspace) == look
    event = AuditEvent.objects.get(action="branding.changed")
    assert (event.actor, event.target) == (admin, "acme")
    page = client.get(PAGE).text
    assert f'fill="{look.accent}"' in page
    assert "Saved." in page


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"colour": "#ffee00"}, "On white paper this colour has a contrast of 1.2 to 1, and text needs 4.5 to 1"),
        ({"colour": "#ffffff"}, "contrast of 1.0 to 1"),
        ({"colour": "#abc"}, "Write a colour as six hexadecimal digits, such as #032389."),
        ({"colour": "red"}, "Write a colour as six hexadecimal digits"),
        ({"colour": "url(x)"}, "Write a colour as six hexadecimal digits"),
        ({"colour": "#0b6b3a;"}, "Write a colour as six hexadecimal digits"),
        ({"paper": "a3"}, "Select a valid choice."),
        ({"paper": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_said_beside_it(
    client_for: ClientFor, admin: User, answers: dict[str, str], sentence: str
) -> None:
    response = client_for(admin).post(PAGE, AS_IT_IS | answers)
    assert response.status_code == 422
    assert sentence in unescape(response.text)
    assert not Branding.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(("colour", "is_readable"), [("#767676", True), ("#777777", False)])
def test_a_colour_needs_the_contrast_of_text_on_white(workspace: Workspace, colour: str, *, is_readable: bool) -> None:
    assert Look(colour=colour).accent == (colour if is_readable else ACCENT)
    if is_readable:
        assert change_look(workspace=workspace, colour=colour, paper="a4", by=None) == {"colour"}
        return
    with pytest.raises(Invalid, match="colour cannot be used"):
        change_look(workspace=workspace, colour=colour, paper="a4", by=None)


@pytest.mark.parametrize(("colour", "paper"), [("#1234567", "a4"), ("#0B6B3A", "a4"), ("", "a5")])
def test_the_action_refuses_what_no_form_would_let_through(workspace: Workspace, colour: str, paper: str) -> None:
    with pytest.raises(ValidationError):
        change_look(workspace=workspace, by=None, colour=colour, paper=paper)
    assert look_of(workspace) == PLAIN


def test_saving_without_a_change_leaves_no_trace(client_for: ClientFor, workspace: Workspace, admin: User) -> None:
    client = client_for(admin)
    client.post(PAGE, AS_IT_IS)
    assert look_of(workspace) == PLAIN
    assert not AuditEvent.objects.exists()
    assert "Nothing was different, so nothing was changed." in client.get(PAGE).text


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_kept_shown_to_members_replaced_and_removed(
    form: str, client_for: ClientFor, workspace: Workspace, admin: User, viewer: User, outsider: User
) -> None:
    client = client_for(admin)
    assert client.get(LOGO).status_code == 404
    assert client.post(PAGE, AS_IT_IS | {"logo": sent(a_logo(form=form), f"x.{form}")}).status_code == 302
    shown = client_for(viewer).get(LOGO)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert (shown["X-Content-Type-Options"], shown["Cache-Control"]) == ("nosniff", "private, no-cache")
    assert shown.content == look_of(workspace).logo
    assert Image.open(io.BytesIO(shown.content)).size == (400, 120)
    assert f'href="{LOGO}?v=' in client.get(PAGE).text
    assert client_for(outsider).get(LOGO).status_code == 404
    assert client_for(None).get(LOGO)["Location"].startswith("/accounts/login/")
    assert client.post(LOGO).status_code == 405
    client.post(PAGE, AS_IT_IS | {"logo": sent(a_logo(colour="#000000"))})
    client.post(PAGE, AS_IT_IS | {"paper": "letter"})  # and the logo stays
    assert look_of(workspace).logo not in (None, shown.content)
    client.post(PAGE, AS_IT_IS | {"paper": "letter", "drop_logo": "on"})
    assert look_of(workspace) == Look(paper="letter")
    events = AuditEvent.objects.filter(action="branding.changed").order_by("pk")
    assert [event.detail["changes"].get("logo") for event in events] == [
        {"before": None, "after": "a picture"},
        {"before": "a picture", "after": "another picture"},
        None,
        {"before": "a picture", "after": None},
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', NO_PICTURE),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", NO_PICTURE),
        (a_logo(form="GIF", mode="P"), NO_PICTURE),
        (a_logo(form="BMP"), NO_PICTURE),
        (a_logo(form="TIFF"), NO_PICTURE),
        (b"%PDF-1.7", NO_PICTURE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NO_PICTURE),
        (b"file:///etc/passwd", NO_PICTURE),
        (b"http://127.0.0.1:9/x.png", NO_PICTURE),
        (a_logo()[:60], NO_PICTURE),
        (a_logo(form="JPEG")[:200], NO_PICTURE),
        (a_logo(form="WEBP")[:-9], NO_PICTURE),
        (b"\x00" * 100, NO_PICTURE),
        (b"", "The file is empty."),
        (a_small_file_of_a_large_picture(4_001, 10), "The picture has more than 4,000 pixels a side."),
        (a_small_file_of_a_large_picture(10, 4_001), "The picture has more than 4,000 pixels a side."),
        (a_small_file_of_a_large_picture(60_000, 60_000), NO_PICTURE),
        (a_logo() + b"\x00" * 2**20, "The file is larger than 1 MB."),
    ],
    ids=str,
)
def test_what_is_no_picture_is_refused(
    content: bytes,
    sentence: str,
    client_for: ClientFor,
    workspace: Workspace,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for reads_halves in (False, True):  # as WeasyPrint has Pillow do once it is loaded
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", reads_halves)
        response = client_for(admin).post(PAGE, AS_IT_IS | {"logo": sent(content)})
        assert response.status_code == 422
        assert sentence in unescape(response.text)
    assert look_of(workspace) == PLAIN


def test_the_action_refuses_a_large_file_too(workspace: Workspace) -> None:
    with pytest.raises(Invalid) as refusal:
        change_look(workspace=workspace, colour="", paper="a4", by=None, logo=a_logo() + b"\x00" * 2**20)
    assert refusal.value.errors["logo"][0].startswith("The file is larger than 1 MB.")


def test_no_address_is_taken_for_a_logo(client_for: ClientFor, workspace: Workspace, admin: User) -> None:
    client_for(admin).post(PAGE, AS_IT_IS | {"logo": "http://127.0.0.1:9/x.png"})
    assert look_of(workspace) == PLAIN


def test_nothing_but_the_picture_survives() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "a secret of the camera")
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret of its owner"
    Image.new("RGB", (90, 30), "#0b6b3a").save(file, "PNG", pnginfo=notes, exif=exif, dpi=(300, 300))
    kept = redrawn(file.getvalue() + b"<script>alert(1)</script>")
    assert b"secret" not in kept
    assert b"script" not in kept
    read = Image.open(io.BytesIO(kept))
    assert (read.info, read.mode, read.size) == ({}, "RGB", (90, 30))
    assert read.getpixel((5, 5)) == (0x0B, 0x6B, 0x3A)
    chunks = []
    place = 8
    while place < len(kept):
        (length,) = struct.unpack(">I", kept[place : place + 4])
        chunks.append(kept[place + 4 : place + 8])
        place += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize(
    ("size", "kept"),
    [((4_000, 1_000), (800, 200)), ((400, 3_000), (40, 300)), ((800, 300), (800, 300)), ((1, 1), (1, 1))],
)
def test_a_large_logo_is_made_smaller_in_its_proportions(size: tuple[int, int], kept: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(redrawn(a_logo(*size)))).size == kept


@pytest.mark.parametrize(("mode", "form"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")])
def test_a_transparent_ground_stays_transparent(mode: str, form: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (20, 20)).save(file, form)
    assert Image.open(io.BytesIO(redrawn(file.getvalue()))).getpixel((3, 3)) == (0, 0, 0, 0)


@pytest.mark.parametrize(("mode", "form"), [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")])
def test_pictures_of_other_kinds_of_colours_are_read(mode: str, form: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (20, 20)).save(file, form)
    assert Image.open(io.BytesIO(redrawn(file.getvalue()))).mode == "RGB"


def test_a_photograph_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    file = io.BytesIO()
    Image.new("RGB", (60, 20)).save(file, "JPEG", exif=exif)
    assert Image.open(io.BytesIO(redrawn(file.getvalue()))).size == (20, 60)
