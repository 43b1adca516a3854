"""Insert what is not there yet."""

import json

import numpy as np
from django.db import connection
from numpy.typing import NDArray


def add_customers(*, workspace_id: int, ids: NDArray[np.int64]) -> None:
    """Insert the customers (n,) that the workspace does not know yet."""
    ordered = np.sort(ids).tolist()  # in key order: neighbouring index pages are touched once
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "INSERT INTO marketing_customer (id, workspace_id) SELECT unnest(%s::bigint[]), %s"
                " ON CONFLICT DO NOTHING",
                # As one text: adapting a list value by value takes as long as inserting it.
                ["{" + ",".join(map(str, ordered)) + "}", workspace_id],
            )
        else:
            cursor.execute(
                "INSERT OR IGNORE INTO marketing_customer (id, workspace_id) SELECT value, %s FROM json_each(%s)",
                [workspace_id, json.dumps(ordered)],
            )
