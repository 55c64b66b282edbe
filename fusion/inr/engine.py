"""The fitting engine: many networks of one architecture, each fitted alone from one shared start.

Two engines keep one contract: a compiled kernel for processors (`fusion.inr.cpu_engine`) and one for CUDA devices
(`fusion.inr.cuda_engine`). A TensorFlow graph (`fusion.inr.tensorflow_engine`) is a reference, slower than either.
Tests compare all of them with a float64 reference.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError, EngineWarning, FusionError
from fusion.inr.forward import forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.settings import FitSettings

Backend = str
"""``auto``, ``cpu``, ``cuda``, ``cuda:1`` (the second device), or ``tensorflow``, the reference."""

_DEVICES = Path("/dev")
_GPU_DEVICES = ("nvidia[0-9]*", "dxg")
_default: Backend = "auto"


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a fit gives for b samples.

    Parameters
    ----------
    weights : NDArray of float32, shape=(b, k)
    mse : NDArray of float32, shape=(b,)
        Mean squared error of these weights over all coordinates.
    steps : NDArray of int32, shape=(b,)
        Steps taken; fewer than asked where the PSNR target was reached.
    """

    weights: NDArray[np.float32]
    mse: NDArray[np.float32]
    steps: NDArray[np.int32]


def fit(
    architecture: Architecture,
    initial_weights: NDArray[Any],
    coordinates: NDArray[Any],
    values: NDArray[Any],
    settings: FitSettings,
    *,
    step_sizes: NDArray[Any] | None = None,
    batch: int | None = None,
    backend: Backend = "auto",
) -> FitResult:
    """Fit one network to each sample, all from the same start, nothing carried over between samples.

    Parameters
    ----------
    architecture : Architecture
    initial_weights : NDArray, shape=(k,)
        The shared start.
    coordinates : NDArray, shape=(n, d_in)
        In [-1, 1], shared by all samples.
    values : NDArray, shape=(b, n, d_out)
        In [0, 1]; b may be any number, zero included.
    settings : FitSettings
    step_sizes : NDArray, shape=(k,), optional
        Rate of each weight, in place of the learning rate: plain gradient steps, such as `fusion.inr.meta` learns
        them. None: Adam.
    batch : int or None
        Samples that a device holds at once, or in one TensorFlow graph; chosen when None. Changes the speed, not the
        result (of TensorFlow's to rounding).
    backend : str
        ``auto`` is what `use_device` said, or else a CUDA device where one can be used, or else the processor.

    Returns
    -------
    FitResult
        A fit that diverges gives NaN weights or a NaN error.

    Raises
    ------
    ConfigError
        When the shapes do not fit together, or the backend is not known.
    CudaUnavailableError
        When a CUDA device was asked for and cannot be used.

    Notes
    -----
    Malherbe, Sections 3.2 and 5.1.2. Adam's moments start at zero for every sample: a state that survives from one
    sample to the next would carry the order of the data into the weights.
    """
    _check_shapes(architecture, initial_weights, coordinates, values, step_sizes)
    sizes = None if step_sizes is None else np.ascontiguousarray(step_sizes, dtype=np.float32)
    start, grid = (np.ascontiguousarray(array, dtype=np.float32) for array in (initial_weights, coordinates))
    if not len(values):
        empty = np.empty(0, np.float32)
        return FitResult(np.empty((0, architecture.size), np.float32), empty, empty.astype(np.int32))
    where = backend_for(architecture, backend)
    if where == "tensorflow":
        from fusion.inr import tensorflow_engine

        return FitResult(*tensorflow_engine.fit(architecture, start, grid, values, settings, batch, sizes))
    if where == "cpu":
        from fusion.inr import cpu_engine

        return FitResult(*cpu_engine.fit(architecture, start, grid, values, settings, sizes))
    from fusion.inr import cuda_engine

    device = int(where.removeprefix("cuda:"))
    return FitResult(*cuda_engine.fit(architecture, start, grid, values, settings, sizes, device=device, block=batch))


def evaluate(
    architecture: Architecture, weights: NDArray[Any], coordinates: NDArray[Any], *, backend: Backend = "auto"
) -> NDArray[np.float32]:
    """Evaluate many networks of one architecture at the same coordinates.

    Parameters
    ----------
    architecture : Architecture
    weights : NDArray, shape=(b, k)
    coordinates : NDArray, shape=(n, d_in)
        In [-1, 1], at any resolution.
    backend : str
        As for `fit`.

    Returns
    -------
    NDArray of float32, shape=(b, n, d_out)
    """
    rows, grid = (np.ascontiguousarray(array, dtype=np.float32) for array in (weights, coordinates))
    where = backend_for(architecture, backend)
    if where.startswith("cuda") and rows.size and len(grid):
        from fusion.inr import cuda_engine

        return cuda_engine.decode(architecture, rows, grid, device=int(where.removeprefix("cuda:")))
    values = np.empty((len(rows), len(grid), architecture.d_out), np.float32)
    for number, row in enumerate(rows):
        values[number] = forward(architecture, row, grid)
    return values


def use_device(device: Backend) -> None:
    """Say where the fits of this process run when they are not told.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises
    ------
    ConfigError
        When it is none of these.
    CudaUnavailableError
        When a CUDA device was asked for and cannot be used.
    """
    global _default
    if device != "auto":
        chosen_backend(device)
    _default = device


def chosen_backend(backend: Backend = "auto") -> Backend:
    """Tell where fits run: ``cpu``, ``cuda:0`` and so on, or ``tensorflow``."""
    if backend == "auto":
        backend = _default
    if backend == "auto":
        return _found()
    if backend in ("cpu", "tensorflow"):
        return backend
    named = re.fullmatch(r"cuda(?::(\d+))?", backend)
    if named is None:
        raise ConfigError(f"device {backend!r}; expected auto, cpu, cuda, or one of several such as cuda:1")
    from fusion.inr import cuda_engine

    number = int(named[1] or 0)
    cuda_engine.require(number)
    return f"cuda:{number}"


def backend_for(architecture: Architecture, backend: Backend = "auto") -> Backend:
    """Tell where fits of an architecture run; one that no CUDA kernel is written for goes to the processor."""
    where = chosen_backend(backend)
    if not where.startswith("cuda"):
        return where
    from fusion.inr.cuda.plan import unsupported

    reason = unsupported(architecture)
    if reason is None:
        return where
    warnings.warn(f"{reason}: these networks are fitted on the processor", EngineWarning, stacklevel=3)
    return "cpu"


@lru_cache(maxsize=1)
def _found() -> Backend:
    """Look for a CUDA device once; where there is one that cannot be used, say why."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not any(any(_DEVICES.glob(pattern)) for pattern in _GPU_DEVICES):
        return "cpu"
    from fusion.inr import cuda_engine

    try:
        cuda_engine.require(0)
    except FusionError as error:
        warnings.warn(f"{error}: fits run on the processor", EngineWarning, stacklevel=4)
        return "cpu"
    return "cuda:0"


def warm_up() -> None:
    """Load the engine in a worker process, so that it is ready when the first samples come."""
    from fusion.inr import cpu_engine

    cpu_engine.warm_up()


def _check_shapes(
    architecture: Architecture,
    start: NDArray[Any],
    coordinates: NDArray[Any],
    values: NDArray[Any],
    step_sizes: NDArray[Any] | None,
) -> None:
    expected = {
        "initial weights": (start.shape, (architecture.size,)),
        "coordinates": (coordinates.shape, (len(coordinates), architecture.d_in)),
        "step sizes": ((architecture.size,) if step_sizes is None else step_sizes.shape, (architecture.size,)),
        "values": (values.shape, (len(values), len(coordinates), architecture.d_out)),
    }
    for name, (got, wanted) in expected.items():
        if got != wanted:
            raise ConfigError(f"{name} of shape {got}: this architecture and grid need {wanted}")
    if not len(coordinates):
        raise ConfigError("no coordinates: a signal needs at least one point")
