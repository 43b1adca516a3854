"""The guide of the repository, and small ones that tests write."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from guide.pages import Guide, the_guide

DOCS = Path(settings.BASE_DIR) / "docs"


@pytest.fixture
def guide() -> Guide:
    """The guide as the product shows it."""
    return the_guide()


@pytest.fixture
def write_guide(tmp_path: Path) -> Callable[..., Guide]:
    """`write_guide(index="...", first="...")`: a guide of these pages; other documents as `**{"../methods": "..."}`."""

    def write(**pages: str) -> Guide:
        for name, text in pages.items():
            file = tmp_path / "guide" / f"{name}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return Guide(tmp_path)

    return write
