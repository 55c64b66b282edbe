"""The rows of a comparison: training items that every encoder has, and the folds that all cells share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.comparing.cells import EncodedItems, Folds
from fusion.comparing.ranking import CompareResult, Place
from fusion.encoders.encoder import encoder_class
from fusion.errors import DataError
from fusion.estimators.tasks import Task
from fusion.features.batches import batches
from fusion.features.items import Items, labelled_items
from fusion.features.source import Source
from fusion.models.advice import advice_on_lone_groups
from fusion.models.records import data_of
from fusion.splits import GROUP_FOLDS, cross_validation_folds, group_codes
from store import FunctaStore

__all__ = ["TrainingRows"]

_FIRST_SEED = 42


@dataclass(frozen=True)
class TrainingRows:
    """What is the same for all cells: the training items that every encoder has, and their folds by seed."""

    encoded: Mapping[str, EncodedItems]
    folds: Mapping[int, Folds]
    notes: tuple[str, ...]
    data: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        opened: Mapping[str, Source],
        train_splits: tuple[str, ...],
        task: Task,
        *,
        seeds: int,
        folds: int | None,
    ) -> TrainingRows:
        """Take the labelled rows of the training splits, and deal them into folds for each seed."""
        labelled = {
            name: labelled_items(task.answers(each.items), train_splits, "training") for name, each in opened.items()
        }
        encoded, notes = _common(opened, labelled)
        items = next(iter(encoded.values())).items
        task.require_learnable(items.labels)
        strata = task.strata(items.labels)
        dealt = {seed: _dealt(items, strata, folds, seed) for seed in range(_FIRST_SEED, _FIRST_SEED + seeds)}
        return cls(
            encoded,
            dealt,
            (*notes, *_dictionaries(opened, train_splits), *advice_on_lone_groups(items, task, tested=True)),
            {name: data_of(each) for name, each in opened.items()},
        )

    @property
    def items(self) -> Items:
        """Return the items; every encoder has the same."""
        return next(iter(self.encoded.values())).items

    @property
    def ratio(self) -> float:
        """Return tested rows over training rows, the mean over all folds."""
        count = len(self.items)
        tested = [inside.sum() for folds in self.folds.values() for inside in folds]
        return float(np.mean([inside / (count - inside) for inside in tested]))

    @property
    def tested_groups(self) -> NDArray[np.object_]:
        """Return the group of each row that is tested."""
        return self.items.groups[np.logical_or.reduce(next(iter(self.folds.values())))]

    @property
    def tested_labels(self) -> dict[int, NDArray[np.object_]]:
        """Return the label of each row that is tested, by seed."""
        return {seed: self.items.labels[np.logical_or.reduce(folds)] for seed, folds in self.folds.items()}

    def result(
        self, places: Sequence[Place], test: str, measure: str, notes: Sequence[str], folder: Path | None
    ) -> CompareResult:
        """Put places and notes together with what is known of the rows."""
        count = len(next(iter(self.folds.values())))
        groups = len({group for group in self.items.groups if group is not None})
        told = (*self.notes, *notes)
        if not groups:
            told += ("the rows have no groups, so those of one person or recording may be on both sides of a fold",)
        return CompareResult(tuple(places), test, count, len(self.items), groups, measure, told, folder)


def _common(opened: Mapping[str, Source], labelled: Mapping[str, Items]) -> tuple[dict[str, EncodedItems], list[str]]:
    """Keep the items that every encoder has, so that all are measured on the same rows."""
    kept = sorted(set.intersection(*({str(name) for name in items.ids} for items in labelled.values())))
    if not kept:
        raise DataError(f"no training row is in all of {', '.join(labelled)}; expected stores of the same samples.")
    encoded, notes = {}, []
    for name, items in labelled.items():
        mine = items.take(np.isin(items.ids.astype(str), kept))
        if len(mine) < len(items):
            notes.append(f"{name}: {len(items) - len(mine)} training rows are left out, which not all encoders have")
        stores = {side: _content(store, mine.rows[side]) for side, store in opened[name].stores.items()}
        columns = (mine.ids, mine.labels, mine.groups, *mine.rows.values())
        rows = [[None if value is None else str(value) for value in column] for column in columns]
        encoded[name] = EncodedItems(opened[name].stores, mine, {"stores": stores, "rows": rows})
    _require_alike(encoded)
    return encoded, notes


def _content(store: FunctaStore, ids: NDArray[np.object_]) -> str:
    """Give a digest of the functas themselves: stores of one fingerprint may hold those of other data."""
    wanted = sorted({name for name in ids if name is not None})
    found = hashlib.blake2b(store.fingerprint.encode(), digest_size=16)
    for batch in batches(len(wanted), 4 * store.k):
        found.update(store.read(wanted[batch]).functas.tobytes())
    return found.hexdigest()


def _require_alike(encoded: Mapping[str, EncodedItems]) -> None:
    (first, one), *others = encoded.items()
    for name, other in others:
        for what in ("labels", "groups"):
            values, expected = getattr(other.items, what), getattr(one.items, what)
            wrong = np.flatnonzero(values != expected)
            if len(wrong):
                place = wrong[0]
                raise DataError(
                    f"{len(wrong)} training rows have other {what} in {name} than in {first}, first "
                    f"{one.items.ids[place]!r} ({values[place]!r} and {expected[place]!r}); expected stores of the "
                    "same samples. Encode them again."
                )


def _dealt(items: Items, codes: NDArray[np.intp], folds: int | None, seed: int) -> Folds:
    most = min(GROUP_FOLDS, int(group_codes(items.groups).max()) + 1, int(np.bincount(codes).max()))
    dealt = cross_validation_folds(codes, items.groups, most if folds in (None, 1) else int(folds), seed)
    return [dealt == number for number in range(1 if folds == 1 else int(dealt.max()) + 1)]


def _dictionaries(opened: Mapping[str, Source], train_splits: tuple[str, ...]) -> list[str]:
    """Tell of encoders that have seen the rows which are validated on, if without their labels."""
    seen = [
        name
        for name, source in opened.items()
        for store in source.stores.values()
        if set(store.header.conventions.get("train_splits", ())) & set(train_splits)
        and encoder_class(str(store.header.encoder.get("kind", "functa"))).has_dictionary
    ]
    if not seen:
        return []
    told = (
        f"what {', '.join(dict.fromkeys(seen))} learned came from all training rows, those validated on too, without "
        "their labels: its figures here are a little too good; the winner's on the test rows is not"
    )
    return [told]
