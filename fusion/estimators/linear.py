"""XGBoost's linear booster, trained along the principal axes of its columns so that it converges in a few rounds.

Coordinate descent goes slowly where columns are correlated, as weights of functas and dictionary codes are: of 1,200
columns, 60 rounds took minutes and had not converged. Along the principal axes nothing is correlated. The penalty
`lambda` does not change under a rotation, so what coordinate descent tends to is the same model; it is turned back and
kept as an ordinary linear booster of the original columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.linalg
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from fusion.errors import ConfigError
from fusion.estimators.booster_weights import linear_weights, with_linear_weights
from fusion.estimators.trainers import RowSource, chunks

__all__ = [
    "LinearSettings",
    "PrincipalAxes",
    "calibrate",
    "choose",
    "out_of_fold_margins",
    "train_linear",
]

_SAMPLED_ROWS = 4096
_CHOSEN_ON = 6000, 512
_THREADED_ROWS = 20_000
_SMALLEST = 1e-6


@dataclass(frozen=True)
class LinearSettings:
    """How the linear booster is trained.

    Parameters
    ----------
    eta : float in (0, 1]
        Step of each round. At 1 the classes, which are updated one after the other from one gradient, overshoot.
    penalties : tuple of float >= 0
        XGBoost's `lambda`, which it multiplies by the number of rows; the best one is chosen by cross-validation.
    rounds : int > 0
        Most rounds; the best number is chosen with the penalty.
    components : int > 0
        Most principal axes.
    """

    eta: float = 0.5
    penalties: tuple[float, ...] = (0.001, 0.01, 0.1, 0.3)
    rounds: int = 10
    components: int = 1024

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """Read settings by name; ConfigError for an unknown name or a value out of range."""
        try:
            values: dict[str, Any] = dict(given or {})
            made = cls(**values | ({"penalties": tuple(values["penalties"])} if "penalties" in values else {}))
        except TypeError as error:
            known = ", ".join(cls.__dataclass_fields__)
            raise ConfigError(f"linear is {dict(given or {})}; expected a mapping of {known}.") from error
        good = 0 < made.eta <= 1 and made.rounds >= 1 and made.components >= 1 and made.penalties
        if not good or min(made.penalties) < 0:
            raise ConfigError(
                f"linear is {made}; expected eta in (0, 1], rounds and components of at least 1, and penalties of at "
                "least 0."
            )
        return made


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Principal axes of standardised columns, learned from at most 4,096 training rows.

    Attributes
    ----------
    axes : NDArray of float32, shape=(p, r)
        Takes centred columns to their components; each column's deviation is divided out in it.
    mean : NDArray of float32, shape=(p,)
    """

    axes: NDArray[np.float32]
    mean: NDArray[np.float32]

    @classmethod
    def learn(cls, rows: RowSource, *, components: int, seed: int) -> PrincipalAxes:
        """Learn from rows drawn by the seed; a missing value counts as 0."""
        drawn = np.random.default_rng(seed).permutation(rows.shape[0])[:_SAMPLED_ROWS]
        sample = _filled(rows[np.sort(drawn)])
        mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        sample -= mean
        deviation = sample.std(axis=0, dtype=np.float64).astype(np.float32)
        deviation[deviation <= np.finfo(np.float32).eps * np.abs(mean)] = np.inf
        sample /= deviation
        return cls(_axes(sample, components) / deviation[:, None], mean)

    def components(self, rows: RowSource) -> NDArray[np.float32]:
        """Project all rows, read chunk by chunk, to shape (n, r)."""
        out = np.empty((rows.shape[0], self.axes.shape[1]), np.float32)
        for part in chunks(np.arange(len(out)), rows.shape[1]):
            out[part] = (_filled(rows[part]) - self.mean) @ self.axes
        return out

    def turned_back(self, booster: xgboost.Booster, *, confidence: float = 1.0) -> xgboost.Booster:
        """Return the booster of the original columns that gives the margins of `booster` times the confidence."""
        weights = confidence * linear_weights(booster)
        turned = self.axes.astype(np.float64) @ weights[:-1]
        bias = weights[-1:] - self.mean.astype(np.float64) @ turned
        return with_linear_weights(booster, np.vstack([turned, bias]))


def train_linear(
    components: NDArray[np.float32], codes: NDArray[np.intp], parameters: Mapping[str, Any], rounds: int
) -> xgboost.Booster:
    """Train the linear booster on components, shape (n, r), for so many rounds."""
    return next(_rounds(components, codes, parameters, rounds, every=False))


def choose(
    components: NDArray[np.float32],
    codes: NDArray[np.intp],
    folds: NDArray[np.intp],
    parameters: Mapping[str, Any],
    settings: LinearSettings,
) -> tuple[float, int]:
    """Return the penalty and the number of rounds with the fewest errors out of fold, of equal ones the lower log loss.

    Parameters
    ----------
    components : NDArray of float32
    codes : NDArray of intp
        Training rows, shape (n, r), by falling variance, and their classes, shape (n,). At most 6,000 rows and 512
        components are used: the choice has to be made many times over.
    folds : NDArray of intp
        Fold of each row, shape (n,): no group in two of them. With one fold only, a middle penalty and all rounds.
    parameters : mapping of str to object
        Of XGBoost, without `lambda`.
    settings : LinearSettings
        Penalties and rounds to choose from.
    """
    if folds.max(initial=0) == 0:
        return settings.penalties[len(settings.penalties) // 2], settings.rounds
    most, first = _CHOSEN_ON
    used = np.random.default_rng(parameters["seed"]).permutation(len(codes))[:most]
    x, y, fold = components[used, :first], codes[used], folds[used]
    scores: dict[tuple[float, int], tuple[float, float]] = {}
    for penalty in settings.penalties:
        wrong, loss = np.zeros(settings.rounds), np.zeros(settings.rounds)
        for number in np.unique(fold):
            inside = fold == number
            held = xgboost.DMatrix(x[inside])
            grown = _rounds(x[~inside], y[~inside], {**parameters, "lambda": penalty}, settings.rounds, every=True)
            for done, booster in enumerate(grown):
                probabilities = booster.predict(held)
                wrong[done] += np.sum(probabilities.argmax(axis=1) != y[inside])
                likely = np.take_along_axis(probabilities, y[inside, None], axis=1)
                loss[done] -= np.log(np.maximum(likely, np.finfo(np.float32).tiny)).sum()
        scores |= {(penalty, done + 1): (float(wrong[done]), float(loss[done])) for done in range(settings.rounds)}
    return min(scores, key=lambda tried: scores[tried])


def out_of_fold_margins(
    components: NDArray[np.float32],
    codes: NDArray[np.intp],
    folds: NDArray[np.intp],
    parameters: Mapping[str, Any],
    rounds: int,
) -> NDArray[np.float32]:
    """Return the margins of each row by a booster that never saw its group, shape (n, classes); 0 with one fold."""
    margins = np.zeros((len(codes), parameters["num_class"]), np.float32)
    if folds.max(initial=0) == 0:
        return margins
    for number in np.unique(folds):
        inside = folds == number
        booster = train_linear(components[~inside], codes[~inside], parameters, rounds)
        margins[inside] = booster.predict(xgboost.DMatrix(components[inside]), output_margin=True)
    return margins


def calibrate(margins: NDArray[np.float32], codes: NDArray[np.intp]) -> float:
    """Return the factor for margins, shape (n, classes), that lowers the log loss most; the classes predicted stay.

    Notes
    -----
    Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", 2017. A few rounds are as accurate as
    many but unsure, and what starts from their margins, or averages their probabilities, has to know how sure they are.
    """

    def loss(exponent: float) -> float:
        likely = log_softmax(np.exp(exponent) * margins, axis=1)
        return float(-np.take_along_axis(likely, codes[:, None], axis=1).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded").x))


def linear_parameters(settings: LinearSettings, *, classes: int, rows: int, threads: int, seed: int) -> dict[str, Any]:
    """Parameters for XGBoost: coordinate descent, because `shotgun` does not give the same result twice."""
    return {
        "booster": "gblinear",
        "updater": "coord_descent",
        "feature_selector": "cyclic",
        "objective": "multi:softprob",
        "num_class": classes,
        "base_score": 0.5,  # one for all classes, so that margins can be scaled
        "eta": settings.eta,
        "seed": seed,
        "nthread": threads if rows >= _THREADED_ROWS else 1,
    }


def _rounds(
    x: NDArray[np.float32], y: NDArray[np.intp], parameters: Mapping[str, Any], rounds: int, *, every: bool
) -> Iterator[xgboost.Booster]:
    data = xgboost.DMatrix(x, y, nthread=parameters["nthread"])
    booster = xgboost.Booster(dict(parameters), [data])
    for done in range(rounds):
        booster.update(data, done)
        if every or done == rounds - 1:
            yield booster


def _axes(sample: NDArray[np.float32], components: int) -> NDArray[np.float32]:
    wide = sample.shape[0] < sample.shape[1]
    gram = sample @ sample.T if wide else sample.T @ sample
    count = min(components, len(gram))
    variances, vectors = scipy.linalg.eigh(gram.astype(np.float64), subset_by_index=(len(gram) - count, len(gram) - 1))
    kept = variances > max(_SMALLEST * variances[-1], 0.0)
    kept[-1] = True
    variances, vectors = variances[kept][::-1], vectors[:, kept][:, ::-1]
    if wide:
        vectors = sample.T @ (vectors / np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny)))
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _filled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(rows, copy=True, nan=0.0)
