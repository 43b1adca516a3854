"""Names that the whole app uses."""

KIND = "crosschannel"
OTHER, START, CONVERSION, DROP_OFF = "Other channels", "Start", "Conversion", "Drop-off"
EITHER, CONVERTING, NOT_CONVERTING = "all", "yes", "no"
CONVERTING_LABELS = {EITHER: "All journeys", CONVERTING: "Those that converted", NOT_CONVERTING: "Those that did not"}
PATH_FILTERS = {
    "path_contains": "Path contains",
    "path_order": "Contains in exact order",
    "path_starts": "Path starts with",
    "path_ends": "Path ends with",
}
_OWN_WORDS = frozenset(word.casefold() for word in (OTHER, START, CONVERSION, DROP_OFF))
_MARK = " (channel)"


def label_of(channel: str) -> str:
    """How results call a channel: by its name, marked where it is a word that flows have for something else."""
    return f"{channel}{_MARK}" if _is_taken(channel) else channel


def channel_of(label: str) -> str:
    """The name of the channel that results call so."""
    return label[: -len(_MARK)] if _is_marked(label) and _is_taken(label) else label


def is_own_word(label: str) -> bool:
    """Whether results call something so that is no channel: an end of journeys, or the lesser channels together."""
    return label.casefold() in _OWN_WORDS


def _is_taken(name: str) -> bool:
    """Whether it is an own word, marked or not: what is marked already is marked again, so that no two are alike."""
    while _is_marked(name):
        name = name[: -len(_MARK)]
    return is_own_word(name)


def _is_marked(name: str) -> bool:
    return name.casefold().endswith(_MARK)
