"""Names that the whole app uses."""

KIND = "crosschannel"
OTHER, CONVERSION, DROP_OFF = "Other channels", "Conversion", "Drop-off"
EITHER, CONVERTING, NOT_CONVERTING = "all", "yes", "no"
CONVERTING_LABELS = {EITHER: "All journeys", CONVERTING: "Those that converted", NOT_CONVERTING: "Those that did not"}
PATH_FILTERS = {
    "path_contains": "Path contains",
    "path_order": "Contains in exact order",
    "path_starts": "Path starts with",
    "path_ends": "Path ends with",
}
