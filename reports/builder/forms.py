"""The form of a report: its name and period, and a form for each of its blocks in their order.

It works without a script: the buttons that add, move and remove blocks send the form, which comes back as it is then.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from marketing.models import Campaign
from marketing.period_choice import Comparison
from reports.blocks.definition import KINDS, MOST_BLOCKS
from reports.blocks.relative_periods import DEFAULT, PERIODS
from reports.blocks.templates import Template
from reports.builder.actions import LONGEST_NAME, WHICH_CAMPAIGN
from reports.builder.block_forms import FORMS, DraftForm, form_of
from reports.builder.choices import MOST_IN_A_LIST, BlockChoices, with_asked
from reports.models import Report

SAVE, PREVIEW, ADD, UP, DOWN, REMOVE = "save", "preview", "add", "up", "down", "remove"
STORES = (SAVE, PREVIEW)
ALL_CAMPAIGNS = "All campaigns"
LONGEST_KEY = 4  # digits


class HeadForm(DraftForm):
    """What holds for the whole report. A campaign is said by its name, which no other campaign has."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME)
    period = forms.ChoiceField(
        label="Period", choices=list(PERIODS.items()), help_text="Seen from the day on which the report is made."
    )
    comparison = forms.ChoiceField(
        label="Compared with", choices=[(str(one), one.label) for one in Comparison], help_text="On dashboards."
    )
    campaign = forms.CharField(label="Campaign", required=False)

    def __init__(self, *args: Any, choices: BlockChoices, needs_campaign: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workspace, names = choices.workspace, choices.campaigns
        self.suggested: Sequence[str] = ()
        field = self.fields["campaign"]
        field.required = needs_campaign and bool(names)
        field.error_messages["required"] = WHICH_CAMPAIGN
        field.help_text = "What is about one campaign only is about this one."
        if len(names) > MOST_IN_A_LIST:
            self.suggested = names
            field.widget.attrs |= {"list": "report-campaigns", "autocomplete": "off", "placeholder": ALL_CAMPAIGNS}
        else:
            offered = [("", ALL_CAMPAIGNS), *((name, name) for name in names)]
            field.widget = forms.Select(choices=with_asked(offered, str(self["campaign"].value() or "")))

    def clean_campaign(self) -> Campaign | None:
        name = self.cleaned_data["campaign"]
        if not name:
            return None
        # What can be no name is not looked for: PostgreSQL refuses a text with a NUL in it.
        named = Campaign.objects.filter(workspace=self._workspace, name=name) if name.isprintable() else None
        campaign = named.first() if named is not None else None
        if campaign is None:
            raise forms.ValidationError(f"There is no campaign “{name[:60]}” in this workspace.")
        return campaign

    def settings(self) -> dict[str, Any]:
        """The fields of a form that was judged valid, as the actions take them."""
        return {name: self.cleaned_data[name] for name in ("name", "period", "comparison", "campaign")}

    def refuse(self, field: str, sentences: Sequence[str]) -> None:
        self.add_error(field if field in self.fields else None, list(sentences))


class ReportForm:
    """The whole of it. `moved`: what has just changed about the blocks, in a sentence; `focus`: the key of that block.

    Raises nothing for what was sent in disorder: it shows what it can make of it.
    """

    def __init__(self, *, report: Report, data: QueryDict | None = None) -> None:
        self._choices = BlockChoices(report.workspace)
        self.errors: list[str] = []
        self.moved, self.focus = "", -1
        self.action, _, self._argument = (data.get("action", SAVE) if data is not None else "").partition(":")
        judged = self.action in STORES
        if data is None:
            self.head = HeadForm(initial=initial_of(report), choices=self._choices)
            self.blocks = [
                form_of(block, key=key, choices=self._choices) for key, block in enumerate(report.blocks, start=1)
            ]
        else:
            self.head = HeadForm(data, choices=self._choices, judged=judged)
            self.blocks = [
                FORMS[kind](data, key=key, choices=self._choices, judged=judged) for key, kind in _sent(data)
            ]
            self._rearrange(data)

    @property
    def is_full(self) -> bool:
        return len(self.blocks) >= MOST_BLOCKS

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What can be added."""
        return [(name, kind.label) for name, kind in KINDS.items()]

    @property
    def suggested_campaigns(self) -> Sequence[str]:
        return self.head.suggested

    def is_valid(self) -> bool:
        """Whether it can be saved; if not, its parts say why."""
        return all([self.head.is_valid(), *(block.is_valid() for block in self.blocks)])

    def settings(self) -> dict[str, Any]:
        """The report of a valid form, as the actions take it."""
        return {**self.head.settings(), "blocks": [block.block() for block in self.blocks]}

    def refuse(self, errors: Mapping[str, Sequence[str]], detail: str) -> None:
        """Show why what was valid could not be saved all the same."""
        if not errors:
            self.errors.append(detail)
        for where, sentences in errors.items():
            part, _, rest = where.partition(".")
            place, _, setting = rest.partition(".")
            if part == "blocks" and place.isdigit():
                self.blocks[int(place)].refuse(setting, sentences)
            elif part == "blocks":
                self.errors += sentences
            else:
                self.head.refuse(part, sentences)

    def _rearrange(self, data: QueryDict) -> None:
        """Do what a button asked for, and say it."""
        if self.action == ADD:
            self._add(data.get("kind", ""))
            return
        place = next((place for place, block in enumerate(self.blocks) if str(block.key) == self._argument), None)
        if place is None:
            return
        block = self.blocks[place]
        if self.action == REMOVE:
            del self.blocks[place]
            self.moved = f"“{block.shown_title}” is removed."
            if self.blocks:
                self.focus = self.blocks[min(place, len(self.blocks) - 1)].key
        elif self.action in (UP, DOWN):
            to = min(max(place + (-1 if self.action == UP else 1), 0), len(self.blocks) - 1)
            self.blocks.insert(to, self.blocks.pop(place))
            self.focus = block.key
            self.moved = f"“{block.shown_title}” is now block {to + 1} of {len(self.blocks)}."

    def _add(self, kind: str) -> None:
        if kind not in FORMS or self.is_full:
            return
        key = max((block.key for block in self.blocks), default=0) + 1
        block = form_of({"kind": kind, "title": "", "params": {}}, key=key, choices=self._choices)
        self.blocks.append(block)
        self.focus = key
        self.moved = f"“{block.label}” is added as block {len(self.blocks)}."


def initial_of(report: Report) -> dict[str, Any]:
    """What the head of the form shows of a report."""
    campaign = report.campaign.name if report.campaign else ""
    return {"name": report.name, "period": report.period, "comparison": report.comparison, "campaign": campaign}


def initial_of_template(template: Template | None, name: str) -> dict[str, Any]:
    """What the form of a new report begins with."""
    if template is None:
        return {"name": name, "period": DEFAULT, "comparison": Comparison.PREVIOUS.value}
    return {"name": name, "period": template.period, "comparison": template.comparison}


def _sent(data: QueryDict) -> list[tuple[int, str]]:
    """The blocks that were sent as key:kind, in their order; each once, and no more than there may be."""
    found: dict[int, str] = {}
    for key, _, kind in (sent.partition(":") for sent in data.getlist("block")):
        if key.isascii() and key.isdigit() and len(key) <= LONGEST_KEY and kind in FORMS:
            found.setdefault(int(key), kind)
    return list(found.items())[:MOST_BLOCKS]
