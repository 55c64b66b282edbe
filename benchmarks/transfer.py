"""What is learned elsewhere: start, whitening and dictionary of a large set, taken over by a small one (`--like`).

    python benchmarks/transfer.py DATA --work FOLDER [--only "written digits"] [--draws 5]

DATA is a folder of public data sets, as for ``functa reproduce``. From each target 1, 3 and 10 training samples of
every class are drawn and encoded twice: with what is learned on these few, and with what a source of up to 4,096
samples has learned. Both are trained with the linear preset and read on the same test rows, at most 500. Sources are
other data sets, or other classes. Results under --work are kept, so the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

import fusion
from fusion.encoders import EncodeOptions
from fusion.reproduction.cifar10 import LEARNED as CIFAR
from fusion.reproduction.esc50 import ESC_RAW
from fusion.reproduction.multimodal import _DIGITS
from fusion.reproduction.study import Encoding, Study
from fusion.reproduction.uci_har import HAR
from fusion.reproduction.utd_mhad import UTD
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from fusion.datasets.base import Dataset, Sample

SIZES = (1, 3, 10)
KINDS = ("local", "functa")
_MOST_SOURCE, _MOST_TEST = 4096, 500
_LOG_MEL = {"transform": "log-mel"}
_ESC = replace(ESC_RAW, layout="esc50", options={"modality": _LOG_MEL | {"rate": 22050.0, "seconds": 5.0}})
_DIGIT = {"modality": _LOG_MEL | {"rate": 8000.0, "seconds": 0.5}}
_SPOKEN = replace(_DIGITS["spoken"], options=_DIGIT)


@dataclass(frozen=True)
class Transfer:
    """A small set, and the large one that its encoder may be learned on.

    Parameters
    ----------
    target, source : Encoding
        The source is read as the target's modality.
    classes : int or None
        The target has so many classes of the data set, by a seeded hash, a source of the same set all others. None for
        all classes.
    source_samples : int
        At most so many, by a seeded hash.
    test_splits : tuple of str
        Of the target; what is drawn for training is of no such split.
    unit : callable, optional
        Brings the source's raw samples to the target's channels and units.
    """

    target: Encoding
    source: Encoding
    classes: int | None = None
    source_samples: int = _MOST_SOURCE
    test_splits: tuple[str, ...] = ("test",)
    unit: Callable[[Any], Any] | None = None

    @property
    def within(self) -> bool:
        """Whether source and target are classes of one data set."""
        return self.source.layout == self.target.layout


def _as_wrist(window: Any) -> Any:
    """UCI-HAR's total acceleration in g and its angular velocity, in degrees a second as UTD-MHAD has it."""
    return np.concatenate([window[:, 6:9], np.degrees(window[:, 3:6])], axis=1)


TRANSFERS = {
    "UTD-MHAD inertial, of 17 other actions": Transfer(UTD["inertial"], UTD["inertial"], classes=10),
    "UTD-MHAD inertial, of UCI-HAR": Transfer(UTD["inertial"], HAR, unit=_as_wrist),
    "CIFAR-10, of 5 other classes": Transfer(CIFAR, CIFAR, classes=5),
    "written digits, of CIFAR-10 in grey": Transfer(_DIGITS["written"], CIFAR),
    "ESC-50, of 40 other classes": Transfer(_ESC, _ESC, classes=10, source_samples=600, test_splits=("fold-1",)),
    "spoken digits, of ESC-50": Transfer(_SPOKEN, replace(_ESC, options=_DIGIT), source_samples=600),
}


@dataclass(frozen=True)
class Part:
    """Some samples of a data set, with splits of their own."""

    dataset: Dataset
    splits: Mapping[str, str]
    unit: Callable[[Any], Any] | None = None

    @property
    def modality(self) -> str:
        """That of the data set."""
        return self.dataset.modality

    @property
    def name(self) -> str:
        """That of the data set, and that it is not all of it."""
        return f"{self.dataset.name}, a part"

    def __iter__(self) -> Iterator[Sample]:
        """Read the samples that have a split; digits are told as what they are, classes and no numbers."""
        for sample in self.dataset:
            if sample.id in self.splits:
                load = sample.load if self.unit is None else partial(_changed, self.unit, sample.load)
                yield replace(sample, label=f"class {sample.label}", split=self.splits[sample.id], load=load)


def _changed(unit: Callable[[Any], Any], load: Callable[[], Any]) -> Any:
    return unit(load())


def _first(samples: Collection[Sample], most: int, seed: int) -> list[Sample]:
    return nsmallest(most, samples, key=lambda sample: seeded_hash(sample.id, seed))


def classes_of(samples: Collection[Sample], most: int | None) -> set[str]:
    """Choose the target's classes."""
    names = sorted({str(sample.label) for sample in samples})
    return set(nsmallest(most or len(names), names, key=lambda name: seeded_hash(name, 0)))


def source_splits(transfer: Transfer, samples: Collection[Sample]) -> dict[str, str]:
    """Choose what a source learns from: of one data set with the target, training samples of other classes."""
    if transfer.within:
        held = classes_of(samples, transfer.classes)
        samples = [each for each in samples if each.label not in held and each.split not in transfer.test_splits]
    return {sample.id: "train" for sample in _first(samples, transfer.source_samples, 0)}


def target_splits(transfer: Transfer, samples: Collection[Sample], size: int, draw: int) -> dict[str, str]:
    """Draw `size` training samples of each class, beside the test samples that all draws share."""
    held = classes_of(samples, transfer.classes)
    by_class: dict[str, list[Sample]] = defaultdict(list)
    tested = []
    for sample in samples:
        if sample.label in held:
            (tested if sample.split in transfer.test_splits else by_class[str(sample.label)]).append(sample)
    drawn = [sample for found in by_class.values() for sample in _first(found, size, draw)]
    return {sample.id: "test" for sample in _first(tested, _MOST_TEST, 0)} | {sample.id: "train" for sample in drawn}


class Trial:
    """All that is measured of one transfer with one kind of encoder."""

    def __init__(self, name: str, kind: str, data: Path, work: Path) -> None:
        self.name, self.kind, self.work = name, kind, work
        self.transfer = TRANSFERS[name]
        self.study = Study(data, work / "study")

    def config(self) -> fusion.encoders.EncoderConfig:
        """Give the target's configuration, which is the source's too."""
        with self.study.dataset(self.transfer.target) as dataset:
            return self.study.config(dataset, self.transfer.target.changed(kind=self.kind))

    def source(self) -> Path:
        """Learn on the source; a store of it is kept."""
        encoding = self.transfer.source
        store = self.work / f"{self.name}, {self.kind}.zarr".replace(" ", "-").replace(",", "")
        if not store.exists():
            with self.study.dataset(encoding) as dataset:
                part = Part(dataset, source_splits(self.transfer, list(dataset)), self.transfer.unit)
                fusion.encode(part, store, self.config(), EncodeOptions())
        return store

    def drawn(self, size: int, draw: int, like: Path | None) -> float:
        """Encode one draw with what it learns itself, or with what another store has, and test."""
        with tempfile.TemporaryDirectory() as folder, self.study.dataset(self.transfer.target) as dataset:
            store = Path(folder) / "target.zarr"
            part = Part(dataset, target_splits(self.transfer, list(dataset), size, draw))
            fusion.encode(part, store, self.config(), EncodeOptions(workers=1), like=like)
            settings = fusion.estimators.training_settings("linear", n_jobs=1)
            return fusion.train(store, preset=settings, test_splits=("test",)).accuracy

    def measured(self, sizes: Collection[int], draws: int, jobs: int) -> list[dict[str, Any]]:
        """Measure each size, `draws` times each way."""
        arms = {"own": None, "taken_over": self.source()}
        asked = [(size, draw, arm) for size in sizes for draw in range(draws) for arm in arms]
        with Parallel(n_jobs=jobs) as pool:
            found = pool(delayed(self.drawn)(size, draw, arms[arm]) for size, draw, arm in asked)
        figures: dict[int, dict[str, list[float]]] = {size: {arm: [] for arm in arms} for size in sizes}
        for (size, _, arm), accuracy in zip(asked, found, strict=True):
            figures[size][arm].append(accuracy)
        about = {"transfer": self.name, "kind": self.kind}
        return [about | {"of_each_class": size} | each for size, each in figures.items()]


def markdown(results: list[dict[str, Any]]) -> str:
    """Write a table of mean accuracies and of the mean difference with its standard error."""
    lines = ["| target, and what its encoder is learned on | encoder | of each class | own | taken over | difference |"]
    lines.append("| --- " * 6 + "|")
    for found in results:
        gains = [taken - own for taken, own in zip(found["taken_over"], found["own"], strict=True)]
        error = f" ± {stdev(gains) / len(gains) ** 0.5:.3f}" if len(gains) > 1 else ""
        means = f"{mean(found['own']):.3f} | {mean(found['taken_over']):.3f}"
        told = f"{found['transfer']} | {found['kind']} | {found['of_each_class']}"
        lines.append(f"| {told} | {means} | {mean(gains):+.3f}{error} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is asked for and print the table of all that was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=list(TRANSFERS), default=list(TRANSFERS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    kept = given.work / "transfer.json"
    results: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    for name in given.only:
        for kind in given.kinds:
            done = {found["of_each_class"] for found in results if (found["transfer"], found["kind"]) == (name, kind)}
            if sizes := [size for size in given.sizes if size not in done]:
                results += Trial(name, kind, given.data, given.work).measured(sizes, given.draws, given.jobs)
                kept.write_text(json.dumps(results, indent=1))
                print(markdown(results), flush=True)
    print(markdown(results))


if __name__ == "__main__":
    main()
