"""The library stays light to import, and its colours are the style sheet's."""

import re
import subprocess
import sys
from pathlib import Path

from charts import Colour

ROOT = Path(__file__).resolve().parents[2]
DRAWING = {"matplotlib", "pptx", "openpyxl", "lxml", "django"}


def test_importing_charts_loads_no_drawing_library() -> None:
    code = (
        "import sys, charts, charts.browser, charts.examples; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "charts" in loaded.split()
    assert not DRAWING & set(loaded.split())


def test_colours_are_those_of_the_light_style_sheet() -> None:
    css = (ROOT / "static/css/base.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}),", css))

    assert {str(colour): colour.hex for colour in Colour} == {str(colour): light[colour] for colour in Colour}
