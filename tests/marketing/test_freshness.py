from datetime import timedelta

from django.utils import timezone

from accounts.models import Workspace
from jobs import actions
from marketing.freshness import dataset_freshness
from marketing.models import Channel, ChannelSpend, Control, ControlValue, Dataset, Import, Outcome, OutcomeValue


def an_import(workspace: Workspace, dataset: Dataset) -> Import:
    job = actions.submit(workspace=workspace, kind="marketing.import", ring=False)
    return Import.objects.create(
        workspace=workspace,
        job=job,
        dataset=dataset,
        status=Import.Status.ACTIVE,
        origin=Import.Origin.CLI,
        activated_at=timezone.now(),
    )


def test_the_freshness_of_the_data_counts_days_without_spend(workspace: Workspace) -> None:
    today = timezone.now().date()
    batch = an_import(workspace, Dataset.SPEND)
    Import.objects.filter(pk=batch.pk).update(first_day=today - timedelta(days=10), last_day=today - timedelta(days=3))
    channel = Channel.objects.create(workspace=workspace, name="Email", colour_slot=0)
    for days_ago in (10, 9, 9, 5, 3):
        geo = "" if not ChannelSpend.objects.filter(date=today - timedelta(days=days_ago)).exists() else "DE"
        ChannelSpend.objects.create(batch=batch, channel=channel, date=today - timedelta(days=days_ago), geo=geo)
    ChannelSpend.objects.create(batch=batch, channel=channel, date=today - timedelta(days=4), shadowed=True)
    undone = an_import(workspace, Dataset.SPEND)
    Import.objects.filter(pk=undone.pk).update(status=Import.Status.UNDONE)  # its rows are deleted in a moment
    ChannelSpend.objects.create(batch=undone, channel=channel, date=today - timedelta(days=6))
    (spend,) = dataset_freshness(workspace=workspace)
    assert (spend.label, spend.last_day, spend.missing_days) == ("Spend", today - timedelta(days=3), 6)


def test_a_day_of_a_media_table_is_there_if_anything_was_said_of_it(workspace: Workspace) -> None:
    today = timezone.now().date()
    days = [today - timedelta(days=days_ago) for days_ago in range(11)]
    batch, other = an_import(workspace, Dataset.MEDIA_TABLE), an_import(workspace, Dataset.OUTCOMES)
    Import.objects.filter(pk=batch.pk).update(first_day=days[10], last_day=days[3])
    channel = Channel.objects.create(workspace=workspace, name="Email", colour_slot=0)
    sales = Outcome.objects.create(workspace=workspace, name="Sales")
    price = Control.objects.create(workspace=workspace, name="Price")
    ChannelSpend.objects.create(batch=batch, channel=channel, date=days[10])
    ChannelSpend.objects.create(batch=batch, channel=channel, date=days[9])
    OutcomeValue.objects.create(batch=batch, outcome=sales, date=days[9], value=1)
    OutcomeValue.objects.create(batch=batch, outcome=sales, date=days[6], value=1, shadowed=True)  # by the other import
    ControlValue.objects.create(batch=batch, control=price, date=days[3], value=1)
    OutcomeValue.objects.create(batch=other, outcome=sales, date=days[2], value=1)

    table = next(row for row in dataset_freshness(workspace=workspace) if row.dataset == Dataset.MEDIA_TABLE)

    assert table.missing_days == 6
