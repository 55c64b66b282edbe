"""Parameters of XGBoost, refused before it trains: it alone knows their names, and says so in a warning only."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost
from xgboost.core import XGBoostError

from fusion.errors import ConfigError

__all__ = ["require_parameters"]

_UNUSED = re.compile(r"Parameters: \{ (.*) \} are not used")
_PLACE = re.compile(r"^\[[\d:]+\] \S+: ")
_KINDS: tuple[Mapping[str, Any], ...] = (
    {"booster": "dart", "objective": "binary:logistic"},
    {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "greedy"},
    {"tree_method": "exact", "objective": "reg:pseudohubererror"},
    {"tree_method": "approx", "objective": "reg:tweedie"},
    {"objective": "multi:softprob", "num_class": 2},
    {"objective": "rank:ndcg"},
    {"objective": "survival:aft"},
    {"objective": "reg:quantileerror", "quantile_alpha": 0.5},
)
"""Boosters, ways to grow trees and objectives, each with parameters of its own; not every version has all of them."""


def require_parameters(given: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Refuse parameters that XGBoost refuses or does not know, whatever booster and objective they are of.

    Parameters
    ----------
    given : mapping of str to object
        What a user asked for.
    used : mapping of str to object
        All that XGBoost is about to be given, with those among them.

    Raises
    ------
    ConfigError
        With XGBoost's reason, or the names that it does not know.
    """
    try:
        unused = _unused(used)
    except XGBoostError as error:
        reason = _PLACE.sub("", str(error).strip().splitlines()[0])
        raise ConfigError(f"parameters are {dict(given)}, which XGBoost refuses: {reason}. Correct them.") from error
    unknown = [name for name in given if name in unused and not _known_elsewhere(name, given[name])]
    if unknown:
        raise ConfigError(
            f"parameters name {', '.join(map(repr, unknown))}; expected names that XGBoost {xgboost.__version__} "
            "knows, such as 'max_leaves'. Correct the name."
        )


def _unused(parameters: Mapping[str, Any]) -> set[str]:
    """Return the names that XGBoost passes over with this booster and objective; XGBoostError where it refuses some."""
    data = xgboost.DMatrix(np.zeros((1, 1), dtype=np.float32), np.zeros(1), nthread=1)
    loud = {name: value for name, value in parameters.items() if name != "verbosity"}
    with xgboost.config_context(verbosity=1), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        xgboost.Booster({"validate_parameters": True, **loud}, [data]).save_config()
    lists = [found.group(1) for one in told if (found := _UNUSED.search(str(one.message)))]
    return {name for text in lists for name in re.findall(r'"([^"]*)"', text)}


def _known_elsewhere(name: str, value: Any) -> bool:
    return any(name not in unused for kind in _KINDS if (unused := _told_unused({**kind, name: value})) is not None)


def _told_unused(parameters: Mapping[str, Any]) -> set[str] | None:
    try:
        return _unused(parameters)
    except XGBoostError:
        return None
