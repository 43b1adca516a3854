"""Reading rows: what counts, under the names that count now, narrowed as asked."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from marketing.channels import change_grouping, merge_channels, rename_channel
from marketing.importing.customers import customer_ids
from marketing.importing.undo import undo_imports
from marketing.models import Channel, Import, Touchpoint, TrafficSource
from tests.marketing.api.conftest import API, Importer, WithKey, results

pytestmark = pytest.mark.usefixtures("media_root")
HEADERS = {
    "touchpoints": "customer,occurred_at,channel,source,medium,campaign,interaction,segment\n",
    "conversions": "customer,occurred_at,goal,value,order_id,converted\n",
    "spend": "date,channel,campaign,geo,spend,impressions,clicks\n",
    "outcomes": "date,outcome,geo,value\n",
    "controls": "date,control,geo,value\n",
    "experiments": "channel,start,end,geo,lift,standard_error,spend\n",
    "events": "name,start,end,geo\n",
    "paths": "date,path,conversions,value,null\n",
}


@pytest.fixture
def bring(import_rows: Importer) -> Importer:
    """Import lines of a dataset, whose header is known."""

    def bring(dataset: str, *lines: str) -> Import:
        batch: Import = import_rows(dataset, HEADERS[dataset] + "\n".join([*lines, ""]))
        assert batch.status == Import.Status.ACTIVE, batch.errors
        return batch

    return bring


def channel(name: str) -> Channel:
    return Channel.objects.get(name=name)


def customer_id(workspace: Workspace, key: str) -> str:
    (found,) = customer_ids([key], workspace_id=workspace.pk, secret=django_settings.CUSTOMER_HASH_KEY).tolist()
    return str(found)


# --- what is said of a row ---


def test_every_dataset_is_read_as_it_was_sent(shop: Workspace, program: Client, bring: Importer) -> None:
    sent = {
        "touchpoints": "ann,2026-03-01T10:00:00.25+01:00,Email,news,email,May,open,Loyal",
        "conversions": "ann,2026-03-01T11:00Z,Purchase,19.99,A-1,true",
        "spend": "2026-03-01,TV,Spring,DE,1234.5,1000,",
        "outcomes": "2026-03-01,Sales,DE,1000.5",
        "controls": "2026-03-01,Price,,-0.5",
        "experiments": "TV,2026-02-01,2026-02-28,DE,5200,900,1700",
        "events": "Carnival,2026-02-16,2026-02-17,",
        "paths": "2026-03-01,Email > TV,3,120.5,7",
    }
    brought = {dataset: bring(dataset, line).pk for dataset, line in sent.items()}
    said = {}
    for dataset in sent:
        (row,) = results(program, f"/{dataset}/")
        assert (row.pop("import"), isinstance(row.pop("id"), int)) == (brought[dataset], True)
        said[dataset] = row
    ann = customer_id(shop, "ann")
    assert said == {
        "touchpoints": {
            "customer": ann, "occurred_at": "2026-03-01T09:00:00.250000Z", "channel": "Email",
            "original_channel": None, "source": "news", "medium": "email", "campaign": "May", "interaction": "open",
            "segment": "Loyal",
        },
        "conversions": {
            "customer": ann, "occurred_at": "2026-03-01T11:00:00Z", "goal": "Purchase", "value": "19.990000",
            "order_id": "A-1", "converted": True,
        },
        "spend": {
            "channel": "TV", "original_channel": None, "geo": "DE", "date": "2026-03-01", "campaign": "Spring",
            "spend": "1234.500000", "impressions": 1000.0, "clicks": None,
        },
        "outcomes": {"date": "2026-03-01", "outcome": "Sales", "geo": "DE", "value": 1000.5},
        "controls": {"date": "2026-03-01", "control": "Price", "geo": None, "value": -0.5},
        "experiments": {
            "channel": "TV", "original_channel": None, "geo": "DE", "start": "2026-02-01", "end": "2026-02-28",
            "lift": 5200.0, "standard_error": 900.0, "spend": "1700.000000",
        },
        "events": {"name": "Carnival", "start": "2026-02-16", "end": "2026-02-17", "geo": None},
        "paths": {
            "date": "2026-03-01", "path": "Email > TV", "steps": ["Email", "TV"], "conversions": 3.0,
            "value": "120.500000", "null": 7.0,
        },
    }  # fmt: skip


def test_a_wide_table_has_rows_of_several_datasets(program: Client, import_rows: Importer) -> None:
    table = "date,spend:TV,outcome:Sales,control:Price,events\n2026-03-02,5,100,9,Fair\n2026-03-09,6,110,9,\n"
    batch = import_rows("media_table", table)
    assert [len(results(program, f"/{name}/")) for name in ("spend", "outcomes", "controls", "events")] == [2, 2, 2, 1]
    assert {row["import"] for row in results(program, "/spend/")} == {batch.pk}


def test_rows_that_do_not_count_are_not_there(program: Client, bring: Importer, shop: Workspace) -> None:
    first = bring("spend", "2026-03-01,TV,,,5,,")
    bring("spend", "2026-03-01,TV,,,7,,")  # restates the first
    bring("touchpoints", "ann,2026-03-01T10:00Z,TV,,,,,", "ann,2026-03-01T10:00Z,TV,,,,,")  # the second one repeats
    assert [row["spend"] for row in results(program, "/spend/")] == ["7.000000"]
    assert len(results(program, "/touchpoints/")) == 1
    second = Import.objects.filter(dataset="spend").latest("pk")
    undo_imports(workspace=shop, imports=[second], by=None)
    (row,) = results(program, "/spend/")
    assert (row["spend"], row["import"]) == ("5.000000", first.pk)


def test_the_newest_import_comes_first_and_in_it_the_last_row(program: Client, bring: Importer) -> None:
    bring("outcomes", "2026-03-01,Sales,,1", "2026-03-02,Sales,,2")
    bring("outcomes", "2026-02-01,Sales,,3", "2026-02-02,Sales,,4")
    assert [row["value"] for row in results(program, "/outcomes/")] == [4, 3, 2, 1]


def test_a_merged_channel_is_called_what_it_counts_for(program: Client, bring: Importer) -> None:
    bring("spend", "2026-03-01,Facebook,,,5,,", "2026-03-01,Social,,,6,,")
    bring("touchpoints", "ann,2026-03-01T10:00Z,Facebook,,,,,")
    bring("experiments", "Facebook,2026-02-01,2026-02-28,,5200,900,1700")
    bring("paths", "2026-03-01,Facebook > Social,3,120.5,7")
    merge_channels(source=channel("Facebook"), target=channel("Social"), by=None)
    rename_channel(channel=channel("Social"), name="Paid Social", by=None)
    rows = results(program, "/spend/")
    assert [(row["channel"], row["original_channel"]) for row in rows] == [
        ("Paid Social", None),
        ("Paid Social", "Facebook"),
    ]
    for path in ("/touchpoints/", "/experiments/"):
        (row,) = results(program, path)
        assert (row["channel"], row["original_channel"]) == ("Paid Social", "Facebook")
    assert results(program, "/paths/")[0]["steps"] == ["Paid Social", "Paid Social"]


def test_traffic_without_a_channel_is_called_by_the_grouping(
    shop: Workspace, program: Client, bring: Importer, owner: User
) -> None:
    bring("touchpoints", "ann,2026-03-01T10:00Z,,google,cpc,May,,")
    (row,) = results(program, "/touchpoints/")
    assert (row["channel"], row["original_channel"], row["source"]) == ("Paid Search", None, "google")
    rules = [{"channel": "Ads", "conditions": [{"field": "medium", "operator": "is", "value": "cpc"}]}]
    change_grouping(workspace=shop, grouping="custom", rules=rules, by=owner)
    assert results(program, "/touchpoints/")[0]["channel"] == "Ads"


# --- narrowed ---


def test_days_are_those_of_the_workspaces_time_zone(shop: Workspace, program: Client, bring: Importer) -> None:
    shop.timezone = "America/New_York"
    shop.save()
    # 23:30 on the first, midnight and 23:59 on the second, midnight of the third, by the clocks of New York.
    times = ("2026-03-02T04:30Z", "2026-03-02T05:00Z", "2026-03-03T04:59Z", "2026-03-03T05:00Z")
    bring("touchpoints", *(f"{customer},{time},TV,,,,," for customer, time in zip("abcd", times, strict=True)))

    def asked(query: str) -> list[str]:
        return sorted(row["occurred_at"][8:16] for row in results(program, f"/touchpoints/?{query}"))

    assert asked("from=2026-03-02&to=2026-03-02") == ["02T05:00", "03T04:59"]
    assert asked("from=2026-03-03") == ["03T05:00"]
    assert asked("to=2026-03-01") == ["02T04:30"]
    assert asked("from=2026-03-04") == asked("to=2026-02-28") == []
    assert len(asked("from=0001-01-01&to=9999-12-31")) == 4


@pytest.mark.parametrize("dataset", ["spend", "outcomes", "controls"])
def test_figures_are_narrowed_by_their_day(program: Client, bring: Importer, dataset: str) -> None:
    rest = "TV,,,1,," if dataset == "spend" else "Name,,1"
    bring(dataset, f"2026-03-01,{rest}", f"2026-03-02,{rest}")
    bring(dataset, f"2026-03-03,{rest}")
    for query, days in (
        ("from=2026-03-02", ["2026-03-02", "2026-03-03"]),
        ("to=2026-03-02", ["2026-03-01", "2026-03-02"]),
        ("from=2026-03-02&to=2026-03-02", ["2026-03-02"]),
        ("from=2026-03-04", []),
    ):
        assert sorted(row["date"] for row in results(program, f"/{dataset}/?{query}")) == days


@pytest.mark.parametrize("dataset", ["experiments", "events"])
def test_what_lasts_is_there_on_each_of_its_days(program: Client, bring: Importer, dataset: str) -> None:
    window = "2026-02-10,2026-02-20"
    bring(dataset, f"TV,{window},,5200,900,1700" if dataset == "experiments" else f"Fair,{window},")
    found = {
        query: len(results(program, f"/{dataset}/?{query}"))
        for query in ("from=2026-02-20", "from=2026-02-21", "to=2026-02-10", "to=2026-02-09", "from=2026-02-12")
    }
    assert list(found.values()) == [1, 0, 1, 0, 1]


def test_paths_without_a_day_are_of_every_period(program: Client, bring: Importer) -> None:
    bring("paths", "2026-03-01,Email,1,,", "2026-03-05,TV,1,,", ",Radio,1,,")
    assert {row["path"] for row in results(program, "/paths/?from=2026-03-02")} == {"TV", "Radio"}
    assert {row["path"] for row in results(program, "/paths/?to=2026-03-02")} == {"Email", "Radio"}


def test_spend_is_narrowed_by_channel_campaign_and_geo(program: Client, bring: Importer) -> None:
    bring("spend", "2026-03-01,TV,Spring,DE,1,,", "2026-03-01,Radio,Spring,FR,2,,", "2026-03-01,Cinema,,DE,3,,")
    merge_channels(source=channel("Cinema"), target=channel("TV"), by=None)
    rename_channel(channel=channel("Radio"), name="Audio", by=None)

    def spent(query: str) -> list[int]:
        return sorted(int(float(row["spend"])) for row in results(program, f"/spend/?{query}"))

    tv, cinema = channel("TV").pk, channel("Cinema").pk
    assert (
        spent("channel=tv") == spent(f"channel={tv}") == spent("channel=Cinema") == spent(f"channel={cinema}") == [1, 3]
    )
    assert spent("channel=Radio") == spent("channel=Audio") == [2]
    assert spent("campaign=Spring") == [1, 2]
    assert spent("campaign=spring") == spent("channel=Nobody") == spent(f"channel={10**30}") == spent("geo=de") == []
    assert spent("geo=DE&campaign=Spring") == [1]


def test_touches_are_narrowed_by_channel_and_campaign(program: Client, bring: Importer, shop: Workspace) -> None:
    bring(
        "touchpoints",
        "ann,2026-03-01T10:00Z,Paid Search,,,,,",
        "bob,2026-03-01T10:00Z,,google,cpc,May,,",
        "cy,2026-03-01T10:00Z,,bing,cpc,,,",
        "dan,2026-03-01T10:00Z,Email,,,May,,",
        "eve,2026-03-01T10:00Z,Adwords,,,,,",
    )
    merge_channels(source=channel("Adwords"), target=channel("Paid Search"), by=None)
    keys = {customer_id(shop, key): key for key in ("ann", "bob", "cy", "dan", "eve")}

    def who(query: str) -> list[str]:
        return sorted(keys[row["customer"]] for row in results(program, f"/touchpoints/?{query}"))

    assert who("channel=paid search") == who(f"channel={channel('Paid Search').pk}") == ["ann", "bob", "cy", "eve"]
    assert who("channel=Adwords") == who("channel=Paid+Search")
    assert who("campaign=May") == ["bob", "dan"]
    assert who("channel=Email&campaign=May") == ["dan"]
    assert who("channel=Organic+Search") == who("campaign=June") == []


def test_a_channel_that_only_the_grouping_names_is_found(program: Client, bring: Importer) -> None:
    bring("touchpoints", "ann,2026-03-01T10:00Z,,google,organic,,,", "bob,2026-03-01T10:00Z,,google,cpc,,,")
    assert not Channel.objects.filter(name="Organic Search").exists()
    assert [row["medium"] for row in results(program, "/touchpoints/?channel=organic+search")] == ["organic"]


def test_a_grouping_may_make_one_channel_of_very_many_sources(
    program: Client, bring: Importer, shop: Workspace
) -> None:
    batch = bring("touchpoints", "ann,2026-03-01T10:00Z,,site-0.example,referral,,,")
    TrafficSource.objects.bulk_create(
        TrafficSource(workspace=shop, source=f"site-{number}.example", medium="referral") for number in range(1, 33_000)
    )
    one = Touchpoint.objects.get(batch=batch)
    Touchpoint.objects.create(
        batch=batch,
        customer_id=one.customer_id,
        occurred_at=one.occurred_at,
        traffic_source=TrafficSource.objects.latest("pk"),
    )
    assert len(results(program, "/touchpoints/?channel=Referral")) == 2
    assert results(program, "/touchpoints/?channel=Direct") == []


def test_conversions_are_narrowed_by_goal(program: Client, bring: Importer, shop: Workspace) -> None:
    bring("conversions", "ann,2026-03-01T10:00Z,Purchase,5,,", "ann,2026-03-01T10:00Z,Lead,,,")
    lead = shop.goals.get(name="Lead")
    for query in ("goal=lead", f"goal={lead.pk}"):
        assert [row["goal"] for row in results(program, f"/conversions/?{query}")] == ["Lead"]
    assert results(program, "/conversions/?goal=Nothing") == []


def test_series_are_narrowed_by_name(program: Client, bring: Importer) -> None:
    bring("outcomes", "2026-03-01,Sales,,1", "2026-03-01,Visits,,2")
    bring("controls", "2026-03-01,Price,,1", "2026-03-01,Weather,,2")
    assert [row["value"] for row in results(program, "/outcomes/?outcome=visits")] == [2]
    assert [row["value"] for row in results(program, "/controls/?control=Weather")] == [2]


def test_rows_are_narrowed_by_import(program: Client, bring: Importer) -> None:
    first, second = bring("events", "Fair,2026-03-01,,"), bring("events", "Strike,2026-03-02,,")
    assert [row["name"] for row in results(program, f"/events/?import={first.pk}")] == ["Fair"]
    assert results(program, f"/events/?import={second.pk + 1}") == results(program, f"/events/?import={10**30}") == []


def test_rows_of_one_customer(program: Client, bring: Importer, shop: Workspace) -> None:
    bring("touchpoints", "ann@example.com,2026-03-01T10:00Z,TV,,,,,", "bob,2026-03-01T10:00Z,TV,,,,,")
    bring("conversions", "ann@example.com,2026-03-01T10:00Z,Purchase,5,,")
    ann = customer_id(shop, "ann@example.com")
    for dataset in ("touchpoints", "conversions"):
        for query in ("customer=ann%40example.com", "customer=+ann%40example.com+", f"customer_id={ann}"):
            assert [row["customer"] for row in results(program, f"/{dataset}/?{query}")] == [ann]
        assert results(program, f"/{dataset}/?customer=Ann%40example.com") == []
        assert results(program, f"/{dataset}/?customer_id={2**63}") == []


def test_only_who_may_look_customers_up_asks_by_their_key(
    shop: Workspace, with_key: WithKey, analyst: User, admin: User
) -> None:
    for path in ("touchpoints", "conversions"):
        refused = with_key("data:read", of=analyst).get(f"{API}/{path}/?customer=ann")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        assert with_key("data:read", of=analyst).get(f"{API}/{path}/?customer_id=5").status_code == 200
        assert with_key("data:read", of=admin).get(f"{API}/{path}/?customer=ann").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("import=first", "import"),
        ("import=0", "import"),
        ("channel=%00", "channel"),
        ("customer_id=ann", "customer_id"),
        ("customer_id=5%0A", "customer_id"),
        ("colour=red", "colour"),
        ("fields=id,colour", "fields"),
        ("page_size=0", "page_size"),
        ("cursor=abc", "cursor"),
        ("cursor=cD1hYmM%3D", "cursor"),
        ("cursor=cD01LTA%3D", "cursor"),
        (f"cursor=cD01LT{'5' * 4}", "cursor"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_what_cannot_be_asked_is_refused(program: Client, query: str, field: str, accept: str) -> None:
    if accept == "text/csv" and field in ("cursor", "page_size"):
        return  # all rows are sent at once
    refused = program.get(f"{API}/touchpoints/?{query}", headers={"Accept": accept})
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    assert list(refused.json()["errors"]) == [field]


def test_other_workspaces_rows_are_not_there(shop: Workspace, bring: Importer, outsider: User, client_for: Any) -> None:
    batch = bring("touchpoints", "ann,2026-03-01T10:00Z,TV,,,May,,")
    client = client_for(outsider)
    for query in (f"?import={batch.pk}", f"?channel={channel('TV').pk}", "?campaign=May", ""):
        assert results(client, f"/touchpoints/{query}") == []
    assert client.get(f"{API}/touchpoints/?workspace=acme").status_code == 404


# --- as many queries, whatever there is ---


def test_queries_do_not_grow_with_rows(program: Client, bring: Importer) -> None:
    def counted(dataset: str) -> int:
        program.get(f"{API}/{dataset}/")  # what is looked up once a minute
        with CaptureQueriesContext(connection) as captured:
            assert program.get(f"{API}/{dataset}/").status_code == 200
        return len(captured)

    def line(dataset: str, n: int) -> str:
        day = f"2026-03-{n:02}"
        return {
            "touchpoints": f"c{n},{day}T10:00Z,Channel {n},s{n},m{n},Campaign {n},open,Segment {n}",
            "conversions": f"c{n},{day}T10:00Z,Goal {n},1,o{n},",
            "spend": f"{day},Channel {n},Campaign {n},,1,,",
            "outcomes": f"{day},Outcome {n},,1",
            "controls": f"{day},Control {n},,1",
            "experiments": f"Channel {n},{day},{day},,1,1,1",
            "events": f"Event {n},{day},{day},",
            "paths": f"{day},Channel {n} > Channel 1,1,1,1",
        }[dataset]

    for dataset in HEADERS:
        bring(dataset, line(dataset, 1), line(dataset, 2))
    before = {dataset: counted(dataset) for dataset in HEADERS}
    for dataset in HEADERS:
        bring(dataset, *(line(dataset, n) for n in range(3, 13)))
    assert {dataset: counted(dataset) for dataset in HEADERS} == before
    assert max(before.values()) <= 14


def test_times_are_exact(program: Client, bring: Importer) -> None:
    bring("touchpoints", "ann,2026-03-01T10:00:00.000001Z,TV,,,,,")
    (row,) = results(program, "/touchpoints/")
    assert dt.datetime.fromisoformat(row["occurred_at"]) == Touchpoint.objects.get().occurred_at
