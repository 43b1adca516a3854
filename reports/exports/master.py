"""The master of a deck: what all of its slides, also those that people add later, have from their workspace."""

import io
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.oxml.shapes.picture import CT_Picture
from pptx.util import Emu, Inches, Length

from charts import Colour
from charts.wording import printable
from reports.branding.look import Look

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
MARGIN, TOP = Inches(0.6), Inches(1.65)
BODY_WIDTH, BODY_HEIGHT = Emu(WIDTH - 2 * MARGIN), Emu(HEIGHT - TOP - Inches(0.7))
TITLE_TOP, TITLE_HEIGHT = Inches(0.55), Inches(0.75)
FOOTER_TOP, FOOTER_HEIGHT, NUMBER_WIDTH = Inches(6.95), Inches(0.3), Inches(0.8)
COVER_TITLE_TOP, COVER_SUBTITLE_TOP, LINE_HEIGHT = Inches(2.2), Inches(3.15), Inches(0.35)
LOGO_TOP, LOGO_WIDTH, LOGO_HEIGHT = Inches(0.3), Inches(1.7), Inches(0.6)
COVER_LOGO_TOP, COVER_LOGO_WIDTH, COVER_LOGO_HEIGHT = Inches(0.5), Inches(3), Inches(0.75)
GAP = Inches(0.3)
COVER, TITLE_ONLY = "Title Slide", "Title Only"  # of the layouts that python-pptx brings
KEPT = {COVER, "Title and Content", TITLE_ONLY, "Blank"}
INK, MUTED, PALE = "14181F", "5A6372", "F3F4F7"
# The other five accents of a theme, which PowerPoint offers first for what people draw themselves.
ACCENTS = (Colour.CHANNEL_1, Colour.CHANNEL_5, Colour.CHANNEL_4, Colour.CHANNEL_3, Colour.CHANNEL_7)


@dataclass(frozen=True, slots=True)
class Master:
    """The layouts to make slides from, and how wide the titles of usual slides are beside the logo."""

    cover: Any
    usual: Any
    title_width: Length


def prepare(presentation: Any, *, look: Look, owner: str) -> Master:
    """Make the template that python-pptx brings one of 16:9 in the look of its owner, a workspace by its name."""
    presentation.slide_width, presentation.slide_height = WIDTH, HEIGHT
    master = presentation.slide_master
    _keep_few_layouts(presentation)
    _set_colours(master, look)
    layouts = {layout.name: layout for layout in presentation.slide_layouts}
    title_width = BODY_WIDTH
    if look.logo:
        logo = _add_logo(master, look.logo, owner, top=LOGO_TOP, width=LOGO_WIDTH, height=LOGO_HEIGHT, to_right=True)
        title_width = Emu(BODY_WIDTH - logo - GAP)
        _add_logo(
            layouts[COVER], look.logo, owner, top=COVER_LOGO_TOP, width=COVER_LOGO_WIDTH, height=COVER_LOGO_HEIGHT
        )
    for holder in (master, *layouts.values()):
        _arrange(holder, title_width)
    _arrange_cover(layouts[COVER])
    _write_titles_plainly(master)
    return Master(cover=layouts[COVER], usual=layouts[TITLE_ONLY], title_width=title_width)


def _keep_few_layouts(presentation: Any) -> None:
    """Leave out the layouts that would need another arrangement for the new width."""
    for layout in list(presentation.slide_layouts):
        if layout.name not in KEPT:
            presentation.slide_layouts.remove(layout)


def _set_colours(master: Any, look: Look) -> None:
    """Replace the colours of the theme, for which python-pptx has no way of its own (ECMA-376, 20.1.6.2)."""
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    scheme = theme.find(f".//{qn('a:clrScheme')}")
    accents = (look.accent, *(colour.hex for colour in ACCENTS))
    wanted = {f"accent{place}": colour for place, colour in enumerate(accents, start=1)}
    wanted |= {"dk1": INK, "dk2": MUTED, "lt2": PALE, "hlink": look.accent, "folHlink": look.accent}
    for name, colour in wanted.items():
        slot = scheme.find(qn(f"a:{name}"))
        slot.clear()
        etree.SubElement(slot, qn("a:srgbClr"), val=colour.removeprefix("#").upper())
    scheme.set("name", "Workspace")
    theme.set("name", "Workspace")
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)  # noqa: SLF001


def _add_logo(
    holder: Any, logo: bytes, owner: str, *, top: Length, width: Length, height: Length, to_right: bool = False
) -> Length:
    """Put the logo on a master or a layout, no larger than this, and return its width.

    python-pptx adds pictures to slides only.
    """
    part, relation = holder.part.get_or_add_image_part(io.BytesIO(logo))
    natural_width, natural_height = part.scale(None, None)
    shrunk = min(width / natural_width, height / natural_height)
    shown = Emu(int(natural_width * shrunk)), Emu(int(natural_height * shrunk))
    left = Emu(WIDTH - MARGIN - shown[0]) if to_right else MARGIN
    tree = holder.shapes._spTree  # noqa: SLF001
    number = max(int(each) for each in tree.xpath(".//p:cNvPr/@id")) + 1
    tree.append(CT_Picture.new_pic(number, "Logo", f"Logo of {printable(owner)}", relation, left, top, *shown))
    return shown[0]


def _arrange(holder: Any, title_width: Length) -> None:
    """Put the title above, what is shown below it, the footer to the left and the number to the right, small and quiet.

    A date has no place.
    """
    places: dict[Any, tuple[Length, Length, Length, Length]] = {
        PP_PLACEHOLDER.TITLE: (MARGIN, TITLE_TOP, title_width, TITLE_HEIGHT),
        PP_PLACEHOLDER.BODY: (MARGIN, TOP, BODY_WIDTH, BODY_HEIGHT),
        PP_PLACEHOLDER.OBJECT: (MARGIN, TOP, BODY_WIDTH, BODY_HEIGHT),
        PP_PLACEHOLDER.FOOTER: (MARGIN, FOOTER_TOP, Emu(BODY_WIDTH - NUMBER_WIDTH), FOOTER_HEIGHT),
        PP_PLACEHOLDER.SLIDE_NUMBER: (Emu(WIDTH - MARGIN - NUMBER_WIDTH), FOOTER_TOP, NUMBER_WIDTH, FOOTER_HEIGHT),
    }
    for placeholder in list(holder.placeholders):
        kind = placeholder.placeholder_format.type
        if kind == PP_PLACEHOLDER.DATE:
            placeholder.element.getparent().remove(placeholder.element)
        if kind not in places:
            continue
        placeholder.left, placeholder.top, placeholder.width, placeholder.height = places[kind]
        frame = placeholder.text_frame
        frame.margin_left = frame.margin_right = 0
        if kind in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
            for paragraph in frame.paragraphs:
                paragraph.alignment = PP_ALIGN.LEFT if kind == PP_PLACEHOLDER.FOOTER else PP_ALIGN.RIGHT
                for field in paragraph._p.iter(qn("a:rPr")):  # noqa: SLF001 - a field is no run for python-pptx
                    field.set("sz", "1000")


def _arrange_cover(layout: Any) -> None:
    """The cover has a place of its own for its title, a larger logo, and not the one of the master."""
    layout.element.set("showMasterSp", "0")
    places = {PP_PLACEHOLDER.CENTER_TITLE: COVER_TITLE_TOP, PP_PLACEHOLDER.SUBTITLE: COVER_SUBTITLE_TOP}
    for placeholder in layout.placeholders:
        if (top := places.get(placeholder.placeholder_format.type)) is not None:
            placeholder.left, placeholder.width = MARGIN, BODY_WIDTH
            placeholder.top = top
            placeholder.height = LINE_HEIGHT if top == COVER_SUBTITLE_TOP else TITLE_HEIGHT
            placeholder.text_frame.margin_left = placeholder.text_frame.margin_right = 0
            for level in placeholder.element.iter(qn("a:lvl1pPr")):
                level.set("algn", "l")


def _write_titles_plainly(master: Any) -> None:
    """Titles stand to the left, in the ink of the theme, in a size that findings fit into."""
    style = master.element.find(f"{qn('p:txStyles')}/{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    letters = style.find(qn("a:defRPr"))
    letters.set("sz", "2400")
    letters.set("b", "1")
