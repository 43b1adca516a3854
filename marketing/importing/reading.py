"""How a file is read: what was detected in it, or chosen by hand."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

Format = Literal["csv", "xlsx", "parquet"]
DateOrder = Literal["ymd", "dmy", "mdy"]
PathSeparator = Literal[">", "|", ";", "/", ","]
PATH_SEPARATORS: tuple[PathSeparator, ...] = get_args(PathSeparator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read.

    `header_row`: number of the row with the column names, the first row of the file being 1; rows above it are a
    preamble. `decimal`: the decimal sign of numbers written as text; the other sign, or a blank, may group thousands.
    `date_order`: how days such as 03/04/2026 are meant; ISO days are read in any case. `sheet`: of a workbook.
    `path_separator`: what stands between the channels of a path; "" lets the paths tell.
    """

    format: Format = "csv"
    gzipped: bool = False
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    date_order: DateOrder = "ymd"
    header_row: int = 1
    sheet: str = ""
    path_separator: PathSeparator | Literal[""] = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `Import.reading` and `Upload.reading` keep."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Return the reading that `as_json` made; what is not said is as by default."""
        return cls(**kept)
