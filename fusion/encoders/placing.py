"""Samples named by their places in a data set, for workers of a cluster that read the data set themselves."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, cast

from fusion.errors import OtherSourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.survey import Survey

_MOST_BYTES = 1 << 16
"""A data set that says where its data are is smaller; one that holds them is larger."""


@dataclass(frozen=True)
class Places:
    """The samples of a task.

    Parameters
    ----------
    runs : tuple of (int, int)
        First place and end of samples that follow one another, ascending.
    digest : bytes
        Of their IDs: who reads other samples there has another source.
    """

    runs: tuple[tuple[int, int], ...]
    digest: bytes

    @classmethod
    def of(cls, placed: Sequence[tuple[int, Sample]]) -> Places:
        """Name samples by their places."""
        runs: list[tuple[int, int]] = []
        for place, _ in placed:
            first = runs.pop()[0] if runs and runs[-1][1] == place else place
            runs.append((first, place + 1))
        return cls(tuple(runs), _digest(sample for _, sample in placed))


@dataclass(frozen=True)
class SampleReader:
    """Gives the samples of a task where the data set is, too; it travels there.

    Parameters
    ----------
    dataset : Dataset
    survey : Survey
        Completes what the data set says of a sample.
    key : bytes
        Of one run: sources may be others in the next one.
    """

    dataset: Dataset
    survey: Survey
    key: bytes

    @classmethod
    def of(cls, dataset: Dataset, survey: Survey) -> SampleReader | None:
        """Make one; None for a data set that holds its data, or whose parts cannot travel."""
        try:
            packed = pickle.dumps(dataset)
        except Exception:  # noqa: BLE001 - whatever stands in a data set of one's own
            return None
        return cls(dataset, survey.without_names(), token_bytes(16)) if len(packed) <= _MOST_BYTES else None

    def travelling(self, dataset: Dataset) -> Dataset:
        """Give the same data set with samples that, sent to another process, are read there."""
        return cast("Dataset", _Travelling(self, dataset))

    def placed(self, places: Places) -> list[tuple[int, Sample]]:
        """Read what is known of the samples of a task, with their places.

        Raises
        ------
        OtherSourceError
            There are other samples in these places, or the data set cannot be read.
        """
        try:
            found = [(place, self.survey.completed(sample)) for place, sample in _HERE.taken(self, places.runs)]
        except Exception as error:
            raise self._other(f"cannot read {self.dataset.name}: {error}") from error
        if _digest(sample for _, sample in found) != places.digest:
            raise self._other(f"finds other samples in {self.dataset.name} than the command that it works for")
        return found

    @staticmethod
    def _other(what: str) -> OtherSourceError:
        return OtherSourceError(f"a worker {what}. Every machine needs the same files under the same absolute paths")

    def read(self, places: Places) -> list[Sample]:
        """Read what is known of the samples of a task; errors as those of `placed`."""
        return [sample for _, sample in self.placed(places)]


class _Travelling:
    def __init__(self, reader: SampleReader, dataset: Dataset) -> None:
        self._reader, self._dataset = reader, dataset

    def __iter__(self) -> Iterator[Sample]:
        for place, sample in enumerate(self._dataset):
            places = Places.of([(place, sample)])
            yield replace(sample, load=_Loader(self._reader, places, sample.load))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


@dataclass(frozen=True, eq=False)
class _Loader:
    """Reads a sample; sent to another process, it reads the one in the same place of the data set there."""

    reader: SampleReader
    places: Places
    load: Callable[[], Any] | None = None

    def __call__(self) -> Any:
        return self.load() if self.load is not None else self.reader.read(self.places)[0].raw

    def __reduce__(self) -> tuple[Any, ...]:
        return _Loader, (self.reader, self.places)


class _Reading(threading.local):
    """Where this thread is in which data set: tasks come in ascending order, so that each reads on."""

    def __init__(self) -> None:
        self.key = b""
        self.dataset: Dataset | None = None
        self.samples: Iterator[tuple[int, Sample]] = iter(())
        self.place = 0

    def taken(self, reader: SampleReader, runs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Sample]]:
        for first, end in runs:
            if self.key != reader.key or self.dataset is None:
                self.key, self.dataset, self.place = reader.key, reader.dataset, -1
            if not 0 <= self.place <= first:
                self.samples, self.place = enumerate(self.dataset), 0
            place, self.place = self.place, -1  # where it is when reading fails is not known
            yield from islice(self.samples, first - place, end - place)
            self.place = end


_HERE = _Reading()


def _digest(samples: Iterable[Sample]) -> bytes:
    whole = blake2b(digest_size=16)
    for sample in samples:
        whole.update(sample.id.encode() + b"\0")
    return whole.digest()
