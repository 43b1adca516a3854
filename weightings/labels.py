"""The words that people read for what a media mix model is asked."""

from collections.abc import Mapping

MODEL_LABELS = {
    "hill": "Hill curve",
    "delayed": "Delayed carry-over",
    "logistic": "Logistic curve",
    "lightweight:hill_adstock": "LightweightMMM, hill_adstock",
    "lightweight:adstock": "LightweightMMM, adstock",
    "lightweight:carryover": "LightweightMMM, carryover",
}
MODEL_SENTENCES = {
    "hill": "Effects fade from period to period, and level off with spend along an S-shaped curve.",
    "delayed": "As the Hill curve, but effects may peak some periods after the spend.",
    "logistic": "Effects fade from period to period, and level off with spend from the first unit on.",
    "lightweight:hill_adstock": "The model of the LightweightMMM package, with its own beliefs beforehand.",
    "lightweight:adstock": "As the package has it: carry-over, and an exponent for saturation.",
    "lightweight:carryover": "As the package has it: carry-over with a delayed peak, and an exponent for saturation.",
}
LIGHTWEIGHT = "lightweight:"  # how the names of that package's models begin

GRANULARITIES = ("day", "week", "month")
EXPOSURES = {
    "auto": "impressions where they are known throughout, else spend",
    "spend": "spend",
    "impressions": "impressions",
}
EXPERIMENT_USES = {
    "auto": "as measurements of their days, of outcomes in money",
    "likelihood": "as measurements of their days",
    "prior": "as beliefs about returns",
    "adjusted_prior": "as beliefs about returns, weaker for short, old and unusual tests",
    "none": "not used",
}
LIFT_COUNTS = {
    "all": "all that the test's spend has brought, also after its days",
    "within": "what it has brought within the test's days",
}
VERDICTS: Mapping[str, str] = {"good": "Good", "review": "Review", "fail": "Fails"}

# What a recommended budget is to make as much of as it can, and what it keeps to.
OBJECTIVES = {"mean": "Most on average", "cvar": "Most if it goes badly", "quantile": "Most in a bad case"}
TOTAL, RETURN, MARGINAL_RETURN = "total", "return", "marginal_return"
GOALS = {
    TOTAL: "Keep the total",
    RETURN: "Return at least, per unit of spend",
    MARGINAL_RETURN: "Next unit of spend returns at least",
}
