"""One functa per sample: the weights of a network fitted to it from the shared start (paper, Section 3.2)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError
from fusion.inr.forward import forward
from fusion.inr.metrics import psnr
from fusion.modalities import Scaling, coordinate_grid, source_hash
from store import Rows, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.config import FunctaConfig


@dataclass(frozen=True, eq=False)
class FunctaState:
    """What is learned on training samples before the first fit.

    Parameters
    ----------
    start : NDArray of float32, shape=(k,)
        The shared start.
    scaling : Scaling
        Limits that map raw values to [0, 1].
    step_sizes : NDArray of float32, shape=(k,), or None
        Rate of each weight in a fit by plain gradient steps, learned with the start ``meta``; None: Adam.
    """

    start: NDArray[np.float32]
    scaling: Scaling
    step_sizes: NDArray[np.float32] | None = None

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Named arrays, as a store or a model folder keeps them."""
        arrays = {"start": self.start, "low": self.scaling.low, "high": self.scaling.high}
        return arrays if self.step_sizes is None else arrays | {"step_sizes": self.step_sizes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FunctaState:
        """Read what `arrays` gave."""
        start, low, high = (np.asarray(arrays[name], dtype=np.float32) for name in ("start", "low", "high"))
        sizes = np.asarray(arrays["step_sizes"], dtype=np.float32) if "step_sizes" in arrays else None
        return cls(start, Scaling(low, high), sizes)


@dataclass(frozen=True, eq=False)
class Encoded:
    """What became of some samples.

    Parameters
    ----------
    rows : Rows
        Fitted and failed samples, in the order given.
    unchanged : int
        Samples already stored with the same data.
    changed : tuple of str
        IDs already stored with other data, which were left alone.
    """

    rows: Rows
    unchanged: int = 0
    changed: tuple[str, ...] = ()


def encode_samples(
    samples: Sequence[Sample],
    *,
    config: FunctaConfig,
    state: FunctaState,
    known: Mapping[str, bytes] | None = None,
    reencode: bool = False,
) -> Encoded:
    """Read, prepare and fit samples: a pure function of configuration, state and sample.

    Parameters
    ----------
    samples : sequence of Sample
    config : FunctaConfig
        With all sizes known.
    state : FunctaState
    known : mapping of str to bytes, optional
        Source hash of the samples that are stored already; those with the same data are not fitted again.
    reencode : bool
        Fit a stored sample again when its data have changed, instead of leaving it alone.

    Returns
    -------
    Encoded
        A sample that cannot be read, prepared or fitted gives a row with status failed and the reason.
    """
    known = known or {}
    wanted: list[tuple[Sample, NDArray[Any] | SampleError]] = []
    unchanged, changed = 0, []
    for sample in samples:
        prepared = _prepared(sample, config)
        if sample.id in known and not isinstance(prepared, SampleError):
            same = source_hash(prepared).tobytes() == known[sample.id]
            unchanged += same
            if same:
                continue
            if not reencode:
                changed.append(sample.id)
                continue
        wanted.append((sample, prepared))
    return Encoded(_fitted_rows(wanted, config, state), unchanged, tuple(changed))


def _prepared(sample: Sample, config: FunctaConfig) -> NDArray[Any] | SampleError:
    try:
        return config.modality.prepare(_read(sample))
    except SampleError as error:
        return error


def _read(sample: Sample) -> NDArray[Any]:
    try:
        return sample.raw
    except SampleError:
        raise
    except Exception as error:
        raise SampleError("read", f"{type(error).__name__}: {error}") from error


def _fitted_rows(
    wanted: Sequence[tuple[Sample, NDArray[Any] | SampleError]], config: FunctaConfig, state: FunctaState
) -> Rows:
    k = len(state.start)
    usable = [index for index, (_, prepared) in enumerate(wanted) if not isinstance(prepared, SampleError)]
    prepared_arrays = [prepared for _, prepared in wanted if not isinstance(prepared, SampleError)]
    weights, mse, steps, seconds = fit_prepared(prepared_arrays, config, state)

    functas = np.full((len(wanted), k), np.nan, np.float32)
    loss = np.full(len(wanted), np.nan)
    status = np.full(len(wanted), Status.FAILED, np.uint8)
    errors = [str(prepared) if isinstance(prepared, SampleError) else "" for _, prepared in wanted]
    hashes = np.zeros((len(wanted), 16), np.uint8)
    taken = np.zeros(len(wanted), np.int32)
    for row, prepared, vector, error, count in zip(usable, prepared_arrays, weights, mse, steps, strict=True):
        hashes[row] = source_hash(prepared)
        if not (np.isfinite(vector).all() and np.isfinite(error)):
            errors[row] = f"fit: the fit diverged at {_rate(config, state)}; expected finite weights"
            continue
        functas[row], loss[row], taken[row] = vector, error, count
        low = config.psnr_floor is not None and psnr(error) < config.psnr_floor
        status[row] = Status.LOW_PSNR if low else Status.OK
    samples = [sample for sample, _ in wanted]
    return Rows.build(
        [sample.id for sample in samples],
        functas,
        labels=[sample.label for sample in samples],
        splits=[sample.split for sample in samples],
        groups=[sample.group for sample in samples],
        psnr=psnr(loss),
        loss=loss,
        steps=taken,
        fit_seconds=np.full(len(wanted), seconds / max(1, len(usable)), np.float32),
        status=status,
        source_hash=hashes,
        errors=errors,
    )


def _rate(config: FunctaConfig, state: FunctaState) -> str:
    return "the learned step sizes" if state.step_sizes is not None else f"learning rate {config.fit.learning_rate}"


def fit_prepared(
    prepared: Sequence[NDArray[Any]], config: FunctaConfig, state: FunctaState
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], float]:
    """Fit prepared arrays from the state's start; gives weights (b, k), mse (b,), steps (b,) and the seconds taken."""
    if not prepared:
        empty = np.empty(0, np.float32)
        return np.empty((0, len(state.start)), np.float32), empty, empty.astype(np.int32), 0.0
    from fusion.inr.engine import fit

    modality = config.modality
    values = np.stack([state.scaling.normalise(array) for array in prepared])
    begin = time.perf_counter()
    result = fit(
        config.network(),
        state.start,
        modality.coordinates(),
        values.reshape(len(prepared), modality.points, modality.d_out),
        config.fit,
        step_sizes=state.step_sizes,
    )
    return result.weights, result.mse, result.steps, time.perf_counter() - begin


def decode_functa(
    functa: NDArray[Any], config: FunctaConfig, state: FunctaState, scale: float = 1.0
) -> NDArray[np.float32]:
    """Evaluate a functa on its grid, or on one `scale` times as fine.

    Parameters
    ----------
    functa : NDArray, shape=(k,)
    config : FunctaConfig
    state : FunctaState
    scale : float > 0

    Returns
    -------
    NDArray of float32, shape=(*grid, d_out)
        In raw units.
    """
    grid = config.modality.scaled_grid(scale)
    values = forward(config.network(), np.asarray(functa, dtype=np.float32), coordinate_grid(grid))
    return config.modality.restore(values, state.scaling, grid)
