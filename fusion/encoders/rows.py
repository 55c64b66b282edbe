"""From samples to rows of a store, the same for every kind of encoder; a bad sample becomes a failed row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fusion.errors import SampleError
from fusion.inr.metrics import psnr
from fusion.modalities import source_hash
from store import Rows, Status, error_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.modalities import Modality


Fitted = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.int32]"]
"""Rows (b, k), mse (b,) and steps (b,)."""


class Fits(Protocol):
    """What turns prepared samples into rows: an encoder."""

    @property
    def config(self) -> Any:
        """Its configuration."""

    @property
    def step_size(self) -> str:
        """How large a fit's steps are, in words."""

    def values(self, prepared: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Stack prepared arrays as values in [0, 1] of shape (b, n, d_out)."""

    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Fit values (b, n, d_out)."""


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
    encoder: Fits,
    samples: Sequence[Sample],
    *,
    known: Mapping[str, bytes] | None = None,
    reencode: bool = False,
) -> Encoded:
    """Read, prepare and fit samples: a pure function of encoder and sample.

    Parameters
    ----------
    encoder : Encoder
    samples : sequence of Sample
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
        prepared = _prepared(sample, encoder.config.modality)
        if sample.id in known and not isinstance(prepared, SampleError):
            same = source_hash(prepared).tobytes() == known[sample.id]
            unchanged += same
            if same:
                continue
            if not reencode:
                changed.append(sample.id)
                continue
        wanted.append((sample, prepared))
    return Encoded(_fitted_rows(encoder, wanted), unchanged, tuple(changed))


def _prepared(sample: Sample, modality: Modality) -> NDArray[Any] | SampleError:
    for what, name in (("label", sample.label), ("split", sample.split), ("group", sample.group)):
        if _written(name) != name:
            return SampleError("read", f"its {what} {name!r} cannot be written as UTF-8; rename it")
    try:
        return modality.prepare(_read(sample))
    except SampleError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a modality of a plug-in may raise anything
        return SampleError("prepare", f"{type(error).__name__}: {error}")


def failed_row(sample: Sample, stage: str, reason: str, k: int) -> Rows:
    """Make the row of a sample that could not be encoded."""
    label, split, group = _written(sample.label), _written(sample.split), _written(sample.group)
    return Rows.failed(sample.id, stage, reason, k, label=label, split=split, group=group)


def _written(name: str | None) -> str | None:
    """Give a label, split or group as a store can keep it: none where it holds half a character."""
    try:
        (name or "").encode()
    except UnicodeEncodeError:
        return None
    return name


def _read(sample: Sample) -> Any:
    try:
        return sample.raw
    except SampleError:
        raise
    except Exception as error:
        raise SampleError("read", f"{type(error).__name__}: {error}") from error


def _fitted_rows(encoder: Fits, wanted: Sequence[tuple[Sample, NDArray[Any] | SampleError]]) -> Rows:
    usable = [index for index, (_, prepared) in enumerate(wanted) if not isinstance(prepared, SampleError)]
    prepared_arrays = [prepared for _, prepared in wanted if not isinstance(prepared, SampleError)]
    begin, floor = time.perf_counter(), encoder.config.psnr_floor
    weights, mse, steps = encoder.fit(encoder.values(prepared_arrays))
    seconds = time.perf_counter() - begin

    functas = np.full((len(wanted), encoder.config.k), np.nan, np.float32)
    found = np.full(len(wanted), np.nan)
    status = np.full(len(wanted), Status.FAILED, np.uint8)
    failures = [prepared if isinstance(prepared, SampleError) else None for _, prepared in wanted]
    errors = ["" if failure is None else error_text(failure.stage, failure.reason) for failure in failures]
    hashes = np.zeros((len(wanted), 16), np.uint8)
    taken = np.zeros(len(wanted), np.int32)
    for row, prepared, vector, mean, count in zip(usable, prepared_arrays, weights, mse, steps, strict=True):
        hashes[row] = source_hash(prepared)
        if not (np.isfinite(vector).all() and np.isfinite(mean)):
            errors[row] = error_text("fit", f"the fit diverged at {encoder.step_size}; expected finite weights")
            continue
        functas[row], found[row], taken[row] = vector, mean, count
        low = floor is not None and psnr(mean) < floor
        status[row] = Status.LOW_PSNR if low else Status.OK
    samples = [sample for sample, _ in wanted]
    return Rows.build(
        [sample.id for sample in samples],
        functas,
        labels=[_written(sample.label) for sample in samples],
        splits=[_written(sample.split) for sample in samples],
        groups=[_written(sample.group) for sample in samples],
        psnr=psnr(found),
        loss=found,
        steps=taken,
        fit_seconds=np.full(len(wanted), seconds / max(1, len(usable)), np.float32),
        status=status,
        source_hash=hashes,
        errors=errors,
    )
