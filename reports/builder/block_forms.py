"""The form of one block of each kind. What was typed is judged only when the report is to be saved."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.forms.utils import ErrorDict

from accounts.defaults import LONGEST_WINDOW_DAYS
from attribution.catalogue import OFFERED, UnknownModel, find
from attribution.forms import GOAL
from attribution.labels import DIMENSION_LABELS
from attribution.params import CONVERSIONS, LEADS, REVENUE
from reports.blocks.definition import BRIEF, EXTENTS, KINDS, LONGEST_TEXT, LONGEST_TITLE, SCENARIOS, TEXT, Block
from reports.builder.choices import BlockChoices, with_asked


class DraftForm(forms.Form):
    """A form that shows what was sent; only with `judged` does it say what is wrong with it."""

    def __init__(self, *args: Any, judged: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._judged = judged

    def full_clean(self) -> None:
        if self._judged:
            super().full_clean()
        else:
            self._errors, self.cleaned_data = ErrorDict(), {}


class BlockForm(DraftForm):
    """Its title and its settings; `key` tells it from the others of its report as long as they are edited."""

    kind: ClassVar[str]
    has_extent: ClassVar[bool] = False
    title = forms.CharField(label="Title", max_length=LONGEST_TITLE, required=False)
    extent = forms.ChoiceField(label="Extent", choices=list(EXTENTS.items()), required=False)

    def __init__(self, *args: Any, key: int, choices: BlockChoices, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"b{key}", **kwargs)
        self.key, self.choices = key, choices
        self.fields["title"].widget.attrs["placeholder"] = KINDS[self.kind].label
        if not self.has_extent:
            del self.fields["extent"]
        self.offer()

    def offer(self) -> None:
        """Fill in what can be chosen."""

    def params(self) -> dict[str, Any]:
        """The settings of a form that was judged valid, as `reports.blocks.definition` takes them."""
        raise NotImplementedError

    @classmethod
    def initial_of(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows of a block's settings."""
        return dict(params)

    @property
    def label(self) -> str:
        return KINDS[self.kind].label

    @property
    def help(self) -> str:
        return KINDS[self.kind].help

    @property
    def shown_title(self) -> str:
        return str(self["title"].value() or "").strip() or self.label

    @property
    def remark(self) -> str:
        """What has to be said about the settings; "" if nothing."""
        return ""

    @property
    def is_locked(self) -> bool:
        """Whether the remark says what the plan does not have."""
        return False

    @property
    def settings(self) -> list[BoundField]:
        """The fields after the title, in their order; how much is shown comes last."""
        return sorted((field for field in self if field.name != "title"), key=lambda field: field.name == "extent")

    def block(self) -> dict[str, Any]:
        return {
            "id": f"b{self.key}",
            "kind": self.kind,
            "title": self.cleaned_data["title"],
            "extent": self.cleaned_data.get("extent") or BRIEF,
            "params": self.params(),
        }

    def refuse(self, setting: str, sentences: Sequence[str]) -> None:
        """Show beside its field why a setting cannot be used."""
        self.add_error(setting if setting in self.fields else None, list(sentences))

    def asked(self, name: str) -> str:
        """What a field says, be it sent or stored."""
        return str(self[name].value() or "")

    def offer_choices(self, name: str, choices: Sequence[Any]) -> None:
        self.fields[name].choices = with_asked(choices, self.asked(name))  # type: ignore[attr-defined]


class DashboardBlock(BlockForm):
    kind = "dashboard"
    model = forms.ChoiceField(label="Attribution model", required=False)
    goal = forms.ChoiceField(label="Goal", required=False)

    def offer(self) -> None:
        self.offer_choices("model", self.choices.daily_models)
        self.offer_choices("goal", self.choices.goals)

    def params(self) -> dict[str, Any]:
        return _given(self.cleaned_data, "model", "goal")


class _JourneysBlock(BlockForm):
    """What blocks about customers' journeys have in common."""

    has_extent = True

    def offer(self) -> None:
        usual = self.choices.workspace.window_days
        self.fields["window_days"].widget.attrs["placeholder"] = str(usual)
        self.fields["window_days"].help_text = f"Days before a conversion. Empty: {usual}, as in the settings."
        self.offer_choices("segment", self.choices.segments)


def _window() -> forms.IntegerField:
    return forms.IntegerField(label="Lookback window", min_value=1, max_value=LONGEST_WINDOW_DAYS, required=False)


def _segment() -> forms.ChoiceField:
    return forms.ChoiceField(label="Segment", required=False)


class _ModelBoxes(forms.CheckboxSelectMultiple):
    """Models as boxes; those of `locked` cannot be ticked, but one that is ticked can be taken away."""

    locked: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.locked and not option["selected"]:
            option["attrs"]["disabled"] = True
        return option


class AttributionBlock(_JourneysBlock):
    kind = "attribution"
    model = forms.MultipleChoiceField(
        label="Attribution models",
        widget=_ModelBoxes,
        required=False,
        help_text="Several stand side by side. None ticked: the workspace's default model.",
    )
    metric = forms.ChoiceField(label="Conversion metric", required=False)
    dimension = forms.ChoiceField(label="By", choices=list(DIMENSION_LABELS.items()), required=False)
    window_days = _window()
    segment = _segment()

    def offer(self) -> None:
        super().offer()
        asked = [str(name) for name in self["model"].value() or []]
        groups = [*self.choices.models, *self._others(asked)]
        field: Any = self.fields["model"]
        field.choices, field.widget.locked = groups, self._locked
        self.offer_choices("metric", self.choices.metrics)

    def _others(self, asked: Iterable[str]) -> list[Any]:
        """Models that were asked for and are not among those that are offered, such as one with settings."""
        offered = {name for _family, models in self.choices.models for name, _label in models}
        others = [(name, _label_of(name)) for name in asked if name not in offered]
        return [("Others", others)] if others else []

    @property
    def _locked(self) -> frozenset[str]:
        names = (model.name for model in OFFERED.values() if model.is_data_driven)
        return frozenset(names) if self.choices.locked else frozenset()

    @property
    def families(self) -> list[tuple[str, list[Any]]]:
        """The boxes of the models under the name of their family."""
        boxes = iter(self["model"])
        field: Any = self.fields["model"]
        return [(label, [next(boxes) for _model in models]) for label, models in field.choices]

    @property
    def remark(self) -> str:
        return self.choices.locked

    @property
    def is_locked(self) -> bool:
        return bool(self.choices.locked)

    @property
    def settings(self) -> list[BoundField]:
        return [field for field in super().settings if field.name != "model"]  # whose boxes stand by family

    def clean_model(self) -> list[str]:
        chosen: list[str] = self.cleaned_data["model"]
        if self._locked & set(chosen):
            raise forms.ValidationError(self.choices.locked)
        return chosen

    def params(self) -> dict[str, Any]:
        found = _given(self.cleaned_data, "model", "dimension", "window_days", "segment")
        metric = self.cleaned_data["metric"]
        if metric.startswith(GOAL):
            return found | {"metric": CONVERSIONS, "goal": metric.removeprefix(GOAL)}
        return found | ({"metric": metric} if metric not in ("", REVENUE) else {})

    @classmethod
    def initial_of(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        model, metric, goal = params.get("model") or [], params.get("metric", REVENUE), params.get("goal")
        if metric not in (REVENUE, CONVERSIONS, LEADS):
            metric, goal = CONVERSIONS, metric  # which may be the name of a goal
        models = model if isinstance(model, list) else [name.strip() for name in str(model).split(",")]
        return {**params, "model": models, "metric": f"{GOAL}{goal}" if goal else metric}

    def refuse(self, setting: str, sentences: Sequence[str]) -> None:
        super().refuse("metric" if setting == "goal" else setting, sentences)


class CrosschannelBlock(_JourneysBlock):
    kind = "crosschannel"
    goal = forms.ChoiceField(label="Goal", required=False)
    window_days = _window()
    segment = _segment()

    def offer(self) -> None:
        super().offer()
        self.offer_choices("goal", self.choices.goals)

    def params(self) -> dict[str, Any]:
        return _given(self.cleaned_data, "goal", "window_days", "segment")


class WeightingsBlock(BlockForm):
    kind = "weightings"
    has_extent = True
    outcome = forms.ChoiceField(label="Business outcome", required=False)

    def offer(self) -> None:
        self.offer_choices("outcome", self.choices.outcomes)

    @property
    def remark(self) -> str:
        return (
            "The newest model of this outcome that has converged and is not stale is shown, whatever the report's "
            "period. Where there is none, one is fitted, which takes minutes."
        )

    def params(self) -> dict[str, Any]:
        return _given(self.cleaned_data, "outcome")


class ScenariosBlock(BlockForm):
    kind = SCENARIOS
    scenarios = forms.MultipleChoiceField(label="Scenarios", widget=forms.CheckboxSelectMultiple, required=False)

    def offer(self) -> None:
        self.fields["scenarios"].choices = self.choices.scenarios  # type: ignore[attr-defined]

    @property
    def settings(self) -> list[BoundField]:
        return super().settings if self.choices.scenarios else []

    @property
    def remark(self) -> str:
        if self.choices.scenarios:
            return ""
        return "There are no saved scenarios yet: open the planner from a finished model, and save a plan under a name."

    def refuse(self, setting: str, sentences: Sequence[str]) -> None:
        super().refuse(setting if self.choices.scenarios else "", sentences)

    def params(self) -> dict[str, Any]:
        return {"scenarios": self.cleaned_data["scenarios"]}

    @classmethod
    def initial_of(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"scenarios": [str(pk) for pk in params.get("scenarios", [])]}


class TextBlock(BlockForm):
    kind = TEXT
    text = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "maxlength": LONGEST_TEXT}),
        help_text=f"Each line is a paragraph. At most {LONGEST_TEXT:,} characters.",
    )

    def params(self) -> dict[str, Any]:
        return {"text": self.cleaned_data["text"]}


FORMS: Mapping[str, type[BlockForm]] = {
    form.kind: form
    for form in (DashboardBlock, AttributionBlock, WeightingsBlock, CrosschannelBlock, ScenariosBlock, TextBlock)
}


def form_of(block: Block, *, key: int, choices: BlockChoices) -> BlockForm:
    """Return the form of a stored block, or of one that is to be added."""
    form = FORMS[block["kind"]]
    initial = {"title": block["title"], "extent": block.get("extent", BRIEF), **form.initial_of(block["params"])}
    return form(initial=initial, key=key, choices=choices)


def _given(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What of the settings is not left to the workspace's own."""
    return {name: data[name] for name in names if data[name] not in (None, "", [])}


def _label_of(name: str) -> str:
    try:
        return find(name).label
    except UnknownModel:
        return f"{name[:60]} (no longer there)"
