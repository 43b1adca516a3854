"""The names of models, and what they stand for."""

import pytest

from attribution.catalogue import (
    MODELS,
    OFFERED,
    Family,
    UnknownModel,
    find,
    half_life_days,
    parse_method,
    position_weights,
)
from attribution.methods.markov import MarkovModel
from attribution.methods.rules import RULE_MODELS, RuleModel
from attribution.methods.shapley import ShapleyModel

CUSTOMS = {"custom:3@2": {"name": "Our own", "version": 2, "definition": {}}}


@pytest.mark.parametrize("name", MODELS)
def test_a_plain_name_is_its_own(name: str) -> None:
    assert find(name).name == name


@pytest.mark.parametrize(
    ("asked", "name", "label"),
    [
        (" last ", "last", "Last Touch"),
        ("markov", "markov:1", "Markov, order 1"),
        ("time_decay:7", "time_decay", "Time Decay"),
        ("time_decay:14", "time_decay:14", "Time Decay, 14 days"),
        ("time_decay:14.0", "time_decay:14", "Time Decay, 14 days"),
        ("time_decay:1", "time_decay:1", "Time Decay, 1 day"),
        ("time_decay:0.5", "time_decay:0.5", "Time Decay, 0.5 days"),
        ("position:40-20-40", "position", "Position Based"),
        ("position:30-40-30", "position:30-40-30", "Position Based 30/40/30"),
        ("position:33.5-33-33.5", "position:33.5-33-33.5", "Position Based 33.5/33/33.5"),
        ("position:100-0-0", "position:100-0-0", "Position Based 100/0/0"),
    ],
)
def test_settings_are_written_in_one_way(asked: str, name: str, label: str) -> None:
    model = find(asked)
    assert (model.name, model.label) == (name, label)
    assert find(model.name) == model


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("magic", "There is no model “magic”. Choose from last, first, "),
        ("markov:4", "There is no model “markov:4”."),
        ("last:3", "There is no model “last:3”."),
        ("time_decay:", "There is no model “time_decay:”."),
        ("time_decay:0", "The half-life of time_decay is more than 0 and at most 3650 days, not “0”."),
        ("time_decay:0.0000001", "The half-life of time_decay is more than 0"),
        ("time_decay:-1", "The half-life of time_decay"),
        ("time_decay:nan", "The half-life of time_decay"),
        ("time_decay:1e9", "The half-life of time_decay"),
        ("time_decay:1_0", "The half-life of time_decay"),
        ("time_decay:week", "The half-life of time_decay is more than 0 and at most 3650 days, not “week”."),
        ("position:50-30-30", "The weights of position must total 100%, not 110%."),
        ("position:0-100-0", "The weights of position must give something to the first or the last touch."),
        ("position:50-50", "The weights of position are first-middle-last in percent"),
        ("position:-10-60-50", "The weights of position are first-middle-last in percent"),
        ("custom:3@2", "There is no model “custom:3@2”."),
    ],
)
def test_what_is_no_model_is_refused_with_a_sentence(asked: str, sentence: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        find(asked)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("time_decay:7.0000001", "time_decay"),
        ("position:40.0000001-20-39.9999999", "position"),
        ("position:33.33333333-33.33333333-33.33333334", "position:33.333333-33.333333-33.333333"),
    ],
)
def test_a_name_says_settings_to_six_decimals_and_is_found_by_itself(asked: str, name: str) -> None:
    assert find(asked).name == name
    assert find(name).name == name


def test_a_custom_model_is_known_by_what_the_params_say_of_it() -> None:
    model = find("custom:3@2", CUSTOMS)
    assert (model.label, model.family) == ("Our own (v2)", Family.CUSTOM)


def test_data_driven_models_are_those_that_learn() -> None:
    assert [name for name, model in MODELS.items() if model.is_data_driven] == [
        *("data_driven", "markov:1", "markov:2", "markov:3", "shapley", "shapley:simplified", "bayesian_markov")
    ]
    assert set(MODELS) - set(OFFERED) == {"markov:1"}, "Data-Driven is its better known name"


def test_settings_can_be_read_back() -> None:
    assert (half_life_days("time_decay"), half_life_days("time_decay:2.5")) == (7.0, 2.5)
    assert position_weights("position") == (40.0, 20.0, 40.0)
    assert position_weights("position:30-40-30") == (30.0, 40.0, 30.0)


def test_only_participation_does_not_add_up() -> None:
    assert [name for name, model in MODELS.items() if not model.adds_up] == ["participation"]


@pytest.mark.parametrize("name", [name for name in MODELS if name != "bayesian_markov"])
def test_a_method_goes_by_the_name_of_its_model(name: str) -> None:
    method = parse_method(name)
    assert method.name == name
    expected = MarkovModel if "markov" in name or name == "data_driven" else RuleModel
    assert isinstance(method, ShapleyModel if name == "shapley" else expected)


def test_methods_have_the_settings_of_their_names() -> None:
    decay, position = parse_method("time_decay:2.5"), parse_method("position:30-40-30")
    assert isinstance(decay, RuleModel)
    assert isinstance(position, RuleModel)
    assert decay.half_life_days == 2.5
    assert (position.first, position.middle, position.last) == (30.0, 40.0, 30.0)
    assert parse_method("time_decay:7") == RULE_MODELS["time_decay"]
    assert parse_method("markov:3") == MarkovModel("markov:3", order=3)
    assert parse_method("data_driven") == MarkovModel("data_driven", order=1)
