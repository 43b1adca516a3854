"""Charts of every kind as PNG on white, for mail, whose readers show no SVG."""

import io

from charts.chart import Chart
from charts.svg import canvas_of


def render(chart: Chart, *, width_px: int = 600, scale: float = 2.0) -> bytes:
    """Return the picture that `charts.svg.render` draws, with `scale` times as many pixels as it measures.

    Raises ValueError for less than 240 pixels.
    """
    file = io.BytesIO()
    with canvas_of(chart, width_px=width_px) as canvas:
        canvas.write_png(file, scale=scale)
    return file.getvalue()
