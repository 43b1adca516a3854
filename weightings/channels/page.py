"""The page of one channel of a run; all queries and wording are finished here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from analyses.age import stale_sentence
from analyses.documents import Card, Section
from analyses.models import Run
from analyses.presenters import asked_at
from analyses.runs import inputs_changed
from marketing.channel_index import channel_index
from mmm_project.problems import NotFound
from weightings import standing
from weightings.channels import campaign_sections
from weightings.channels.forms import DaysForm
from weightings.channels.reading import CannotRead, read_campaigns
from weightings.presentation import channel_sections, words
from weightings.presentation.results import Result
from weightings.stored import TOO_OLD, StoredModel


@dataclass(frozen=True, slots=True)
class Link:
    """A way on from the page: where it leads, and in what words."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class ChannelPage:
    """What a run says of one channel.

    `doubts`: why nothing is to be decided by it, `stale`: that it is old; "" where that is not so. `campaigns`: None
    where nothing can be said of them, for which `no_campaigns` is the reason. `form`: the days that they are read in.
    `links`: to the run, and on from it. `before`, `after`: the channels beside it, None at the ends.
    """

    run: Run
    name: str
    place: int
    count: int
    lead: str
    headline: str
    doubts: str
    stale: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    campaigns: Section | None
    no_campaigns: str
    form: DaysForm
    links: Sequence[Link]
    before: Link | None
    after: Link | None


def present_channel(run: Run, place: int, query: Mapping[str, str]) -> ChannelPage:
    """Return the page of the channel at this place of a finished run. Raises NotFound if there is none."""
    result = Result(run)
    if place >= len(result.channels):
        raise NotFound("This run has no such channel.")
    channel = result.channels[place]
    name, doubts = channel["channel"], standing.doubts(result.data)
    days = result.data["period"]
    form = DaysForm(query if query.get("start") or query.get("end") else None, initial=days)
    campaigns, no_campaigns = _campaigns(result, name, form, doubts)
    return ChannelPage(
        run=run,
        name=name,
        place=place + 1,
        count=len(result.channels),
        lead=f"{words.describe(run.params)}, asked {asked_at(run)}",
        headline=channel_sections.headline(result, channel),
        doubts=doubts,
        stale=stale_sentence(run),
        cards=channel_sections.cards(result, channel),
        sections=channel_sections.sections(result, channel),
        campaigns=campaigns,
        no_campaigns=no_campaigns,
        form=form,
        links=_links(result, name),
        before=_beside(result, place - 1),
        after=_beside(result, place + 1),
    )


def _campaigns(result: Result, name: str, form: DaysForm, doubts: str) -> tuple[Section | None, str]:
    try:
        reading = read_campaigns(StoredModel(result.run), name, form.days)
    except CannotRead as problem:
        return None, str(problem)
    except KeyError:  # what it kept is not what is needed
        return None, TOO_OLD
    changed = inputs_changed(result.run)
    return campaign_sections.campaigns(result, name, reading, doubts=doubts, data_changed=changed), ""


def _links(result: Result, name: str) -> list[Link]:
    of_run = {"slug": result.run.workspace.slug, "run_id": result.run.pk}
    links = [
        Link("The run's results", reverse("analyses:run", kwargs=of_run)),
        Link("Planner", reverse("weightings:planner", kwargs=of_run)),
    ]
    known = channel_index(workspace=result.run.workspace).named(name)
    if known is not None:
        page = reverse("reports:channel", kwargs={"slug": of_run["slug"], "channel_id": known.pk})
        days = urlencode({"start": result.data["period"]["start"], "end": result.data["period"]["end"]})
        links.append(Link("Dashboard", f"{page}?{days}"))
    return links


def _beside(result: Result, place: int) -> Link | None:
    if not 0 <= place < len(result.channels):
        return None
    name = result.channels[place]["channel"]
    return Link(name, result.href(name))
