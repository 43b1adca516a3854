"""The words that people read for what the methods compute."""

MODEL_LABELS = {
    "last": "Last Touch",
    "first": "First Touch",
    "linear": "Linear",
    "time_decay": "Time Decay",
    "position": "Position Based",
    "last_non_direct": "Last Non-Direct",
}
MODEL_RULES = {
    "last": "All credit goes to the last touch before the conversion.",
    "first": "All credit goes to the first touch in the lookback window.",
    "linear": "Every touch gets the same share.",
    "time_decay": "A touch weighs half as much for every 7 days that it lies before the conversion.",
    "position": "40% to the first touch, 40% to the last, the rest shared by those between.",
    "last_non_direct": "All credit goes to the last touch that was not a direct visit.",
}
DIMENSION_LABELS = {"channel": "Channel", "campaign": "Campaign", "channel_type": "Channel type"}
NONE = "(none)"
