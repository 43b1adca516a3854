"""The forms of an import: which file, how it is read, and what its columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from marketing.importing.reading import Reading
from marketing.models import Dataset

LEFT_OUT = ""
DECIMALS = ((".", "Point: 1,234.56"), (",", "Comma: 1.234,56"))
DATE_ORDERS = (("ymd", "Year first: 2026-05-31"), ("dmy", "Day first: 31/05/2026"), ("mdy", "Month first: 05/31/2026"))
PATH_SEPARATOR_LABELS = (
    (">", "Arrow: Email > Direct"),
    ("|", "Bar: Email | Direct"),
    (";", "Semicolon: Email; Direct"),
    ("/", "Slash: Email / Direct"),
    (",", "Comma: Email, Direct"),
)
LABELS = {
    "sheet": "Sheet",
    "header_row": "Row with the column names",
    "encoding": "Characters",
    "delimiter": "Separator",
    "decimal": "Decimal sign",
    "date_order": "Order of dates",
    "path_separator": "Between steps",
}
DATASET_LABELS: dict[str, str] = {
    Dataset.TOUCHPOINTS: "Touchpoints",
    Dataset.CONVERSIONS: "Conversions",
    Dataset.SPEND: "Spend",
    Dataset.OUTCOMES: "Outcomes",
    Dataset.CONTROLS: "Controls",
    Dataset.EXPERIMENTS: "Experiments",
    Dataset.MEDIA_TABLE: "Media table",
    Dataset.EVENTS: "Events and holidays",
    Dataset.PATHS: "Paths, counted",
}
FIELD_LABELS = {
    "customer": "Customer",
    "occurred_at": "Time",
    "date": "Day",
    "start": "First day",
    "end": "Last day",
    "geo": "Region",
    "order_id": "Order number",
    "standard_error": "Standard error",
    "converted": "Converted (yes or no)",
    "null": "Journeys without conversion",
}
KIND_LABELS = {
    "spend": "Spend of a channel",
    "impressions": "Impressions of a channel",
    "clicks": "Clicks of a channel",
    "outcome": "Outcome",
    "control": "Control",
}
# Which of these a reading has depends on the format of its file.
NAMES_BY_FORMAT = {
    "csv": ("encoding", "delimiter", "decimal", "date_order", "header_row"),
    "xlsx": ("sheet", "decimal", "date_order", "header_row"),
    "parquet": ("decimal", "date_order"),
}


def field_label(name: str) -> str:
    """Return what people call a field of a dataset."""
    return FIELD_LABELS.get(name, name.replace("_", " ").capitalize())


class FileForm(forms.Form):
    """A file of data."""

    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"aria-describedby": "id_file_helptext"}),
        error_messages={
            "required": "Choose a file first.",
            "empty": "The file is empty.",
        },
    )


class ReadingForm(forms.Form):
    """How a file is read: blank where it tells itself, and what it does not tell has to be chosen."""

    def __init__(
        self,
        data: Any = None,
        *,
        reading: Reading,
        sheets: Sequence[str],
        questions: Sequence[Mapping[str, Any]],
        chosen: Mapping[str, Any],
        dataset: str = "",
    ) -> None:
        super().__init__(data, initial={name: str(value) for name, value in chosen.items()})
        asked = {question["field"]: question for question in questions}
        names = NAMES_BY_FORMAT[reading.format] + (("path_separator",) if dataset == Dataset.PATHS else ())
        for name in names:
            if name == "header_row":
                self.fields[name] = forms.IntegerField(
                    label=LABELS[name],
                    required=False,
                    min_value=1,
                    max_value=1_000,
                    widget=forms.NumberInput(attrs={"placeholder": f"As found: {reading.header_row}"}),
                )
            else:
                choices = _choices(name, sheets)
                if name in asked:
                    self.fields[name] = _question(asked[name])
                elif len(choices) > 1:
                    self.fields[name] = _choice(name, choices, found=getattr(reading, name))

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen: name -> value."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields that the file does not tell by itself."""
        return [self[name] for name, field in self.fields.items() if field.required]

    @property
    def told(self) -> list[forms.BoundField]:
        """The fields that the file tells by itself."""
        return [self[name] for name, field in self.fields.items() if not field.required]


def _choices(name: str, sheets: Sequence[str]) -> list[tuple[str, str]]:
    from marketing.importing.sniffing import DELIMITERS, ENCODINGS  # pyarrow: only on the pages of an import

    choices: dict[str, list[tuple[str, str]]] = {
        "encoding": list(ENCODINGS.items()),
        "delimiter": list(DELIMITERS.items()),
        "decimal": list(DECIMALS),
        "date_order": list(DATE_ORDERS),
        "sheet": [(sheet, sheet) for sheet in sheets],
        "path_separator": list(PATH_SEPARATOR_LABELS),
    }
    return choices[name]


def _question(question: Mapping[str, Any]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=question["text"],
        choices=[(value, label) for value, label in question["options"]],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one: the file could mean either."},
    )


def _choice(name: str, choices: Sequence[tuple[str, str]], *, found: str) -> forms.ChoiceField:
    as_found = f"As found: {dict(choices).get(found, found)}" if found else "As the rows tell"
    return forms.ChoiceField(label=LABELS[name], choices=[("", as_found), *choices], required=False)


class ColumnsForm(forms.Form):
    """What each column of a file holds; of a wide table, also whose it is."""

    def __init__(
        self, data: Any = None, *, dataset: Dataset, header: Sequence[str], mapping: Mapping[str, str]
    ) -> None:
        from marketing.importing.fields import FIELDS  # pyarrow: only on the pages of an import

        super().__init__(data)
        self.dataset = dataset
        self.known = FIELDS[dataset]
        self.header = header
        wanted = {column: name for name, column in mapping.items() if column}
        for place, column in enumerate(header):
            if not column:
                continue  # it has no name to be called by
            kind, _, label = wanted.get(column, "").partition(":")
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column, choices=self._choices(), initial=kind, required=False
            )
            if dataset == Dataset.MEDIA_TABLE:
                self.fields[f"name_{place}"] = forms.CharField(
                    label=f"Name for {column}", initial=label or column, max_length=100, required=False
                )

    @property
    def required(self) -> list[str]:
        """What people call the fields that a column is needed for."""
        return [field_label(field.name) for field in self.known if field.required]

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first: dict[str, str] = {}
        for place, column in enumerate(self.header):
            field = self._field_of(place, cleaned)
            if not field:
                continue
            other = first.setdefault(field.lower(), column)
            if other != column:
                self.add_error(f"column_{place}", f"“{other}” goes there already. Keep one of the two.")
        return cleaned

    def mapping(self) -> dict[str, str]:
        """Return {field: column} as chosen; a field that no column was chosen for maps to ""."""
        chosen = {self._field_of(place, self.cleaned_data): column for place, column in enumerate(self.header)}
        chosen.pop(LEFT_OUT, None)
        own_names = [field.name for field in self.known]
        if self.dataset == Dataset.MEDIA_TABLE:
            own_names += [column for column in self.header if ":" in column]
        return dict.fromkeys(own_names, LEFT_OUT) | chosen

    def _choices(self) -> list[tuple[str, Any]]:
        fields = [(field.name, field_label(field.name) + (" *" if field.required else "")) for field in self.known]
        if self.dataset == Dataset.MEDIA_TABLE:
            fields += KIND_LABELS.items()
        return [(LEFT_OUT, "Not imported"), *fields]

    def _field_of(self, place: int, cleaned: Mapping[str, Any]) -> str:
        kind: str = cleaned.get(f"column_{place}", LEFT_OUT)
        if kind not in KIND_LABELS or self.dataset != Dataset.MEDIA_TABLE:
            return kind
        name = " ".join(str(cleaned.get(f"name_{place}") or self.header[place]).split())
        return f"{kind}:{name}"
