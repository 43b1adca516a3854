"""How much is at risk: what draws of an outcome say of its lower end, and of its reward for that risk.

`draws`: (S,) of an outcome, the more the better. `confidence`: a share, such as 0.95: the outcome is worse than the
value at risk with a probability of 5%. Definitions and names are those of PyMC-Marketing 0.19.2 (`mmm.utility`), whose
tests they pass. All raise ValueError for draws that are none or not finite, and a confidence that is no share.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]


def value_at_risk(draws: FloatArray, confidence: float = 0.95) -> float:
    """The quantile at 1 - confidence, linear between two draws."""
    _require_draws(draws)
    _require_share(confidence)
    return float(np.quantile(draws, 1 - confidence))


def conditional_value_at_risk(draws: FloatArray, confidence: float = 0.95) -> float:
    """The mean of the draws that are at most the value at risk: expected shortfall.

    Source: Rockafellar, Uryasev 2000, Journal of Risk 2(3).
    """
    _require_draws(draws)
    _require_share(confidence)
    worst = np.quantile(draws, 1 - confidence, method="lower")  # no draw lies between this and the value at risk
    return float(draws[draws <= worst].mean())


def sharpe_ratio(draws: FloatArray, risk_free: float = 0.0) -> float:
    """(mean - risk_free) / standard deviation, with S - 1 in it. `risk_free`: an outcome to be had without risk.

    NaN where the draws do not differ. Source: Sharpe 1966, Journal of Business 39(1).
    """
    _require_draws(draws)
    if np.ptp(draws) == 0:
        return float("nan")
    return (float(draws.mean()) - risk_free) / float(draws.std(ddof=1))


def raroc(draws: FloatArray, spend: FloatArray, risk_free: float = 0.0) -> float:
    """Risk-adjusted return on capital: (mean - risk_free) / all spend (C,). NaN without spend."""
    _require_draws(draws)
    capital = _total(spend)
    return (float(draws.mean()) - risk_free) / capital if capital > 0 else float("nan")


def adjusted_value_at_risk_score(draws: FloatArray, confidence: float = 0.95, risk_aversion: float = 0.8) -> float:
    """(1 - risk_aversion) mean + risk_aversion value at risk. `risk_aversion`: from 0 to 1."""
    if not 0 <= risk_aversion <= 1:
        raise ValueError(f"Risk aversion must be between 0 and 1, but is {risk_aversion}.")
    at_risk = value_at_risk(draws, confidence)
    return (1 - risk_aversion) * float(draws.mean()) + risk_aversion * at_risk


def portfolio_entropy(spend: FloatArray) -> float:
    """-sum p log p over the shares of spend (C,): 0 for one channel, log C for an even spread. NaN without spend."""
    total = _total(spend)
    if not total > 0:
        return float("nan")
    shares = spend / total
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) + 0.0


def _total(spend: FloatArray) -> float:
    if not np.all(np.isfinite(spend) & (spend >= 0)):
        raise ValueError("Spend must be 0 or more.")
    return float(spend.sum())


def _require_draws(draws: FloatArray) -> None:
    if draws.ndim != 1 or not len(draws) or not np.all(np.isfinite(draws)):
        raise ValueError("Risk needs draws of an outcome, all of them finite.")


def _require_share(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"Confidence must be between 0 and 1, but is {confidence}.")
