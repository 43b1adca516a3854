"""Sankey diagrams on slides and sheets, as pictures: PowerPoint and Excel have no such chart of their own."""

import io
import math
from typing import Any

from openpyxl.drawing.fill import Blip
from openpyxl.drawing.geometry import PresetGeometry2D
from openpyxl.drawing.image import Image
from openpyxl.drawing.picture import PictureFrame
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.utils import coordinate_to_tuple
from openpyxl.utils.units import pixels_to_EMU
from openpyxl.worksheet.worksheet import Worksheet

from charts.sankey import SankeySpec
from charts.sankey_layout import lay_out
from charts.svg_sankey import png
from charts.wording import printable

SHEET_WIDTH_PX, DRAWN_WIDTH_PX = 718.0, 860.0  # as wide as the native charts, and drawn larger, with room for its words
ROW_PX = 20.0  # of a sheet
FIRST_ID = 1001  # of pictures: openpyxl counts charts from 1, and no two drawings of a sheet may share an id


def add_to_slide(slide: Any, spec: SankeySpec, *, left: int, top: int, width: int, height: int) -> Any:
    """Put `spec` on a slide, with lengths in EMU, and return its picture. The title is left to the slide."""
    drawn_px = lay_out(spec).height_px * width / height
    picture = slide.shapes.add_picture(io.BytesIO(png(spec, width_px=drawn_px)), left, top, width, height)
    picture.name = printable(spec.title)[:100]
    picture._element.nvPicPr.cNvPr.set("descr", printable(spec.summary))  # noqa: SLF001 - python-pptx has no alternative text
    return picture


def add_to_sheet(sheet: Worksheet, spec: SankeySpec, *, anchor: str) -> None:
    """Put `spec` on a sheet, with its upper left corner in the cell `anchor`."""
    image = Image(io.BytesIO(png(spec, width_px=DRAWN_WIDTH_PX)))
    row, column = coordinate_to_tuple(anchor)
    frame = PictureFrame()  # openpyxl's own is described as "Picture"
    properties = frame.nvPicPr.cNvPr
    properties.id = FIRST_ID + len(sheet._images)  # noqa: SLF001 - openpyxl does not tell otherwise
    properties.name, properties.descr = printable(spec.title)[:100], printable(spec.summary)
    frame.blipFill.blip = Blip(cstate="print")
    frame.spPr.prstGeom = PresetGeometry2D(prst="rect")
    size = XDRPositiveSize2D(pixels_to_EMU(SHEET_WIDTH_PX), pixels_to_EMU(_sheet_height(spec)))
    image.anchor = OneCellAnchor(_from=AnchorMarker(col=column - 1, row=row - 1), ext=size, pic=frame)
    sheet.add_image(image)


def height_in_rows(spec: SankeySpec) -> int:
    """How many rows of a sheet the picture covers, with one to spare."""
    return math.ceil(_sheet_height(spec) / ROW_PX) + 1


def _sheet_height(spec: SankeySpec) -> float:
    return lay_out(spec).height_px * SHEET_WIDTH_PX / DRAWN_WIDTH_PX
