"""The leakage audit of a reproduction: whether labels could have reached the functas by another way than the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from fusion.encoders.encoder import encoder_of
from fusion.reproduction.shuffled import shuffled_checks
from fusion.reproduction.table import Check
from store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from fusion.reproduction.study import Encoding, Study
    from store import FunctaStore, Rows

_REFITTED = 8
_FOLDS = 5
_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class _Split:
    """Rows without their functas, and which of them are trained on and tested."""

    rows: Rows
    training: NDArray[np.intp]
    test: NDArray[np.intp]


def kept_audit(
    study: Study,
    name: str,
    encoding: Encoding,
    *,
    about: str = "",
    others: Mapping[str, tuple[str, Encoding]] | None = None,
    test_splits: tuple[str, ...] = ("test",),
) -> list[Check]:
    """Audit a store of the study, its labels shuffled too, or give what an earlier run found.

    Parameters
    ----------
    study : Study
    name : str
        Of the store.
    encoding : Encoding
        How it was made.
    about : str
        Data set, where a table has several.
    others : mapping of str to (str, Encoding), optional
        Stores of the same samples, name and encoding by what stands before the question; their labels are shuffled too.
    test_splits : tuple of str
        Splits that are tested; of a data set in folds, one fold.
    """
    store, _ = study.store(name, encoding)
    settings = {"encoding": study.described(encoding), "test": test_splits}

    def found() -> list[dict[str, Any]]:
        return [check.to_dict() for check in audit(study, encoding, store, test_splits=test_splits)]

    checks = [Check.from_dict(values).about(about) for values in study.kept("audits", name, settings, found)]
    stores = {about: store, **{other: study.store(*made)[0] for other, made in (others or {}).items()}}
    return [*checks, *shuffled_checks(study, stores, test_splits=test_splits)]


def audit(study: Study, encoding: Encoding, store: Path, *, test_splits: tuple[str, ...] = ("test",)) -> list[Check]:
    """Ask the questions that a doubtful reader asks of a store and its split.

    Parameters
    ----------
    study : Study
    encoding : Encoding
        How the store was made.
    store : Path
    test_splits : tuple of str
        Splits that are tested; of a data set in folds, one fold.

    Returns
    -------
    list of Check
        Groups and sources on both sides, order and PSNR against the label, refits alone, the start's training rows.
    """
    with open_store(store) as opened:
        split = _split(opened, test_splits)
        return [
            _shared_groups(split),
            _shared_sources(split),
            _order(split),
            _psnr(split),
            _refits(study, encoding, opened, split),
            _start(opened, test_splits),
        ]


def _split(store: FunctaStore, test_splits: tuple[str, ...]) -> _Split:
    rows = store.read(functas=False)
    labelled = np.array([label is not None for label in rows.labels])
    test = np.array([name in test_splits for name in rows.splits])
    known = np.array([name is not None and name != "val" for name in rows.splits])
    return _Split(rows, np.flatnonzero(labelled & known & ~test), np.flatnonzero(labelled & test))


def _shared_groups(split: _Split) -> Check:
    groups = split.rows.groups
    shared = (set(groups[split.training]) & set(groups[split.test])) - {None}
    named = sum(group is not None for group in groups)
    found = f"{len(shared)} shared of {len(set(groups) - {None})} groups"
    if not named:
        return Check("groups in training and test", "the data set names no groups", None, {"shared": 0})
    return Check("groups in training and test", found, not shared, {"shared": len(shared)})


def _shared_sources(split: _Split) -> Check:
    hashes = [row.tobytes() for row in split.rows.source_hash]
    training = {hashes[index] for index in split.training}
    shared = sum(hashes[index] in training for index in split.test)
    found = f"{shared} of {len(split.test)} test samples are equal to a training sample"
    return Check("equal data in training and test", found, shared == 0, {"shared": shared})


def _order(split: _Split) -> Check:
    chosen = split.training
    ratio = _correlation_ratio(np.argsort(np.argsort(split.rows.ids[chosen])), split.rows.labels[chosen])
    found = f"the class explains {ratio:.0%} of the variance of the place in the order of IDs; no fit sees it"
    return Check("order of samples against label", found, None, {"correlation_ratio": ratio})


def _psnr(split: _Split) -> Check:
    labels, psnr = split.rows.labels, split.rows.psnr.astype(np.float64)
    everything = np.concatenate([split.training, split.test])
    usable = everything[np.isfinite(psnr[everything])]
    ratio = _correlation_ratio(psnr[usable], labels[usable])
    alone = _accuracy_from(psnr[usable], labels[usable].astype(str))
    told = "too few rows for a tree" if alone is None else f"a tree that sees only the PSNR is right on {alone:.1%}"
    found = f"the class explains {ratio:.0%} of its variance; {told}"
    return Check("PSNR against label", found, None, {"correlation_ratio": ratio, "accuracy_from_psnr": alone})


def _accuracy_from(values: NDArray[np.float64], labels: NDArray[np.str_]) -> float | None:
    """Cross-validate a small tree on one value over the classes that every fold can have a row of."""
    names, counts = np.unique(labels, return_counts=True)
    chosen = np.isin(labels, names[counts >= _FOLDS])
    if len(np.unique(labels[chosen])) < 2:
        return None
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    return float(np.mean(cross_val_score(tree, values[chosen, None], labels[chosen], cv=_FOLDS)))


def _refits(study: Study, encoding: Encoding, store: FunctaStore, split: _Split) -> Check:
    encoder = encoder_of(store)
    step = max(1, len(split.rows) // _REFITTED)
    wanted = set(sorted(split.rows.ids)[::step][:_REFITTED])
    with study.dataset(encoding) as dataset:
        samples = [sample for sample in dataset if sample.id in wanted]
    worst = 0.0
    for sample in reversed(samples):
        again = encoder.encode([sample]).rows.functas[0]
        stored = store.get(sample.id).functas[0]
        worst = max(worst, float(np.max(np.abs(again - stored)) / max(1.0, float(np.max(np.abs(stored))))))
    found = f"{len(samples)} samples fitted again, alone and in reverse order: largest difference {worst:.1e}"
    return Check("state carried from one fit to the next", found, worst <= _TOLERANCE, {"difference": worst})


def _start(store: FunctaStore, test_splits: tuple[str, ...]) -> Check:
    used = tuple(store.header.conventions.get("train_splits", ()))
    learned = sorted(store.state)
    leaked = set(used) & set(test_splits)
    found = f"{', '.join(learned)} learned from split {', '.join(used) or 'none'}"
    return Check("rows that the start was learned from", found, not leaked, {"splits": list(used)})


def _correlation_ratio(values: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of the variance of `values` that lies between classes (eta squared)."""
    names = labels.astype(str)
    total = float(np.sum((values - values.mean()) ** 2))
    between = sum(
        np.sum(names == name) * (values[names == name].mean() - values.mean()) ** 2 for name in np.unique(names)
    )
    return float(between / total) if total else 0.0
