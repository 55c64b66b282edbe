"""All cells of a comparison, one after the other: read where they are finished, measured where they are not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fusion.comparing.cells import Cell, CellStore, Outcome, digest_of_cell, run_cell
from fusion.comparing.ranking import Combination
from fusion.comparing.training_rows import TrainingRows
from fusion.encoders.options import Progress, silent
from fusion.errors import ConfigError, DataError, FusionError
from fusion.estimators.fused import FUSIONS
from fusion.estimators.presets import TrainingSettings, training_settings
from fusion.estimators.trainers import Trainer
from fusion.models.fitting import SharedParts, TrainingRun

__all__ = ["Measuring", "cells_of"]


def cells_of(rows: TrainingRows, settings: Mapping[str, TrainingSettings], fusions: Sequence[str]) -> Iterator[Cell]:
    """Give all cells, those of one seed together, and of one encoder and preset one after the other."""
    several = len(next(iter(rows.encoded.values())).stores) > 1
    if several and not fusions:
        raise ConfigError(f"no fusion is named; expected some of {', '.join(FUSIONS)}.")
    for seed in rows.folds:
        for encoder in rows.encoded:
            for preset, given in settings.items():
                for fusion in fusions if several else (None,):
                    how = training_settings(given, fusion=fusion, seed=seed)
                    yield Cell(encoder, preset, fusion, seed, how)


@dataclass
class Measuring:
    """One pass over the cells; `notes` says what failed and what the budget left out."""

    rows: TrainingRows
    cells: CellStore
    trainer: Trainer
    report: Progress
    deadline: float | None
    notes: list[str] = field(default_factory=list)
    shared: tuple[Any, list[SharedParts]] = (None, [])

    def all(self, cells: Sequence[Cell]) -> dict[Combination, dict[int, Outcome]]:
        """Measure what is not yet measured; give the outcomes of each combination by seed."""
        outcomes: dict[Combination, dict[int, Outcome]] = {}
        most, left = sum(len(self.rows.folds[cell.seed]) for cell in cells), 0
        done = 0
        for cell in cells:
            folds = self.rows.folds[cell.seed]
            found = self._outcome(cell, done, most, spare=bool(outcomes))
            done += len(folds)
            if isinstance(found, Outcome):
                outcomes.setdefault((cell.encoder, cell.preset, cell.fusion), {})[cell.seed] = found
            elif found is None:
                left += 1
            else:
                self.notes.append(found)
        if left:
            self.notes.append(
                f"{left} of {len(cells)} cells are not measured: the budget is used up. The same again goes on"
            )
        if not outcomes:
            raise DataError(f"no cell could be measured: {self.notes[0]}")
        return outcomes

    def _outcome(self, cell: Cell, done: int, most: int, *, spare: bool) -> Outcome | str | None:
        """Measure a cell, or read it; a text says why it failed, None that the budget is used up."""
        encoded, folds = self.rows.encoded[cell.encoder], self.rows.folds[cell.seed]
        digest = digest_of_cell(cell, encoded, folds)
        found = self.cells.get(digest)
        if found is not None:
            return found
        if spare and self.deadline is not None and time.perf_counter() > self.deadline:
            return None
        run = TrainingRun(cell.settings, self.trainer, silent)
        told = f"comparing, {cell.name}"
        self.report(told, done, most)
        try:
            found = run_cell(
                cell,
                encoded,
                folds,
                run,
                self._shared_by(cell, len(folds)),
                lambda fold: self.report(told, done + fold, most),
            )
        except FusionError as error:
            return f"{cell.name}: {error}"
        self.cells.put(digest, cell, found)
        return found

    def _shared_by(self, cell: Cell, count: int) -> list[SharedParts]:
        key = (cell.encoder, cell.preset, cell.seed)
        if self.shared[0] != key:
            self.shared = (key, [SharedParts() for _ in range(count)])
        return self.shared[1]
