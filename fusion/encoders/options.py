"""What an encode run is asked to do, how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fusion.errors import ConfigError
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from fusion.datasets.base import Dataset, Sample

Progress = Callable[[str, int, int], None]
"""Called with what is done now, how far it is, and how much there is at most (0 = not known)."""

OnChange = Literal["error", "reencode", "keep"]


@dataclass(frozen=True)
class EncodeOptions:
    """What to encode and how to go on with a store that exists.

    Parameters
    ----------
    workers : int or None
        Processes; None is one per core, 1 works in this process.
    splits : tuple of str
        Only these splits; empty means all.
    limit : int or None
        Only this many samples, chosen by a seeded hash of their ID, so that a larger limit extends a smaller one.
    shard : tuple of int or None
        (number, count): only the number-th of `count` parts that a hash of the ID makes, for job arrays. Each part has
        a store of its own; all learn the same state, so that `store.merge` can join them. Or all write to one
        collection, and share what the first one learned.
    train_splits : tuple of str
        Splits that the start and the scaling are learned from.
    retry_failed : bool
        Only samples whose stored row has failed.
    on_change : {"error", "reencode", "keep"}
        What to do with a stored ID whose data, label, split, group or target have changed. Names alone are taken over
        by "reencode" without a fit. A stored sample that cannot be read any more keeps its functa but for "reencode".
    prune : bool
        Drop the rows of samples that the data set has no more, whatever splits or shard are asked for.
    block_rows : int or None
        Rows of a new store's block, the unit of a commit and the most that a crash loses. None: the store chooses.
    part_rows : int or None
        Rows of a part of a new collection (``.functas``). None: 65536.
    """

    workers: int | None = None
    splits: tuple[str, ...] = ()
    limit: int | None = None
    shard: tuple[int, int] | None = None
    train_splits: tuple[str, ...] = ("train",)
    retry_failed: bool = False
    on_change: OnChange = "error"
    prune: bool = False
    block_rows: int | None = None
    part_rows: int | None = None

    def selects(self, sample: Sample) -> bool:
        """Tell whether split and shard take a sample."""
        if self.splits and sample.split not in self.splits:
            return False
        if self.shard is None:
            return True
        number, count = self.shard
        return int.from_bytes(seeded_hash(sample.id, seed=0), "little") % count == number - 1

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}; expected 1 or more samples")
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise ConfigError(
                f"shard is {self.shard[0]}/{self.shard[1]}; expected a number from 1 to the count of shards"
            )
        if self.part_rows is not None and self.part_rows < 1:
            raise ConfigError(f"part-rows is {self.part_rows}; expected 1 or more")
        if self.on_change not in ("error", "reencode", "keep"):
            raise ConfigError(f"on-change is {self.on_change!r}; expected error, reencode or keep")


@dataclass(frozen=True)
class EncodeReport:
    """What an encode run did.

    Parameters
    ----------
    store : str
        Path of the store.
    rows : int
        Usable rows in the store now.
    failed : int
        Samples in the store that have failed.
    encoded, skipped, spared : int
        Samples fitted in this run, samples that were stored already, and such as failed this time and keep what is
        stored.
    seconds : float
        The whole call.
    samples_per_second : float
        Samples fitted, by the seconds between the first task and the last commit; 0 when none was fitted.
    psnr_mean : float or None
        Over the usable rows of the store, in dB; None where no row has one.
    failures : tuple of (id, reason)
        The first ten, those before that keep what is stored.
    pruned : tuple of str
        IDs whose rows were dropped, because the data set has them no more.
    channels : tuple of str
        Names of the values at each point.
    fitted_on : str
        ``cpu``, or the device of this process; workers of a cluster choose their own.
    targets : dict of str to object or None
        Numbers to predict, as in `fusion.encoders.Plan`.
    notes : tuple of str
    left_out : dict of str to str
    reading : dict of str to object or None
        What the reader says of how it read the source, as in `fusion.encoders.Plan`.
    """

    store: str
    rows: int
    failed: int
    encoded: int
    skipped: int
    seconds: float
    samples_per_second: float
    psnr_mean: float | None
    spared: int = 0
    failures: tuple[tuple[str, str], ...] = field(default=())
    pruned: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    fitted_on: str = "cpu"
    targets: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        lists = {"channels": list(self.channels), "notes": list(self.notes), "pruned": list(self.pruned)}
        return asdict(self) | lists | {"failures": [list(failure) for failure in self.failures]}


def silent(what: str, done: int, most: int) -> None:
    """Report nothing."""
    del what, done, most


def told_of(dataset: Dataset) -> dict[str, Any]:
    """Give what a reader says of how it read its source: notes, columns left out, and the plan of a table."""
    reading = getattr(dataset, "reading", None)
    return {
        "notes": tuple(getattr(dataset, "notes", ())),
        "left_out": dict(getattr(dataset, "left_out", {})),
        "reading": None if reading is None else reading.to_dict(),
    }
