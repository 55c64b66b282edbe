"""Which rows are trained on and which are tested on: what is known of every item besides its functas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError, DataError
from fusion.linking.joins import in_order
from fusion.splits import cross_validation_folds, group_folds, is_fold, require_disjoint

if TYPE_CHECKING:
    from fusion.linking.table import LinkTable
    from store import FunctaStore, Rows

__all__ = [
    "Items",
    "Keep",
    "fold_items",
    "has_targets",
    "in_both_sides",
    "item_blocks",
    "joined_items",
    "labelled",
    "labelled_items",
    "linked_items",
    "read_items",
    "require_disjoint_groups",
    "table_items",
]


@dataclass(frozen=True, eq=False)
class Items:
    """What is to be classified, one entry per item, sorted by ID; every column an object array of shape (n,).

    `rows` says under which ID each modality's store keeps the item, None where the modality is missing. Of a single
    store it holds one entry, equal to `ids`. `branch_groups` and `psnr` say what each store knows of it: its group
    there, which is another one than in `groups` where stores were joined by label, and the PSNR of its functa in dB.
    `data` is the hash of what was encoded, 16 bytes, empty where it is not known or where equal samples are no copies.
    `targets` are numbers to predict, float64, NaN where there is none; None where no item of the source has one.
    """

    ids: NDArray[np.object_]
    labels: NDArray[np.object_]
    splits: NDArray[np.object_]
    groups: NDArray[np.object_]
    rows: Mapping[str, NDArray[np.object_]]
    branch_groups: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    psnr: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    targets: NDArray[np.float64] | None = None
    data: Mapping[str, NDArray[np.bytes_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Items:
        """Return the items that a mask or an array of positions names."""
        columns = [getattr(self, name)[chosen] for name in ("ids", "labels", "splits", "groups")]
        rows, groups, psnr, data = ({name: values[chosen] for name, values in part.items()} for part in self._parts())
        targets = None if self.targets is None else self.targets[chosen]
        ids, labels, splits, of_group = columns
        return Items(ids, labels, splits, of_group, rows, groups, psnr, targets, data)

    def present(self, name: str) -> NDArray[np.bool_]:
        """Tell which items have this modality, shape (n,)."""
        return np.array([row is not None for row in self.rows[name]], dtype=bool)

    def having(self, name: str) -> Items:
        """Return the items that have this modality, with it alone, and with the groups of its store."""
        here = self.present(name)
        groups = self.branch_groups.get(name, self.groups)
        only = Items(self.ids, self.labels, self.splits, groups, {name: self.rows[name]})
        return only.take(here)

    def without(self, name: str, missing: NDArray[np.bool_] | None = None) -> Items:
        """Return the same items without this modality, or some of them without."""
        row = self.rows[name].copy()
        row[slice(None) if missing is None else missing] = None
        return replace(self, rows={**self.rows, name: row})

    def renamed(self, names: Mapping[str, str], every: Collection[str]) -> Items:
        """Return the same items under other names of branches; a branch of `every` that is not there is missing."""
        nothing = np.full(len(self), None, dtype=object)
        new = [{names[name]: values for name, values in part.items()} for part in self._parts()]
        return replace(
            self,
            rows={name: new[0].get(name, nothing) for name in every},
            branch_groups=new[1],
            psnr=new[2],
            data=new[3],
        )

    def _parts(self) -> tuple[Mapping[str, NDArray[Any]], ...]:
        return self.rows, self.branch_groups, self.psnr, self.data


Keep = Callable[[Items], NDArray[np.bool_]]
"""Tells which items to keep, shape (n,)."""


def has_targets(store: FunctaStore) -> bool:
    """Tell whether any usable row of a store has a number to predict."""
    return any(_any(rows.target) for rows in store.iter_blocks(functas=False))


def item_blocks(store: FunctaStore, *, targets: bool = True) -> Iterator[Items]:
    """Give every usable row of a store without its functa, block by block, in row order; with targets if it has any."""
    for rows in store.iter_blocks(functas=False):
        yield Items(
            rows.ids,
            rows.labels,
            rows.splits,
            rows.groups,
            {store.modality: rows.ids},
            psnr={store.modality: rows.psnr},
            targets=rows.target if targets else None,
            data={store.modality: _data(store, rows)},
        )


def read_items(store: FunctaStore) -> Items:
    """Return every usable row of a store without its functa, under the store's modality as branch name."""
    found = joined_items(item_blocks(store), store.modality)
    return found if _any(found.targets) else replace(found, targets=None)


def joined_items(blocks: Iterable[Items], name: str) -> Items:
    """Put items of one store together, of which there may be none, sorted by ID."""
    nothing, psnr, data = np.zeros(0, object), np.zeros(0, np.float32), np.zeros(0, "S16")
    empty = Items(nothing, nothing, nothing, nothing, {name: nothing}, psnr={name: psnr}, data={name: data})
    parts = list(blocks) or [empty]
    ids, labels, splits, groups = (
        np.concatenate([getattr(part, column) for part in parts]) for column in ("ids", "labels", "splits", "groups")
    )
    psnr = np.concatenate([part.psnr[name] for part in parts])
    data = np.concatenate([part.data[name] for part in parts])
    found = [part.targets for part in parts if part.targets is not None]
    targets = np.concatenate(found) if found else None
    items = Items(ids, labels, splits, groups, {name: ids}, psnr={name: psnr}, targets=targets, data={name: data})
    return items.take(in_order(ids))


def _any(targets: NDArray[np.float64] | None) -> bool:
    return targets is not None and bool(np.isfinite(targets).any())


def table_items(table: LinkTable) -> Items:
    """Return the items of a link table, a branch for each of its stores, with what the table itself knows of them."""
    ids, labels, splits, groups = (table.column(name) for name in ("link_id", "label", "split", "group"))
    targets = table.targets if _any(table.targets) else None
    return Items(ids, labels, splits, groups, {name: table.column(name) for name in table.stores}, targets=targets)


def linked_items(table: LinkTable, stores: Mapping[str, FunctaStore], keep: Keep | None = None) -> Items:
    """Return the items of a link table, or those to keep, with what its stores know of them.

    Raises
    ------
    UnknownIDError
        A store has no usable row of an ID any more.
    """
    items = table_items(table)
    if keep is not None:
        items = items.take(keep(items))
    known = {name: _known(stores[name], ids) for name, ids in items.rows.items()}
    found, psnr, data = ({name: told[part] for name, told in known.items()} for part in range(3))
    # What has no group in its own store, such as the columns of a person, is in that of the item.
    groups = {name: np.where(_absent(given), items.groups, given) for name, given in found.items()}
    return replace(items, branch_groups=groups, psnr=psnr, data=data)


def labelled(items: Items, splits: Collection[str] | None) -> NDArray[np.bool_]:
    """Tell which items have a label and are of these splits (None = of any), shape (n,)."""
    inside = np.array([splits is None or split in splits for split in items.splits], dtype=bool)
    return inside & ~_absent(items.labels)


def labelled_items(items: Items, splits: Collection[str] | None, role: str) -> Items:
    """Return the items of these splits (None = of any) that have a label.

    Parameters
    ----------
    items : Items
        All items.
    splits : collection of str or None
        Names of splits.
    role : str
        What the items are for, in the message: "training", "test".

    Raises
    ------
    DataError
        There are none.
    """
    chosen = items.take(labelled(items, splits))
    if not len(chosen):
        wanted = "any split" if splits is None else f"split {' or '.join(map(repr, splits))}"
        hint = "Encode labelled samples of that split, name other splits, or cross-validate by group (--cv group)."
        if any(is_fold(split) for split in items.splits):
            hint = "The rows carry folds: cross-validate over them (--cv folds)."
        raise DataError(
            f"no labelled {role} rows; expected rows of {wanted} with a label, got {_listed(items)}, "
            f"{_absent(items.labels).sum()} of them without a label. {hint}"
        )
    return chosen


def in_both_sides(training: Items, test: Items) -> NDArray[np.object_]:
    """Name the group (subject, film, recording) of each test item that is in training too; None of others, (n,)."""
    found = np.full(len(test), None, dtype=object)
    for trained, tested in reversed(_sides(training, test)):
        seen = set(trained) - {None}
        inside = np.fromiter((group in seen for group in tested), dtype=bool, count=len(test))
        found[inside] = tested[inside]
    return found


def _sides(training: Items, test: Items) -> list[tuple[NDArray[np.object_], NDArray[np.object_]]]:
    """Give the groups of training and of test items, once for each kind of group: the items' own, each branch's."""
    branches = [(groups, test.branch_groups[name]) for name, groups in training.branch_groups.items()]
    return [(training.groups, test.groups), *branches]


def require_disjoint_groups(training: Items, test: Items) -> None:
    """Refuse a group (subject, film, recording) that is in training and in test.

    Raises
    ------
    DataError
        Naming the first five such groups.
    """
    require_disjoint(*_sides(training, test))


def fold_items(
    items: Items,
    on: str | int,
    *,
    seed: int = 42,
    strata: Callable[[NDArray[Any]], NDArray[np.intp]],
    shared_groups: bool = False,
) -> tuple[Items, NDArray[np.object_]]:
    """Return the labelled items of a cross-validation and the name of the fold of each, shape (n,).

    Parameters
    ----------
    items : Items
        All items.
    on : str or int
        "folds" = their splits "fold-1", "fold-2", ...; "group" = up to five folds of whole groups, over all splits;
        a number = so many folds of whole groups, classes as even as can be, over all splits.
    seed : int
        Of the deal into a number of folds.
    strata : callable
        Takes labels to what is to be as even as can be in that deal, shape (n,): the task's own.
    shared_groups : bool
        Take the data set's own folds although a group is in two of them.

    Raises
    ------
    DataError
        Fewer than two folds or groups, fewer groups than a number of folds, or a group in two folds.
    ConfigError
        `on` is something else.
    """
    if isinstance(on, int) and on >= 2:
        return _dealt_folds(labelled_items(items, None, "training"), on, seed, strata)
    if on == "group":
        return _group_folds(labelled_items(items, None, "training"))
    if on != "folds":
        raise ConfigError(f"cross-validation on {on!r}; expected 'folds', 'group' or a number of folds, 2 or more.")
    folds = sorted({split for split in items.splits if is_fold(split)})
    if len(folds) < 2:
        raise DataError(
            f"cross-validation over folds needs rows of at least two splits named 'fold-...', got {_listed(items)}. "
            "Cross-validate by group (--cv group), or train on the splits there are."
        )
    chosen = labelled_items(items, folds, "training")
    for fold in () if shared_groups else folds:
        inside = chosen.splits == fold
        require_disjoint_groups(chosen.take(~inside), chosen.take(inside))
    return chosen, chosen.splits


def _group_folds(items: Items) -> tuple[Items, NDArray[np.object_]]:
    groups = {group for group in items.groups if group is not None}
    if len(groups) < 2:
        raise DataError(
            f"cross-validation by group needs at least two groups, got {len(groups)} in {len(items)} labelled rows. "
            "Encode with groups (subject, film or recording), or train on splits."
        )
    return items, _fold_names(group_folds(items.groups))


def _dealt_folds(
    items: Items, count: int, seed: int, strata: Callable[[NDArray[Any]], NDArray[np.intp]]
) -> tuple[Items, NDArray[np.object_]]:
    return items, _fold_names(cross_validation_folds(strata(items.labels), items.groups, count, seed))


def _fold_names(folds: NDArray[np.intp]) -> NDArray[np.object_]:
    width = len(str(folds.max() + 1))
    return np.array([f"fold-{number + 1:0{width}d}" for number in folds], dtype=object)


def _absent(values: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([value is None for value in values], dtype=bool)


def _known(store: FunctaStore, ids: NDArray[np.object_]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    present = np.flatnonzero(np.array([name is not None for name in ids], dtype=bool))
    rows = store.read(list(ids[present]), functas=False)
    groups, psnr = np.full(len(ids), None, dtype=object), np.full(len(ids), np.nan, dtype=np.float32)
    data = np.zeros(len(ids), "S16")
    groups[present], psnr[present], data[present] = rows.groups, rows.psnr, _data(store, rows)
    return groups, psnr, data


def _data(store: FunctaStore, rows: Rows) -> NDArray[np.bytes_]:
    """Give the hash of what each row was made from, shape (b,); none of plain columns, which may well be equal."""
    if store.header.encoder.get("kind") == "columns":
        return np.zeros(len(rows), "S16")
    return np.ascontiguousarray(rows.source_hash).view("S16").reshape(len(rows))


def _listed(items: Items) -> str:
    counts = Counter("no split" if split is None else repr(split) for split in items.splits)
    return ", ".join(f"{count} rows of {name}" for name, count in sorted(counts.items())) or "no rows"
