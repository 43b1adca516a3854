"""Which version a workspace's data has: what answers that are kept, and runs, are compared by."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q

from accounts.models import Workspace
from marketing.grouping import VERSION
from marketing.grouping_rules import parse_rules
from marketing.models import Channel, ChannelGrouping, Dataset, DatasetVersion

UNKNOWN_VERSION = "0" * 32


def data_version(*, workspace: Workspace, datasets: Collection[Dataset]) -> str:
    """A digest, 64 hexadecimal digits, of the visible data of these datasets and of what was decided on its channels.

    The same data gives the same digest, whatever happened in between: undoing an import restores the one before, and
    so does undoing a merge of channels.
    """
    return data_versions(workspaces=[workspace], datasets=datasets)[workspace.pk]


def data_versions(*, workspaces: Collection[Workspace], datasets: Collection[Dataset]) -> dict[int, str]:
    """The data version of each workspace, by its primary key; three queries at most for all of them."""
    known = DatasetVersion.objects.filter(workspace__in=workspaces, dataset__in=datasets)
    digests = {
        (workspace, dataset): digest
        for workspace, dataset, digest in known.values_list("workspace", "dataset", "digest")
    }
    decided = _decided_on_channels(workspaces)
    versions = {}
    for workspace in workspaces:
        of_datasets = [
            (str(dataset), digests.get((workspace.pk, dataset), UNKNOWN_VERSION)) for dataset in sorted(set(datasets))
        ]
        # Besides the rows: what groups them into channels, and into days.
        meaning = [workspace.channel_grouping, VERSION, workspace.timezone, decided[workspace.pk]]
        versions[workspace.pk] = hashlib.sha256(json.dumps([of_datasets, meaning]).encode()).hexdigest()
    return versions


def _decided_on_channels(workspaces: Collection[Workspace]) -> dict[int, list[list[str | int | None]]]:
    """Merges, names other than those in the data, and the custom rules where they count; for each workspace.

    What imports and groupings bring about by themselves is not among it: that a channel exists, and what it is called.
    """
    decided: dict[int, list[list[str | int | None]]] = defaultdict(list)
    touched = Channel.objects.filter(workspace__in=workspaces).filter(
        Q(merged_into__isnull=False) | Q(aliases__isnull=False)
    )
    for workspace, *decision in touched.order_by("pk", "aliases__name").values_list(
        "workspace", "pk", "merged_into", "aliases__name", "name"
    ):
        # Of a channel that has but one name the name is no decision: undoing its merge brings back what was before.
        decided[workspace].append(decision if decision[2] is not None else decision[:2])
    custom = [each for each in workspaces if each.channel_grouping == Workspace.Grouping.CUSTOM]
    rules = dict(ChannelGrouping.objects.filter(workspace__in=custom).values_list("workspace", "rules"))
    for each in custom:
        decided[each.pk].append(["rules", parse_rules(rules.get(each.pk, [])).digest])
    return decided
