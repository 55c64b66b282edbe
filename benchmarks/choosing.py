"""Every training preset, and `auto`, on sets of every modality: how accurate, and how long.

    python benchmarks/choosing.py DATA --work FOLDER --out results.json

DATA is a folder of public data sets, as for ``functa reproduce``. Sets are cut to what one core trains in minutes: at
most so many samples as stand beside each, chosen by a seeded hash of their IDs, and a share of their training groups,
unless --whole is given; test rows are the same either way. Of ESC-10's five published folds the mean is shown, with an
encoder that learned from each one's training rows alone; of JHMDB's three splits the first. Stores and results under
--work are kept, so the same command goes on; --again auto measures one preset anew. --turns 3 trains ``fast`` and
``auto`` so often in turn: the table's times are the medians of that.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import fusion
from fusion.encoders import EncodeOptions
from fusion.estimators import training_settings
from fusion.reproduction.cifar10 import LEARNED
from fusion.reproduction.esc50 import ESC_MFCC, ESC_RAW
from fusion.reproduction.hmdb51 import _LOCAL as _FLOW
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.multimodal import _DIGITS
from fusion.reproduction.study import Encoding, Study
from fusion.reproduction.uci_har import HAR
from fusion.reproduction.utd_mhad import UTD

PRESETS = ("paper", "fast", "slow", "linear", "stacked", "auto")
_LOG_MEL = {"transform": "log-mel", "rate": 22050.0, "seconds": 5.0}
_FOLDS = tuple(f"fold-{number}" for number in range(1, 6))

Row = dict[str, list[dict[str, Any]]]
"""What each preset reached, in each part of a set."""


@dataclass(frozen=True)
class Part:
    """How a set is encoded, and what is tested on; what learns of it is what the encoding learns from."""

    encoding: Encoding
    test_splits: tuple[str, ...] = ("test",)


@dataclass(frozen=True)
class Set:
    """How many samples of a set at most, its published splits, of which the accuracies are averaged, and what share."""

    limit: int
    parts: tuple[Part, ...]
    share: float | None = None


def _one(encoding: Encoding, limit: int, share: float | None = None) -> Set:
    return Set(limit, (Part(encoding),), share)


def _folds(encoding: Encoding) -> Set:
    others = {held: tuple(fold for fold in _FOLDS if fold != held) for held in _FOLDS}
    return Set(400, tuple(Part(replace(encoding, train_splits=used), (held,)) for held, used in others.items()))


_DATA = {
    "UCI-HAR": lambda **options: _one(HAR.changed(**options), 3000, 0.25),
    "UTD inertial": lambda **options: _one(UTD["inertial"].changed(**options), 1000),
    "UTD skeleton": lambda **options: _one(UTD["skeleton"].changed(**options), 1000),
    "UTD depth": lambda **options: _one(UTD["depth"].changed(**options), 1000),
    "spoken digits": lambda **options: _one(_DIGITS["spoken"].changed(**options), 2000, 0.25),
    "written digits": lambda **options: _one(_DIGITS["written"].changed(**options), 2000, 0.25),
    "ESC-10": lambda **options: _folds(ESC_RAW.changed(**options, modality=_LOG_MEL) if options else ESC_MFCC),
    "CIFAR-10": lambda **options: _one(LEARNED.changed(**options), 3000, 0.25),
    "JHMDB": lambda **options: _one(replace(JHMDB, reader={"split": 1}).changed(**(_FLOW if options else {})), 1000),
}
SETS = {
    f"{name}, {kind}": made(**({} if kind == "functa" else {"kind": kind}))
    for name, made in _DATA.items()
    for kind in ("functa", "local")
}


def encoded(name: str, number: int, data: Path, work: Path) -> Path:
    """Fill the store of a part of a set, or go on filling it."""
    limit, part = SETS[name].limit, SETS[name].parts[number]
    plain = name.replace(", ", "-").replace(" ", "-").lower()
    store = work / f"{plain}-{number + 1}.zarr"
    study = Study(data, work / "study")
    with study.dataset(part.encoding) as dataset:
        options = EncodeOptions(limit=limit, train_splits=part.encoding.train_splits)
        fusion.encode(dataset, store, study.config(dataset, part.encoding), options)
    return store


def trained(store: Path, preset: str, part: Part, share: float | None) -> dict[str, Any]:
    """Train with one preset, in one thread, on a share of the training groups, and test."""
    settings = training_settings(preset, n_jobs=1)
    begin, worked = time.perf_counter(), time.process_time()
    splits = {"train_splits": part.encoding.train_splits, "test_splits": part.test_splits}
    result = fusion.train(store, preset=settings, sample=share, **splits)
    seconds, worked = time.perf_counter() - begin, time.process_time() - worked
    tried = {} if result.tuning is None else {"tuning": result.tuning.to_dict()}
    counts = {"rows_train": result.rows_train, "rows_test": result.rows_test, "columns": result.columns}
    took = {"seconds": round(seconds, 2), "cpu_seconds": round(worked, 2)}
    return {"accuracy": result.accuracy, **took, **counts, **tried}


def turned(stores: list[Path], parts: tuple[Part, ...], share: float | None) -> dict[str, float]:
    """Train on all parts with `fast`, then with `auto`; give the processor seconds of each."""
    pairs = list(zip(stores, parts, strict=True))
    return {
        preset: round(sum(trained(store, preset, part, share)["cpu_seconds"] for store, part in pairs), 2)
        for preset in ("fast", "auto")
    }


def markdown(table: dict[str, Row], times: dict[str, list[dict[str, float]]]) -> str:
    """Write accuracies as the table of docs/choosing.md: `auto` beside the best fixed preset, and its time."""
    lines = [f"| set | rows | {' | '.join(PRESETS)} | chosen | auto less best | CPU seconds, fast / auto | ratio |"]
    lines.append("| --- " * (len(PRESETS) + 6) + "|")
    for name, row in table.items():
        whole = {preset: found for preset, found in row.items() if len(found) == len(SETS[name].parts)}
        if not {"auto", "fast"} <= whole.keys():
            continue
        means = {preset: _mean(found, "accuracy") for preset, found in whole.items()}
        best = max(mean for preset, mean in means.items() if preset != "auto")
        figures = [f"{means[preset]:.3f}" if preset in means else "" for preset in PRESETS]
        auto = whole["auto"]
        rows = f"{auto[0]['rows_train']:,} / {auto[0]['rows_test']:,}" + f" x {len(auto)}" * (len(auto) > 1)
        chosen = Counter(found["tuning"]["chosen"] for found in auto)
        told = ", ".join(preset + f" {count}" * (len(chosen) > 1) for preset, count in chosen.most_common())
        clock = _clock(times.get(name, []))
        lines.append(f"| {name} | {rows} | {' | '.join(figures)} | {told} | {means['auto'] - best:+.3f} | {clock} |")
    return "\n".join(lines)


def _clock(turns: list[dict[str, float]]) -> str:
    if not turns:
        return " | "
    fast, auto = (median(turn[preset] for turn in turns) for preset in ("fast", "auto"))
    return f"{fast:.1f} / {auto:.1f} | {median(turn['auto'] / turn['fast'] for turn in turns):.1f}"


def _mean(found: list[dict[str, Any]], figure: str) -> float:
    return sum(one[figure] for one in found) / len(found)


def main() -> None:
    """Print one JSON line for each measurement as it is done, and all of them as a table at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--again", nargs="*", default=[])
    parser.add_argument("--turns", type=int, default=0)
    parser.add_argument("--whole", action="store_true")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept = arguments.work / ("results-whole.json" if arguments.whole else "results.json")
    found = json.loads(kept.read_text()) if kept.exists() else {"figures": {}, "times": {}}
    table: dict[str, Row] = found["figures"]
    times: dict[str, list[dict[str, float]]] = found["times"]
    for name in arguments.sets:
        row, parts = table.setdefault(name, {}), SETS[name].parts
        share = None if arguments.whole else SETS[name].share
        for preset in arguments.again:
            row.pop(preset, None)
        stores = [encoded(name, number, arguments.data, arguments.work) for number in range(len(parts))]
        for (number, part), preset in product(enumerate(parts), arguments.presets):
            if len(row.setdefault(preset, [])) == number:
                row[preset].append(trained(stores[number], preset, part, share))
                print(json.dumps({"set": name, "part": number + 1, "preset": preset, **row[preset][-1]}), flush=True)
                kept.write_text(json.dumps(found, indent=1))
        for _ in range(arguments.turns):
            times.setdefault(name, []).append(turned(stores, parts, share))
            kept.write_text(json.dumps(found, indent=1))
    print(markdown(table, times))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
