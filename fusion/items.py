"""Which rows are trained on and which are tested on: what is known of every item besides its functas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import GroupKFold

from fusion.errors import ConfigError, DataError

if TYPE_CHECKING:
    from store import FunctaStore

__all__ = ["Items", "fold_items", "group_codes", "labelled_items", "read_items", "require_disjoint_groups"]

_GROUP_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Items:
    """What is to be classified, one entry per item, sorted by ID; every column an object array of shape (n,).

    `rows` says under which ID each modality's store keeps the item, None where the modality is missing. Of a single
    store it holds one entry, equal to `ids`.
    """

    ids: NDArray[np.object_]
    labels: NDArray[np.object_]
    splits: NDArray[np.object_]
    groups: NDArray[np.object_]
    rows: Mapping[str, NDArray[np.object_]]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Items:
        """Return the items that a mask or an array of positions names."""
        rows = {name: ids[chosen] for name, ids in self.rows.items()}
        return Items(self.ids[chosen], self.labels[chosen], self.splits[chosen], self.groups[chosen], rows)


def read_items(store: FunctaStore) -> Items:
    """Return every usable row of a store without its functa, under the store's modality as block name."""
    blocks = list(store.iter_blocks(functas=False))
    columns = [_stack([getattr(block, name) for block in blocks]) for name in ("ids", "labels", "splits", "groups")]
    order = np.argsort(columns[0], kind="stable")
    ids, labels, splits, groups = (column[order] for column in columns)
    return Items(ids, labels, splits, groups, {store.modality: ids})


def labelled_items(items: Items, splits: Collection[str] | None, role: str) -> Items:
    """Return the items of these splits (None = of any) that have a label.

    Parameters
    ----------
    items
        All items.
    splits
        Names of splits.
    role
        What the items are for, in the message: "training", "test".

    Raises
    ------
    DataError
        There are none.
    """
    labelled = np.array([label is not None for label in items.labels], dtype=bool)
    inside = np.array([splits is None or split in splits for split in items.splits], dtype=bool)
    chosen = items.take(labelled & inside)
    if not len(chosen):
        wanted = "any split" if splits is None else f"split {' or '.join(map(repr, splits))}"
        hint = "Encode labelled samples of that split, name other splits, or cross-validate by group (--cv group)."
        if any(_is_fold(split) for split in items.splits):
            hint = "The rows carry folds: cross-validate over them (--cv folds)."
        raise DataError(
            f"no labelled {role} rows; expected rows of {wanted} with a label, got {_listed(items)}, "
            f"{len(labelled) - labelled.sum()} of them without a label. {hint}"
        )
    return chosen


def require_disjoint_groups(training: Items, test: Items) -> None:
    """Refuse a group (subject, film, recording) that is in training and in test.

    Raises
    ------
    DataError
        Naming the first five such groups.
    """
    shared = sorted((set(training.groups) & set(test.groups)) - {None})
    if shared:
        raise DataError(
            f"{len(shared)} groups are on both sides of the split, first {', '.join(map(repr, shared[:5]))}; expected "
            "each subject, film or recording on one side only, or the accuracy is too good. Correct the splits."
        )


def fold_items(items: Items, on: str) -> tuple[Items, NDArray[np.object_]]:
    """Return the labelled items of a cross-validation and the name of the fold of each, shape (n,).

    Parameters
    ----------
    items
        All items.
    on
        "folds" = their splits "fold-1", "fold-2", ...; "group" = up to five folds of whole groups, over all splits.

    Raises
    ------
    DataError
        Fewer than two folds or groups, or a group in two folds.
    ConfigError
        `on` is something else.
    """
    if on == "group":
        return _group_folds(labelled_items(items, None, "training"))
    if on != "folds":
        raise ConfigError(f"cross-validation on {on!r}; expected 'folds' or 'group'.")
    folds = sorted({split for split in items.splits if _is_fold(split)})
    if len(folds) < 2:
        raise DataError(
            f"cross-validation over folds needs rows of at least two splits named 'fold-...', got {_listed(items)}. "
            "Cross-validate by group (--cv group), or train on the splits there are."
        )
    chosen = labelled_items(items, folds, "training")
    for fold in folds:
        inside = chosen.splits == fold
        require_disjoint_groups(chosen.take(~inside), chosen.take(inside))
    return chosen, chosen.splits


def group_codes(groups: ArrayLike) -> NDArray[np.intp]:
    """Return the groups as numbers 0, 1, ..., shape (n,); every row without a group (None) is a group of its own."""
    names = np.asarray(groups, dtype=object)
    numbers: dict[object, int] = {}
    keys = (("row", row) if name is None else ("group", name) for row, name in enumerate(names))
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), dtype=np.intp, count=len(names))


def _group_folds(items: Items) -> tuple[Items, NDArray[np.object_]]:
    groups = {group for group in items.groups if group is not None}
    if len(groups) < 2:
        raise DataError(
            f"cross-validation by group needs at least two groups, got {len(groups)} in {len(items)} labelled rows. "
            "Encode with groups (subject, film or recording), or train on splits."
        )
    codes = group_codes(items.groups)
    folds = np.empty(len(items), dtype=object)
    for number, (_, test) in enumerate(GroupKFold(min(_GROUP_FOLDS, codes.max() + 1)).split(codes, groups=codes), 1):
        folds[test] = f"fold-{number}"
    return items, folds


def _is_fold(split: str | None) -> bool:
    return split is not None and split.startswith("fold")


def _listed(items: Items) -> str:
    counts = Counter("no split" if split is None else repr(split) for split in items.splits)
    return ", ".join(f"{count} rows of {name}" for name, count in sorted(counts.items())) or "no rows"


def _stack(parts: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=object)
