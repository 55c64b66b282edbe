"""Weights of XGBoost's linear booster and leaves of its trees, replaced: the one place that knows its JSON.

XGBoost has no call that sets them, so its own JSON is written anew. Tests train boosters, replace their weights and
leaves and compare the margins, so that a version that writes otherwise is noticed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from fusion.errors import ModelError

__all__ = ["in_other_unit", "linear_booster", "linear_weights", "with_linear_weights"]

# From 3.3 on XGBoost says at every use of a linear booster that it will be removed; pyproject.toml allows none without.
warnings.filterwarnings("ignore", message=r".*`booster=gblinear` is deprecated", category=UserWarning)


def linear_booster(weights: NDArray[np.float64], parameters: Mapping[str, Any]) -> xgboost.Booster:
    """Return a linear booster of these weights, one round old.

    Parameters
    ----------
    weights : NDArray of float64, shape=(columns + 1, outputs)
        The last row is the bias of each output.
    parameters : mapping of str to object
        Of XGBoost: the objective, and the number of classes where it has some.
    """
    targets = 1 if "num_class" in parameters else weights.shape[1]
    data = xgboost.DMatrix(np.zeros((1, 1), np.float32), np.zeros((1, targets)), nthread=1)
    given = {"booster": "gblinear", "updater": "coord_descent", "base_score": 0.5, "nthread": 1, **parameters}
    return with_linear_weights(xgboost.train(given, data, num_boost_round=1), weights)


def linear_weights(booster: xgboost.Booster) -> NDArray[np.float64]:
    """Give the weights of a linear booster, shape (columns + 1, classes); the last row is the bias of each class.

    Raises
    ------
    ModelError
        This version of XGBoost writes linear boosters in another form.
    """
    return _weights(_document(booster))


def with_linear_weights(booster: xgboost.Booster, weights: NDArray[np.float64]) -> xgboost.Booster:
    """Return a booster of the same classes with other weights, and as many columns as they have.

    Parameters
    ----------
    booster : xgboost.Booster
        Linear; it stays as it is.
    weights : NDArray of float64, shape=(columns + 1, classes)
        The last row is the bias of each class.

    Raises
    ------
    ModelError
        This version of XGBoost writes linear boosters in another form.
    """
    document = _document(booster)
    _weights(document)
    document["learner"]["gradient_booster"]["model"]["weights"] = weights.ravel().tolist()
    document["learner"]["learner_model_param"]["num_feature"] = str(len(weights) - 1)
    return _booster(document)


def in_other_unit(booster: xgboost.Booster, *, factor: float, offset: float) -> xgboost.Booster:
    """Return a booster whose margins are those of this one times a factor, plus an offset.

    Parameters
    ----------
    booster : xgboost.Booster
        Of one output, trees or linear; it stays as it is.
    factor, offset : float

    Raises
    ------
    ModelError
        This version of XGBoost writes boosters in another form.
    """
    document = _document(booster)
    learner = document["learner"]
    try:
        parameters, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
        base = float(np.ravel(json.loads(parameters["base_score"]))[0])
        if "weights" in model:
            weights = _weights(document)
            weights[-1] += base
            weights *= factor
            weights[-1] += offset - base
            model["weights"] = weights.ravel().tolist()
        else:
            for tree in model["trees"]:
                _scale_leaves(tree, factor)
            text = f"{factor * base + offset:.9E}".replace("+", "")
            parameters["base_score"] = f"[{text}]" if parameters["base_score"].startswith("[") else text
    except (KeyError, TypeError, ValueError) as error:
        raise _unknown_form("a booster", error, "trees or weights in learner/gradient_booster/model") from error
    return _booster(document)


def _scale_leaves(tree: dict[str, Any], factor: float) -> None:
    leaf = np.array(tree["left_children"]) == -1
    limits = np.array(tree["split_conditions"], np.float64)
    tree["split_conditions"] = np.where(leaf, factor * limits, limits).tolist()
    tree["base_weights"] = (factor * np.array(tree["base_weights"], np.float64)).tolist()
    tree["loss_changes"] = (factor**2 * np.array(tree["loss_changes"], np.float64)).tolist()


def _document(booster: xgboost.Booster) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))
    return document


def _weights(document: dict[str, Any]) -> NDArray[np.float64]:
    try:
        columns = int(document["learner"]["learner_model_param"]["num_feature"])
        return np.array(document["learner"]["gradient_booster"]["model"]["weights"], np.float64).reshape(
            columns + 1, -1
        )
    except (KeyError, TypeError, ValueError) as error:
        form = "weights of shape (columns + 1, classes) in learner/gradient_booster/model/weights"
        raise _unknown_form("a linear booster", error, form) from error


def _booster(document: dict[str, Any]) -> xgboost.Booster:
    made = xgboost.Booster()
    made.load_model(bytearray(json.dumps(document).encode()))
    return made


def _unknown_form(what: str, error: Exception, expected: str) -> ModelError:
    return ModelError(
        f"XGBoost {xgboost.__version__} writes {what} otherwise than expected ({type(error).__name__}: {error}); "
        f"expected {expected}. Install an earlier version of XGBoost."
    )
