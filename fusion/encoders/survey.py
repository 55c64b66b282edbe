"""What a data set holds, told by its samples' names before any of their data are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fusion.datasets.base import samples_in
from fusion.datasets.targets import mostly_numbers, number_of
from fusion.encoders.learning import resolve_modality
from fusion.errors import DataError
from fusion.modalities.dialect import MISSING_NUMBERS
from fusion.names import first_names
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.encoder import EncoderConfig
    from fusion.encoders.options import EncodeOptions


_MAX_SPLITS = 255
_MANY_NUMBERS = 10
_LEARNED = (
    "The start is learned from training samples only: name their splits with --train-split, or learn nothing with "
    "--initialisation random."
)
_ADVICE = {"columns": "Categories and means are learned from training rows only: name their splits with --train-split."}


@dataclass(frozen=True)
class Numbers:
    """Numbers to predict.

    Parameters
    ----------
    rows : int
        Samples that have one.
    low, high : float
        The least and the greatest.
    told_by : {"target", "label"}
        Where they come from: targets of their own, or labels that are all numbers.
    """

    rows: int
    low: float
    high: float
    told_by: str


@dataclass(frozen=True)
class Survey:
    """What a data set holds, from its samples' names alone.

    Parameters
    ----------
    wanted : int
        Samples to encode.
    chosen : frozenset of str, optional
        Their IDs, where only some were asked for.
    splits, classes : Counter
    groups : int
    longest_id : int
        Bytes of UTF-8 of the longest ID.
    numbers : Numbers or None
        To predict, where there are any.
    no_labels : frozenset of str
        Words such as NA that stand among labels that are numbers.
    notes : tuple of str
        What a user should know of the labels.
    """

    wanted: int
    chosen: frozenset[str] | None
    splits: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    groups: int = 0
    longest_id: int = 0
    numbers: Numbers | None = None
    no_labels: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def without_names(self) -> Survey:
        """Leave out whatever grows with the data set."""
        return replace(self, chosen=None, splits=Counter(), classes=Counter())

    def completed(self, sample: Sample) -> Sample:
        """Give a sample its label as its target, where all labels are numbers and no sample has another target.

        A label such as NA among numbers is none.
        """
        if sample.label in self.no_labels:
            sample = replace(sample, label=None)
        if self.numbers is None or self.numbers.told_by != "label":
            return sample
        return replace(sample, target=number_of(sample.label))


def survey_samples(dataset: Dataset, options: EncodeOptions, seed: int) -> Survey:
    """Count what is there without reading any data.

    Raises
    ------
    DataError
        When it is empty, repeats an ID, yields what is no sample, or can be iterated only once.
    """
    seen: set[str] = set()
    candidates: list[str] = []
    groups: set[str] = set()
    splits: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    targets: Counter[float] = Counter()
    for sample in samples_in(dataset):
        if sample.id in seen:
            raise DataError(
                f"{dataset.name}: the ID {sample.id!r} occurs more than once; every sample needs its own. "
                "Nothing was encoded."
            )
        seen.add(sample.id)
        splits[sample.split or "none"] += 1
        classes[sample.label or "none"] += 1
        if sample.target is not None:
            targets[sample.target] += 1
        groups.add(sample.group or "")
        if options.selects(sample):
            candidates.append(sample.id)
    if not seen:
        raise DataError(f"{dataset.name}: no samples found; expected at least one")
    if next(iter(dataset), None) is None:
        raise DataError(
            f"{dataset.name}: it can be iterated only once, and encoding goes through it several times; expected a "
            "list of samples behind it, or an __iter__ that starts again."
        )
    missing = sorted(set(options.splits) - set(splits))
    if missing:
        raise DataError(f"{dataset.name}: no split {', '.join(missing)}; got {', '.join(sorted(splits))}")
    chosen = None
    if options.limit is not None and options.limit < len(candidates):
        candidates = sorted(candidates, key=lambda sample_id: seeded_hash(sample_id, seed))[: options.limit]
        chosen = frozenset(candidates)
    if len(set(splits) - {"none"}) > _MAX_SPLITS:
        raise DataError(f"{dataset.name}: {len(splits)} splits; a store keeps at most {_MAX_SPLITS}")
    longest = max(len(sample_id.encode()) for sample_id in seen)
    read = _read_labels(classes)
    numbers = _numbers("target", targets) or _numbers("label", read.numbers)
    empty = Counter({"none": sum(classes.pop(name) for name in read.missing)})
    return Survey(
        len(candidates), chosen, splits, classes + empty, len(groups - {""}), longest, numbers, read.missing, read.notes
    )


@dataclass(frozen=True)
class _Labels:
    """Labels as numbers: of each how many, none where one is no number; words for no label; what should be known."""

    numbers: Counter[float] = field(default_factory=Counter)
    missing: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def _read_labels(classes: Counter[str]) -> _Labels:
    words = {name: rows for name, rows in classes.items() if name != "none"}
    found: Counter[float] = Counter()
    for name, rows in words.items():
        if (number := number_of(name)) is not None:
            found[number] += rows
    missing = {name: rows for name, rows in words.items() if name in MISSING_NUMBERS}
    odd = {name: rows for name, rows in words.items() if number_of(name) is None and name not in missing}
    if not mostly_numbers(found.total(), sum(odd.values())):
        return _Labels()
    notes = []
    if missing:
        shown, count = first_names(sorted(missing)), sum(missing.values())
        notes.append(f"labels {shown} among numbers are taken as none: {count:,} rows")
    if odd and len(found) >= _MANY_NUMBERS:
        shown, count = first_names(sorted(odd)), sum(odd.values())
        notes.append(
            f"labels are numbers in {found.total():,} rows, and no numbers in {count:,} ({shown}): "
            "none is taken as a number to predict; correct these, or leave them empty"
        )
    return _Labels(Counter() if odd else found, frozenset(missing), tuple(notes))


def _numbers(told_by: str, counts: Counter[float]) -> Numbers | None:
    return Numbers(counts.total(), min(counts), max(counts), told_by) if counts else None


def training_samples(dataset: Dataset, options: EncodeOptions, config: EncoderConfig) -> Iterable[Sample]:
    """Give the samples that sizes, scaling and start are taken from.

    They are those of the training splits; where there are none, and nothing but sizes is taken, all samples: a data set
    of folds, with a scaling that is fixed and a random start, needs no training split, and no fold leaks into another.

    Raises
    ------
    DataError
        When there are no training samples and something is learned from them.
    """
    training = TrainingSamples(dataset, options.train_splits, _ADVICE.get(config.kind, _LEARNED))
    if not training.any() and not config.learns_start:
        # Whether the scaling is fixed may depend on sizes that are still open.
        resolved = config.with_modality(resolve_modality(config.modality, dataset))
        if not resolved.learns:
            return dataset
    training.require_some()
    return training


@dataclass(frozen=True)
class TrainingSamples:
    """The samples of a data set that the encoder may learn from, iterated as often as asked."""

    dataset: Dataset
    splits: tuple[str, ...]
    advice: str

    def __iter__(self) -> Iterator[Sample]:
        return (sample for sample in self.dataset if sample.split in self.splits)

    def any(self) -> bool:
        """Tell whether there are any."""
        return next(iter(self), None) is not None

    def require_some(self) -> None:
        """Raise DataError when there are none."""
        if not self.any():
            found = sorted({sample.split or "none" for sample in self.dataset})
            raise DataError(
                f"{self.dataset.name}: no samples in split {', '.join(self.splits)}; got {', '.join(found)}. "
                f"{self.advice}"
            )
