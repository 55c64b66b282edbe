"""The cells of a comparison: one encoder, preset, fusion and seed each, trained fold by fold, kept when finished."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.estimators.presets import TrainingSettings
from fusion.features.items import Items, require_disjoint_groups
from fusion.models.fitting import SharedParts, TrainingRun, fit_model
from fusion.models.repeating import settings_told
from fusion.models.scoring import predict_items
from fusion.settings import digest_of
from store import FunctaStore
from store.files import write_whole

__all__ = ["Cell", "CellStore", "EncodedItems", "Outcome", "run_cell"]

Folds = Sequence[NDArray[np.bool_]]
"""Rows that each fold tests, as masks of shape (n,)."""


@dataclass(frozen=True)
class Cell:
    """One cell: `settings` hold the fusion and the seed, too; `fusion` is None of one modality."""

    encoder: str
    preset: str
    fusion: str | None
    seed: int
    settings: TrainingSettings = field(compare=False)

    @property
    def name(self) -> str:
        """Such as "local, linear, early"."""
        return ", ".join(filter(None, (self.encoder, self.preset, self.fusion)))


@dataclass(frozen=True)
class EncodedItems:
    """What all cells of an encoder are measured on.

    Attributes
    ----------
    stores : mapping of str to FunctaStore
        Open.
    items : Items
        Training items that every encoder has, sorted by ID.
    data : mapping of str to object
        What the stores and items are, as plain values.
    """

    stores: Mapping[str, FunctaStore]
    items: Items
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a cell reached.

    Attributes
    ----------
    scores : tuple of float
        Of each fold: accuracy, that of weighted rows where classes have weights, R2 or micro F1, as the task has it.
    seconds : float
        Of all folds; what it shares with cells of another fusion counts for each.
    right : str
        Of classes "1" for each tested row that was right and "0" for each that was not, in the order of the items.
    """

    scores: tuple[float, ...]
    seconds: float
    right: str

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Outcome:
        """Read what `dataclasses.asdict` gave."""
        return cls(tuple(map(float, values["scores"])), float(values["seconds"]), str(values["right"]))


@dataclass(frozen=True)
class CellStore:
    """Finished cells as files of a folder, by a digest of all that makes them; None keeps nothing."""

    folder: Path | None

    def get(self, digest: str) -> Outcome | None:
        """Read a finished cell; one that cannot be read is measured anew."""
        if self.folder is None or not self._path(self.folder, digest).exists():
            return None
        try:
            return Outcome.from_dict(json.loads(self._path(self.folder, digest).read_bytes())["outcome"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, digest: str, cell: Cell, outcome: Outcome) -> None:
        """Write a finished cell, whole or not at all."""
        if self.folder is None:
            return
        told = {"encoder": cell.encoder, "preset": cell.preset, "fusion": cell.fusion, "seed": cell.seed}
        path = self._path(self.folder, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({**told, "outcome": vars(outcome)}, indent=1) + "\n")

    def _path(self, folder: Path, digest: str) -> Path:
        return folder / "cells" / f"{digest}.json"


def digest_of_cell(cell: Cell, encoded: EncodedItems, folds: Folds) -> str:
    """Name a cell by all that its outcome depends on: settings, data, folds."""
    dealt = np.zeros(len(encoded.items), dtype=int)
    for number, inside in enumerate(folds):
        dealt[inside] = number + 1
    return digest_of([settings_told(cell.settings), dict(encoded.data), dealt.tolist()])


def run_cell(
    cell: Cell,
    encoded: EncodedItems,
    folds: Folds,
    run: TrainingRun,
    shared: Sequence[SharedParts],
    told: Callable[[int], None],
) -> Outcome:
    """Train and test on every fold.

    Parameters
    ----------
    cell : Cell
    encoded : EncodedItems
    folds : sequence of NDArray of bool
    run : TrainingRun
        Where to train.
    shared : sequence of SharedParts
        Of each fold, for cells that differ in their fusion alone.
    told : callable
        Called with the number of folds done.
    """
    begin, saved = time.perf_counter(), sum(parts.saved for parts in shared)
    right, scores = np.zeros(len(encoded.items), dtype=bool), []
    tested = np.logical_or.reduce(folds)
    weights = cell.settings.task.weights(encoded.items.labels, cell.settings.parameters)
    for number, (inside, parts) in enumerate(zip(folds, shared, strict=True)):
        training, test = encoded.items.take(~inside), encoded.items.take(inside)
        require_disjoint_groups(training, test)
        model = fit_model(encoded.stores, training, replace(run, settings=cell.settings, shared=parts))
        names = np.asarray(model.classes, dtype=object)
        predicted = model.task.decided(predict_items(model, encoded.stores, test), names)
        counted = None if weights is None else weights[inside]
        scores.append(model.task.weighted_score(test.labels, predicted, counted))
        if model.task.name == "classification":
            right[inside] = model.task.hits(test.labels, predicted)
        told(number + 1)
    seconds = time.perf_counter() - begin + sum(parts.saved for parts in shared) - saved
    return Outcome(tuple(scores), round(seconds, 3), "".join(str(int(one)) for one in right[tested]))
