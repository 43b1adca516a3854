"""Custom models in the API: made, saved in versions, put away, tried; and refused in the words of the grammar."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent, User, Workspace
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from attribution.models import CustomModel
from marketing.models import Channel

LIST = "/api/v1/custom-models/"
PREVIEW = f"{LIST}preview/"
BOTH = ("attribution:read", "attribution:write")
ENDS = {"position": {"first": 50, "middle": 30, "last": 20}}
ClientFor = Callable[[User | None], Client]
WithKey = Callable[..., APIClient]


@pytest.fixture
def with_key(shop: Workspace, owner: User) -> WithKey:
    """Make a client whose API key has these scopes."""

    def with_key(*scopes: str) -> APIClient:
        _key, text = create_api_key(workspace=shop, created_by=owner, name="A program", scopes=scopes)
        return APIClient(headers={"Authorization": f"Bearer {text}"})

    return with_key


@pytest.fixture
def kept(shop: Workspace) -> CustomModel:
    return custom_models.create(workspace=shop, name="Ours", definition=parse(ENDS), by=None)


def post(client: Any, path: str, body: Any, method: str = "post") -> Any:
    return getattr(client, method)(path, body, **({"format": "json"} if isinstance(client, APIClient) else JSON))


JSON = {"content_type": "application/json"}


def detail(model: CustomModel, end: str = "") -> str:
    return f"{LIST}{model.pk}/{end}"


def errors(response: HttpResponse) -> dict[str, list[str]]:
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    return dict(response.json()["errors"])  # type: ignore[attr-defined]


# --- making and reading ---


def test_a_model_is_made_and_read(with_key: WithKey, owner: User, shop: Workspace) -> None:
    client = with_key(*BOTH)
    made = post(client, LIST, {"name": "Ours", "description": "For the board", "definition": ENDS})
    assert made.status_code == 201
    model = CustomModel.objects.get()
    body = made.json()
    assert made.headers["Location"] == body["url"] == detail(model)
    assert (body["model"], body["version"], body["workspace"]) == (f"custom:{model.pk}", 1, "acme")
    assert (body["name"], body["description"], body["archived_at"]) == ("Ours", "For the board", None)
    assert body["definition"] == parse(ENDS).as_json()
    assert body["meaning"] == ["50% to the first touch, 20% to the last, 30% shared by those between."]
    assert body["created_by"] == owner.email
    assert client.get(detail(model)).json() == body
    event = AuditEvent.objects.get(action="custom_model.created")
    assert (event.actor, event.api_key is not None) == (owner, True)


def test_models_are_listed_newest_first(with_key: WithKey, kept: CustomModel) -> None:
    custom_models.archive(model=custom_models.duplicate(model=kept, by=None), by=None)
    client = with_key("attribution:read")
    assert [model["name"] for model in client.get(LIST).json()["results"]] == ["Ours (copy)", "Ours"]
    assert [model["name"] for model in client.get(f"{LIST}?archived=false").json()["results"]] == ["Ours"]
    assert [model["name"] for model in client.get(f"{LIST}?archived=1").json()["results"]] == ["Ours (copy)"]
    assert errors(client.get(f"{LIST}?archived=perhaps")).keys() == {"archived"}
    page = client.get(f"{LIST}?page_size=1").json()
    assert len(page["results"]) == 1
    assert page["next"]


# --- versions ---


def test_the_next_version_stands_beside_the_first(with_key: WithKey, kept: CustomModel) -> None:
    client = with_key(*BOTH)
    saved = post(client, detail(kept, "versions/"), {"definition": {"half_life_days": 7}})
    assert saved.status_code == 201
    second, first = saved.json()["versions"]
    assert (second["version"], second["model"]) == (2, f"custom:{kept.pk}@2")
    assert second["definition"]["half_life_days"] == 7
    assert (first["version"], first["definition"]) == (1, parse(ENDS).as_json())
    assert saved.json()["version"] == 2


def test_the_same_meaning_is_no_version(with_key: WithKey, kept: CustomModel) -> None:
    same = post(with_key(*BOTH), detail(kept, "versions/"), {"definition": ENDS | {"rules": []}})
    assert same.status_code == 200
    assert [version["version"] for version in same.json()["versions"]] == [1]


# --- changing ---


def test_a_model_is_renamed_and_put_away_and_back(with_key: WithKey, kept: CustomModel) -> None:
    client = with_key(*BOTH)
    changed = post(client, detail(kept), {"name": "New", "description": "More", "archived": True}, "patch")
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["description"]) == ("New", "More")
    assert changed.json()["archived_at"]
    refused = post(client, detail(kept, "versions/"), {"definition": {"half_life_days": 7}})
    assert refused.status_code == 400
    assert "archived" in refused.json()["detail"]
    assert post(client, detail(kept), {"archived": False}, "patch").json()["archived_at"] is None
    assert post(client, detail(kept), {}, "patch").json()["name"] == "New"


def test_all_of_a_change_is_made_or_nothing(
    with_key: WithKey, kept: CustomModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    custom_models.archive(model=kept, by=None)
    monkeypatch.setattr(custom_models, "MOST_ACTIVE", 0)
    refused = post(with_key(*BOTH), detail(kept), {"name": "New", "archived": False}, "patch")
    assert refused.status_code == 400
    assert CustomModel.objects.get().name == "Ours"


def test_names_are_refused_by_field(with_key: WithKey, kept: CustomModel) -> None:
    client = with_key(*BOTH)
    for name in ("ours", "", "Linear", "nul\0", "x" * 101):
        assert errors(post(client, LIST, {"name": name, "definition": ENDS})).keys() == {"name"}
    other = custom_models.duplicate(model=kept, by=None)
    assert errors(post(client, detail(other), {"name": "OURS"}, "patch")).keys() == {"name"}
    assert errors(post(client, detail(other), {"archived": "maybe"}, "patch")).keys() == {"archived"}


# --- bad definitions ---


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ({"position": {"first": 50, "middle": 30, "last": 30}}, "definition.position"),
        ({"positions": {}}, "definition.positions"),
        ({"half_life_days": -1}, "definition.half_life_days"),
        ({"half_life_days": True}, "definition.half_life_days"),
        ({"channels": {"Email": 1e308}}, "definition.channels.Email"),
        ({"rules": [{"when": {"age_days": {"below": 0}}, "factor": 1}]}, "definition.rules[0].when.age_days.below"),
        ({"rules": [{"when": {"colour": ["red"]}, "factor": 1}]}, "definition.rules[0].when.colour"),
        ({"rules": [{"when": {"channel": ["a\0b"]}, "factor": 1}]}, "definition.rules[0].when.channel[0]"),
        ({"rules": [[[[[[[[[[[[1]]]]]]]]]]]]}, "definition"),
        ({"channels": {"x" * 70_000: 1}}, "definition"),
        ("__import__('os')", "definition"),
        (None, "definition"),
        ([], "definition"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_path(
    with_key: WithKey, kept: CustomModel, definition: Any, path: str
) -> None:
    client = with_key(*BOTH)
    for address, body in ((LIST, {"name": "Another"}), (detail(kept, "versions/"), {}), (PREVIEW, {})):
        assert path in errors(post(client, address, body | {"definition": definition}))
    assert CustomModel.objects.count() == kept.versions.count() == 1


def test_unknown_fields_are_refused(with_key: WithKey, kept: CustomModel) -> None:
    client = with_key(*BOTH)
    body = {"name": "Another", "definition": ENDS, "colour": "red"}
    assert errors(post(client, LIST, body)).keys() == {"colour"}
    assert errors(post(client, detail(kept), {"definition": ENDS}, "patch")).keys() == {"definition"}
    assert errors(post(client, LIST, ["no", "object"]))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"definition": NaN}',
        "[" * 100_000,
        '{"definition": {"channels": {"\\ud800": 1}}}',
        '{"\\ud800": 1, "definition": {}}',
    ],
)
def test_what_is_no_json_is_refused(with_key: WithKey, text: str) -> None:
    client = with_key(*BOTH)
    for path in (PREVIEW, LIST):
        assert client.post(path, text, content_type="application/json").status_code == 400


# --- trying ---


def test_a_definition_is_tried_on_examples(with_key: WithKey) -> None:
    tried = post(with_key(*BOTH), PREVIEW, {"definition": ENDS})
    assert tried.status_code == 200
    body = tried.json()
    assert body["definition"] == parse(ENDS).as_json()
    assert body["meaning"][0].startswith("50% to the first touch")
    one, three, six = body["journeys"]
    assert [touch["share"] for touch in one["touches"]] == [1.0]
    assert [touch["share"] for touch in three["touches"]] == pytest.approx([0.5, 0.3, 0.2])
    assert sum(touch["share"] for touch in six["touches"]) == pytest.approx(1)
    assert not CustomModel.objects.exists()


def test_a_definition_is_tried_on_given_journeys(with_key: WithKey, shop: Workspace) -> None:
    Channel.objects.create(workspace=shop, name="Flyer", type="offline", colour_slot=0)
    definition = {
        "half_life_days": 10,
        "channel_types": {"offline": 3},
        "rules": [
            {"when": {"interaction": ["impression"]}, "factor": 0},
            {"when": {"campaign": {"contains": "brand"}}, "factor": 2},
        ],
    }
    seen = {"channel": "Display", "days_before": 1, "interaction": "impression"}
    journeys = [
        [{"channel": "Search", "days_before": 0, "campaign": "Our brand"}, {"channel": "flyer", "days_before": 10}],
        [seen],
    ]
    body = post(with_key(*BOTH), PREVIEW, {"definition": definition, "journeys": journeys}).json()
    first, second = body["journeys"]
    # By hand: the flyer weighs 3 x 1/2, the search 2 x 1.
    assert [touch["channel"] for touch in first["touches"]] == ["flyer", "Search"]
    assert [touch["share"] for touch in first["touches"]] == pytest.approx([1.5 / 3.5, 2 / 3.5])
    assert not first["credited_to_none"]
    assert [touch["share"] for touch in second["touches"]] == [0]
    assert second["credited_to_none"]


@pytest.mark.parametrize(
    ("journeys", "path"),
    [
        ([], "journeys"),
        ([[]], "journeys"),
        ([[{"channel": "Email"}]], "journeys"),
        ([[{"channel": "Email", "days_before": -1}]], "journeys"),
        ([[{"channel": "Email", "days_before": 1, "interaction": "dance"}]], "journeys"),
        ([[{"channel": "Email", "days_before": 1}] * 101], "journeys"),
        ([[{"channel": "Email", "days_before": 1}]] * 51, "journeys"),
        ("Email", "journeys"),
    ],
)
def test_wrong_journeys_are_refused(with_key: WithKey, journeys: Any, path: str) -> None:
    refused = errors(post(with_key(*BOTH), PREVIEW, {"definition": ENDS, "journeys": journeys}))
    assert all(name.startswith(path) for name in refused)


# --- who may ---


def test_a_key_needs_the_scope(with_key: WithKey, kept: CustomModel) -> None:
    reading, writing, elsewhere = with_key("attribution:read"), with_key("attribution:write"), with_key("data:read")
    assert reading.get(LIST).status_code == reading.get(detail(kept)).status_code == 200
    for client in (writing, elsewhere):
        assert client.get(LIST).status_code == client.get(detail(kept)).status_code == 403
    writes = (
        ("post", LIST, {"name": "Another", "definition": ENDS}),
        ("post", detail(kept, "versions/"), {"definition": {"half_life_days": 7}}),
        ("patch", detail(kept), {"name": "New"}),
    )
    for method, path, body in writes:
        for client in (reading, elsewhere):
            refused = post(client, path, body, method)
            assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert (CustomModel.objects.count(), kept.versions.count()) == (1, 1)
    for method, path, body in writes:
        assert post(writing, path, body, method).status_code < 300
    # A preview changes nothing and shows journeys.
    assert [post(client, PREVIEW, {"definition": ENDS}).status_code for client in (reading, writing)] == [200, 403]


def test_a_viewer_reads_and_changes_nothing(client_for: ClientFor, viewer: User, kept: CustomModel) -> None:
    client = client_for(viewer)
    assert client.get(LIST).status_code == client.get(detail(kept)).status_code == 200
    for method, path in (
        ("post", LIST),
        ("post", detail(kept, "versions/")),
        ("patch", detail(kept)),
        ("post", PREVIEW),
    ):
        assert post(client, path, {"definition": ENDS, "name": "Mine"}, method).status_code == 403
    assert (CustomModel.objects.get().name, kept.versions.count()) == ("Ours", 1)


def test_others_models_do_not_exist(client_for: ClientFor, outsider: User, owner: User, kept: CustomModel) -> None:
    client = client_for(outsider)
    for address in (detail(kept), f"{detail(kept)}?workspace=elsewhere", f"{LIST}{10**30}/", f"{LIST}{10**18}/"):
        assert client.get(address).status_code == 404
        assert post(client, address, {"name": "Mine"}, "patch").status_code == 404
    assert post(client, detail(kept, "versions/"), {"definition": ENDS}).status_code == 404
    assert client.get(LIST).json()["results"] == []
    assert client_for(owner).delete(detail(kept)).status_code == 405
