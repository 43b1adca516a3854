"""Numbers of journeys as tables and sentences have them."""

from analyses.documents import Figure
from mmm_project import formats


def count(value: float) -> Figure:
    return Figure(formats.count(value), value=value)


def percent(share: float) -> Figure:
    return Figure(formats.percent(share), f"{share:.6%}", share)


def money(value: float, currency: str) -> Figure:
    return Figure(formats.round_money(value, currency), formats.money(value, currency), value)


def ratio(value: float) -> Figure:
    return Figure(formats.ratio(value), f"{value:.4f}", value)


def number_of_days(number: float) -> Figure:
    return Figure(formats.count(round(number, 1)), formats.count(number), number)


def days(number: float) -> str:
    return formats.count(round(number, 1), "day")
