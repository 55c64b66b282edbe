"""From samples to rows of a store, the same for every kind of encoder; a bad sample becomes a failed row."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fusion.encoders.reach import Reach, reach_together
from fusion.errors import SampleError
from fusion.inr.metrics import psnr
from fusion.modalities import source_hash
from store import Rows, Status, error_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.modalities import Modality


WORKER = "worker"
"""Stage of a sample that its worker process died of."""

Task = tuple[list["Sample"], dict[str, bytes]]
"""Samples, and the source hashes of those that are stored already."""

Fitted = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.int32]"]
"""Rows (b, k), mse (b,) and steps (b,)."""

_Described = tuple[str, "str | None", "str | None", "str | None", float]


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

    def reach(self, sample_id: str, prepared: NDArray[Any]) -> Reach:
        """Measure where a prepared sample lies in the ranges of the training rows."""

    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Fit values (b, n, d_out)."""

    def sound(self, rows: NDArray[np.float32], mse: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which rows (b, k) can be kept, shape (b,)."""


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
    reach : mapping of str to Reach
        By split, of the samples that were prepared; "" is of no split.
    """

    rows: Rows
    unchanged: int = 0
    changed: tuple[str, ...] = ()
    reach: Mapping[str, Reach] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Samples that were read and prepared, and wait for their fit.

    Parameters
    ----------
    samples : tuple of (id, label, split, group, target)
    values : NDArray of float32, shape=(usable samples, n, d_out)
        In [0, 1].
    hashes : NDArray of uint8, shape=(samples, 16)
        Of what was prepared; zeros where that failed.
    errors : tuple of str
        For each sample; empty where it can be used.
    unchanged : int
        Samples already stored with the same data.
    changed : tuple of str
        IDs already stored with other data, which were left alone.
    reach : mapping of str to Reach
        As in `Encoded`.
    """

    samples: tuple[_Described, ...]
    values: NDArray[np.float32]
    hashes: NDArray[np.uint8]
    errors: tuple[str, ...]
    unchanged: int = 0
    changed: tuple[str, ...] = ()
    reach: Mapping[str, Reach] = field(default_factory=dict)


def joined(parts: Sequence[Prepared]) -> Prepared:
    """Put prepared samples one after another."""
    return Prepared(
        samples=tuple(sample for part in parts for sample in part.samples),
        values=np.concatenate([part.values for part in parts]),
        hashes=np.concatenate([part.hashes for part in parts]),
        errors=tuple(error for part in parts for error in part.errors),
        unchanged=sum(part.unchanged for part in parts),
        changed=tuple(sample_id for part in parts for sample_id in part.changed),
        reach=reach_together(part.reach for part in parts),
    )


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
    return fit_prepared(encoder, prepare_samples(encoder, samples, known=known, reencode=reencode))


def prepare_samples(
    encoder: Fits,
    samples: Sequence[Sample],
    *,
    known: Mapping[str, bytes] | None = None,
    reencode: bool = False,
) -> Prepared:
    """Do all that comes before the fit; see `encode_samples`."""
    known = known or {}
    wanted, arrays, hashes, errors, changed, reach = [], [], [], [], [], []
    unchanged = 0
    for sample in samples:
        prepared = _prepared(sample, encoder.config.modality)
        failed = isinstance(prepared, SampleError)
        digest = np.zeros(16, np.uint8) if isinstance(prepared, SampleError) else source_hash(prepared)
        if sample.id in known and not failed:
            same = digest.tobytes() == known[sample.id]
            unchanged += same
            if same:
                continue
            if not reencode:
                changed.append(sample.id)
                continue
        wanted.append(described(sample))
        hashes.append(digest)
        errors.append(error_text(prepared.stage, prepared.reason) if isinstance(prepared, SampleError) else "")
        if not isinstance(prepared, SampleError):
            arrays.append(prepared)
            reach.append({sample.split or "": encoder.reach(sample.id, prepared)})
    digests = np.array(hashes, np.uint8).reshape(-1, 16)
    return Prepared(
        tuple(wanted),
        encoder.values(arrays),
        digests,
        tuple(errors),
        unchanged,
        tuple(changed),
        reach_together(reach),
    )


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


def lost_sample(encoder: Fits, sample: Sample, reason: str) -> Prepared:
    """Say of a sample that its worker process died of it; becomes a failed row."""
    digest = np.zeros((1, 16), np.uint8)
    return Prepared((described(sample),), encoder.values([]), digest, (error_text(WORKER, reason),))


def single_samples(task: Task) -> list[Task]:
    """Cut a task into tasks of one sample."""
    samples, known = task
    return [([sample], known) for sample in samples]


def described(sample: Sample) -> _Described:
    """Return ID, label, split, group and target of a sample as a store keeps them."""
    target = float("nan") if sample.target is None else sample.target
    return sample.id, _written(sample.label), _written(sample.split), _written(sample.group), target


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


def fit_prepared(encoder: Fits, prepared: Prepared) -> Encoded:
    """Fit what was prepared; see `encode_samples`."""
    begin = time.perf_counter()
    weights, mse, steps = encoder.fit(prepared.values)
    seconds = time.perf_counter() - begin
    return Encoded(
        _rows(encoder, prepared, (weights, mse, steps), seconds / max(1, len(weights))),
        prepared.unchanged,
        prepared.changed,
        prepared.reach,
    )


def _rows(encoder: Fits, prepared: Prepared, fitted: Fitted, seconds: float) -> Rows:
    count = len(prepared.samples)
    weights, mse, steps = fitted
    usable = np.flatnonzero([not error for error in prepared.errors])
    finite = encoder.sound(weights, mse)
    rows, floor = usable[finite], encoder.config.psnr_floor
    found, taken = np.full(count, np.nan), np.zeros(count, np.int32)
    found[rows], taken[rows] = mse[finite], steps[finite]
    functas = weights
    if len(rows) < count:
        functas = np.full((count, encoder.config.k), np.nan, np.float32)
        functas[rows] = weights[finite]
    errors = list(prepared.errors)
    for row in usable[~finite]:
        errors[row] = error_text("fit", f"the fit diverged at {encoder.step_size}; expected finite weights")
    reached = psnr(found)
    status = np.full(count, Status.FAILED, np.uint8)
    status[rows] = Status.OK
    if floor is not None:
        status[rows[reached[rows] < floor]] = Status.LOW_PSNR
    ids, labels, splits, groups, targets = zip(*prepared.samples, strict=True) if count else ((),) * 5
    return Rows.build(
        ids,
        functas,
        labels=labels,
        splits=splits,
        groups=groups,
        psnr=reached,
        loss=found,
        steps=taken,
        fit_seconds=np.full(count, seconds, np.float32),
        status=status,
        source_hash=prepared.hashes,
        target=np.array(targets, dtype=np.float64),
        errors=errors,
    )
