"""Read single cells, for tests of what they may say."""

import datetime as dt
import zoneinfo
from dataclasses import replace

import pyarrow as pa

from marketing.importing.cells import Cells, Clock, Parser

BERLIN = Clock(zone=zoneinfo.ZoneInfo("Europe/Berlin"), now=dt.datetime(2026, 6, 1, 23, tzinfo=dt.UTC))
EUROS = replace(BERLIN, currency="EUR")


def read(
    parser: Parser,
    *values: object,
    type: pa.DataType | None = None,  # noqa: A002 - pyarrow's word
    clock: Clock = BERLIN,
) -> Cells:
    return parser(pa.array(values, type or pa.string()), clock)


def reason(parser: Parser, value: object, type: pa.DataType | None = None) -> str:  # noqa: A002 - pyarrow's word
    """Why a cell, alone between two blank ones, is wrong."""
    found = read(parser, None, value, None, type=type)
    assert set(found.wrong) == {1}
    return found.wrong[1]
