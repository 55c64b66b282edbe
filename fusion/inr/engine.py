"""The fitting engine: many networks of one architecture, each fitted alone from one shared start.

Two engines keep one contract: a compiled kernel for processors (`fusion.inr.cpu_engine`) and a TensorFlow graph for
GPUs (`fusion.inr.tensorflow_engine`). Tests compare both with a float64 reference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.settings import FitSettings

Backend = Literal["auto", "cpu", "tensorflow"]

_DEVICES = Path("/dev")
_GPU_DEVICES = ("nvidia[0-9]*", "kfd")


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
        Samples in one TensorFlow graph, chosen when None; the kernel fits one sample at a time. Changes the speed,
        not the result (to rounding).
    backend : {"auto", "cpu", "tensorflow"}
        ``auto`` takes TensorFlow where it sees a GPU, else the compiled kernel.

    Returns
    -------
    FitResult
        A fit that diverges gives NaN weights or a NaN error.

    Raises
    ------
    ConfigError
        When the shapes do not fit together.

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
    if chosen_backend(backend) == "tensorflow":
        from fusion.inr import tensorflow_engine

        return FitResult(*tensorflow_engine.fit(architecture, start, grid, values, settings, batch, sizes))
    from fusion.inr import cpu_engine

    return FitResult(*cpu_engine.fit(architecture, start, grid, values, settings, sizes))


def chosen_backend(backend: Backend = "auto") -> Literal["cpu", "tensorflow"]:
    """Tell which engine fits here; TensorFlow is only asked for a GPU where the system has the device of one."""
    if backend not in ("auto", "cpu", "tensorflow"):
        raise ConfigError(f"backend {backend!r}; expected 'auto', 'cpu' or 'tensorflow'")
    if backend != "auto":
        return backend
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not any(any(_DEVICES.glob(pattern)) for pattern in _GPU_DEVICES):
        return "cpu"
    from fusion.inr.tensorflow_engine import sees_gpu

    return "tensorflow" if sees_gpu() else "cpu"


def warm_up() -> None:
    """Load the engine in a worker process, with one thread, so that it is ready when the first samples come."""
    if chosen_backend() == "tensorflow":
        from fusion.inr import tensorflow_engine

        tensorflow_engine.single_threaded()
        return
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
