"""Plans side by side, and what of the present one is used, as Settings > Plan shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Feature, Plan
from accounts.usage import Usage, Used
from mmm_project.formats import count

NO_LIMIT = "No fixed limit"
IN_EVERY_PLAN = "Attribution by rules and custom models, Weightings, scenarios and budgets, Cross-channel, reports, API"
NEARLY_FULL = 0.9
# Fields of Plan, what they are called, and the unit.
LIMITS = (
    ("max_rows", "Rows of data stored", ""),
    ("max_members", "Members and open invitations", "seat"),
    ("runs_a_month", "Runs a month", ""),
    ("concurrent_fits", "Media mix models fitted at once", ""),
    ("api_calls_a_minute", "API calls a minute, of each key", ""),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a plan says of an entitlement. `is_included`: of a feature; None of a limit."""

    text: str
    is_included: bool | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A line of the comparison: one cell for each plan."""

    label: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plans, cheapest first, and what each of them includes. `present`: the code of the workspace's own."""

    plans: Sequence[Plan]
    present: str
    entitlements: Sequence[Entitlement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something used, against its limit. `most` is None where there is none; `value` never goes beyond it."""

    slug: str
    label: str
    text: str
    note: str = ""
    value: int = 0
    most: int | None = None
    nearly_full: float = 0
    is_full: bool = False


def compare_plans(plans: Sequence[Plan], *, present: Plan) -> Comparison:
    """Set the plans side by side: features first, then limits."""
    included = [Entitlement(IN_EVERY_PLAN, [Cell("Included", is_included=True) for _ in plans])]
    features = [
        Entitlement(feature.label, [_feature_cell(feature.value in plan.features) for plan in plans])
        for feature in Feature
    ]
    limits = [
        Entitlement(label, [Cell(_limit(getattr(plan, field), unit)) for plan in plans])
        for field, label, unit in LIMITS
    ]
    return Comparison(plans, present.code, [*included, *features, *limits])


def bars_of(usage: Usage) -> list[Bar]:
    """Return what is used, the limits first that bind soonest."""
    people = f"{count(usage.members, 'member')}, {count(usage.invitations, 'open invitation')}"
    return [
        _bar("rows", "Rows of data stored", usage.rows, "Of all imports that count."),
        _bar("seats", "Seats", usage.seats, f"{people}."),
        _bar(
            "runs",
            "Runs this month",
            usage.runs_this_month,
            f"Asked for since {usage.month_start:%-d %B}. Failed runs, and answers that were there, do not count.",
        ),
        _bar("fits", "Media mix models being fitted now", usage.fits_now, "Others wait for their turn."),
        Bar(
            slug="api",
            label="API calls",
            text=f"{count(usage.api_calls_today)} today, {count(usage.api_calls_this_month)} this month",
            note=f"Days are UTC’s. Each key may make {count(usage.plan.api_calls_a_minute, 'call')} a minute.",
        ),
    ]


def _bar(slug: str, label: str, used: Used, note: str) -> Bar:
    if used.limit is None:
        return Bar(slug=slug, label=label, text=f"{count(used.used)}, no fixed limit", note=note)
    more = f" This is {count(used.used - used.limit)} more than the plan includes." if used.is_over else ""
    return Bar(
        slug=slug,
        label=label,
        text=f"{count(used.used)} of {count(used.limit)}",
        note=f"{note}{more}",
        value=min(used.used, used.limit),
        most=used.limit,
        nearly_full=used.limit * NEARLY_FULL,
        is_full=used.is_full,
    )


def _feature_cell(is_included: bool) -> Cell:
    return Cell("Included" if is_included else "Not included", is_included=is_included)


def _limit(most: int | None, unit: str) -> str:
    return NO_LIMIT if most is None else count(most, unit)
