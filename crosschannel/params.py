"""The parameters of a cross-channel analysis, as people ask for it and as it is kept."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from accounts.models import Workspace
from analyses import asking
from analyses.asking import Refused
from analyses.errors import InvalidParams
from analyses.segments import clean_segment
from crosschannel import path_text
from crosschannel.channel_names import ChannelNames
from crosschannel.labels import CONVERTING, EITHER, NOT_CONVERTING, PATH_FILTERS

KNOWN = (
    *("period", "start", "end", "window_days", "goal", "segment", "grouping", "view_through"),
    *(*PATH_FILTERS, "converting", "min_journeys", "top", "steps", "confidence"),
)
TOP, MOST_TOP = 8, 20
STEPS, MOST_STEPS = 5, 10
MOST_MIN_JOURNEYS = 1_000_000
LONGEST_PATH = 20  # touches that a filter names
LONGEST_NAME = 200


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's default.

    `period`, `goal`, `window_days`, `segment`, `grouping`, `view_through` and `confidence` as an attribution analysis
    takes them. `path_contains`: channels that are all in the path, in any order; `path_order`: channels that follow
    right after each other in it; `path_starts`, `path_ends`: its first and last touches. Each is a list of names, or
    text as `path_text` reads it -> a list of the names that the channels have now, left out where nothing is asked.
    `converting`: yes or no, left out for all journeys. `min_journeys`: paths that fewer took are left out; itself left
    out for 1. `top`: how many channels the flows tell apart, `steps`: how many touches they show. Raises InvalidParams
    with a sentence for each field.
    """
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in KNOWN}
    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    cleaned: dict[str, Any] = {}
    readers: Sequence[Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]] = (
        *(asking.period, asking.goal, asking.window, asking.grouping, asking.view_through, asking.confidence),
        *(partial(_path, name) for name in PATH_FILTERS),
        *(_converting, _min_journeys, _top, _steps),
    )
    for read in readers:
        try:
            cleaned |= read(workspace, given)
        except Refused as refusal:
            errors[refusal.name] = str(refusal)
    try:
        cleaned |= clean_segment(workspace, given.get("segment"))
    except InvalidParams as refused:
        errors |= {name: " ".join(sentences) for name, sentences in refused.errors.items()}
    if errors:
        raise InvalidParams(errors)
    return cleaned


def path_in_words(name: str, channels: Sequence[str]) -> str:
    """Return the channels of a path filter as people write them, and as `clean` reads them."""
    return path_text.write(channels, path_text.AND if name == "path_contains" else path_text.NEXT)


def _path(name: str, workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    if name not in given:
        return {}
    grouping = asking.grouping(workspace, given).get("grouping", workspace.channel_grouping)
    channels = ChannelNames.of(workspace, grouping)
    names = _names(name, given[name], channels)
    if not all(names) or any(len(each) > LONGEST_NAME for each in names):
        raise Refused(name, f"“{name}” names channels, such as {_example(name)}.")
    if len(names) > LONGEST_PATH:
        raise Refused(name, f"“{name}” names at most {LONGEST_PATH} touches, not {len(names)}.")
    found: list[str] = []
    for each in names:
        channel = channels.find(each)
        if channel is None:
            raise Refused(name, channels.unknown(each))
        found.append(channel)
    return {name: list(dict.fromkeys(found)) if name == "path_contains" else found}


def _names(name: str, asked: object, channels: ChannelNames) -> list[str]:
    """Return the names that are asked for; a text whose parts are not all channels may be one's name as a whole."""
    if isinstance(asked, list | tuple) and all(isinstance(each, str) for each in asked):
        return [each.strip() for each in asked]
    if not isinstance(asked, str):
        raise Refused(name, f"“{name}” is text such as {_example(name)}, or a list of names.")
    whole = asked.strip()
    names = path_text.read(whole)
    if (names is None or not all(map(channels.find, names))) and channels.known(whole):
        return [whole]
    if names is None:
        example = path_in_words(name, ["TV, radio", "Email"])
        raise Refused(name, f"“{name}”: a name that begins with a quotation mark also ends with one, as in {example}.")
    return names


def _example(name: str) -> str:
    return path_in_words(name, ["Email", "Direct"])


def _converting(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = given.get("converting", EITHER)
    if isinstance(asked, bool):
        asked = CONVERTING if asked else NOT_CONVERTING
    return asking.choice({"converting": asked}, "converting", (EITHER, CONVERTING, NOT_CONVERTING))


def _min_journeys(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    least = asking.whole(given, "min_journeys", 1, 1, MOST_MIN_JOURNEYS)
    return {"min_journeys": least} if least > 1 else {}


def _top(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"top": asking.whole(given, "top", TOP, 1, MOST_TOP)}


def _steps(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"steps": asking.whole(given, "steps", STEPS, 1, MOST_STEPS)}
