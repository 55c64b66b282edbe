"""A seeded share of the training rows, for stores that are too large to train on whole; others are not kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.errors import DataError
from fusion.features.items import Items, labelled
from fusion.settings import or_none, require
from fusion.splits import require_disjoint

__all__ = ["Drawn", "Sampling", "require_share"]


def require_share(share: float | None) -> None:
    """Refuse what is no share; ConfigError."""
    expected = "a share of the training groups, above 0 and up to 1"
    require("sample", share, or_none(lambda part: 0 < part <= 1), expected)


@dataclass(frozen=True)
class Sampling:
    """What is drawn: whole groups of the training rows, their IDs where there are no groups.

    A row without a group in a source that has groups is a group of its own. Which are drawn depends on their names and
    the seed, not on their order; there is always at least one.

    Parameters
    ----------
    share : float, 0 < share <= 1
        Of the groups, rounded up.
    seed : int
    train_splits, test_splits : collection of str
        All test rows are kept.
    answers : callable
        Gives items the labels that are predicted, see `Task.answers`; rows without are neither trained nor tested on.
    """

    share: float
    seed: int
    train_splits: Collection[str]
    test_splits: Collection[str]
    answers: Callable[[Items], Items]

    def draw(self, blocks: Iterable[Items]) -> Drawn | None:
        """Draw from all items, given in pieces; None where they cannot be trained and tested on, which shows later.

        Raises
        ------
        DataError
            A group is in training and in test.
        """
        seen = _Seen()
        try:
            for block in blocks:
                self._look_at(block, seen)
        except DataError:
            return None
        if not seen.rows or not seen.tested:
            return None
        require_disjoint((seen.groups, seen.test_groups))
        names = np.array(list(seen.groups), dtype=object)
        ids = np.concatenate([hashes for hashes, _ in seen.lone])
        others = np.concatenate([hashes for _, hashes in seen.lone])
        hashes = np.concatenate([self._hashes("g", names), others]) if len(names) else ids
        last = int(np.ceil(self.share * len(hashes))) - 1
        cutoff = np.partition(hashes, last)[last]
        drawn = frozenset(names[hashes[: len(names)] <= cutoff])
        units = int((hashes <= cutoff).sum()), len(hashes)
        return Drawn(self, drawn, bool(len(names)), cutoff, units, seen.rows, frozenset(seen.labels))

    def _look_at(self, block: Items, seen: _Seen) -> None:
        items = self.answers(block)
        training, test = (labelled(items, splits) for splits in (self.train_splits, self.test_splits))
        seen.labels.update(label for label in set(items.labels) if isinstance(label, str))
        seen.rows += int(training.sum())
        seen.tested += int(test.sum())
        seen.groups.update(set(items.groups[training]) - {None})
        seen.test_groups.update(set(items.groups[test]) - {None})
        ids = items.ids[training & pd.isna(items.groups)]
        seen.lone.append((self._hashes("", ids), self._hashes("i", ids)))

    def _hashes(self, prefix: str, names: NDArray[np.object_]) -> NDArray[np.uint64]:
        # "g" and "i" keep an ID apart from a group of the same name
        key = blake2b(f"sample/{self.seed}".encode(), digest_size=8).hexdigest()
        named = np.array([prefix + name for name in names], dtype=object) if prefix else names
        return np.asarray(pd.util.hash_array(named, hash_key=key, categorize=False), dtype=np.uint64)


@dataclass
class _Seen:
    """What is kept of all items."""

    rows: int = 0
    tested: int = 0
    labels: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    test_groups: set[str] = field(default_factory=set)
    lone: list[tuple[NDArray[np.uint64], NDArray[np.uint64]]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn.

    Attributes
    ----------
    groups : frozenset of str
        Those that were drawn.
    """

    sampling: Sampling
    groups: frozenset[str]
    grouped: bool
    cutoff: np.uint64
    units: tuple[int, int]
    rows: int
    labels: frozenset[str]

    @property
    def all_labels(self) -> NDArray[np.object_]:
        """Those of all rows, drawn or not, once each."""
        return np.array(sorted(self.labels), dtype=object)

    def holds(self, items: Items) -> NDArray[np.bool_]:
        """Tell which items are of what was drawn, shape (n,)."""
        found = np.array([group in self.groups for group in items.groups], dtype=np.bool_)
        lone = np.flatnonzero(pd.isna(items.groups))
        found[lone] = self.sampling._hashes("i" if self.grouped else "", items.ids[lone]) <= self.cutoff
        return found

    def keeps(self, items: Items) -> NDArray[np.bool_]:
        """Tell which items are trained or tested on, shape (n,)."""
        items = self.sampling.answers(items)
        training, test = (labelled(items, of) for of in (self.sampling.train_splits, self.sampling.test_splits))
        found: NDArray[np.bool_] = test | training & self.holds(items)
        return found

    def told(self, rows: int) -> str:
        """Say in a line what was drawn, which are so many rows."""
        drawn, units = self.units
        what = "groups" if self.grouped else "IDs"
        return (
            f"trained on a sample: {drawn:,} of {units:,} {what}, {rows:,} of {self.rows:,} training rows "
            f"(share {self.sampling.share:g}, seed {self.sampling.seed})."
        )
