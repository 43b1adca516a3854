"""Blocks: what a report is put together from, as canonical JSON.

A block is {"id", "kind", "title", "extent", "params"}, the extent one of EXTENTS; that of text has its paragraphs in
params["text"]. Params say nothing of the period: that is the report's, for all of its blocks.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from accounts import plans
from accounts.models import Workspace
from analyses import asking, registry
from analyses.errors import InvalidParams
from attribution.cube.kept_models import models_of, why_not
from marketing.periods import Period
from mmm_project.problems import FieldErrors, Invalid
from weightings.models import Scenario

Block: TypeAlias = Mapping[str, Any]
MOST_BLOCKS, LONGEST_TITLE, LONGEST_TEXT = 20, 100, 10_000
LONGEST_ID = 18  # digits of what every database takes for a number
BRIEF, FULL = "brief", "full"
EXTENTS: Mapping[str, str] = {BRIEF: "Key results", FULL: "Everything"}
DASHBOARD, SCENARIOS, TEXT = "dashboard", "scenarios", "text"
PERIOD_PARAMS = ("period", "start", "end")
_ID = re.compile(r"[a-z][a-z0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class BlockKind:
    """A kind of block. `analysis`: the kind of analysis that it shows a run of; "" for those that need none."""

    label: str
    help: str
    analysis: str = ""


class WrongSettings(Invalid):
    """Settings of a block that make no sense, each with its sentences."""

    def __init__(self, settings: FieldErrors) -> None:
        super().__init__(" ".join(sentence for said in settings.values() for sentence in said))
        self.settings = settings


KINDS: Mapping[str, BlockKind] = {
    DASHBOARD: BlockKind("Dashboard", "ROI, spend, revenue and conversions, by channel, campaign and day."),
    "attribution": BlockKind(
        "Attribution", "What attribution models credit channels or campaigns with.", "attribution"
    ),
    "weightings": BlockKind(
        "Weightings", "Contribution, incremental impact and recommended budget by a media mix model.", "weightings"
    ),
    "crosschannel": BlockKind(
        "Cross-channel", "Journeys across channels, synergy and cannibalisation.", "crosschannel"
    ),
    SCENARIOS: BlockKind("Scenario comparison", "Saved scenarios of the planner side by side."),
    TEXT: BlockKind("Text", "Paragraphs of your own."),
}


def clean_blocks(workspace: Workspace, blocks: Sequence[Mapping[str, Any]], *, period: Period) -> list[dict[str, Any]]:
    """Return blocks in canonical form. Raises PlanRequired, and Invalid with `errors` by "blocks.<place>" from 0 on.

    Where it is known which setting is wrong, they are by "blocks.<place>.<setting>".
    `period`: one for which analyses are tried; what only the data of that period refuse is no error of the block.
    """
    if len(blocks) > MOST_BLOCKS:
        raise Invalid(f"A report has at most {MOST_BLOCKS} blocks.")
    errors: dict[str, list[str]] = {}
    cleaned, taken = [], set[str]()
    for place, block in enumerate(blocks):
        try:
            one = clean_block(workspace, block, period=period)
        except Invalid as refusal:
            where = f"blocks.{place}"
            if isinstance(refusal, WrongSettings):
                errors |= {f"{where}.{name}": list(said) for name, said in refusal.settings.items()}
            else:
                errors[where] = [refusal.detail]
            continue
        if one["id"] in taken:
            one["id"] = _free_id(taken)
        taken.add(one["id"])
        cleaned.append(one)
    if errors:
        raise Invalid("Some blocks cannot be used as they are.", errors=errors)
    return cleaned


def clean_block(workspace: Workspace, block: Mapping[str, Any], *, period: Period) -> dict[str, Any]:
    """Return one block in canonical form. Raises Invalid, and PlanRequired for what the plan does not have."""
    kind = str(block.get("kind", ""))
    if kind not in KINDS:
        raise Invalid(f"There is no block “{kind[:40]}”. Blocks: {', '.join(KINDS)}.")
    params = block.get("params") or {}
    if not isinstance(params, Mapping):
        raise Invalid("The settings of a block are names and values.")
    asked = str(block.get("id", ""))
    return {
        "id": asked if _ID.fullmatch(asked) else "block",
        "kind": kind,
        "extent": extent if (extent := str(block.get("extent", ""))) in EXTENTS else BRIEF,
        "title": _line(block.get("title", ""))[:LONGEST_TITLE] or KINDS[kind].label,
        "params": _params(workspace, kind, params, period),
    }


def analysis_params(block: Block, period: Period) -> dict[str, Any]:
    """The params with which the block's analysis is asked for about a period."""
    params = {name: value for name, value in block["params"].items() if name not in PERIOD_PARAMS}
    return params if block["kind"] == "weightings" else params | _dates(period)


def _params(workspace: Workspace, kind: str, params: Mapping[str, Any], period: Period) -> dict[str, Any]:
    if kind == TEXT:
        return {"text": _paragraphs(params.get("text", ""))}
    if kind == SCENARIOS:
        return {"scenarios": _scenarios(workspace, params.get("scenarios", []))}
    if kind == DASHBOARD:
        return _of_dashboard(workspace, params)
    return _of_analysis(workspace, kind, params, period)


def _of_dashboard(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: _line(params[name])[:LONGEST_TITLE] for name in ("model", "goal") if params.get(name)}
    if "goal" in asked:
        try:
            asking.goal(workspace, asked)
        except asking.Refused as refusal:
            raise WrongSettings({"goal": [str(refusal)]}) from refusal
    if "model" in asked and models_of(workspace).newest(asked["model"]) is None:
        raise WrongSettings({"model": [why_not(workspace=workspace, asked=asked["model"])]})
    return asked


def _of_analysis(workspace: Workspace, kind: str, params: Mapping[str, Any], period: Period) -> dict[str, Any]:
    """What was asked of an analysis, once its kind has found it to make sense for the period."""
    asked = {name: value for name, value in params.items() if name not in PERIOD_PARAMS}
    analysis = registry.get(KINDS[kind].analysis)
    try:
        cleaned = analysis.clean(workspace, asked if kind == "weightings" else asked | _dates(period))
    except InvalidParams as refusal:
        # What there are no data for yet is said by the report; settings that never make sense are refused here.
        if wrong := {name: said for name, said in refusal.errors.items() if name.partition(".")[0] in asked}:
            raise WrongSettings(wrong) from refusal
        return asked
    if feature := analysis.feature(cleaned):
        plans.require_feature(workspace, feature)
    return asked


def _scenarios(workspace: Workspace, asked: object) -> list[int]:
    if not isinstance(asked, list | tuple) or not all(map(_is_id, asked)):
        raise WrongSettings({"scenarios": ["Scenarios are chosen by their ids."]})
    ids = list(dict.fromkeys(int(one) for one in asked))
    known = set(Scenario.objects.filter(workspace=workspace, pk__in=ids).values_list("pk", flat=True))
    if unknown := [one for one in ids if one not in known]:
        raise WrongSettings(
            {"scenarios": [f"There is no scenario {unknown[0]} in this workspace. Choose another one."]}
        )
    if not ids:
        raise WrongSettings({"scenarios": ["Choose one scenario at least."]})
    return ids


def _is_id(asked: object) -> bool:
    if isinstance(asked, int):
        return not isinstance(asked, bool) and 0 <= asked < 2**63
    return isinstance(asked, str) and asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_ID


def _dates(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def _line(text: object) -> str:
    """A text on one line, without control characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in str(text)).split())


def _paragraphs(text: object) -> str:
    """Text as people typed it: line breaks stay, other control characters go."""
    lines = str(text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join("".join(one for one in line if unicodedata.category(one)[0] != "C").rstrip() for line in lines)
    if len(kept) > LONGEST_TEXT:
        raise WrongSettings({"text": [f"A text has at most {LONGEST_TEXT:,} characters; this one has {len(kept):,}."]})
    return kept.strip("\n")


def _free_id(taken: set[str]) -> str:
    return next(name for number in range(2, MOST_BLOCKS + 3) if (name := f"block{number}") not in taken)


def today(workspace: Workspace, now: dt.datetime) -> dt.date:
    """The day that it is in the workspace."""
    return now.astimezone(workspace.zone).date()
