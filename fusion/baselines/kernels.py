"""Random convolutional kernels, which windows of sensors are compared with first; by aeon (extra `controls`).

References
----------
Dempster, Schmidt, Webb, "MiniRocket: A Very Fast (Almost) Deterministic Transform for Time Series Classification",
2021. Tan et al., "MultiRocket", 2022, with Dempster et al., "Hydra", 2023.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.baselines.prepared import Prepared

__all__ = ["RandomKernels"]

_BY_NAME = {"minirocket": "MiniRocketClassifier", "multirocket-hydra": "MultiRocketHydraClassifier"}
_MODULE = "aeon.classification.convolution_based"


class RandomKernels:
    """A classifier of aeon on the prepared series, its parameters the published ones.

    Parameters
    ----------
    name : {"minirocket", "multirocket-hydra"}
        The second needs PyTorch besides.
    seed : int
    **parameters
        Of aeon's class, such as ``n_jobs``.

    Raises
    ------
    ConfigError
        aeon or what it needs is not installed.
    """

    weights: int | None = None  # aeon does not say how many

    def __init__(self, name: str, *, seed: int = 42, **parameters: Any) -> None:
        try:
            made = getattr(import_module(_MODULE), _BY_NAME[name])
            self._classifier = made(**{"random_state": seed, **parameters})
        except ModuleNotFoundError as error:
            needed = (error.name or "aeon").partition(".")[0]
            also = "" if needed == "aeon" else f" and {needed}"
            raise ConfigError(
                f"the baseline {name!r} needs aeon{also}; install them: pip install 'functa-fusion[controls]'"
                + ("" if needed == "aeon" else f" {needed}")
            ) from error

    def fit(self, prepared: Prepared, rows: NDArray[np.intp]) -> Self:
        """Train on some rows of samples with one axis, such as windows of sensors."""
        self._classifier.fit(_series(prepared, rows), prepared.labels[rows].astype(str))
        return self

    def predict(self, prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return the class of some rows, shape (r,)."""
        return np.asarray(self._classifier.predict(_series(prepared, rows)))


def _series(prepared: Prepared, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the rows as aeon takes them, shape (r, channels, points)."""
    grid = prepared.values.shape[1:-1]
    if len(grid) != 1:
        raise ConfigError(f"random kernels read series; expected samples of one axis, got a grid of {grid}.")
    return np.ascontiguousarray(np.moveaxis(prepared.values[rows], 1, 2))
