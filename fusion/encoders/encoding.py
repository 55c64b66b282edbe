"""From a data set to a store: survey, learn, fit in worker processes, append in order, resume by ID."""

from __future__ import annotations

import logging
import math
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.datasets.frame import samples_of
from fusion.encoders.encoder import Encoder, EncoderConfig, encoder_of
from fusion.encoders.interrupts import interrupts
from fusion.encoders.learning import chunks
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress, silent, told_of
from fusion.encoders.part_writing import PartWriter, Written, part_size, spared_by, stored_hashes, worth_keeping
from fusion.encoders.placing import SampleReader
from fusion.encoders.pool import Rescue, worker_pool
from fusion.encoders.presets import encoder_config
from fusion.encoders.pruning import gone_ids, gone_of
from fusion.encoders.reach import reach_together
from fusion.encoders.remarks import remarks_on
from fusion.encoders.renaming import Renamed, renamed, take_over_names
from fusion.encoders.rows import WORKER, Encoded, Task, fit_prepared, lost_sample, single_samples
from fusion.encoders.store_opening import created, learned, open_to_encode, taken_over
from fusion.encoders.streaming import Pace, encode_stream
from fusion.encoders.survey import Survey, survey_samples
from fusion.errors import ConfigError, DataError, FusionError, StoreError
from store import FunctaStore, Status, open_store
from store.collection.collection import exists, is_collection
from store.collection.manifest import PART_ROWS
from store.rows import USABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.pool import Mapper
    from fusion.encoders.reach import Reach

_LOG = logging.getLogger(__name__)
_TASK_FLOPS = 1e11
_TASK_BYTES = 1 << 26
_MAX_TASK = 256


def encode(
    dataset: Dataset,
    store: str | Path,
    config: EncoderConfig | None = None,
    options: EncodeOptions | None = None,
    *,
    like: str | Path | None = None,
    pool: AbstractContextManager[Mapper] | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """Fit every sample of a data set and keep the functas in a store; go on where an earlier run stopped.

    Parameters
    ----------
    dataset : Dataset
        Or what has the shape of Hugging Face's ``datasets.Dataset``, see `fusion.datasets.FrameDataset`.
    store : path
        ``.zarr``, ``.h5`` or ``.functas``, the last also a URL; created when it does not exist.
    config : EncoderConfig, optional
        Such as a `FunctaConfig`, a `ModulationConfig` or a `LocalConfig`; None takes the preset of the modality.
    options : EncodeOptions, optional
    like : path, optional
        A store whose learned state a new store takes over, so that functas of both can be compared.
    pool : context manager that gives a Mapper, optional
        Where the work is done, such as `fusion.cluster.pool.dask_pool`; None starts ``options.workers`` processes. Of
        a collection, its workers write and list parts themselves.
    progress : callable, optional
        Called after each finished task.

    Returns
    -------
    EncodeReport

    Raises
    ------
    DataError
        When the data set is empty, repeats an ID, has no training samples, or stored data have changed.
    ConfigError
        When `config` or `options` is something else, such as a dict.
    StoreMismatchError
        When the store was made with another configuration.
    """
    _require_kinds(config, options)
    dataset = samples_of(dataset)
    options, config = options or EncodeOptions(), config or encoder_config(dataset)
    started = time.perf_counter()
    _LOG.info("encoding %s into %s", dataset.name, store)
    with pool or worker_pool(options.workers) as mapper:
        report = progress or silent
        report("reading names", 0, 0)
        survey = survey_samples(dataset, options, config.seed)
        reader = None if pool is None else SampleReader.of(dataset, survey)
        source = dataset if reader is None else reader.travelling(dataset)
        learn = partial(taken_over, like, config) if like else partial(learned, source, config, options, mapper)
        if not exists(store):
            report("learning the start", 0, 0)
        in_parts = pool is not None and is_collection(store)
        part = part_size(options.part_rows or PART_ROWS, survey.wanted) if in_parts else None
        create = partial(created, dataset, store, options, learn, survey.longest_id, part)
        with open_to_encode(store, config, options, create, survey.longest_id) as opened:
            run = _Run(dataset, opened, options, survey, progress)
            run.reader = reader
            if pool is None and run.encoder.device != "cpu":
                run.pace = Pace()
            run.parts_by_workers = pool is not None and opened.written_by_many
            fitting = time.perf_counter()
            run.encode(mapper)
            fit_seconds = time.perf_counter() - fitting
            if options.prune:
                run.prune()
        found = run.report(time.perf_counter() - started, fit_seconds, run.remarks(config))
    _tell(found)
    return found


def _require_kinds(config: object, options: object) -> None:
    if config is not None and not isinstance(config, EncoderConfig):
        got = type(config).__name__
        raise ConfigError(f"config is of type {got}; expected what encoder_config(dataset, options=...) gives, or none")
    if options is not None and not isinstance(options, EncodeOptions):
        raise ConfigError(f"options are of type {type(options).__name__}; expected EncodeOptions(...), or none")


def _tell(found: EncodeReport) -> None:
    for sample_id, reason in found.failures:
        _LOG.info("%s has no functa: %s", sample_id, reason)
    _LOG.info(
        "%s: %d encoded, %d stored already, %d failed in %.1f s",
        *(found.store, found.encoded, found.skipped, found.failed, found.seconds),
    )


class _Run:
    """One pass over the data set, writing into an open store."""

    def __init__(
        self,
        dataset: Dataset,
        store: FunctaStore,
        options: EncodeOptions,
        survey: Survey,
        progress: Progress | None,
    ) -> None:
        self.dataset = dataset
        self.store = store
        self.options = options
        self.survey = survey
        self.progress = progress or silent
        self.encoder = encoder_of(store)
        self.known = store.known()
        self.encoded = self.failed = self.skipped = 0
        self.spared = 0
        self.failures: tuple[tuple[str, str], ...] = ()
        self.renamed = Renamed()
        self.pruned: tuple[str, ...] = ()
        self.deadly: set[str] = set()
        self.reach: Mapping[str, Reach] = {}
        self.pace: Pace | None = None
        self.parts_by_workers = False
        self.reader: SampleReader | None = None

    @property
    def _reencodes(self) -> bool:
        return self.options.on_change == "reencode"

    def encode(self, mapper: Mapper) -> None:
        self._compare_names()
        with interrupts() as signals:
            try:
                for found in self._written(mapper) if self.parts_by_workers else self._encoded(mapper):
                    with signals.held():
                        self._count(found if isinstance(found, Written) else self._kept(found))
                with signals.held():
                    self.store.commit(finished=True)
            except StoreError:
                raise
            except (KeyboardInterrupt, FusionError):
                with signals.last_words():
                    self.store.commit()
                raise

    def remarks(self, asked: EncoderConfig) -> tuple[str, ...]:
        """Say what is no label, and what sizes of one sample do to others; what ends a process is not read again."""
        config: EncoderConfig = self.encoder.config
        reduced = (*self.survey.notes, *config.reductions(asked))
        if asked.modality == config.modality:
            return reduced
        return (*reduced, *remarks_on(config.modality, self.dataset, passed_over=self.deadly))

    def _compare_names(self) -> None:
        """Take over names of stored samples that have changed, or leave or refuse them, as is asked for."""
        if self.options.retry_failed or not self.known:
            return
        self.renamed = renamed(self.store, self._stored())
        if self.options.on_change == "error":
            self.renamed.require_none()
        if self._reencodes and self.renamed.samples:
            take_over_names(self.store, self._stored())

    def _stored(self) -> Iterator[Sample]:
        """Give the samples that were asked for and have a functa."""
        samples = (sample for _, sample in self._asked())
        return (sample for sample in samples if self.known.get(sample.id, (None, b""))[0] in USABLE)

    def prune(self) -> None:
        """Drop the rows of samples that are gone."""
        self.pruned = tuple(gone_ids(self.dataset, self.store))
        if self.pruned:
            self.store.delete(self.pruned)
            self.store.commit(finished=True)

    def _encoded(self, mapper: Mapper) -> Iterator[Encoded]:
        reencode = self._reencodes
        tasks = ((chunk, stored_hashes(chunk, self.known)) for chunk in chunks(self._wanted(), self._task_size()))
        if self.pace is not None:
            return encode_stream(self.encoder, tasks, mapper, reencode=reencode, pace=self.pace)
        rescue = Rescue(single_samples, partial(_lost, encoder=self.encoder))
        return mapper(partial(_encode_task, encoder=self.encoder, reencode=reencode), tasks, rescue)

    def report(self, seconds: float, fit_seconds: float, remarks: tuple[str, ...]) -> EncodeReport:
        with open_store(self.store.path) as stored:
            info = stored.info()
            told = told_of(self.dataset)
            failures = tuple((sample_id, f"{stage}: {reason}") for sample_id, stage, reason in stored.failed()[:10])
            failures = (*self.failures, *failures)[:10]
        return EncodeReport(
            store=str(self.store.path),
            rows=info["rows"],
            failed=info["failed"],
            encoded=self.encoded,
            skipped=self.skipped,
            spared=self.spared,
            seconds=seconds,
            samples_per_second=self.encoded / fit_seconds if self.encoded else 0.0,
            psnr_mean=info["psnr_mean"],
            failures=failures,
            pruned=self.pruned,
            channels=self.encoder.config.modality.channel_names,
            fitted_on=self.encoder.device,
            targets=None if self.survey.numbers is None else asdict(self.survey.numbers),
            notes=(*told["notes"], *remarks, *self.encoder.reach_told(self.reach), *self._told_of_stored()),
            left_out=told["left_out"] | self.encoder.config.modality.columns_left_out,
            reading=told["reading"],
        )

    def _told_of_stored(self) -> Iterator[str]:
        """Say what became of stored samples that are not as they were."""
        yield from self.renamed.told(taken_over=self._reencodes)
        if self.spared:
            yield (
                f"{self.spared:,} stored samples failed this time, and their functas are kept; --on-change reencode "
                "gives them up"
            )
        gone = [] if self.options.prune else gone_of(self.known, self.dataset)
        if gone and len(gone) < len(self.known):
            yield f"{len(gone):,} rows of the store are of no sample here, such as {gone[0]!r}; --prune drops them"

    def _wanted(self) -> Iterator[Sample]:
        return (sample for _, sample in self._placed())

    def _placed(self) -> Iterator[tuple[int, Sample]]:
        """Give the samples to encode, each with its place in the data set."""
        for place, sample in self._asked():
            status, _ = self.known.get(sample.id, (None, b""))
            if self.options.retry_failed and status != Status.FAILED:
                continue
            if self.options.on_change == "keep" and status in USABLE:
                self.skipped += 1
                continue
            yield place, sample

    def _asked(self) -> Iterator[tuple[int, Sample]]:
        for place, sample in enumerate(self.dataset):
            if not self.options.selects(sample):
                continue
            if self.survey.chosen is None or sample.id in self.survey.chosen:
                yield place, self.survey.completed(sample)

    def _task_size(self) -> int:
        config = self.encoder.config
        size = 4 * config.modality.points * config.modality.d_out
        flops = math.inf if self.pace is not None else _TASK_FLOPS // config.sample_flops
        return int(min(_MAX_TASK, max(1, min(flops, _TASK_BYTES // size))))

    def _written(self, mapper: Mapper) -> Iterator[Written]:
        writer = PartWriter(str(self.store.path), self._task_size(), reencode=self._reencodes, reader=self.reader)
        size = part_size(getattr(self.store, "part_rows", 1), self.survey.wanted)
        rescue = Rescue(writer.smaller, partial(writer.lost, encoder=self.encoder, store=self.store))
        return mapper(writer, writer.tasks(self._placed(), size), rescue)

    def _kept(self, encoded: Encoded) -> Written:
        rows = encoded.rows
        spared = spared_by(rows, self.known, reencode=self._reencodes)
        found = Written().and_more(encoded, spared)
        if not encoded.changed and len(fresh := worth_keeping(rows, self.known, reencode=self._reencodes)):
            self.store.append(fresh)
        return replace(found, deadly=tuple(rows.ids[[text.startswith(f"{WORKER}: ") for text in rows.errors]]))

    def _count(self, found: Written) -> None:
        if found.changed:
            shown = ", ".join(repr(sample_id) for sample_id in found.changed[:5])
            raise DataError(
                f"the data of {shown} are not those that {self.store.path} was made from; "
                "use --on-change reencode to fit them again, or --on-change keep to leave them"
            )
        self.deadly.update(found.deadly)
        self.spared += len(found.spared)
        self.failures = (*self.failures, *found.spared)[:10]
        self.skipped += found.unchanged
        self.failed += found.failed
        self.reach = reach_together((self.reach, found.reach))
        self.encoded += found.encoded
        what = "encoding" if self.pace is None else f"encoding, limited by {self.pace.limit}"
        what = f"{what}, {self.failed} failed" if self.failed else what
        self.progress(what, self.encoded + self.failed + self.skipped, self.survey.wanted)


def _encode_task(task: Task, *, encoder: Encoder, reencode: bool) -> Encoded:
    samples, known = task
    return encoder.encode(samples, known=known, reencode=reencode)


def _lost(task: Task, reason: str, encoder: Encoder) -> Encoded:
    return fit_prepared(encoder, lost_sample(encoder, task[0][0], reason))
