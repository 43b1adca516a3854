"""The columnar snapshot: what analyses read instead of touchpoint and conversion rows.

For each workspace and table there are *segments*: immutable directories of sorted columns under
`MEDIA_ROOT/snapshots/<workspace id>/<table>/`, each named by the imports, at their revisions, whose visible rows it
holds. Whoever needs a set of imports takes the segments that add up to it and builds one for the rest, so a small
import costs a small segment beside the large one. When the small ones become many or large, all are merged into one.

Nothing here is precious: a segment that is missing or damaged is built again from the database.

What the writers of rows must keep to: `Import.revision` grows in the transaction (in each of them, if there are
several) that changes the `shadowed` flag of a row of an active import, or deletes such a row.
"""

from marketing.store.segments import Imports
from marketing.store.snapshot import (
    DataChanged,
    OnProgress,
    Sample,
    count_by_id,
    discard,
    discard_outdated,
    load,
    load_built,
    nobody_watches,
    prepare,
    sample_of_customers,
)
from marketing.store.tables import CONVERSIONS, TOUCHES, ImportVersion, Table, active_imports

__all__ = [
    "CONVERSIONS",
    "TOUCHES",
    "DataChanged",
    "ImportVersion",
    "Imports",
    "OnProgress",
    "Sample",
    "Table",
    "active_imports",
    "count_by_id",
    "discard",
    "discard_outdated",
    "load",
    "load_built",
    "nobody_watches",
    "prepare",
    "sample_of_customers",
]
