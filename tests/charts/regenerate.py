"""Draw the golden pictures of the gallery anew: `python -m tests.charts.regenerate`. Look at them before you commit."""

from pathlib import Path

from charts.examples import EXAMPLES
from charts.svg import render

GALLERY = Path(__file__).resolve().parents[2] / "static" / "gallery"


def main() -> None:
    GALLERY.mkdir(exist_ok=True)
    for name, chart in EXAMPLES.items():
        (GALLERY / f"{name}.svg").write_text(render(chart), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
