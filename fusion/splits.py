"""Which rows are trained on and which are held out: groups, folds, and a seeded choice by name. Groups never cross.

What samples, classes and groups are called is told by one rule, `name_of`.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import DataError
from fusion.names import is_missing

__all__ = [
    "GROUP_FOLDS",
    "classes_of_one_group",
    "cross_validation_folds",
    "group_codes",
    "group_folds",
    "hold_out",
    "is_fold",
    "left_out_together",
    "require_disjoint",
    "seeded_hash",
    "stratified_folds",
]

GROUP_FOLDS = 5
"""Folds of a cross-validation by group, or fewer where there are not so many groups."""
_GROUP_DRAWS = 64


def seeded_hash(name: str, seed: int) -> bytes:
    """Eight bytes that order names at random, the same way for the same seed.

    Examples
    --------
    >>> sorted(["ann", "bob", "cleo", "dan"], key=lambda name: seeded_hash(name, seed=42))
    ['ann', 'bob', 'dan', 'cleo']
    """
    return hashlib.blake2b(name.encode(), digest_size=8, key=seed.to_bytes(8, "little", signed=True)).digest()


def is_fold(split: str | None) -> bool:
    """Tell whether a split is a fold of a cross-validation: its name begins with "fold"."""
    return split is not None and split.startswith("fold")


def group_codes(groups: ArrayLike) -> NDArray[np.intp]:
    """Return the groups as numbers 0, 1, ..., shape (n,); every row without one (None, NaN) is a group of its own."""
    names = np.asarray(groups, dtype=object)
    numbers: dict[object, int] = {}
    keys = (("row", row) if is_missing(name) else ("group", name) for row, name in enumerate(names))
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), dtype=np.intp, count=len(names))


def require_disjoint(*sides: tuple[Iterable[object], Iterable[object]]) -> None:
    """Refuse a group (subject, film, recording) that is in training and in test.

    Parameters
    ----------
    *sides : pair of iterables
        Groups of the training rows and of the test rows, once for each kind of group; None is no group.

    Raises
    ------
    DataError
        Naming the first five such groups.

    Examples
    --------
    >>> require_disjoint((["ann", "bob"], ["cleo", None]))
    >>> require_disjoint((["ann", "bob"], ["bob"]))
    Traceback (most recent call last):
    fusion.errors.DataError: 1 groups are on both sides of the split, first 'bob'; expected each ...
    """
    shared = sorted(set[object]().union(*(set(training) & set(test) for training, test in sides)) - {None}, key=str)
    if shared:
        raise DataError(
            f"{len(shared)} groups are on both sides of the split, first {', '.join(map(repr, shared[:5]))}; expected "
            "each subject, film or recording on one side only, or the accuracy is too good. Correct the splits, or "
            "take published ones as they are (functa train --shared-groups, or shared_groups=True)."
        )


def left_out_together(codes: NDArray[np.intp], members: NDArray[np.intp]) -> NDArray[np.intp]:
    """Tell what is left out of training together, to choose by: whole groups, where another group has their classes.

    A model that leaves out the only group of a class does not know the class, and what it is wrong on there says
    nothing. So rows of a group are left out one by one where no other group has a class of its own. A single group is
    returned as it is.

    Parameters
    ----------
    codes : NDArray of intp
        Class of each row as 0, 1, ..., shape (n,).
    members : NDArray of intp
        Group of each row as 0, 1, ..., shape (n,).

    Examples
    --------
    >>> left_out_together(np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2]))
    array([2, 3, 0, 1, 1])
    """
    count = int(members.max(initial=-1)) + 1
    if count < 2:
        return members
    classes, where = _met(codes, members)
    whole = np.zeros(count, dtype=bool)
    whole[where[np.bincount(classes)[classes] > 1]] = True
    if whole.all():
        return members
    names = np.where(whole[members], members, count + np.arange(len(members)))
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def classes_of_one_group(codes: NDArray[np.intp], members: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the classes, numbers of `codes`, whose rows are all of one group of `members`, sorted.

    Examples
    --------
    >>> classes_of_one_group(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    array([0])
    """
    return np.flatnonzero(np.bincount(_met(codes, members)[0]) == 1)


def _met(codes: NDArray[np.intp], members: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each pair of a class and a group that has rows of it, once."""
    count = int(members.max(initial=0)) + 1
    pairs = np.unique(codes * np.intp(count) + members)
    return pairs // count, pairs % count


def group_folds(
    groups: ArrayLike, *, codes: NDArray[np.intp] | None = None, most: int = GROUP_FOLDS
) -> NDArray[np.intp]:
    """Deal rows into folds of whole groups, as even in rows as can be; shape (n,), all 0 where there is one group.

    Parameters
    ----------
    groups : array_like
        Group of each row, shape (n,); None is a group of its own.
    codes : NDArray of intp, optional
        Class of each row: folds to choose by, of what `left_out_together` numbers.
    most : int
        Number of folds, or fewer where there are not so many groups.

    Examples
    --------
    >>> group_folds(["ann", "bob", "ann", None, "bob", "ann"], most=2)
    array([0, 1, 0, 1, 1, 0])
    """
    from sklearn.model_selection import GroupKFold  # a second to import, which prediction does not have

    members = group_codes(groups)
    if codes is not None:
        members = left_out_together(codes, members)
    folds = np.zeros(len(members), dtype=np.intp)
    count = min(most, int(members.max(initial=-1)) + 1)
    if count >= 2:
        for number, (_, inside) in enumerate(GroupKFold(count).split(members, groups=members)):
            folds[inside] = number
    return folds


def stratified_folds(
    codes: NDArray[np.intp], groups: NDArray[np.intp] | None, *, most: int, seed: int
) -> NDArray[np.intp]:
    """Deal rows into folds to choose by, classes as even as can be; shape (n,), all 0 where there is one group only.

    Whole groups, or rows of a group that alone has its classes: see `left_out_together`.

    Parameters
    ----------
    codes : NDArray of intp
        Class of each row, shape (n,).
    groups : NDArray of intp or None
        Group of each row as a number, shape (n,); None = every row for itself.
    most : int
        Number of folds, or fewer where there are not so many groups or rows of the largest class.
    seed : int
        Of the deal.
    """
    members = np.arange(len(codes)) if groups is None else left_out_together(codes, groups)
    count = min(most, len(np.unique(members)), int(np.bincount(codes).max()))
    folds = np.zeros(len(codes), dtype=np.intp)
    if count < 2:
        return folds
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer rows than folds, which stay in training then
        for number, (_, inside) in enumerate(splitter.split(codes, codes, members)):
            folds[inside] = number
    return np.unique(folds, return_inverse=True)[1]


def cross_validation_folds(codes: NDArray[np.intp], groups: ArrayLike, count: int, seed: int) -> NDArray[np.intp]:
    """Deal rows into exactly so many folds by whole groups, classes as even as can be; shape (n,).

    scikit-learn's `StratifiedGroupKFold`, or `StratifiedKFold` where no two rows share a group, both shuffled.

    Parameters
    ----------
    codes : NDArray of intp
        Class of each row, shape (n,).
    groups : array_like
        Group of each row, shape (n,); None is a group of its own.
    count : int
        Number of folds, 2 or more.
    seed : int
        Of the deal.

    Raises
    ------
    DataError
        Fewer groups than folds, or fewer rows even of the largest class.

    Examples
    --------
    >>> ann, bob, *again = cross_validation_folds(np.array([0, 0, 1, 1]), ["ann", "bob", "ann", "bob"], 2, seed=0)
    >>> bool(ann != bob), again == [ann, bob]
    (True, True)
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    members = group_codes(groups)
    there, largest = int(members.max(initial=-1)) + 1, int(np.bincount(codes).max(initial=0))
    if min(there, largest) < count:
        what = f"{there} groups" if there < count else f"{largest} rows of the largest class"
        raise DataError(
            f"cross-validation in {count} folds has {what} among {len(codes)} labelled rows to deal; expected at least "
            f"{count}. Use fewer folds, or encode more samples."
        )
    alone = there == len(codes)
    splitter = (StratifiedKFold if alone else StratifiedGroupKFold)(count, shuffle=True, random_state=seed)
    folds = np.zeros(len(codes), dtype=np.intp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer rows than folds, which some folds do not test
        for number, (_, inside) in enumerate(splitter.split(codes, codes, members)):
            folds[inside] = number
    return folds


def hold_out(
    codes: NDArray[np.intp],
    groups: ArrayLike | None = None,
    *,
    fraction: float,
    seed: int,
) -> NDArray[np.bool_]:
    """Choose the rows that early stopping watches, as a mask of shape (n,).

    Whole groups are held out. Of several seeded draws the one is taken that leaves every class in both parts if any
    does, and holds out the fraction most evenly over the classes. Where each draw takes a class out of training, or
    leaves most of them unwatched, rows of groups that alone have their classes are held out one by one: see
    `left_out_together`. With no groups, or a single one, rows are drawn per class; of a class with one row none is held
    out.

    Parameters
    ----------
    codes : NDArray of intp
        Class of each row as 0, 1, ..., shape (n,).
    groups : array_like, optional
        Group of each row, shape (n,), or None.
    fraction : float
        Part to hold out, in (0, 1).
    seed : int
        The same seed gives the same mask.

    Examples
    --------
    >>> codes, people = np.array([0, 1, 0, 1, 0, 1]), ["ann", "ann", "bob", "bob", "cleo", "cleo"]
    >>> hold_out(codes, people, fraction=0.3, seed=7)
    array([ True,  True, False, False, False, False])
    """
    random = np.random.default_rng(seed)
    members = group_codes(np.full(len(codes), None) if groups is None else groups)
    if members.max(initial=0) in (0, len(members) - 1):
        return _hold_out_rows(codes, fraction, random)
    held, untrained, unwatched = _hold_out_groups(codes, members, fraction, random)
    apart = left_out_together(codes, members)
    if apart.max() == members.max() or (not untrained and 2 * unwatched <= len(np.unique(codes))):
        return held
    if apart.max() == len(apart) - 1:
        return _hold_out_rows(codes, fraction, random)
    return _hold_out_groups(codes, apart, fraction, random)[0]


def _hold_out_groups(
    codes: NDArray[np.intp], members: NDArray[np.intp], fraction: float, random: np.random.Generator
) -> tuple[NDArray[np.bool_], int, int]:
    """Hold out whole groups; return how many classes training is left without, and how many nobody watches, too."""
    counts = np.zeros((members.max() + 1, codes.max() + 1))
    np.add.at(counts, (members, codes), 1)
    draws = [(_unevenness(counts, draw, fraction), draw) for draw in _group_draws(len(counts), fraction, random)]
    (untrained, unwatched, _), held = min(draws, key=lambda entry: entry[0])
    return held[members], untrained, unwatched


def _hold_out_rows(codes: NDArray[np.intp], fraction: float, random: np.random.Generator) -> NDArray[np.bool_]:
    held = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = random.permutation(np.flatnonzero(codes == code))
        held[rows[: min(round(fraction * len(rows)), len(rows) - 1)]] = True
    return held


def _group_draws(groups: int, fraction: float, random: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    size = min(max(round(fraction * groups), 1), groups - 1)
    for _ in range(_GROUP_DRAWS):
        held = np.zeros(groups, dtype=bool)
        held[random.permutation(groups)[:size]] = True
        yield held


def _unevenness(counts: NDArray[np.float64], held: NDArray[np.bool_], fraction: float) -> tuple[int, int, float]:
    inside = counts[held].sum(axis=0)
    total = counts.sum(axis=0)
    untrained = int(np.sum(inside == total))
    unwatched = int(np.sum(inside == 0))
    return untrained, unwatched, float(np.square(inside / total - fraction).sum())
