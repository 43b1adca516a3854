"""The exports of other products, recognised by their columns: what they mean is then known without anybody's help."""

from collections.abc import Sequence

from marketing.importing.layouts import google_analytics, matomo
from marketing.importing.layouts.google_ads import GOOGLE_ADS
from marketing.importing.layouts.meta_ads import META_ADS
from marketing.importing.layouts.shape import Binding, Layout

__all__ = ["LAYOUTS", "Binding", "bind", "recognise"]

# In the order in which they are tried: a layout that asks for more comes first.
LAYOUTS: dict[str, Layout] = {
    layout.code: layout for layout in (META_ADS, GOOGLE_ADS, *matomo.LAYOUTS, *google_analytics.LAYOUTS)
}


def recognise(
    header: Sequence[str], preamble: Sequence[Sequence[str]] = (), *, dataset: str | None = None
) -> Binding | None:
    """Return the layout that a file with these columns has, None if it is not known.

    A file may hold two datasets, as a log of visits holds touches and orders: `dataset` asks for the one that is meant.
    """
    for layout in LAYOUTS.values():
        binding = Binding(layout=layout, file_header=header, preamble=preamble)
        if binding.fits and dataset in (None, layout.dataset):
            return binding
    return None


def bind(code: str, header: Sequence[str]) -> Binding | None:
    """Return the layout with this code over the file's columns; None for "", and for codes of former versions."""
    layout = LAYOUTS.get(code)
    return Binding(layout=layout, file_header=header) if layout else None
