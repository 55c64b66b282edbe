"""Fits on the processor: one network after the other in the compiled kernel, all of it in one core's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.architecture import Architecture
from fusion.inr.kernel import Network, Workspace, fit_network
from fusion.inr.metrics import mse_of_psnr
from fusion.inr.settings import FitSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CACHE_BYTES = 1 << 20
_BLOCK = 64
_MAX_CHUNK = 512
_LINE = 16


def chunk_size(architecture: Architecture, coordinates: int) -> int:
    """Coordinates that pass through the network at once: as many as keep its activations in a second-level cache.

    Returns
    -------
    int in [64, 512], a multiple of 64
        Chunks of one signal are about equally long.
    """
    one = 4 * (2 * sum(architecture.hidden) + max(architecture.hidden))
    most = min(_MAX_CHUNK, max(_BLOCK, _CACHE_BYTES // one))
    chunks = -(-coordinates // most)
    return -(-coordinates // (chunks * _BLOCK)) * _BLOCK


def fit(
    architecture: Architecture,
    start: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    values: NDArray[Any],
    settings: FitSettings,
    step_sizes: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Fit one network to each sample; see `fusion.inr.engine.fit`, which checks what it passes on.

    Returns
    -------
    weights : shape=(b, k)
    mse : shape=(b,)
    steps : shape=(b,)
    """
    weights = np.tile(start, (len(values), 1))
    mse, steps = np.empty(len(values), np.float32), np.empty(len(values), np.int32)
    network, workspace = prepare(architecture, len(coordinates))
    subsets = settings.subsets(len(coordinates))
    rows = np.arange(len(coordinates))[None] if subsets is None else subsets.astype(np.int64)
    target = -1.0 if settings.psnr_target is None else mse_of_psnr(settings.psnr_target)
    rates = settings.rates() if step_sizes is None else settings.decay()
    sizes, grid = _plain(np.empty(0) if step_sizes is None else step_sizes), _plain(coordinates)
    for index, theta in enumerate(weights):
        mse[index], steps[index] = fit_network(
            theta, network, workspace, grid, _plain(values[index]), rows, rates, sizes, target
        )
    return weights, mse, steps


def prepare(architecture: Architecture, coordinates: int) -> tuple[Network, Workspace]:
    """Give the kernel's view of an architecture, and memory for fits to that many coordinates."""
    network = Network(
        np.array(architecture.widths, np.int64),
        np.array(architecture.omegas, np.float32),
        architecture.output == "sigmoid",
    )
    return network, _workspace(architecture, coordinates)


def _plain(array: NDArray[Any]) -> NDArray[np.float32]:
    # An array that is read-only, or in another order, would be another type for Numba, and compile everything again.
    return np.require(array, np.float32, ["C", "A", "W"])


def warm_up() -> None:
    """Compile the kernel, or load it from the cache, by fitting one point."""
    one = np.zeros((1, 1), np.float32)
    smallest = Architecture(1, 1, (1,), (1.0,))
    fit(smallest, np.zeros(smallest.size, np.float32), one, one[None], FitSettings(steps=1))


def _workspace(architecture: Architecture, coordinates: int) -> Workspace:
    chunk = chunk_size(architecture, coordinates)
    chunks = -(-coordinates // chunk)
    hidden = sum(architecture.hidden)
    heights = (hidden, hidden, max(architecture.hidden), architecture.d_out)
    gathered = (chunks * architecture.d_in, chunks * architecture.d_out)
    vectors = [_aligned(1, architecture.size)[0] for _ in range(3)]
    return Workspace(chunk, *vectors, *(_aligned(height, _stride(chunk)) for height in (*heights, *gathered)))


def _stride(chunk: int) -> int:
    # An odd number of cache lines, so that a column of rows does not fall into the same few sets of the cache.
    return chunk + _LINE if (chunk // _LINE) % 2 == 0 else chunk


def _aligned(rows: int, columns: int) -> NDArray[Any]:
    memory = np.empty(rows * columns + _LINE, np.float32)
    begin = (-memory.ctypes.data % 64) // 4
    return memory[begin : begin + rows * columns].reshape(rows, columns)
