"""The form that asks for a cross-channel analysis; its fields are the filters of the flows."""

from typing import Any

from django import forms

from accounts.defaults import WINDOW_DAYS
from accounts.models import Workspace
from analyses.asking import INCLUDE, active_goals
from analyses.choices import CUSTOM, JourneysForm, Usable, segment_choice, usable
from analyses.errors import InvalidParams
from crosschannel.labels import CONVERTING_LABELS, EITHER, PATH_FILTERS
from crosschannel.params import (
    KNOWN,
    LONGEST_NAME,
    LONGEST_PATH,
    MOST_MIN_JOURNEYS,
    MOST_STEPS,
    MOST_TOP,
    STEPS,
    TOP,
    path_in_words,
)
from crosschannel.params import clean as clean_params
from marketing.channel_index import channel_index
from marketing.periods import PRESET_DAYS, preset_name

HELP = {
    "path_contains": "All of them, in any order: Email, Direct",
    "path_order": "Right after each other: Email > Direct",
    "path_starts": "Its first touches: Email > Direct",
    "path_ends": "Its last touches: Direct > Email",
}
MORE_SETTINGS = ("path_order", "min_journeys", "top", "steps", "grouping", "view_through", "confidence")


class CrosschannelForm(JourneysForm):
    """Period, goal, segment and which paths; `params` are the canonical parameters once it is valid."""

    goal = forms.ChoiceField(label="Goal")
    path_contains = forms.CharField(label=PATH_FILTERS["path_contains"], required=False)
    path_starts = forms.CharField(label=PATH_FILTERS["path_starts"], required=False)
    path_ends = forms.CharField(label=PATH_FILTERS["path_ends"], required=False)
    converting = forms.ChoiceField(label="Journeys", choices=list(CONVERTING_LABELS.items()), required=False)
    path_order = forms.CharField(label=PATH_FILTERS["path_order"], required=False)
    min_journeys = forms.IntegerField(
        label="Fewest journeys of a path", min_value=1, max_value=MOST_MIN_JOURNEYS, required=False
    )
    top = forms.IntegerField(label="Channels told apart", min_value=1, max_value=MOST_TOP, required=False)
    steps = forms.IntegerField(label="Touches shown", min_value=1, max_value=MOST_STEPS, required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, workspace=workspace, **kwargs)
        standing = sorted(channel.name for channel in channel_index(workspace=workspace).standing())
        self.channels = [path_in_words("path_contains", [name]) for name in standing]
        goals = [(goal.name, goal.name) for goal in active_goals(workspace)]
        self.fields["goal"].choices = goals  # type: ignore[attr-defined]
        for name in PATH_FILTERS:
            self.fields[name].help_text = HELP[name]
            self.fields[name].widget.attrs |= {
                "list": "crosschannel-channels",
                "maxlength": (LONGEST_NAME + 3) * LONGEST_PATH,
                "autocomplete": "off",
            }

    @property
    def more_open(self) -> bool:
        """Whether one of MORE_SETTINGS is not as usual, or wrong: a filter that counts must be seen."""
        usual = {
            "min_journeys": 1,
            "top": TOP,
            "steps": STEPS,
            "grouping": self.workspace.channel_grouping,
            "view_through": INCLUDE,
            "confidence": str(self.workspace.confidence),
        }
        said = {name: self[name].value() for name in MORE_SETTINGS}
        return any(
            self.errors.get(name) or (value not in (None, "") and self.fields[name].has_changed(usual.get(name), value))
            for name, value in said.items()
        )

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.errors:
            return data
        period, window_days = self.period_asked(), self.window_asked()
        if self.errors:
            return data
        plain = ("goal", "segment", "converting", "min_journeys", "top", "steps", "grouping", "view_through")
        asked = {name: data[name] for name in (*plain, "confidence", *PATH_FILTERS)}
        try:
            self.params = clean_params(self.workspace, {**period, **asked, "window_days": window_days})
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                self.add_error(name if name in self.fields else None, list(sentences))
        return data


def asked_for(workspace: Workspace, query: Any) -> Usable:
    """Return what an address asks for. Raises InvalidParams where the defaults cannot be used either."""
    return usable(workspace, {name: value for name in KNOWN if (value := query.get(name))}, clean_params)


def initial(workspace: Workspace, asked: Usable) -> dict[str, Any]:
    """Return what the form starts with: canonical params, with the period as the address names it."""
    params = asked.params
    window_days = params["window_days"]
    period = preset_name(asked.given.get("period") or f"last_{workspace.period_days}")
    is_custom = "start" in asked.given or period not in PRESET_DAYS
    return {
        **params,
        **{name: path_in_words(name, params[name]) for name in PATH_FILTERS if name in params},
        "period": CUSTOM if is_custom else period,
        "window": str(window_days) if window_days in WINDOW_DAYS else CUSTOM,
        "converting": params.get("converting", EITHER),
        "grouping": params.get("grouping", workspace.channel_grouping),
        "view_through": params.get("view_through", INCLUDE),
        "segment": segment_choice(workspace, params),
    }
