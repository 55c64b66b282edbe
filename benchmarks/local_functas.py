"""Local functas: what each choice of windows, dictionary and pooling is worth, on every data set.

    python benchmarks/local_functas.py uci-har "UCI HAR Dataset" --work stores
    python benchmarks/local_functas.py utd-fused utd-mhad --variants preset
    python benchmarks/local_functas.py cifar10 cifar10 --choose --limit 4000

Each variant is encoded through `fusion.encode` and read by XGBoost with the paper's parameters, with slow trees, by its
linear booster, by trees stacked on that, and by a ridge classifier. ``--choose`` looks at training rows only: whole
groups of them are held out in turn (for data of folds: all folds but the first). Without it a row is measured on the
test split. For data of folds every fold is held out once, with whitening and dictionary learned on the other folds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.linalg import solve

import fusion

Options = dict[str, Any]
_LOG_MEL = {"transform": "log-mel", "rate": 22050.0, "seconds": 5.0}
_HAR = {"centres": 600, "dimensions": 96}
_GESTURE = {"windows": [[16]], "strides": [[1]], "cells": [[3]], "centres": 300, "dimensions": 96}
_DEPTH = {"windows": [[4, 8, 8]], "strides": [[1, 4, 4]], "cells": [[3, 2, 2]], "centres": 300, "differences": [1]}
_FLOW = {"transform": "flow"}

VARIANTS: dict[str, dict[str, Options]] = {
    "uci-har": {
        "preset": {},
        "window 8": {"windows": [[8]], "strides": [[2]]} | _HAR,
        "window 16": {"windows": [[16]], "strides": [[2]]} | _HAR,
        "window 32": {"windows": [[32]], "strides": [[2]]} | _HAR,
        "window 64": {"windows": [[64]], "strides": [[2]]} | _HAR,
        "windows 8, 32": {"windows": [[8], [32]], "strides": [[2], [2]]} | _HAR,
        "windows 8 to 64": {"windows": [[8], [16], [32], [64]], "strides": [[2]] * 4, "centres": 400, "dimensions": 96},
        "window 16, 1,200 centres": {"centres": 1200},
        "window 16, 48 dimensions": {"dimensions": 48},
        "window 16, not compressed": {"compressed": 0.0},
        "window 16, mean and max": {"pools": ["mean", "max"]},
        "windows 16, 32": {"windows": [[16], [32]], "strides": [[2], [2]], "centres": 300},
        "window 16, 2 steps": {"fit": {"steps": 2}},
        "window 16, 5 steps": {"fit": {"steps": 5}},
    },
    "cifar10": {
        "preset": {},
        "mirrored": {"mirrored": [1]},
        "mirrored, 800 centres": {"mirrored": [1], "centres": 800},
        "one scale of 6 x 6": {"windows": [[6, 6]], "strides": [[1, 1]], "centres": 1200, "cells": [[2, 2]]},
    },
    "esc10": {
        "preset": {"modality": _LOG_MEL},
        "contrast": {"modality": _LOG_MEL, "contrast": True},
    },
    "esc50": {
        "preset": {"modality": _LOG_MEL},
        "one scale of 16 x 20, a hundred frames": {
            "modality": _LOG_MEL | {"hop": 1103},
            "windows": [[16, 20]],
            "strides": [[2, 2]],
            "cells": [[1, 1]],
            "centres": 600,
            "pools": ["mean", "max"],
        },
    },
    "utd-inertial": {
        "best": _GESTURE | {"windows": [[16], [32]], "strides": [[2], [2]], "cells": [[1], [3]]},
        "window 8": _GESTURE | {"windows": [[8]]},
        "window 16": _GESTURE,
        "window 32": _GESTURE | {"windows": [[32]]},
        "window 32, differences": _GESTURE | {"windows": [[32]], "differences": [1]},
        "window 16, 5 cells": _GESTURE | {"cells": [[5]]},
        "preset": {},
    },
    "utd-skeleton": {
        "best": _GESTURE | {"windows": [[8]], "differences": [1], "compressed": 0.0},
        "window 16": _GESTURE,
        "window 16, differences": _GESTURE | {"differences": [1]},
        "window 8, compressed": _GESTURE | {"windows": [[8]]},
        "preset": {},
        "preset, not compressed": {"compressed": 0.0},
    },
    "utd-depth": {"best": _DEPTH, "preset": {}},
    "jhmdb": {
        "preset": {"modality": _FLOW},
        "mirrored": {"modality": _FLOW, "mirrored": [2]},
        "mirrored, not compressed": {"modality": _FLOW, "mirrored": [2], "compressed": 0.0},
        "before": {
            "modality": _FLOW | {"size": [48, 64]},
            "cells": [],
            "centres": 400,
            "compressed": 0.0,
            "pools": ["mean", "std"],
        },
    },
}
FUSED = {"utd-fused": ("utd-inertial", "utd-skeleton", "utd-depth"), "utd-two": ("utd-inertial", "utd-skeleton")}
LAYOUTS = {
    "uci-har": ("uci-har", "sensor"),
    "cifar10": ("cifar10", "image"),
    "esc10": ("esc10", "audio"),
    "esc50": ("esc50", "audio"),
    "utd-inertial": ("utd-mhad-inertial", "sensor"),
    "utd-skeleton": ("utd-mhad-skeleton", "sensor"),
    "utd-depth": ("utd-mhad-depth", "video"),
    "jhmdb": ("jhmdb", "video"),
}
BOOSTERS: dict[str, tuple[Options, int]] = {
    "xgboost": ({"max_depth": 6, "eta": 0.3}, 100),
    "slow trees": ({"max_depth": 4, "eta": 0.1, "colsample_bytree": 0.05, "subsample": 0.7}, 300),
}
READERS = ("ridge", *BOOSTERS, "gblinear", "stacked")


@dataclass(frozen=True)
class Rows:
    """Rows of one variant: features, and what a reader may know of them."""

    matrix: NDArray[np.float32]
    labels: NDArray[Any]
    splits: NDArray[Any]
    groups: NDArray[Any]

    def beside(self, other: Rows) -> Rows:
        """Concatenate the columns of the same samples."""
        return Rows(np.hstack([self.matrix, other.matrix]), self.labels, self.splits, self.groups)


def encoded(name: str, source: Path, options: Options, store: Path, how: fusion.encoders.EncodeOptions) -> Rows:
    """Encode a data set with one variant of the preset, and read its rows in the order of their IDs."""
    layout, modality = LAYOUTS[name]
    with fusion.open_dataset(layout, source, modality=modality) as dataset:
        config = fusion.encoders.encoder_config(dataset, options={"kind": "local", **options})
        report = fusion.encode(dataset, store, config, how)
    print(json.dumps({"rate": round(report.samples_per_second), "psnr": round(report.psnr_mean, 1)}), flush=True)
    with fusion.open_store(store) as opened:
        rows = opened.read(sorted(opened.ids))
    known = np.array([split is not None for split in rows.splits])
    return Rows(*(np.asarray(part)[known] for part in (rows.functas, rows.labels, rows.splits, rows.groups)))


def parts(rows: Rows, *, choose: bool) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Rows to learn from and rows to measure on: the test split, or training groups held out in turn."""
    test = rows.splits == "test"
    if not choose:
        return [(rows.splits == "train", test)]
    groups = _groups(rows)
    names = np.unique(groups[~test])
    np.random.default_rng(0).shuffle(names)
    held = [np.isin(groups, part) & ~test for part in np.array_split(names, 4)]
    return [(~test & ~part, part) for part in held]


def _groups(rows: Rows) -> NDArray[Any]:
    return np.array([group or f"part-{index % 4}" for index, group in enumerate(rows.groups)])


def accuracies(rows: Rows, learn: NDArray[Any], measure: NDArray[Any], readers: Sequence[str]) -> dict[str, float]:
    """Give the accuracy of each reader asked for."""
    mean, deviation = rows.matrix[learn].mean(axis=0), rows.matrix[learn].std(axis=0)
    varies = deviation > 0
    columns = (rows.matrix[:, varies] - mean[varies]) / deviation[varies]
    classes, codes = np.unique(rows.labels, return_inverse=True)
    scores: dict[str, NDArray[Any]] = {}
    for name in readers:
        if name in BOOSTERS:
            scores[name] = _boosted(columns, codes, learn, measure, *BOOSTERS[name])
        elif name == "ridge":
            scores[name] = _ridge(columns, np.eye(len(classes), dtype=np.float32)[codes], learn, measure)
        else:
            classifier = fusion.FunctaClassifier(booster=name)
            scores[name] = classifier.fit(columns[learn], codes[learn], _groups(rows)[learn]).predict_proba(
                columns[measure]
            )
    return {name: float(np.mean(score.argmax(axis=1) == codes[measure])) for name, score in scores.items()}


def _boosted(
    columns: NDArray[Any], codes: NDArray[Any], learn: NDArray[Any], measure: NDArray[Any], how: Options, rounds: int
) -> NDArray[Any]:
    fixed = {"objective": "multi:softprob", "num_class": int(codes.max()) + 1, "seed": 42}
    fixed |= {"tree_method": "hist", "max_bin": 64}
    booster = xgboost.train(fixed | how, xgboost.DMatrix(columns[learn], codes[learn]), rounds)
    return np.asarray(booster.predict(xgboost.DMatrix(columns[measure])))


def _ridge(
    columns: NDArray[Any], targets: NDArray[Any], learn: NDArray[Any], measure: NDArray[Any], part: float = 0.1
) -> NDArray[Any]:
    rows, mean = columns[learn], targets[learn].mean(axis=0)
    kernel = rows @ rows.T + np.float32(part * rows.shape[1]) * np.eye(len(rows), dtype=np.float32)
    weights = rows.T @ solve(kernel, targets[learn] - mean, assume_a="pos")
    return np.asarray(columns[measure] @ weights + mean)


def measured(name: str, variant: str, arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Encode and read one variant; means over the parts."""
    begin, results = time.perf_counter(), []
    for rows, learn, measure in _prepared(name, variant, arguments, work):
        results.append(accuracies(rows, learn, measure, arguments.readers))
    table: dict[str, Any] = {reader: round(float(np.mean([r[reader] for r in results])), 4) for reader in results[0]}
    return table | {"columns": rows.matrix.shape[1], "seconds": round(time.perf_counter() - begin)}


def _prepared(
    name: str, variant: str, arguments: argparse.Namespace, work: Path
) -> Iterator[tuple[Rows, NDArray[Any], NDArray[Any]]]:
    fitted: Options = {"workers": arguments.workers, "limit": arguments.limit}
    if name in ("esc10", "esc50"):
        folds = [f"fold-{number}" for number in range(1, 6)]
        for held in folds[1:] if arguments.choose else folds:
            used = tuple(fold for fold in folds[arguments.choose :] if fold != held)
            store = work / f"{name}-{_plain(variant)}-{'choose-' * arguments.choose}{held}.zarr"
            how = fusion.encoders.EncodeOptions(**fitted, train_splits=used)
            fold = encoded(name, arguments.source, VARIANTS[name][variant], store, how)
            yield fold, np.isin(fold.splits, used), fold.splits == held
        return
    rows: Rows | None = None
    for part in FUSED.get(name, (name,)):
        store = work / f"{part}-{_plain(variant)}.zarr"
        found = encoded(part, arguments.source, VARIANTS[part][variant], store, fusion.encoders.EncodeOptions(**fitted))
        rows = found if rows is None else rows.beside(found)
    if rows is not None:
        for learn, measure in parts(rows, choose=arguments.choose):
            yield rows, learn, measure


def _plain(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


def main() -> None:
    """Print one JSON line for each variant as it is done, and write all of them at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*LAYOUTS, *FUSED])
    parser.add_argument("source", type=Path)
    parser.add_argument("--variants", nargs="*", help="all of the data set's when not given")
    parser.add_argument(
        "--choose", action="store_true", help="measure on training groups held out, not on the test split"
    )
    parser.add_argument("--readers", nargs="*", choices=READERS, default=READERS)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--work", type=Path, help="folder to keep the stores in")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    variants = arguments.variants or list(VARIANTS.get(arguments.name, {"best": {}}))
    table = {}
    with tempfile.TemporaryDirectory() as temporary:
        for variant in variants:
            table[variant] = measured(arguments.name, variant, arguments, arguments.work or Path(temporary))
            print(json.dumps({variant: table[variant]}), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
