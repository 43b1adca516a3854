"""A workspace with enough in it that every page has something to show, one with nothing, and their owner."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.test import Client
from django.utils import timezone

from accounts.actions import create_workspace, set_plan
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube.daily_cube import refresh_cube
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse as parse_custom_model
from attribution.models import CustomModel
from jobs.actions import claim, submit
from jobs.execution import execute
from jobs.models import Job
from marketing.channels import merge_channels, rename_channel
from marketing.health.reports import JOB_KIND
from marketing.importing.actions import request_import
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, ChannelSpend, Dataset, Experiment, Import, SavedSegment
from marketing.segments.definition import parse
from marketing.segments.saved import archive_segment, create_segment
from tests.browser.alert_states import alert_arguments, alert_cases
from tests.browser.api_states import api_arguments, api_cases
from tests.browser.delivery_states import delivery_cases
from tests.browser.export_states import export_arguments, export_cases
from tests.browser.import_states import import_cases
from tests.browser.privacy_states import export_under_way, privacy_arguments
from tests.browser.report_states import report_arguments, report_cases
from tests.browser.schedule_states import schedule_arguments, schedule_cases
from tests.browser.settings_states import invitation_cases, plan_and_log_states, settings_arguments
from tests.browser.webhook_states import webhook_arguments, webhook_cases
from tests.browser.weightings_states import forecast_states, keep_scenario, keep_weightings, plan_states

EMAIL, PASSWORD = "owner@example.com", "a long enough password"
DAYS, CUSTOMERS, TOUCHES = 120, 150, 500
CAMPAIGNS = {
    "Paid Search": ("Brand", "Generic", "A campaign whose name is so long that it has to be cut somewhere on a phone"),
    "Paid Social": ("Prospecting", "Retargeting"),
    "Display": ("Awareness",),
    "Email": ("Newsletter", "Win-back"),
    "Affiliates": ("Coupons",),
    "Organic Search": ("",),
    "Direct": ("",),
    "TV": ("Spring",),
}
SPENT_ON = {"Paid Search": 60, "Paid Social": 45, "Display": 20, "Affiliates": 10, "TV": 90}


@dataclass(frozen=True)
class World:
    """`cases`: what to call a set of arguments of URLs -> the arguments; the first, "", has them all.

    `elsewhere`: what to call it -> address of pages of other workspaces.
    """

    owner: User
    shop: Workspace
    runs: tuple[Run, Run]
    cases: Mapping[str, Mapping[str, object]]
    elsewhere: Mapping[str, str]

    def signed_in(self) -> Client:
        """Sign in with the password: some account pages ask for a recent one."""
        client = Client()
        response = client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
        assert response.status_code == 302
        return client

    def states(self) -> dict[str, str]:
        """Pages in states that no argument of their address makes: what to call the state -> its address."""
        dashboard, history = f"/w/{self.shop.slug}/dashboard/", f"/w/{self.shop.slug}/runs/"
        channel = f"{dashboard}channels/{self.cases['']['channel_id']}/"
        health = f"/w/{self.shop.slug}/data/health/"
        across = f"/w/{self.shop.slug}/crosschannel/{self.cases['across channels']['run_id']}"
        one, other = self.runs
        return {
            **self.elsewhere,
            "dashboard compared": f"{dashboard}?period=last_30&compare=previous&match_weekday=1&model=linear",
            "dashboard of too long ago": f"{dashboard}?start=2020-01-01&end=2020-01-31",
            "channel without comparison": f"{channel}?period=last_60&compare=none",
            "channel of nonsense": f"{channel}?start=2020-01-01&model=magic&goal=nothing&compare=moon",
            "comparison of runs": f"{history}compare/?run={one.pk}&run={other.pk}",
            "journeys of a link": f"{across}/journeys/?at=1:Email&at=2:Display",
            "journeys like none": f"{across}/journeys/?with=Email&search=nowhere",
            "pair of channels": f"{across}/pair/?a=Email&b=Paid+Search",
            "cross-channel of nobody": f"/w/{self.shop.slug}/crosschannel/?segment=Nobody&path_contains=Email",
            "imports of a dataset": f"/w/{self.shop.slug}/data/?dataset=controls&status=active",
            "imports like none": f"/w/{self.shop.slug}/data/?status=loading",
            "health of all days": f"{health}?start=2020-01-01&end=2026-01-31&dataset=spend",
            "health of a channel": f"{health}?channel={self.cases['']['channel_id']}&period=last_365",
            "archived segments": f"/w/{self.shop.slug}/data/segments/?archived=1",
            "archived models": f"/w/{self.shop.slug}/attribution/models/?archived=1",
            "attribution of a segment": f"/w/{self.shop.slug}/attribution/?segment=Returning+customers",
            "attribution of a lost segment": f"/w/{self.shop.slug}/attribution/?segment=Nobody",
            "history with a run chosen": f"{history}?run={one.pk}",
            "new key to send data": f"/w/{self.shop.slug}/settings/api/new/?preset=send",
            "new report of a campaign": f"/w/{self.shop.slug}/reports/new/?template=mid_campaign",
            "guide:page with formulas": "/help/methods/",
            "guide:page with code": "/help/api/",
            "guide:search of words": "/help/search/?q=lookback+window",
            "guide:search in vain": "/help/search/?q=xyzzy",
            "lift test to correct": f"/w/{self.shop.slug}/weightings/experiments/new/?experiment={self._lift_test()}",
        }

    def _lift_test(self) -> int:
        return Experiment.objects.filter(batch__workspace=self.shop).order_by("pk")[0].pk


def build_world(fill: Callable[[Workspace], None]) -> World:
    """Create it all; `fill` brings touchpoints, conversions and spend into the workspace that has some."""
    owner = User.objects.create_user(EMAIL, PASSWORD, is_staff=True)  # staff: some pages are for them alone
    shop = create_workspace(name="Harbour & Finch", slug="shop", owner=owner)
    empty = create_workspace(name="Nothing yet", slug="empty", owner=owner)
    fill(shop)
    merged = _merge_and_rename_channels(shop)
    model, thorough_model, archived_model = _keep_custom_models(shop, owner)
    execute(job_id=refresh_cube(workspace=shop, ring=False).job_id)
    done = _ask(shop, owner, model=["linear", "last", "first"], dimension="channel")
    other = _ask(shop, owner, model=["last"], window_days=7)
    by_campaign = _ask(shop, owner, model=["linear", "last"], dimension="campaign", metric="conversions")
    failed = _ask(shop, owner, start="2020-01-01", end="2020-01-31")
    running = _ask(shop, owner, model=["time_decay"], carried_out=False)
    claim(job_id=running.job_id)
    Job.objects.filter(pk=running.job_id).update(phase="Reading the data", progress=0.4)
    queued = _ask(shop, owner, model=["first"], carried_out=False)
    of_media, of_points = keep_weightings(shop)
    stored, scenario = keep_scenario(shop, owner)
    across = _ask(shop, owner, kind="crosschannel", top=4, steps=3)
    segment, thorough = _keep_segments(shop, owner)
    of_segment = _ask(shop, owner, model=["linear", "last"], segment=segment.name)
    set_plan(workspace=shop, plan="professional", by=None)
    professional = Workspace.objects.get(pk=shop.pk)  # the other knows the plan of before
    data_driven = _ask(professional, owner, model=["data_driven", "shapley:simplified", "linear"], replicates=100)
    set_plan(workspace=shop, plan="starter", by=None)
    spend = ChannelSpend.objects.filter(channel__workspace=shop)
    spent = spend.filter(campaign__traffic_sources__isnull=False).latest("spend")  # not TV: nobody clicks on that
    only_touched = Channel.objects.filter(workspace=shop).exclude(pk__in=spend.values("channel")).latest("pk")
    of_mails, mails = delivery_cases(shop, owner)
    arguments: dict[str, object] = {
        "slug": shop.slug,
        "run_id": done.pk,
        "place": 0,
        "scenario_id": scenario.pk,
        "channel_id": spent.channel_id,
        "alias_id": shop.channel_aliases.get().pk,
        "campaign_id": spent.campaign_id,
        "segment_id": segment.pk,
        "model_id": model.pk,
        "import_id": shop.imports.filter(dataset=Dataset.SPEND).latest("pk").pk,
        "upload_id": 0,
        "dataset": Dataset.SPEND.value,
        **settings_arguments(shop, owner),
        **api_arguments(shop, owner),
        **privacy_arguments(shop, owner),
        **of_mails,
        **export_arguments(done, owner),
        **schedule_arguments(shop, owner),
        **alert_arguments(shop, owner),
        **report_arguments(shop, owner),
        **webhook_arguments(shop, owner),
        "form": "csv",
        "page": "attribution",
        "key": "abc-123",
        "uidb36": "1",
    }
    cases: dict[str, Mapping[str, object]] = {
        "": arguments,
        "without data": {"slug": empty.slug},
        "merged": arguments | {"channel_id": merged.pk},
        "by campaign": arguments | {"run_id": by_campaign.pk},
        "failed": arguments | {"run_id": failed.pk},
        "running": arguments | {"run_id": running.pk},
        "queued": arguments | {"run_id": queued.pk},
        "of a segment": arguments | {"run_id": of_segment.pk},
        "data-driven": arguments | {"run_id": data_driven.pk},
        "of media": arguments | {"run_id": of_media.pk},
        "of a stored model": arguments | {"run_id": stored.pk},
        "of media in points": arguments | {"run_id": of_points.pk},
        "across channels": arguments | {"run_id": across.pk},
        "of every condition": arguments | {"segment_id": thorough.pk},
        "of every rule": arguments | {"model_id": thorough_model.pk},
        "archived": arguments | {"model_id": archived_model.pk},
        "only touched": arguments | {"channel_id": only_touched.pk},
    }
    execute(job_id=submit(workspace=shop, kind=JOB_KIND, ring=False).pk)
    export_under_way(empty, owner)
    cases |= import_cases(shop, owner)
    cases |= invitation_cases(owner)
    cases |= api_cases(shop, owner)
    cases |= mails
    cases |= export_cases(done, owner)
    cases |= schedule_cases(shop, owner)
    cases |= alert_cases(shop, owner)
    cases |= report_cases(shop, owner)
    cases |= webhook_cases(shop)
    return World(
        owner,
        shop,
        (done, other),
        cases,
        forecast_states(owner) | plan_states(stored, scenario) | plan_and_log_states(owner, shop),
    )


def _merge_and_rename_channels(workspace: Workspace) -> Channel:
    """Merge a channel without data into one with a former name; return the merged one."""
    podcast, audio = ensure_channels(workspace=workspace, names=["Podcast", "Audio"])
    rename_channel(channel=audio, name="Audio and podcasts", by=None)
    merge_channels(source=podcast, target=audio, by=None)
    return podcast


def _keep_segments(workspace: Workspace, by: User) -> tuple[SavedSegment, SavedSegment]:
    """Keep a short segment, one with every kind of condition, and an archived one; return the first two."""

    def keep(name: str, *conditions: Mapping[str, object]) -> SavedSegment:
        definition = parse({"match": "any", "conditions": list(conditions)})
        return create_segment(workspace=workspace, name=name, definition=definition, by=by)

    returning = {"type": "customer", "is": "returning"}
    names = {"any_of": ["Display", "Email"]}
    short = keep("Returning customers", returning)
    thorough = keep(
        "Everything that can be known of a customer, said in one segment whose name is long",
        {"type": "attribute", "any_of": ["No longer named by the data"], "not": True},
        returning,
        {"type": "acquired_by", **names},
        {"type": "first_channel", **names, "not": True},
        {"type": "channels", "all_of": names["any_of"]},
        {"type": "interactions", "any_of": ["click", "store_visit"]},
        {"type": "touches", "at_least": 2, "at_most": 5},
        {"type": "value", "at_least": 50, "below": 99.5},
    )
    archive_segment(segment=keep("Put away", {"type": "touches", "at_least": 9}), by=by)
    return short, thorough


def _keep_custom_models(workspace: Workspace, by: User) -> tuple[CustomModel, CustomModel, CustomModel]:
    """Keep a model with two versions, one with a rule of every kind, and an archived one."""

    def keep(name: str, definition: Mapping[str, object]) -> CustomModel:
        return custom_models.create(workspace=workspace, name=name, definition=parse_custom_model(definition), by=by)

    ends = {"position": {"first": 50, "middle": 30, "last": 20}}
    short = keep("First matters", ends)
    custom_models.save_version(model=short, definition=parse_custom_model({**ends, "half_life_days": 7}), by=by)
    thorough = keep(
        "Everything that can be said of a touch, said in one model whose name is long",
        {
            "position": {"nth": [3, 2, 1], "rest": 0.5, "from": "end"},
            "half_life_days": 14,
            "channels": {"Email": 1.5, "A channel that is there no longer": 0},
            "channel_types": {"owned": 0.5},
            "rules": [
                {
                    "when": {
                        "channel": ["Display", "Email"],
                        "channel_type": ["paid", "owned"],
                        "campaign": ["Awareness", "Newsletter"],
                        "interaction": ["impression", "store_visit"],
                        "age_days": {"at_least": 1, "below": 7.5},
                        "position": ["first", "only", {"nth": 2, "from": "end"}],
                    },
                    "factor": 0.2,
                },
                {"when": {"campaign": {"contains": "brand"}}, "factor": 2},
            ],
        },
    )
    archived = keep("Put away", {"half_life_days": 3})
    custom_models.archive(model=archived, by=by)
    return short, thorough, archived


def _ask(
    workspace: Workspace, by: User, *, kind: str = "attribution", carried_out: bool = True, **params: object
) -> Run:
    run = request_run(workspace=workspace, kind=kind, params=params, by=by, trigger=Run.Trigger.PAGE, ring=False)
    if carried_out:
        execute(job_id=run.job_id)
    return run


def import_some_months(workspace: Workspace, directory: Path) -> None:
    """Import invented rows of the last 120 days, from files in `directory`."""
    for dataset, lines in _files().items():
        file = directory / f"{dataset}.csv"
        file.write_text("\n".join(lines))
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)


def _files() -> dict[Dataset, list[str]]:
    rng = np.random.default_rng(7)
    today = timezone.now().replace(hour=12, minute=0)
    days = [today - dt.timedelta(days=back) for back in range(DAYS, 0, -1)]
    touchpoints, conversions, spend = (
        ["customer,occurred_at,channel,campaign"],
        ["customer,occurred_at,value,goal"],
        ["date,channel,campaign,spend"],
    )
    for channel in rng.choice(list(CAMPAIGNS), TOUCHES):
        at = days[rng.integers(DAYS)] - dt.timedelta(minutes=int(rng.integers(600)))
        touchpoints.append(
            f"c{rng.integers(CUSTOMERS)},{at:%Y-%m-%dT%H:%MZ},{channel},{rng.choice(CAMPAIGNS[str(channel)])}"
        )
    for place, day in enumerate(days):
        values = [(int(value) + place, "Purchase") for value in rng.integers(40, 400, rng.poisson(1.5))]
        conversions += [
            f"c{rng.integers(CUSTOMERS)},{day:%Y-%m-%dT%H:%MZ},{value},{goal}" for value, goal in [*values, (0, "Lead")]
        ]
        spend += [
            f"{day:%Y-%m-%d},{channel},{campaign},{amount * rng.uniform(0.5, 1.5):.2f}"
            for channel, amount in SPENT_ON.items()
            for campaign in CAMPAIGNS[channel]
        ]
    experiments = ["channel,start,end,lift,standard_error,spend"]
    experiments.append(f"Paid Search,{days[20]:%Y-%m-%d},{days[48]:%Y-%m-%d},5200,900,1700")
    return {
        Dataset.TOUCHPOINTS: touchpoints,
        Dataset.CONVERSIONS: conversions,
        Dataset.SPEND: spend,
        Dataset.EXPERIMENTS: experiments,
    }
