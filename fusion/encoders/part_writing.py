"""Encode into a collection by workers of a cluster that write and list parts themselves; no row passes the client.

A task is the samples of one part, by their places in the data set where the workers can read that themselves. Its
worker opens the collection, fits what is not stored yet and lists the part; what comes back is a count. A task that
runs twice, because its worker was lost or its client went away, finds by ID what the first one has listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from fusion.encoders.encoder import encoder_of
from fusion.encoders.learning import chunks
from fusion.encoders.placing import Places, SampleReader
from fusion.encoders.reach import Reach, reach_together
from fusion.encoders.rows import Encoded, fit_prepared, lost_sample
from fusion.errors import StoreError
from store import Rows, Status, open_store
from store.errors import UnreachableError
from store.rows import USABLE

if TYPE_CHECKING:
    from fusion.datasets.base import Sample
    from fusion.encoders.encoder import Encoder
    from store import FunctaStore

    PartTask = Sequence[Sample] | Places

T = TypeVar("T")
_ATTEMPTS = 3
_FEW = 16
_PARTS = 32
"""Tasks that a run is cut into at least, so that small runs keep more than one worker busy."""


@dataclass(frozen=True)
class PartWriter:
    """What a worker does with the samples of a part; it travels to the worker, so it is small.

    Parameters
    ----------
    store : str
        The collection, under a path or URL that every worker has.
    task_size : int
        Samples that are fitted at once.
    reencode : bool
        Fit samples again whose data have changed.
    reader : SampleReader or None
        Reads the samples where the worker is; None where tasks hold them.
    """

    store: str
    task_size: int
    reencode: bool
    reader: SampleReader | None = None

    def tasks(self, placed: Iterator[tuple[int, Sample]], size: int) -> Iterator[PartTask]:
        """Cut samples, each with its place in the data set, into tasks."""
        if self.reader is not None:
            return (Places.of(chunk) for chunk in chunks(placed, size))
        return chunks((sample for _, sample in placed), size)

    def __call__(self, task: PartTask) -> Written:
        """Fit and list what is not stored yet.

        Raises
        ------
        StoreError
            The part could not be listed, time and again.
        """
        samples = self._samples(task)
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self._write(samples)
            except UnreachableError:
                raise
            except StoreError:
                # Somebody else has listed these samples meanwhile, a task that was taken for lost.
                if not left:
                    raise
        raise AssertionError

    def _samples(self, task: PartTask) -> Sequence[Sample]:
        if self.reader is None:
            return cast("Sequence[Sample]", task)
        return self.reader.read(cast(Places, task))

    def _write(self, samples: Sequence[Sample]) -> Written:
        found = Written()
        with open_store(self.store, "a") as store:
            encoder, known = encoder_of(store), store.known([sample.id for sample in samples])
            for chunk in chunks(iter(samples), self.task_size):
                encoded = encoder.encode(chunk, known=stored_hashes(chunk, known), reencode=self.reencode)
                rows = worth_keeping(encoded.rows, known, reencode=self.reencode)
                if len(rows):
                    store.append(rows)
                found = found.and_more(encoded, spared_by(encoded.rows, known, reencode=self.reencode))
        return found

    def lost(self, task: PartTask, reason: str, encoder: Encoder, store: FunctaStore) -> Written:
        """Keep a failed row of a sample that workers die of, in the process that asked them."""
        sample = self._samples(task)[0]
        encoded, known = fit_prepared(encoder, lost_sample(encoder, sample, reason)), store.known([sample.id])
        kept = worth_keeping(encoded.rows, known, reencode=self.reencode)
        if len(kept):
            store.append(kept)
        spared = spared_by(encoded.rows, known, reencode=self.reencode)
        return replace(Written().and_more(encoded, spared), deadly=(sample.id,))

    def smaller(self, task: PartTask) -> list[PartTask]:
        """Cut a task whose worker dies: in halves, few samples into single ones."""
        if self.reader is None:
            return [*_cut(cast("Sequence[Sample]", task))]
        return [Places.of(part) for part in _cut(self.reader.placed(cast(Places, task)))]


@dataclass(frozen=True)
class Written:
    """What became of the samples of a part.

    Parameters
    ----------
    encoded, failed, unchanged : int
    changed : tuple of str
        IDs already stored with other data, which were left alone.
    spared : tuple of (id, reason)
        Samples that failed this time and keep the functa that is stored.
    deadly : tuple of str
        IDs that workers died of.
    reach : mapping of str to Reach
        As in `Encoded`.
    """

    encoded: int = 0
    failed: int = 0
    unchanged: int = 0
    changed: tuple[str, ...] = ()
    spared: tuple[tuple[str, str], ...] = ()
    deadly: tuple[str, ...] = ()
    reach: Mapping[str, Reach] = field(default_factory=dict)

    def and_more(self, more: Encoded, spared: tuple[tuple[str, str], ...]) -> Written:
        """Add up."""
        failed = int((more.rows.status == Status.FAILED).sum())
        return replace(
            self,
            spared=(*self.spared, *spared),
            encoded=self.encoded + len(more.rows) - failed,
            failed=self.failed + failed,
            unchanged=self.unchanged + more.unchanged,
            changed=(*self.changed, *more.changed),
            reach=reach_together((self.reach, more.reach)),
        )


def stored_hashes(samples: Iterable[Sample], known: Mapping[str, tuple[int, bytes]]) -> dict[str, bytes]:
    """Give the source hash of each sample that has a functa already, by its ID."""
    found = ((sample.id, known.get(sample.id, (None, b""))) for sample in samples)
    return {sample_id: digest for sample_id, (status, digest) in found if status in USABLE}


def worth_keeping(rows: Rows, known: Mapping[str, tuple[int, bytes]], *, reencode: bool) -> Rows:
    """Leave out samples that failed and are stored already: as failed, or, unless to `reencode`, with a functa."""
    return rows.take(
        [
            place
            for place, (sample_id, status) in enumerate(zip(rows.ids, rows.status, strict=True))
            if status != Status.FAILED
            or (stored := known.get(sample_id, (None, b""))[0]) is None
            or (reencode and stored in USABLE)
        ]
    )


def spared_by(rows: Rows, known: Mapping[str, tuple[int, bytes]], *, reencode: bool) -> tuple[tuple[str, str], ...]:
    """Name the samples that failed and keep the functa that is stored, each with the reason; none to `reencode`."""
    if reencode:
        return ()
    each = zip(rows.ids, rows.status, rows.errors, strict=True)
    return tuple(
        (sample_id, error)
        for sample_id, status, error in each
        if status == Status.FAILED and known.get(sample_id, (None, b""))[0] in USABLE
    )


def part_size(part_rows: int, wanted: int) -> int:
    """Tell how many samples a task has: those of a part, fewer where that would be a few tasks only."""
    return max(1, min(part_rows, -(-wanted // _PARTS)))


def _cut(samples: Sequence[T]) -> list[Sequence[T]]:
    if len(samples) <= _FEW:
        return [[sample] for sample in samples]
    middle = len(samples) // 2
    return [samples[:middle], samples[middle:]]
