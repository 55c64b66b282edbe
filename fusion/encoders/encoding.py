"""From a data set to a store: survey, learn, fit in worker processes, append in order, resume by ID."""

from __future__ import annotations

import logging
import math
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.datasets.frame import samples_of
from fusion.encoders.encoder import Encoder, EncoderConfig, encoder_of
from fusion.encoders.interrupts import interrupts
from fusion.encoders.learning import chunks, learn_encoder
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress, silent, told_of
from fusion.encoders.part_writing import PartWriter, Written, not_again, part_size, smaller, stored_hashes
from fusion.encoders.pool import Rescue, worker_pool
from fusion.encoders.presets import encoder_config
from fusion.encoders.remarks import remarks_on
from fusion.encoders.rows import WORKER, Encoded, Task, fit_prepared, lost_sample, single_samples
from fusion.encoders.streaming import Pace, encode_stream
from fusion.encoders.survey import Survey, survey_samples, training_samples
from fusion.errors import DataError, FusionError, StoreError
from store import FunctaStore, Status, create_store, open_store
from store.collection.collection import exists
from store.errors import StoreExistsError
from store.opening import reserved
from store.rows import USABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.pool import Mapper

_LOG = logging.getLogger(__name__)
_TASK_FLOPS = 1e11
_TASK_BYTES = 1 << 26
_MAX_TASK = 256
_ID_WIDTH = 128


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
    StoreMismatchError
        When the store was made with another configuration.
    """
    dataset = samples_of(dataset)
    options, config = options or EncodeOptions(), config or encoder_config(dataset)
    started = time.perf_counter()
    _LOG.info("encoding %s into %s", dataset.name, store)
    with pool or worker_pool(options.workers) as mapper:
        report = progress or silent
        report("reading names", 0, 0)
        survey = survey_samples(dataset, options, config.seed)
        learn = partial(_taken_over, like, config) if like else partial(_learned, dataset, config, options, mapper)
        if not exists(store):
            report("learning the start", 0, 0)
        with _open_store(dataset, store, config, options, learn, survey.longest_id) as opened:
            run = _Run(dataset, opened, options, survey, progress)
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


def _tell(found: EncodeReport) -> None:
    for sample_id, reason in found.failures:
        _LOG.info("%s has no functa: %s", sample_id, reason)
    _LOG.info(
        "%s: %d encoded, %d stored already, %d failed in %.1f s",
        *(found.store, found.encoded, found.skipped, found.failed, found.seconds),
    )


def gone_ids(dataset: Dataset, store: FunctaStore) -> list[str]:
    """List the IDs of rows, failed ones too, that a data set has no samples of any more.

    Raises
    ------
    DataError
        The data set and the store have no ID in common, so that one of them is the wrong one.
    """
    known, there = store.known(), {sample.id for sample in dataset}
    gone = sorted(name for name in known if name not in there)
    if gone and len(gone) == len(known):
        raise DataError(
            f"{dataset.name} has none of the {len(known)} samples of {store.path}: pruning would leave nothing. "
            "Name the source that the store was made from"
        )
    return gone


def _learned(dataset: Dataset, config: EncoderConfig, options: EncodeOptions, mapper: Mapper) -> Encoder:
    return learn_encoder(config, training_samples(dataset, options, config), mapper)


def _taken_over(like: str | Path, config: EncoderConfig) -> Encoder:
    with open_store(like) as other:
        other.require_same(encoder=_with_sizes_of(config, other).to_dict())
        return encoder_of(other)


def _open_store(
    dataset: Dataset,
    path: str | Path,
    config: EncoderConfig,
    options: EncodeOptions,
    learn: Callable[[], Encoder],
    longest_id: int,
) -> FunctaStore:
    if not exists(path):
        with reserved(path) as free, suppress(StoreExistsError):
            if free:
                return _created(dataset, path, options, learn(), longest_id)
    return _opened(path, config, options, longest_id)


def _opened(path: str | Path, config: EncoderConfig, options: EncodeOptions, longest_id: int) -> FunctaStore:
    opened = open_store(path, "a")
    try:
        opened.require_same(encoder=_with_sizes_of(config, opened).to_dict())
        _require_room(opened, longest_id)
        _require_part_rows(opened, options.part_rows)
    except BaseException:
        opened.close()
        raise
    return opened


def _created(
    dataset: Dataset, path: str | Path, options: EncodeOptions, encoder: Encoder, longest_id: int
) -> FunctaStore:
    config = encoder.config
    told = told_of(dataset)
    return create_store(
        path,
        modality=config.modality.name,
        layout=config.layout,
        encoder=config.to_dict(),
        state=encoder.arrays(),
        conventions={
            "coordinates": "regular grid in [-1, 1], first axis slowest, both ends included",
            "values": "(raw - state/low) / (state/high - state/low), clipped to [0, 1]",
            **config.conventions(),
            **getattr(dataset, "provenance", {}),
            "train_splits": list(options.train_splits) if config.learns else [],
            "reader": dict(getattr(dataset, "options", {})),
            **({} if told["reading"] is None else {"reading": told["reading"]}),
        },
        dataset=dataset.name,
        seed=config.seed,
        block_rows=options.block_rows,
        id_width=max(_ID_WIDTH, longest_id),
        missing_values=config.missing_values,
        part_rows=options.part_rows,
    )


def _require_room(opened: FunctaStore, longest_id: int) -> None:
    if longest_id > opened.longest_id:
        raise DataError(
            f"an ID has {longest_id} bytes of UTF-8, but {opened.path} keeps IDs of at most {opened.longest_id}. "
            "Nothing was encoded. Go on with a copy of it as .zarr, which keeps IDs of any length: functa store convert"
        )


def _require_part_rows(opened: FunctaStore, asked: int | None) -> None:
    there = getattr(opened, "part_rows", None)
    if asked not in (None, there):
        how = "is not written in parts" if there is None else f"is written in parts of {there} rows"
        raise DataError(
            f"{opened.path} {how}, so part-rows {asked} does not fit. Leave it out, or use a new store path"
        )


def _with_sizes_of(config: EncoderConfig, opened: FunctaStore) -> EncoderConfig:
    """Take sizes that the configuration leaves open from the store, where the first run filled them in."""
    config = config.with_sizes_of(opened.header.encoder)
    stored = opened.header.encoder.get("modality", {})
    if stored.get("name") != config.modality.name:
        return config
    blank = {
        item.name: stored[item.name]
        for item in fields(config.modality)  # type: ignore[arg-type]
        if getattr(config.modality, item.name) in (None, ()) and item.name in stored
    }
    return config.with_modality(replace(config.modality, **blank))  # type: ignore[type-var]


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
        self.pruned: tuple[str, ...] = ()
        self.deadly: set[str] = set()
        self.pace: Pace | None = None
        self.parts_by_workers = False

    def encode(self, mapper: Mapper) -> None:
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
        """Say what sizes that were taken from one sample do to the others; what ends a process is not read again."""
        config: EncoderConfig = self.encoder.config
        reduced = config.reductions(asked)
        if asked.modality == config.modality:
            return reduced
        samples = (sample for sample in self.dataset if sample.id not in self.deadly)
        return (*reduced, *remarks_on(config.modality, samples))

    def prune(self) -> None:
        """Drop the rows of samples that are gone."""
        self.pruned = tuple(gone_ids(self.dataset, self.store))
        if self.pruned:
            self.store.delete(self.pruned)
            self.store.commit(finished=True)

    def _encoded(self, mapper: Mapper) -> Iterator[Encoded]:
        reencode = self.options.on_change == "reencode"
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
        return EncodeReport(
            store=str(self.store.path),
            rows=info["rows"],
            failed=info["failed"],
            encoded=self.encoded,
            skipped=self.skipped,
            seconds=seconds,
            samples_per_second=self.encoded / fit_seconds if self.encoded else 0.0,
            psnr_mean=info["psnr_mean"],
            failures=failures,
            pruned=self.pruned,
            channels=self.encoder.config.modality.channel_names,
            fitted_on=self.encoder.device,
            targets=None if self.survey.numbers is None else asdict(self.survey.numbers),
            **(told | {"notes": (*told["notes"], *remarks), "left_out": told["left_out"] | self._left_out()}),
        )

    def _left_out(self) -> dict[str, str]:
        left_out: dict[str, str] = self.encoder.config.modality.columns_left_out
        return left_out

    def _wanted(self) -> Iterator[Sample]:
        for sample in self.dataset:
            if not self.options.selects(sample):
                continue
            if self.survey.chosen is not None and sample.id not in self.survey.chosen:
                continue
            status, _ = self.known.get(sample.id, (None, b""))
            if self.options.retry_failed and status != Status.FAILED:
                continue
            if self.options.on_change == "keep" and status in USABLE:
                self.skipped += 1
                continue
            yield self.survey.completed(sample)

    def _task_size(self) -> int:
        config = self.encoder.config
        size = 4 * config.modality.points * config.modality.d_out
        flops = math.inf if self.pace is not None else _TASK_FLOPS // config.sample_flops
        return int(min(_MAX_TASK, max(1, min(flops, _TASK_BYTES // size))))

    def _written(self, mapper: Mapper) -> Iterator[Written]:
        writer = PartWriter(str(self.store.path), self._task_size(), reencode=self.options.on_change == "reencode")
        size = part_size(getattr(self.store, "part_rows", 1), self.survey.wanted)
        rescue = Rescue(smaller, partial(writer.lost, encoder=self.encoder, store=self.store))
        return mapper(writer, chunks(self._wanted(), size), rescue)

    def _kept(self, encoded: Encoded) -> Written:
        rows = encoded.rows
        found = Written().and_more(rows, encoded.unchanged, encoded.changed)
        if not encoded.changed and len(fresh := not_again(rows, self.known)):
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
        self.skipped += found.unchanged
        self.failed += found.failed
        self.encoded += found.encoded
        what = "encoding" if self.pace is None else f"encoding, limited by {self.pace.limit}"
        what = f"{what}, {self.failed} failed" if self.failed else what
        self.progress(what, self.encoded + self.failed + self.skipped, self.survey.wanted)


def _encode_task(task: Task, *, encoder: Encoder, reencode: bool) -> Encoded:
    samples, known = task
    return encoder.encode(samples, known=known, reencode=reencode)


def _lost(task: Task, reason: str, encoder: Encoder) -> Encoded:
    return fit_prepared(encoder, lost_sample(encoder, task[0][0], reason))
