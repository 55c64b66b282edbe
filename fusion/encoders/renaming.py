"""Names of stored samples - label, split, group, target - that the data set gives otherwise now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.learning import chunks
from fusion.encoders.rows import described
from fusion.errors import DataError

if TYPE_CHECKING:
    from fusion.datasets.base import Sample
    from store import FunctaStore, Rows

_COLUMNS = {"label": "labels", "split": "splits", "group": "groups", "target": "target"}
_ROWS = 4096
_BYTES = 1 << 26


@dataclass
class Renamed:
    """Stored samples that have other names in the data set.

    Attributes
    ----------
    counts : Counter
        Samples by what differs: "label", "split", "group" or "target".
    samples : int
        Samples of which anything differs.
    first : str
        The first one, with both names.
    """

    counts: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    first: str = ""

    def __str__(self) -> str:
        """Say how many, and which is the first."""
        what = ", ".join(f"the {name} of {count:,}" for name, count in self.counts.items())
        return f"{what} stored samples differ from the store's, such as {self.first}"

    def require_none(self) -> None:
        """Raise DataError where anything differs."""
        if self.samples:
            raise DataError(
                f"{self}; use --on-change reencode to take them over, which fits nothing again, or --on-change keep to "
                "leave them"
            )

    def told(self, *, taken_over: bool) -> Iterator[str]:
        """Say what became of them."""
        if self.samples:
            yield f"{self}: {'taken over' if taken_over else 'left as they are'}, and nothing fitted again"


def renamed(store: FunctaStore, samples: Iterable[Sample]) -> Renamed:
    """Compare the names of samples that have a functa with those that the store keeps.

    Parameters
    ----------
    store : FunctaStore
    samples : iterable of Sample
        All of them have usable rows.
    """
    found = Renamed()
    for rows, names in _compared(store, samples, _ROWS, functas=False):
        differs = _differences(rows, names)
        found.counts.update({name: int(count) for name, mask in differs.items() if (count := mask.sum())})
        anywhere = np.flatnonzero(np.any([*differs.values()], axis=0))
        if len(anywhere) and not found.samples:
            found.first = _first(rows, names, differs, int(anywhere[0]))
        found.samples += len(anywhere)
    return found


def take_over_names(store: FunctaStore, samples: Iterable[Sample]) -> None:
    """Give rows the names that their samples have now; their functas stay as they are."""
    size = max(1, min(_ROWS, _BYTES // (4 * store.k)))
    for rows, names in _compared(store, samples, size, functas=True):
        changed = np.flatnonzero(np.any([*_differences(rows, names).values()], axis=0))
        if len(changed):
            store.append(replace(rows.take(changed), **{name: column[changed] for name, column in names.items()}))


def _compared(
    store: FunctaStore, samples: Iterable[Sample], size: int, *, functas: bool
) -> Iterator[tuple[Rows, dict[str, Any]]]:
    """Read the rows of samples, and put beside them the columns that they would have now."""
    for chunk in chunks(samples, size):
        _, labels, splits, groups, targets = zip(*map(described, chunk), strict=True)
        names = {
            name: np.array([*column, None], object)[:-1]
            for name, column in zip(("labels", "splits", "groups"), (labels, splits, groups), strict=True)
        }
        yield store.read([sample.id for sample in chunk], functas=functas), names | {"target": np.array(targets, float)}


def _differences(rows: Rows, names: dict[str, Any]) -> dict[str, Any]:
    same = {name: getattr(rows, column) == names[column] for name, column in _COLUMNS.items()}
    same["target"] |= np.isnan(rows.target) & np.isnan(names["target"])
    return {name: ~np.asarray(mask, dtype=bool) for name, mask in same.items()}


def _first(rows: Rows, names: dict[str, Any], differs: dict[str, Any], row: int) -> str:
    name = next(name for name, mask in differs.items() if mask[row])
    stored, now = getattr(rows, _COLUMNS[name])[row], names[_COLUMNS[name]][row]
    shown = (repr(value.item() if name == "target" else value) for value in (stored, now))
    return f"{rows.ids[row]!r} ({name} {' and now '.join(shown)})"
