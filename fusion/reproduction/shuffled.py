"""The control that any leak has to pass by: training on shuffled labels, after which accuracy falls to chance."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.items import labelled_items
from fusion.features.matrix import design_matrix, fit_features
from fusion.features.source import opened_source
from fusion.metrics import mean_interval
from fusion.reproduction.table import Check

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from fusion.features.items import Items
    from fusion.reproduction.study import Study

_SHUFFLES = 10
# Of all the checks of a page, at 95 % one or two would fail where nothing leaks.
_LEVEL = 0.99
_ROWS = 3000
_COLUMNS = 300
_ROUNDS = 15


def shuffled_checks(
    study: Study, sources: Mapping[str, Path], *, test_splits: Collection[str] = ("test",)
) -> list[Check]:
    """Train on shuffled labels of every source that a table's rows were trained on.

    Parameters
    ----------
    study : Study
        Keeps what was found.
    sources : mapping of str to Path
        Store or link table by what the question is about.
    test_splits : collection of str
        Splits that are tested; all others but "val" are trained on.
    """
    return [_kept(study, about, path, tuple(test_splits)) for about, path in sources.items()]


def shuffled_labels(source: Path, *, test_splits: Collection[str], seed: int) -> Check:
    """Train on shuffled training labels; accuracy has to fall to what the frequencies of the classes alone give.

    Parameters
    ----------
    source : Path
        Store or link table; of a link table, all modalities side by side.
    test_splits : collection of str
    seed : int
        Of the shuffles, and of the rows that are drawn where there are more than 3,000.
    """
    random = np.random.default_rng(seed)
    with opened_source(source) as opened:
        items = opened.items
        known = {name for name in items.splits if name not in (None, "val", *test_splits)}
        training, test = (
            _at_most(labelled_items(items, splits, role), random)
            for splits, role in ((known, "training"), (test_splits, "test"))
        )
        features = {
            name: fit_features(store, training.rows[name], max_columns=_COLUMNS)
            for name, store in opened.stores.items()
        }
        matrix, unseen = (design_matrix(opened.stores, part, features) for part in (training, test))
    labels, truth = training.labels.astype(str), test.labels.astype(str)
    accuracies = []
    for draw in range(_SHUFFLES):
        classifier = FunctaClassifier(n_estimators=_ROUNDS, max_depth=3, early_stopping_rounds=None, seed=seed + draw)
        classifier.fit(matrix, random.permutation(labels))
        accuracies.append(float(np.mean(classifier.predict(unseen) == truth)))
    return _against_chance(accuracies, labels, truth)


def _kept(study: Study, about: str, path: Path, test_splits: tuple[str, ...]) -> Check:
    # A store's name says how it was made; a link table's does not say which samples it joins.
    content = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() if path.is_file() else ""
    settings = {"source": path.name, "content": content, "test": test_splits}

    def found() -> dict[str, Any]:
        return shuffled_labels(path, test_splits=test_splits, seed=study.seed).to_dict()

    check = Check.from_dict(study.kept("audits", f"{path.stem}-shuffled", settings, found))
    return check.about(about)


def _against_chance(accuracies: list[float], labels: NDArray[Any], truth: NDArray[Any]) -> Check:
    classes = sorted({*labels, *truth})
    shares = [np.array([np.mean(part == name) for name in classes]) for part in (labels, truth)]
    guessing, largest = float(shares[0] @ shares[1]), float(shares[1].max())
    low, high = mean_interval(accuracies, _LEVEL)
    mean, spread = (low + high) / 2, (high - low) / 2
    # A model that learns nothing may also settle on the largest class.
    passed = low <= max(guessing, largest)
    found = (
        f"accuracy {mean:.3f} ± {spread:.3f} (99 %) over {len(accuracies)} shuffles; guessing by class frequencies "
        f"gives {guessing:.3f}, the largest class {largest:.3f}"
    )
    values = {"accuracies": accuracies, "interval": [low, high], "chance": [guessing, largest]}
    return Check("training on shuffled labels", found, passed, values)


def _at_most(items: Items, random: np.random.Generator) -> Items:
    if len(items) <= _ROWS:
        return items
    return items.take(np.sort(random.choice(len(items), _ROWS, replace=False)))
