"""Samples as the grid of values that their INR would see, for models that read values instead of weights."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.learning import resolve_modality, usable_arrays
from fusion.errors import DataError
from fusion.modalities import ChannelStatistics, Modality, Scaling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample

__all__ = ["Prepared", "raw_matrix"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Labelled samples of one configuration.

    Attributes
    ----------
    values : NDArray of float32, shape=(n, *grid, d_out)
        In [0, 1]; in a file when large, read as it is needed.
    ids, labels, splits, groups : object arrays, shape=(n,)
        As in a store; a split or group that is not known is None.
    modality : Modality
        With all sizes known.
    failed : int
        Labelled samples that could not be used.
    """

    values: NDArray[np.float32]
    ids: NDArray[np.object_]
    labels: NDArray[np.object_]
    splits: NDArray[np.object_]
    groups: NDArray[np.object_]
    modality: Modality
    failed: int = 0

    def __len__(self) -> int:
        return len(self.ids)


def raw_matrix(
    dataset: Iterable[Sample],
    modality: Modality,
    scaling: Scaling | None = None,
    *,
    train_splits: Collection[str] | None = ("train",),
    folder: Path | None = None,
    in_memory: int = 256 << 20,
) -> Prepared:
    """Read and prepare every labelled sample of a data set as its encoder would.

    Parameters
    ----------
    dataset : iterable of Sample
        Iterated once; the data of its samples are read up to three times.
    modality : Modality
        Sizes left open are taken from the first training sample.
    scaling : Scaling, optional
        Limits of the values; None = those of the modality, or learned from the training samples.
    train_splits : collection of str or None
        What sizes and limits are learned from; None = all labelled samples.
    folder : Path, optional
        Where a file goes if the values are larger than `in_memory`; None = the system's folder for temporary files. It
        is removed when the values are no longer used.
    in_memory : int
        Bytes of values that are kept in memory; 256 MiB.

    Raises
    ------
    DataError
        No labelled sample can be used.
    """
    samples = [sample for sample in dataset if sample.label is not None]
    training = [sample for sample in samples if train_splits is None or sample.split in train_splits]
    modality = resolve_modality(modality, training)
    limits = scaling or modality.fixed_scaling() or _learned(modality, training)
    values = _empty((len(samples), *modality.grid, modality.d_out), folder, in_memory)
    kept: list[Sample] = []
    for sample in samples:
        for prepared in usable_arrays([sample], modality):
            values[len(kept)] = limits.normalise(prepared)
            kept.append(sample)
    if not kept:
        raise DataError(f"none of {len(samples)} labelled samples can be used. Check the data set and its modality.")
    columns = ([getattr(sample, name) for sample in kept] for name in ("id", "label", "split", "group"))
    ids, labels, splits, groups = (np.array([*column, None], dtype=object)[:-1] for column in columns)
    return Prepared(values[: len(kept)], ids, labels, splits, groups, modality, len(samples) - len(kept))


def _learned(modality: Modality, training: list[Sample]) -> Scaling:
    statistics = ChannelStatistics.total(ChannelStatistics.of(array) for array in usable_arrays(training, modality))
    if statistics is None:
        raise DataError(f"none of {len(training)} training samples can be used. Check the data set and its modality.")
    return modality.learned_scaling(statistics)


def _empty(shape: tuple[int, ...], folder: Path | None, in_memory: int) -> Any:
    if 4 * np.prod(shape, dtype=np.int64) <= in_memory:
        return np.empty(shape, np.float32)
    made = Path(tempfile.mkdtemp(prefix="functa-values-", dir=folder))
    values = np.lib.format.open_memmap(made / "values.npy", mode="w+", dtype=np.float32, shape=shape)
    weakref.finalize(
        values._mmap,  # type: ignore[attr-defined]
        shutil.rmtree,
        made,
        ignore_errors=True,
    )
    return values
