"""How batches are described: the fields of each dataset, as `marketing.importing.fields` has them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from marketing.api.rows.kinds import KINDS
from marketing.importing.templates import TEMPLATES
from marketing.models import Dataset

Schema = dict[str, Any]
DECIMAL = r"[0-9]{1,12}(\.[0-9]+)?"
TEXT: Schema = {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": 100}
# By name, what is not told by how the field is read.
BY_NAME: Mapping[str, Schema] = {
    "customer": {"type": ["string", "integer"], "pattern": r"^[^\x00]*$", "maxLength": 200},
    "order_id": {"type": ["string", "integer"], "pattern": r"^[^\x00]*$", "maxLength": 100},
    "source": TEXT | {"maxLength": 200},
    "medium": TEXT | {"maxLength": 200},
    "campaign": TEXT | {"maxLength": 200},
    "path": {
        "type": "string",
        "pattern": r"^[^\x00>]+(>[^\x00>]+)*$",
        "maxLength": 103_000,
        "description": "Channels, oldest first, parted by `>`: 1,000 at most.",
    },
}
DESCRIPTIONS = {
    "customer": "Any key that tells the customer from all others; only its keyed hash is kept.",
    "goal": "The default goal if absent.",
    "geo": "A region or country; of all geos together if absent.",
    "converted": "False: the customer is known not to have converted at that time.",
    "null": "How many journeys along the path did not convert.",
}


class BatchSerializer(serializers.Serializer[Any]):
    """A batch of one dataset. Only described by this: `marketing.importing.batches` reads it."""

    dataset: ClassVar[Dataset]


class RowToSend(BatchSerializer):
    """One row of a batch."""


class BatchDescription(OpenApiSerializerExtension):
    """Describes batches and their rows when the description of the API is made, as that takes libraries."""

    target_class = BatchSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        """Return the schema of a row or, of a batch, one that refers to it."""
        if isinstance(self.target, RowToSend):
            return row_schema(self.target.dataset)
        row = auto_schema.resolve_serializer(ROWS_TO_SEND[self.target.dataset], direction).ref
        rows = {"type": "array", "items": row, "minItems": 1, "maxItems": _most_rows()}
        wrapped = {"type": "object", "properties": {"rows": rows}, "required": ["rows"], "additionalProperties": False}
        return {"anyOf": [wrapped, rows]}


def row_schema(dataset: Dataset) -> Schema:
    """Return the JSON schema of a row that is sent."""
    from marketing.importing.fields import FIELDS  # pyarrow: only where the description is made

    fields = FIELDS[dataset]
    properties = {}
    for field in fields:
        schema = _schema_of(field.name, field.parse)
        if not field.required:
            schema = _or_null(schema)
        described = DESCRIPTIONS.get(field.name, schema.get("description"))
        properties[field.name] = schema | ({"description": described} if described else {})
        if field.required and "pattern" in schema and schema["type"] == "string":
            properties[field.name]["minLength"] = 1
    whole: Schema = {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }
    if dataset == Dataset.TOUCHPOINTS:
        whole["anyOf"] = [{"required": [name]} for name in ("channel", "source", "medium")]
        whole["description"] = "A channel that is named counts; without one, source, medium and campaign are grouped."
    return whole


def example(dataset: Dataset) -> Schema:
    """Return a batch such as people send, from the template of the dataset."""
    header, *rows = TEMPLATES[dataset]
    return {
        "rows": [{name: _in_json(name, cell) for name, cell in zip(header, row, strict=True) if cell} for row in rows]
    }


def _in_json(name: str, cell: str) -> str | bool:
    return cell == "true" if name == "converted" else cell


def _schema_of(name: str, parse: object) -> Schema:
    from marketing.importing import cells
    from marketing.importing.fields import INTERACTIONS

    if name == "interaction":
        return {"type": "string", "enum": list(INTERACTIONS)}
    if name in BY_NAME:
        return dict(BY_NAME[name])
    number = {"type": ["number", "string"]}
    by_parser: Mapping[object, Schema] = {
        cells.moment: {
            "type": ["string", "number"],
            "format": "date-time",
            "description": "ISO 8601, or an epoch in seconds, milli- or microseconds, which may have a fraction; from "
            "2000 to now.",
        },
        cells.day: {"type": "string", "format": "date", "description": "From 2000 to today."},
        cells.money: number
        | {"pattern": f"^{DECIMAL}$", "minimum": 0, "exclusiveMaximum": 10**12}
        | {"description": "In the workspace's currency, kept to six decimals."},
        cells.non_negative: number | {"pattern": f"^{DECIMAL}$", "minimum": 0},
        cells.number: number | {"pattern": f"^-?{DECIMAL}$"},
        cells.boolean: {"type": "boolean"},
    }
    if name in ("start", "end"):
        return {"type": "string", "format": "date"}
    return dict(by_parser.get(parse, TEXT))


def _or_null(schema: Schema) -> Schema:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    allowed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [*kinds, "null"]} | allowed


def _most_rows() -> int:
    from marketing.importing.batches import MOST_ROWS

    return MOST_ROWS


def _named(base: type[BatchSerializer], suffix: str) -> Mapping[Dataset, type[BatchSerializer]]:
    """Make a class for each dataset, after which its part of the description is called: `TouchpointBatch`."""
    return {
        dataset: type(dataset.value.title().rstrip("s") + suffix, (base,), {"dataset": dataset}) for dataset in KINDS
    }


ROWS_TO_SEND = _named(RowToSend, "ToSend")
BATCHES = _named(BatchSerializer, "Batch")
