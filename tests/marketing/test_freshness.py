from datetime import timedelta

from django.utils import timezone

from accounts.models import Workspace
from jobs import actions
from marketing.freshness import dataset_freshness
from marketing.models import Channel, ChannelSpend, Dataset, Import


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
    (spend,) = dataset_freshness(workspace=workspace)
    assert (spend.label, spend.last_day, spend.missing_days) == ("Spend", today - timedelta(days=3), 6)
