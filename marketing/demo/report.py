"""The true values of a demo world as Markdown tables, for the documentation."""

from collections.abc import Sequence

import pandas as pd

from marketing.demo.build import DemoWorld
from marketing.demo.outcomes import PURCHASE

LOOKBACK = pd.Timedelta(days=30)


def truth_markdown(demo: DemoWorld) -> str:
    """Sizes, true values by channel beside last-touch ROAS (30 days), the pairs and the experiments."""
    sections = [_sizes(demo), _channels(demo), _pairs(demo), _experiments(demo)]
    return "\n\n".join(sections) + "\n"


def last_touch_revenue(demo: DemoWorld) -> pd.Series:
    """Purchase revenue by channel of the last touch in the 30 days before, inclusive."""
    purchases = demo.conversions[demo.conversions["goal"] == PURCHASE]
    touches = demo.touchpoints[["customer", "occurred_at", "channel"]]
    matched = pd.merge_asof(
        purchases.sort_values("occurred_at"),
        touches.sort_values("occurred_at", kind="stable"),
        on="occurred_at",
        by="customer",
        tolerance=LOOKBACK,
    )
    return matched.groupby("channel")["value"].sum()


def _sizes(demo: DemoWorld) -> str:
    goals = demo.conversions["goal"].value_counts()
    customers = pd.concat([demo.touchpoints["customer"], demo.conversions["customer"]]).nunique()
    counts = ", ".join(f"{count:,} {str(goal).lower()}s" for goal, count in goals.items())
    return (
        f"{demo.truth['start']} to {demo.truth['end']}, seed {demo.truth['seed']}: {customers:,} customers, "
        f"{len(demo.touchpoints):,} touchpoints, {counts}, "
        f"revenue {demo.conversions['value'].sum():,.2f} EUR, spend {demo.spend['spend'].sum():,.2f} EUR."
    )


def _channels(demo: DemoWorld) -> str:
    last = last_touch_revenue(demo)
    rows: list[tuple[str, ...]] = []
    for name, true in demo.truth["channels"].items():
        spend = true["spend"]
        rows.append(
            (
                name,
                true["type"],
                f"{spend:,.0f}" if spend else "-",
                f"{true['incremental_purchases']:,.1f}",
                f"{true['incremental_leads']:,.1f}",
                f"{true['incremental_revenue']:,.0f}",
                f"{true['incremental_roi']:.2f}" if spend else "-",
                f"{last[name] / spend:.2f}" if spend and name in last else "-",
            )
        )
    baseline = demo.truth["baseline"]
    totals = [f"{baseline[key]:,.{digits}f}" for key, digits in (("purchases", 1), ("leads", 1), ("revenue", 0))]
    rows.append(("(no paid or offline media)", "-", "-", *totals, "-", "-"))
    header = (
        "Channel",
        "Type",
        "Spend EUR",
        "Incremental purchases",
        "Incremental leads",
        "Incremental revenue EUR",
        "Incremental ROI",
        "Last-touch ROAS",
    )
    return _table(header=header, rows=rows)


def _pairs(demo: DemoWorld) -> str:
    rows = [
        (
            " x ".join(pair["channels"]),
            pair["kind"],
            f"{pair['log_odds']:+.2f}",
            f"{pair['incremental_purchases']:+,.1f}",
            f"{pair['incremental_purchases_per_1000']:+,.1f}",
        )
        for pair in demo.truth["pairs"]
    ]
    header = ("Pair", "Kind", "Joint log odds", "Purchases due to the pair", "Per 1,000 considerations with both")
    return _table(header=header, rows=rows)


def _experiments(demo: DemoWorld) -> str:
    rows = [
        (
            row["channel"],
            f"{true['start']} to {true['end']}",
            f"{row['spend']:,.0f}",
            f"{row['lift']:,.0f}",
            f"{row['standard_error']:,.0f}",
            f"{true['true_lift']:,.0f}",
        )
        for row, true in zip(demo.experiments.to_dict("records"), demo.truth["experiments"], strict=True)
    ]
    header = ("Experiment", "Window", "Spend EUR", "Reported lift EUR", "Standard error", "True lift EUR")
    return _table(header=header, rows=rows)


def _table(*, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
