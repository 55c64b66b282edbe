"""From a store of functas to the design matrix that a classifier reads.

What filter and normalisation learn is added up block by block, in float64. `fusion.features.matrix` reads the blocks
of a store.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion.errors import ConfigError, DataError
from fusion.features.batches import batches
from fusion.features.fitted import standardised
from fusion.settings import at_least, or_none, require

__all__ = ["FEATURES", "FunctaFeatures"]

Features = Literal["delta", "weights"]
FEATURES: tuple[Features, ...] = ("delta", "weights")


class FunctaFeatures(TransformerMixin, BaseEstimator):
    """Functas as features: weights minus their start, without the columns that never vary, standardised.

    A row of NaN is a missing modality and stays NaN. Everything is learned from the rows given to `fit` or
    `partial_fit`, which have to be training rows only.

    Parameters
    ----------
    features : {"delta", "weights"}
        "delta" subtracts the start; "weights" takes the functas as they are.
    start : array_like or None
        Weights of the encoder's shared start, shape (k,); None for an encoder without one: "delta" subtracts nothing.
    filter_invariant : bool
        Remove the columns that hold one value in all training rows.
    normalise : bool
        Subtract the training mean and divide by the training standard deviation.
    max_columns : int > 0 or None
        Keep so many columns, drawn at random from those that the filter leaves; None = all of them.
    seed : int
        Of that draw.

    Attributes
    ----------
    keep_ : bool array, shape (k,)
        The columns that are kept.
    mean_, scale_ : float64 arrays, shape (kept,)
        Mean and standard deviation over the training rows of the kept columns, after the start was subtracted.

    Notes
    -----
    Filter and normalisation: Malherbe, section 5.1.3. After standardising, "delta" and "weights" differ only by
    rounding; they differ in substance with ``normalise=False``.

    Examples
    --------
    >>> functas = np.array([[0.0, 5.0, 2.0], [2.0, 5.0, 4.0]], dtype=np.float32)
    >>> FunctaFeatures(start=[1.0, 5.0, 1.0]).fit(functas).transform(functas)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        features: str = "delta",
        *,
        start: ArrayLike | None = None,
        filter_invariant: bool = True,
        normalise: bool = True,
        max_columns: int | None = None,
        seed: int = 42,
    ) -> None:
        self.features = features
        self.start = start
        self.filter_invariant = filter_invariant
        self.normalise = normalise
        self.max_columns = max_columns
        self.seed = seed

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803, ARG002
        """Learn filter and normalisation from all rows of `X`, shape (n, k)."""
        matrix = self._check(X, reset=True)
        self._moments = _Moments(matrix.shape[1])
        for batch in batches(len(matrix), 8 * matrix.shape[1]):
            self._moments.add(self._minus_start(matrix[batch]))
        return self._learn()

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803, ARG002
        """Add the rows of one block, shape (b, k), to what was learned so far."""
        started = hasattr(self, "_moments")
        matrix = self._check(X, reset=not started)
        if not started:
            self._moments = _Moments(matrix.shape[1])
        self._moments.add(self._minus_start(matrix))
        return self._learn(final=False)

    def transform(self, X: ArrayLike) -> NDArray[np.floating[Any]]:  # noqa: N803
        """Return features of shape (n, kept); float32 stays float32, everything else is computed in float64.

        Raises
        ------
        DataError
            No column varied over the training rows, so there is nothing to learn from.
        """
        check_is_fitted(self, "keep_")
        self._require_columns()
        matrix = self._check(X, reset=False)
        limits = (self.mean_, self.scale_) if self.normalise else None
        return standardised(matrix, self.keep_, self._start(matrix.shape[1]), limits)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names of the kept columns: of the input's columns, or ``x0``, ``x1``, ... where it has none."""
        check_is_fitted(self, "keep_")
        known = getattr(self, "feature_names_in_", None)
        if input_features is None:
            names = [f"x{i}" for i in range(self.n_features_in_)] if known is None else list(known)
        else:
            names = list(np.asarray(input_features, dtype=object))
            if known is not None and names != list(known):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(names) != self.n_features_in_:
                raise ValueError(
                    f"input_features should have length equal to number of features ({self.n_features_in_}), "
                    f"got {len(names)}"
                )
        return np.asarray(names, dtype=object)[self.keep_]

    def restore(self, keep: NDArray[np.bool_], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> Self:
        """Take over what an earlier fit had learned, and return this transformer fitted."""
        self.n_features_in_ = len(keep)
        self.keep_, self.mean_, self.scale_ = keep, mean, scale
        return self

    def without_moments(self) -> FunctaFeatures:
        """Return a copy that can transform but not learn on, a fraction of the size."""
        made = FunctaFeatures(**self.get_params())
        if hasattr(self, "feature_names_in_"):
            made.feature_names_in_ = self.feature_names_in_
        return made.restore(self.keep_, self.mean_, self.scale_)

    def _check(self, X: ArrayLike, *, reset: bool) -> NDArray[np.floating[Any]]:  # noqa: N803
        check_features(self.features)
        require("max_columns", self.max_columns, or_none(at_least(1)), "at least 1, or None for all columns")
        kinds = (np.float32, np.float64)
        return validate_data(self, X, reset=reset, dtype=kinds, ensure_all_finite="allow-nan")  # type: ignore[no-any-return]

    def _start(self, k: int) -> NDArray[np.floating[Any]] | None:
        if self.features == "weights" or self.start is None:
            return None
        start = np.asarray(self.start)
        if start.shape != (k,):
            raise DataError(
                f"the start has shape {start.shape} but the functas have {k} weights each; expected shape ({k},). "
                "Use the start that the functas were fitted from."
            )
        return start

    def _minus_start(self, matrix: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        start = self._start(matrix.shape[1])
        return matrix if start is None else matrix - start.astype(matrix.dtype)

    def _learn(self, *, final: bool = True) -> Self:
        moments = self._moments
        varies = moments.high > moments.low
        self.keep_ = self._drawn(varies if self.filter_invariant else np.ones_like(varies))
        self.mean_ = np.where(moments.count > 0, moments.mean, 0.0)[self.keep_]
        deviation = np.sqrt(moments.m2 / np.maximum(moments.count, 1))
        self.scale_ = np.where(varies & (deviation > 0), deviation, 1.0)[self.keep_]
        if final:
            self._require_columns()
        return self

    def _drawn(self, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if self.max_columns is None:
            return keep
        # all columns are ranked, so that one column more or less to choose from changes at most one that is chosen
        ranked = np.random.default_rng(self.seed).permutation(len(keep))
        drawn = np.zeros_like(keep)
        drawn[ranked[keep[ranked]][: self.max_columns]] = True
        return drawn

    def _require_columns(self) -> None:
        if not self.keep_.any():
            rows = int(self._moments.count.max(initial=0)) if hasattr(self, "_moments") else 0
            raise DataError(
                f"none of the {len(self.keep_)} weights varies over the training rows (n_samples={rows}); expected at "
                "least two rows that differ. Check that the samples are not all the same, and that fitting took a step."
            )

    def __sklearn_tags__(self) -> Any:
        """Return the tags of scikit-learn: missing modalities are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def check_features(features: str) -> None:
    """Refuse features that do not exist; ConfigError names those that do."""
    if features not in FEATURES:
        raise ConfigError(f"features is {features!r}; expected one of {', '.join(FEATURES)}.")


class _Moments:
    """Count, mean, sum of squared deviations and range of every column, added up block by block in float64.

    Notes
    -----
    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self, k: int) -> None:
        self.count = np.zeros(k, dtype=np.int64)
        self.mean = np.zeros(k)
        self.m2 = np.zeros(k)
        self.low = np.full(k, np.inf)
        self.high = np.full(k, -np.inf)

    def add(self, block: NDArray[np.floating[Any]]) -> None:
        """Add the rows of `block`, shape (b, k); NaN is left out."""
        absent = np.isnan(block)
        present = ~absent if absent.any() else True
        count = len(block) - absent.sum(axis=0)
        total = self.count + count
        mean = np.sum(block, axis=0, dtype=np.float64, where=present) / np.maximum(count, 1)
        deviations = np.subtract(block, mean, dtype=np.float64)
        m2 = np.sum(np.square(deviations, out=deviations), axis=0, where=present)
        shift = np.where(count > 0, mean - self.mean, 0.0)
        self.mean += shift * (count / np.maximum(total, 1))
        self.m2 += m2 + shift**2 * (self.count * count / np.maximum(total, 1))
        self.low = np.minimum(self.low, np.min(block, axis=0, where=present, initial=np.inf))
        self.high = np.maximum(self.high, np.max(block, axis=0, where=present, initial=-np.inf))
        self.count = total
