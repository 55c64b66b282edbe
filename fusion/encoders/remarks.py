"""What the sizes that an encoder takes from its first sample do to the others, told from a look at some of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from fusion.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fusion.datasets.base import Sample
    from fusion.modalities import Modality

LEAST = 8
"""Samples that are looked at however long they take."""
_SAMPLES, _SECONDS = 256, 1.5


def remarks_on(modality: Modality, dataset: Iterable[Sample], *, passed_over: Collection[str] = ()) -> tuple[str, ...]:
    """Read and prepare some samples, and say what is worth knowing before all are fitted.

    Parameters
    ----------
    modality : Modality
        With all sizes known.
    dataset : iterable of Sample
        Iterated several times. 256 samples spread over it are looked at, or as many as can be in a second and a half
        but 8 at least; all, where the modality says so.
    passed_over : collection of str
        IDs that are not looked at.
    """
    count = sum(1 for _ in dataset)
    look = _Look(modality, passed_over)
    first = set(range(count)) if modality.looks_at_all else _spread(count, LEAST)
    for sample in _at(dataset, first):
        look.at(sample)
    if len(first) < count:
        more = min(_SAMPLES, len(first) + int((_SECONDS - look.seconds) / max(look.each, _SECONDS / _SAMPLES)))
        for sample in _at(dataset, _spread(count, more - len(first)) - first if more > len(first) else set()):
            look.at(sample)
            if look.seconds > _SECONDS:
                break
    return look.remarks()


class _Look:
    """What was measured of samples, and how long that took without the first, which loads what reads them."""

    def __init__(self, modality: Modality, passed_over: Collection[str]) -> None:
        self.modality, self.passed_over = modality, passed_over
        self.measured: list[Any] = []
        self.failed: list[str] = []
        self.seen = 0
        self.seconds = 0.0

    @property
    def each(self) -> float:
        return self.seconds / max(1, self.seen - 1)

    def at(self, sample: Sample) -> None:
        if sample.id in self.passed_over:
            return
        begin = time.perf_counter()
        try:
            raw = sample.raw
            self.modality.prepare(raw)
            self.measured.append(self.modality.measured(raw))
        except SampleError as error:
            self.failed.append(f"{sample.id}: {error}")
        except Exception as error:  # noqa: BLE001 - encoding names it, under its ID
            self.failed.append(f"{sample.id}: {type(error).__name__}: {error}")
        self.seconds += time.perf_counter() - begin if self.seen else 0.0
        self.seen += 1

    def remarks(self) -> tuple[str, ...]:
        said = self.modality.remarks(self.measured) if self.measured else ()
        failed = f"{len(self.failed)} of {self.seen} samples looked at cannot be used, first "
        return (*said, failed + self.failed[0]) if self.failed else said


def _spread(count: int, most: int) -> set[int]:
    """Choose up to so many places, evenly from the first to the last."""
    return set(range(count)) if count <= most else {place * (count - 1) // (most - 1) for place in range(most)}


def _at(samples: Iterable[Sample], places: set[int]) -> Iterator[Sample]:
    last = max(places, default=-1)
    for place, sample in enumerate(samples):
        if place > last:
            return
        if place in places:
            yield sample
