"""A customer's id is a keyed hash: stable, apart for each workspace, and all that is kept of the key."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Workspace
from marketing.importing.customers import customer_ids
from marketing.models import Customer, Import

KEYS = ["ann@example.com", "bob@example.com", "Ann@example.com", "äöü", "😀"]


def test_the_same_key_always_gives_the_same_id() -> None:
    ids = customer_ids(KEYS, workspace_id=1, secret="s")

    assert ids.tolist() == customer_ids(KEYS, workspace_id=1, secret="s").tolist()
    assert len(set(ids.tolist())) == len(KEYS)
    assert customer_ids(["ann@example.com"], workspace_id=1, secret="s").tolist() == [4065340629463993535]


def test_ids_depend_on_the_secret_and_the_workspace() -> None:
    ids = [
        customer_ids(KEYS, workspace_id=workspace_id, secret=secret)
        for workspace_id, secret in ((1, "s"), (2, "s"), (1, "t"))
    ]

    assert len(np.unique(np.concatenate(ids))) == 3 * len(KEYS)


@given(keys=st.lists(st.text()))
def test_ids_fit_a_signed_column_and_are_not_negative(keys: list[str]) -> None:
    ids = customer_ids(keys, workspace_id=2**40, secret="s")

    assert ids.shape == (len(keys),)
    assert (ids >= 0).all()


def test_a_customers_key_is_stored_nowhere(
    workspace: Workspace, import_rows: Callable[..., Import], media_root: Path
) -> None:
    key = "canary-7c1f@example.com"
    import_rows("touchpoints", f"customer,occurred_at,channel\n{key},2026-01-01,TV\n{key},bad,TV\n")
    import_rows("conversions", f"customer,occurred_at,order_id\n{key},2026-01-02,7\n")

    assert Customer.objects.filter(workspace=workspace).count() == 1
    for model in apps.get_models():
        for row in model._default_manager.values_list():
            assert key not in str(row)
