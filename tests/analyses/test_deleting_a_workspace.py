"""A workspace goes with everything in it; a part of it that others refer to stays."""

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.db.models import RestrictedError

from accounts.models import Workspace
from analyses.models import Run
from jobs.models import Job
from marketing.models import (
    Campaign,
    Channel,
    ChannelSpend,
    Conversion,
    Customer,
    Dataset,
    Experiment,
    Import,
    PathChannel,
    PathCount,
    Segment,
    Touchpoint,
    TrafficSource,
)
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, add_customer, add_import, conversion_import

pytestmark = pytest.mark.django_db
EVERYTHING = (
    Campaign,
    Channel,
    ChannelSpend,
    Conversion,
    Customer,
    Experiment,
    Import,
    Job,
    PathChannel,
    PathCount,
    Run,
    Segment,
    Touchpoint,
    TrafficSource,
)


@pytest.fixture
def email(workspace: Workspace) -> Channel:
    """A channel with a touch, spend and an experiment, in a workspace that has conversions and a run too."""
    channel = Channel.objects.create(workspace=workspace, name="Email", colour_slot=1)
    campaign = Campaign.objects.create(workspace=workspace, name="Spring")
    source = TrafficSource.objects.create(workspace=workspace, channel=channel, campaign=campaign)
    segment = Segment.objects.create(workspace=workspace, name="Loyal")
    customer = add_customer(workspace, 1)
    batch = add_import(workspace, Dataset.TOUCHPOINTS)
    Touchpoint.objects.create(batch=batch, customer=customer, occurred_at=NOON, traffic_source=source, segment=segment)
    conversion_import(workspace, [(1, NOON, "10")])
    day = dt.date(2026, 3, 1)
    ChannelSpend.objects.create(batch=batch, date=day, channel=channel, campaign=campaign, spend=5)
    Experiment.objects.create(batch=batch, channel=channel, start=day, end=day, lift=1, standard_error=1, spend=5)
    PathCount.objects.create(batch=batch, channels=bytes(4), digest=uuid.UUID(int=1), conversions=1)
    PathChannel.objects.create(batch=batch, channel=channel)
    Run.objects.create(
        workspace=workspace,
        job=Job.objects.create(workspace=workspace, kind="run", status=Job.Status.DONE),
        kind="attribution",
        method_version="1",
        params={},
        data_version="",
        fingerprint="f",
        trigger=Run.Trigger.PAGE,
    )
    return channel


def test_a_workspace_full_of_data_can_be_deleted(workspace: Workspace, email: Channel) -> None:
    elsewhere = conversion_import(WorkspaceFactory.create(), [(2, NOON, "10")])
    assert all(model._default_manager.exists() for model in EVERYTHING)
    workspace.delete()
    left = {model.__name__: model._default_manager.count() for model in EVERYTHING}
    assert {name: count for name, count in left.items() if count} == {
        "Conversion": 1,
        "Customer": 1,
        "Import": 1,
        "Job": 1,
    }
    assert Import.objects.get() == elsewhere


def test_a_channel_in_use_cannot_be_deleted(email: Channel) -> None:
    with pytest.raises(RestrictedError):
        email.delete()


def test_the_job_of_a_run_cannot_be_deleted(email: Channel) -> None:
    with pytest.raises(RestrictedError):
        Run.objects.get().job.delete()


def test_the_migrations_are_those_of_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
