"""What was linked, how, and what came of it: counted while the items pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fusion.linking.sides import TARGET

__all__ = ["LinkCounter", "LinkSummary", "LinkedStore", "counted"]

_SHOWN = 12


@dataclass(frozen=True)
class LinkedStore:
    """A store that was linked.

    Attributes
    ----------
    path : str
        Where it is; in a file relative to the file's folder, where that is possible.
    fingerprint : str
        Of its header: encoder and start.
    modality : str
        What it holds.
    rows : int
        Its usable samples when it was linked.
    """

    path: str
    fingerprint: str
    modality: str
    rows: int


@dataclass(frozen=True)
class LinkSummary:
    """What a join did.

    Attributes
    ----------
    on, how : str
    seed : int
        The join.
    matched : int
        Items of which every store has a sample.
    left_over : mapping of str to int
        Samples of each store that are in no item.
    warnings : tuple of str
        What a reader of later figures should know.
    """

    on: str
    how: str
    seed: int
    matched: int
    left_over: Mapping[str, int]
    warnings: tuple[str, ...] = ()


class LinkCounter:
    """Counts the items of a link table, which need not be in memory together.

    Parameters
    ----------
    names : sequence of str
        Of the stores.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._groups: set[str] = set()
        self._missing: Counter[str] = Counter()
        self.rows = 0
        self.splits: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.targets: tuple[int, float, float] | None = None

    def add(self, frame: pd.DataFrame) -> None:
        """Count some rows; see `LinkTable.frame`."""
        self.rows += len(frame)
        self.splits.update(counted(frame["split"]))
        self.classes.update(counted(frame["label"]))
        self._groups.update(frame["group"].dropna())
        self._missing.update({name: int(frame[name].isna().sum()) for name in self._names})
        if TARGET in frame and TARGET not in self._names:
            self._add_targets(np.array(frame[TARGET].dropna(), dtype=np.float64))

    def _add_targets(self, numbers: np.ndarray) -> None:
        count, low, high = self.targets or (0, np.inf, -np.inf)
        there = numbers[np.isfinite(numbers)]
        self.targets = (count + len(there), min(low, there.min(initial=np.inf)), max(high, there.max(initial=-np.inf)))

    def to_dict(self, stores: Mapping[str, LinkedStore], summary: LinkSummary) -> dict[str, Any]:
        """Return what was matched and what was not as plain numbers, strings, lists and dictionaries."""
        return {
            "rows": self.rows,
            "matched": summary.matched,
            "left_over": dict(summary.left_over),
            "conflicts": 0,
            "on": summary.on,
            "how": summary.how,
            "seed": summary.seed,
            "splits": _sorted(self.splits),
            "classes": _sorted(self.classes),
            "groups": len(self._groups),
            "targets": 0 if self.targets is None else self.targets[0],
            "stores": {name: dict(vars(store)) for name, store in stores.items()},
            "warnings": list(summary.warnings),
        }

    def facts(self, stores: Mapping[str, LinkedStore], summary: LinkSummary) -> dict[str, str]:
        """Tell in words what was matched and what was not."""
        rows = {name: store.rows for name, store in stores.items()}
        told = {
            "items": f"{self.rows:,}, joined by {summary.on} ({summary.how})",
            "matched": f"{summary.matched:,} in all {len(stores)} stores",
            "left over": ", ".join(f"{name} {count:,} of {rows[name]:,}" for name, count in summary.left_over.items()),
            "missing": ", ".join(f"{name} {self._missing[name]:,}" for name in self._names if self._missing[name]),
            "splits": _listed(_sorted(self.splits), "no split"),
            "classes": f"{len(self.classes):,}: {_listed(_sorted(self.classes), 'no label')}",
            "groups": f"{len(self._groups):,}",
            "targets": self._targets_in_words(),
            "conflicts": "none",
        }
        return {name: text for name, text in told.items() if text}

    def _targets_in_words(self) -> str:
        if self.targets is None or not self.targets[0]:
            return ""
        count, low, high = self.targets
        return f"{count:,} numbers, {low:g} to {high:g}"


def counted(names: pd.Series) -> dict[str, int]:
    """Count each label, split or group; "" stands for none."""
    found = names.fillna("").value_counts()
    return {str(name): int(count) for name, count in found.items()}


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _listed(counts: Mapping[str, int], nameless: str) -> str:
    shown = [f"{name or nameless} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join([*shown, f"and {len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else shown)
