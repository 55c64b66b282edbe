"""What an encode run would do, without doing it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.encoders.learning import learn_encoder, resolve_modality
from fusion.encoders.options import EncodeOptions, told_of
from fusion.encoders.pool import available_workers
from fusion.encoders.remarks import LEAST, remarks_on
from fusion.encoders.survey import Survey, survey_samples, training_samples
from fusion.errors import DataError
from fusion.inr.engine import warm_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.encoder import Encoder, EncoderConfig

_BYTES_BESIDE_FUNCTA = 128
_SAMPLES, _SECONDS = 64, 1.5
_STEPS = 3


@dataclass(frozen=True)
class Plan:
    """What would be encoded.

    Parameters
    ----------
    dataset : str
    samples : int
    grid : tuple of int
        Points along each coordinate.
    channels : tuple of str
        Names of the values at each point.
    k : int
        Length of a functa.
    bytes : int
        Size of the store, estimated.
    source_bytes : int or None
        Size of the source on disk; None where it is not known.
    seconds : float or None
        Of the whole run, estimated from a few samples that were really read and fitted, and a few steps of learning the
        start where it is learned by gradients; None where the kind of encoder has to learn before it can fit at all, or
        none of the samples can be used.
    learning_seconds : float
        The part of it that the start takes where it is learned by gradients.
    measured : int
        Samples that the estimate was made from.
    workers : int
    groups : int
    splits, classes : dict of str to int
        Samples in each.
    targets : dict of str to object or None
        Numbers to predict: how many ``rows`` have one, ``low``, ``high``, and ``told_by``: "target", or "label" where
        all labels are numbers.
    notes : tuple of str
        What the reader says of how it read the source: files left out, how it was split.
    left_out : dict of str to str
        Columns of the source that are not read, and why.
    reading : dict or None
        How a table of readings becomes windows, see `fusion.datasets.ReadingPlan`.
    """

    dataset: str
    samples: int
    grid: tuple[int, ...]
    channels: tuple[str, ...]
    k: int
    bytes: int
    source_bytes: int | None
    seconds: float | None
    learning_seconds: float
    measured: int
    workers: int
    groups: int
    splits: dict[str, int]
    classes: dict[str, int]
    targets: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        lists = {"grid": list(self.grid), "channels": list(self.channels), "notes": list(self.notes)}
        return asdict(self) | lists


def plan(
    dataset: Dataset, config: EncoderConfig, options: EncodeOptions | None = None, *, source: str | Path | None = None
) -> Plan:
    """Count samples, fit a few of them, and estimate time and size of the whole.

    Parameters
    ----------
    dataset : Dataset
    config : EncoderConfig
    options : EncodeOptions, optional
    source : path, optional
        Where the data set lies, to tell its size.

    Raises
    ------
    DataError
        When the data set is empty, repeats an ID or has no training samples.
    """
    options = options or EncodeOptions()
    begin = time.perf_counter()
    survey = survey_samples(dataset, options, config.seed)
    survey_seconds = time.perf_counter() - begin
    training = training_samples(dataset, options, config)
    resolved = config.with_modality(resolve_modality(config.modality, training)).for_training(training)
    k, workers = resolved.k, options.workers or available_workers()
    pace = _pace(resolved, training, sum(survey.splits[name] for name in options.train_splits))
    learning = 0.0 if pace is None else pace.learning
    found = (*survey.notes, *resolved.reductions(config))
    return Plan(
        dataset=dataset.name,
        samples=survey.wanted,
        grid=resolved.modality.grid,
        channels=resolved.modality.channel_names,
        k=k,
        bytes=survey.wanted * (4 * k + _BYTES_BESIDE_FUNCTA),
        source_bytes=None if source is None else _size(dataset, Path(source)),
        seconds=None if pace is None else survey_seconds + learning + pace.seconds(survey, options, resolved, workers),
        learning_seconds=learning,
        measured=0 if pace is None else pace.samples,
        workers=workers,
        groups=survey.groups,
        splits=dict(survey.splits),
        classes=dict(survey.classes),
        targets=None if survey.numbers is None else asdict(survey.numbers),
        **_told(dataset, resolved, found, () if pace is None else pace.failures),
    )


def _told(dataset: Dataset, config: EncoderConfig, found: Sequence[str], failures: Sequence[str]) -> dict[str, Any]:
    told, modality = told_of(dataset), config.modality
    failing = (f"{failures[0]}; it will be a failed sample",) if failures else ()
    left_out = told["left_out"] | modality.columns_left_out
    return told | {
        "notes": (*told["notes"], *found, *remarks_on(modality, dataset), *failing),
        "left_out": left_out,
    }


@dataclass(frozen=True)
class _Pace:
    """Seconds that one process takes for a sample: to read and prepare it, and to do that and fit it.

    And those that the start takes, and why samples cannot be used.
    """

    reading: float
    whole: float
    samples: int
    learning: float = 0.0
    failures: tuple[str, ...] = ()
    on_device: bool = False

    def seconds(self, survey: Survey, options: EncodeOptions, config: EncoderConfig, workers: int) -> float:
        each = self.whole / workers
        if self.on_device:  # which fits while the workers read
            each = max(self.reading / workers, self.whole - self.reading)
        total = survey.wanted * each
        if config.modality.fixed_scaling() is None:
            total += sum(survey.splits[name] for name in options.train_splits) * self.reading / workers
        return total + config.fits_to_learn(len(survey.classes)) * self.whole / workers


def _pace(config: EncoderConfig, training: Iterable[Sample], count: int) -> _Pace | None:
    """Read and fit a few of so many training samples, from a start that takes as long as the learned one."""
    trial = config.without_learning() or config.in_learning_steps(1)
    if trial is None:
        return None
    samples, failures, reading = _usable(training, config)
    if not samples:
        return None
    try:
        encoder = learn_encoder(trial, samples)
        learning = _learning(config, samples, count, reading)
    except DataError:
        return None  # these few samples are not enough to learn from, all of them may be
    warm_up()
    if encoder.device != "cpu" or config.learning_steps():
        encoder.encode(samples[:1])  # compiles
    fitted, seconds = 1, _seconds(samples[:1], encoder)
    while fitted < len(samples) and 4 * seconds < _SECONDS:
        fitted = min(4 * fitted, len(samples))
        seconds = _seconds(samples[:fitted], encoder)
    return _Pace(reading, seconds / fitted, fitted, learning, failures, encoder.device != "cpu")


def _learning(config: EncoderConfig, samples: Sequence[Sample], count: int, reading: float) -> float:
    """Estimate what learning takes with so many samples, from one step of it and from a few more; more of fast ones."""

    def taken(steps: int) -> float:
        trial = config.in_learning_steps(steps)
        begin = time.perf_counter()
        if trial is not None:
            learn_encoder(trial, samples)
        return time.perf_counter() - begin

    steps = config.learning_steps()
    if not steps:
        return 0.0
    warm_up()
    taken(1)  # compiles
    first, more = taken(1), _STEPS
    while (each := max(0.0, taken(1 + more) - first) / more) * more < _SECONDS / 4 and more < steps:
        more *= 4
    wanted = max(len(samples), min(count, config.learning_samples))
    share = config.learning_share(len(samples), wanted)
    return (first + each * (steps - 1)) / share + reading * (wanted - len(samples))


def _usable(training: Iterable[Sample], config: EncoderConfig) -> tuple[list[Sample], tuple[str, ...], float]:
    """Read and prepare the first training samples; give those that can be used, what is wrong with others, and seconds.

    The seconds are those of one sample, without the first, which loads what reads them.
    """
    begin, found, failures, seen = time.perf_counter(), [], [], 0
    loaded = begin
    for seen, sample in enumerate(islice(training, _SAMPLES), start=1):
        try:
            config.modality.prepare(sample.raw)
            found.append(sample)
        except Exception as error:  # noqa: BLE001 - encoding reports it in full
            failures.append(f"{sample.id}: {error}")
        loaded = time.perf_counter() if seen == 1 else loaded
        if seen >= LEAST and time.perf_counter() - loaded > _SECONDS:
            break
    taken = time.perf_counter() - (loaded if seen > 1 else begin)
    return found, tuple(failures), taken / max(1, len(found) - (seen > 1))


def _seconds(samples: Sequence[Sample], encoder: Encoder) -> float:
    begin = time.perf_counter()
    encoder.encode(samples)
    return time.perf_counter() - begin


def _size(dataset: Dataset, source: Path) -> int | None:
    listed = getattr(dataset, "source_bytes", None)
    if listed is not None:
        return int(listed)
    if source.is_dir():
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    return source.stat().st_size if source.is_file() else None
