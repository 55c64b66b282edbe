"""Every training preset, and `auto`, on sets of every modality: how accurate, and how long.

    python benchmarks/choosing.py DATA --work FOLDER --out results.json

DATA is a folder of public data sets, as for ``functa reproduce``. Sets are cut to what two cores train in minutes: at
most so many samples as stand beside each, chosen by a seeded hash of their IDs. Stores and results under --work are
kept, so the same command goes on; --again auto measures one preset anew.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fusion
from fusion.encoders import EncodeOptions
from fusion.reproduction.cifar10 import LEARNED, LOCAL
from fusion.reproduction.esc50 import ESC_LOCAL, ESC_MFCC
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.multimodal import _DIGITS
from fusion.reproduction.study import Encoding, Study
from fusion.reproduction.uci_har import HAR
from fusion.reproduction.utd_mhad import _LOCAL, UTD

PRESETS = ("paper", "fast", "slow", "linear", "stacked", "auto")
FOLDS = {"train_splits": ("fold-1", "fold-2", "fold-3", "fold-4"), "test_splits": ("fold-5",)}


@dataclass(frozen=True)
class Set:
    """One set: how it is encoded, how many samples at most, and what is trained and tested on."""

    encoding: Encoding
    limit: int
    splits: dict[str, tuple[str, ...]] | None = None


SETS = {
    "UCI-HAR, functa": Set(HAR, 3000),
    "UCI-HAR, local": Set(HAR.changed(kind="local"), 3000),
    "UTD inertial, functa": Set(UTD["inertial"], 1000),
    "UTD inertial, local": Set(UTD["inertial"].changed(kind="local", **_LOCAL["inertial"]), 1000),
    "UTD skeleton, functa": Set(UTD["skeleton"], 1000),
    "UTD skeleton, local": Set(UTD["skeleton"].changed(kind="local", **_LOCAL["skeleton"]), 1000),
    "UTD depth, functa": Set(UTD["depth"], 1000),
    "spoken digits, functa": Set(_DIGITS["spoken"], 2000),
    "written digits, functa": Set(_DIGITS["written"], 2000),
    "ESC-10, functa": Set(ESC_MFCC, 400, FOLDS),
    "ESC-10, local": Set(ESC_LOCAL, 400, FOLDS),
    "CIFAR-10, functa": Set(LEARNED, 3000),
    "CIFAR-10, local": Set(LOCAL, 3000),
    "JHMDB, functa": Set(JHMDB, 500),
}


def encoded(name: str, data: Path, work: Path) -> Path:
    """Fill the store of a set, or go on filling it."""
    made, store = SETS[name], work / f"{name.replace(', ', '-').replace(' ', '-').lower()}.zarr"
    study = Study(data, work / "study")
    with study.dataset(made.encoding) as dataset:
        options = EncodeOptions(limit=made.limit, train_splits=(made.splits or {}).get("train_splits", ("train",)))
        fusion.encode(dataset, store, study.config(dataset, made.encoding), options)
    return store


def trained(store: Path, preset: str, splits: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Train with one preset and test."""
    begin, worked = time.perf_counter(), time.process_time()
    result = fusion.train(store, preset=preset, **splits)
    seconds, worked = time.perf_counter() - begin, time.process_time() - worked
    tried = {} if result.tuning is None else {"tuning": result.tuning.to_dict()}
    counts = {"rows_train": result.rows_train, "rows_test": result.rows_test, "columns": result.columns}
    took = {"seconds": round(seconds, 2), "cpu_seconds": round(worked, 2)}
    return {"accuracy": result.accuracy, **took, **counts, **tried}


def markdown(table: dict[str, dict[str, Any]]) -> str:
    """Write accuracies as the table of docs/choosing.md: `auto` beside the best fixed preset, and its time."""
    lines = [f"| set | rows | {' | '.join(PRESETS)} | chosen | auto less best | CPU time / fast |"]
    lines.append("| --- " * (len(PRESETS) + 5) + "|")
    for name, row in table.items():
        if not {"auto", "fast"} <= row.keys():
            continue
        figures = [f"{row[preset]['accuracy']:.3f}" if preset in row else "" for preset in PRESETS]
        best = max(found["accuracy"] for preset, found in row.items() if preset != "auto")
        auto = row["auto"]
        rows = f"{auto['rows_train']:,} / {auto['rows_test']:,}"
        ratio = auto["cpu_seconds"] / row["fast"]["cpu_seconds"]
        told = f"{auto['tuning']['chosen']} | {auto['accuracy'] - best:+.3f} | {ratio:.1f}"
        lines.append(f"| {name} | {rows} | {' | '.join(figures)} | {told} |")
    return "\n".join(lines)


def main() -> None:
    """Print one JSON line for each measurement as it is done, and all of them as a table at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--again", nargs="*", default=[])
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept = arguments.work / "results.json"
    table: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in arguments.sets:
        store = encoded(name, arguments.data, arguments.work)
        row = table.setdefault(name, {})
        for preset in arguments.presets:
            if preset not in row or preset in arguments.again:
                row[preset] = trained(store, preset, SETS[name].splits or {})
                print(json.dumps({"set": name, "preset": preset, **row[preset]}), flush=True)
                kept.write_text(json.dumps(table, indent=1))
    print(markdown(table))
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
