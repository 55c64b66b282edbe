"""Fits on a CUDA device: the arrays there and back, in blocks of as many samples as its memory holds."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.architecture import Architecture
from fusion.inr.cuda.device import Device, Simulator, devices
from fusion.inr.cuda.errors import CudaError, CudaMemoryError, CudaUnavailableError
from fusion.inr.cuda.plan import Kind, Plan, plan
from fusion.inr.cuda.source import POINTERS
from fusion.inr.metrics import mse_of_psnr
from fusion.inr.settings import FitSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Fits = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]

_SHARE = 0.8
"""Of the free memory, what one block of samples may take."""


def simulated() -> bool:
    """Whether Numba's simulator stands in for a device."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


@lru_cache(maxsize=8)
def open_device(index: int) -> Device | Simulator:
    """Take a device into use.

    Raises
    ------
    CudaUnavailableError
        When there is none of that number, or it is too old.
    """
    if simulated():
        return Simulator()
    found = devices()
    if not 0 <= index < len(found):
        raise CudaUnavailableError(f"no CUDA device {index}: this machine has {len(found)}, counted from 0")
    return Device(found[index])


@lru_cache(maxsize=8)
def require(index: int) -> None:
    """Find out whether fits run on a device, by fitting one point: some seconds the first time, no time later.

    Raises
    ------
    CudaUnavailableError
        When there is no such device, it is too old, or what compiles for it is missing or does not go together.
    CudaError
        When the device does not do it: its driver is too old, or it is lost.
    """
    if isinstance(open_device(index), Simulator):
        return
    smallest, one = Architecture(1, 1, (4,), (1.0,)), np.zeros((1, 1), np.float32)
    fit(smallest, np.zeros(smallest.size, np.float32), one, one[None], FitSettings(steps=1), device=index)


def fit(
    architecture: Architecture,
    start: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    values: NDArray[Any],
    settings: FitSettings,
    step_sizes: NDArray[np.float32] | None = None,
    *,
    device: int = 0,
    block: int | None = None,
) -> Fits:
    """Fit one network to each sample; see `fusion.inr.engine.fit`, which checks what it passes on.

    Parameters
    ----------
    device : int
        Number of the device.
    block : int or None
        Samples that go to the device at once; as many as its memory holds when None. Changes nothing in the result.

    Returns
    -------
    weights : shape=(b, k)
    mse : shape=(b,)
    steps : shape=(b,)

    Raises
    ------
    CudaUnavailableError
        When there is no such device, or nothing that compiles for it.
    CudaError
        When the device fails.
    """
    opened = open_device(device)
    subsets = settings.subsets(len(coordinates))
    kind = Kind("adam" if step_sizes is None else "plain", subsets is not None)
    layout = plan(architecture, kind, opened.shared_limit)
    run = _Run(opened, layout, start, coordinates)
    run.steps(settings, step_sizes, subsets)
    weights = np.empty((len(values), architecture.size), np.float32)
    mse, taken = np.empty(len(values), np.float32), np.empty(len(values), np.int32)
    each = coordinates.shape[0] * architecture.d_out + architecture.size + 2

    def one(begin: int, end: int) -> None:
        some = np.ascontiguousarray(values[begin:end], np.float32)
        run.fit(some, weights[begin:end], mse[begin:end], taken[begin:end])

    _in_blocks(opened, layout, len(values), 4 * each, block, one)
    return weights, mse, taken


def decode(
    architecture: Architecture,
    weights: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    *,
    device: int = 0,
    block: int | None = None,
) -> NDArray[np.float32]:
    """Evaluate networks (b, k) at coordinates (n, d_in); gives (b, n, d_out)."""
    opened = open_device(device)
    layout = plan(architecture, Kind("decode"), opened.shared_limit)
    outputs = np.empty((len(weights), len(coordinates), architecture.d_out), np.float32)
    run = _Run(opened, layout, weights, coordinates)

    def one(begin: int, end: int) -> None:
        run.decode(np.ascontiguousarray(weights[begin:end], np.float32), outputs[begin:end])

    each = coordinates.shape[0] * architecture.d_out + architecture.size
    _in_blocks(opened, layout, len(weights), 4 * each, block, one)
    return outputs


def _in_blocks(
    device: Device | Simulator,
    layout: Plan,
    samples: int,
    sample_bytes: int,
    block: int | None,
    one: Callable[[int, int], None],
) -> None:
    """Go through the samples; a block that finds no memory is halved."""
    scratch = layout.workspace * device.blocks(layout)
    size = block or max(1, int(_SHARE * (device.free_memory() - scratch)) // sample_bytes)
    begin = 0
    while begin < samples:
        end = min(begin + size, samples)
        try:
            one(begin, end)
        except CudaMemoryError as error:
            device.release()
            if end - begin == 1:
                raise CudaError(
                    f"the device has no memory for a single sample ({error}); free some, or use --device cpu"
                ) from error
            size = (end - begin) // 2
            continue
        begin = end


class _Run:
    """What the blocks of one call share."""

    def __init__(
        self, device: Device | Simulator, layout: Plan, start: NDArray[np.float32], coordinates: NDArray[np.float32]
    ) -> None:
        self._device = device
        self._layout = layout
        self._coordinates = coordinates
        nothing = np.zeros(1, np.float32)
        self._inputs: dict[str, NDArray[Any]] = {
            "start": start, "grid": coordinates, "rates": nothing, "sizes": nothing,
            "rows": np.zeros(1, np.int32), "values": nothing,
        }  # fmt: skip
        self._points, self._steps, self._target = len(coordinates), 0, -1.0
        self.seconds = 0.0

    def steps(
        self, settings: FitSettings, step_sizes: NDArray[np.float32] | None, subsets: NDArray[np.int32] | None
    ) -> None:
        """Say which steps to take; without, none are."""
        self._inputs["rates"] = settings.rates() if step_sizes is None else settings.decay()
        self._steps = settings.steps
        if step_sizes is not None:
            self._inputs["sizes"] = step_sizes
        if subsets is not None:
            self._inputs["rows"], self._points = np.ascontiguousarray(subsets, np.int32), subsets.shape[1]
        if settings.psnr_target is not None:
            self._target = float(mse_of_psnr(settings.psnr_target))

    def fit(
        self,
        values: NDArray[np.float32],
        weights: NDArray[np.float32],
        mse: NDArray[np.float32],
        taken: NDArray[np.int32],
    ) -> None:
        """Fit a block, into the arrays given."""
        self._inputs["values"] = values
        self._launch(len(values), 0, {"weights": weights, "mse": mse, "taken": taken})

    def decode(self, weights: NDArray[np.float32], outputs: NDArray[np.float32]) -> None:
        """Evaluate a block of networks, into the array given."""
        self._inputs["start"] = weights
        self._launch(len(weights), weights.shape[1], {"outputs": outputs})

    def _launch(self, samples: int, stride: int, outputs: dict[str, NDArray[Any]]) -> None:
        device, layout = self._device, self._layout
        blocks = min(samples, device.blocks(layout))
        places = {name: device.send(name, array) for name, array in self._inputs.items()}
        for name in ("weights", "mse", "taken", "outputs"):
            places[name] = device.buffer(name, outputs[name].nbytes if name in outputs else 4)
        places["ws"] = device.buffer("ws", blocks * layout.workspace)
        addresses = [places[name] for name in POINTERS]
        integers = (stride, samples, len(self._coordinates), self._points, self._steps)
        floats = (self._target, *layout.architecture.omegas)
        self.seconds += device.launch(layout, blocks, addresses, integers, floats)
        for name, array in outputs.items():
            device.receive(places[name], array)
