"""From a data set to a store: survey, learn, fit in worker processes, append in order, resume by ID."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.encoders.encoder import Encoder, EncoderConfig, encoder_of
from fusion.encoders.learning import chunks, learn_encoder
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress, silent, told_of
from fusion.encoders.pool import worker_pool
from fusion.encoders.presets import encoder_config
from fusion.encoders.remarks import remarks_on
from fusion.encoders.rows import Encoded
from fusion.encoders.survey import Survey, survey_samples, training_samples
from fusion.errors import DataError
from store import FunctaStore, Rows, Status, create_store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.pool import Mapper

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
    store : path
        ``.zarr`` or ``.h5``; created when it does not exist.
    config : EncoderConfig, optional
        Such as a `FunctaConfig`, a `ModulationConfig` or a `LocalConfig`; None takes the preset of the modality.
    options : EncodeOptions, optional
    like : path, optional
        A store whose learned state a new store takes over, so that functas of both can be compared.
    pool : context manager that gives a Mapper, optional
        Where the work is done, such as `fusion.cluster.pool.dask_pool`; None starts ``options.workers`` processes.
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
    options, config = options or EncodeOptions(), config or encoder_config(dataset)
    started = time.perf_counter()
    with pool or worker_pool(options.workers) as mapper:
        report = progress or silent
        report("reading names", 0, 0)
        survey = survey_samples(dataset, options, config.seed)
        learn = partial(_taken_over, like, config) if like else partial(_learned, dataset, config, options, mapper)
        if not Path(store).exists():
            report("learning the start", 0, 0)
        with _open_store(dataset, Path(store), config, options, learn, survey.longest_id) as opened:
            run = _Run(dataset, opened, options, survey, progress)
            fitting = time.perf_counter()
            run.encode(mapper)
            fit_seconds = time.perf_counter() - fitting
        return run.report(time.perf_counter() - started, fit_seconds, _remarks(dataset, config, run.encoder.config))


def _remarks(dataset: Dataset, config: EncoderConfig, resolved: EncoderConfig) -> tuple[str, ...]:
    """Say what sizes that were taken from one sample do to the others."""
    return () if config.modality == resolved.modality else remarks_on(resolved.modality, dataset)


def _learned(dataset: Dataset, config: EncoderConfig, options: EncodeOptions, mapper: Mapper) -> Encoder:
    return learn_encoder(config, training_samples(dataset, options, config), mapper)


def _taken_over(like: str | Path, config: EncoderConfig) -> Encoder:
    with open_store(like) as other:
        other.require_same(encoder=_with_sizes_of(config, other).to_dict())
        return encoder_of(other)


def _open_store(
    dataset: Dataset,
    path: Path,
    config: EncoderConfig,
    options: EncodeOptions,
    learn: Callable[[], Encoder],
    longest_id: int,
) -> FunctaStore:
    if path.exists():
        opened = open_store(path, "a")
        try:
            opened.require_same(encoder=_with_sizes_of(config, opened).to_dict())
            _require_room(opened, longest_id)
        except BaseException:
            opened.close()
            raise
        return opened
    encoder = learn()
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
            "train_splits": list(options.train_splits) if config.learns else [],
            "reader": dict(getattr(dataset, "options", {})),
            **({} if told["reading"] is None else {"reading": told["reading"]}),
        },
        dataset=dataset.name,
        seed=config.seed,
        block_rows=options.block_rows,
        id_width=max(_ID_WIDTH, longest_id),
    )


def _require_room(opened: FunctaStore, longest_id: int) -> None:
    if longest_id > opened.longest_id:
        raise DataError(
            f"an ID has {longest_id} bytes of UTF-8, but {opened.path} keeps IDs of at most {opened.longest_id}. "
            "Nothing was encoded. Go on with a copy of it as .zarr, which keeps IDs of any length: functa store convert"
        )


def _with_sizes_of(config: EncoderConfig, opened: FunctaStore) -> EncoderConfig:
    """Take sizes that the configuration leaves open from the store, where the first run filled them in."""
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

    def encode(self, mapper: Mapper) -> None:
        task = partial(_encode_task, encoder=self.encoder, reencode=self.options.on_change == "reencode")
        tasks = ((chunk, self._hashes(chunk)) for chunk in chunks(self._wanted(), self._task_size()))
        with _deferred_interrupt() as interrupted:
            for encoded in mapper(task, tasks):
                self._keep(encoded)
                if interrupted.is_set():
                    self.store.commit()
                    raise KeyboardInterrupt
            self.store.commit(finished=True)

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
            channels=self.encoder.config.modality.channel_names,
            **(told | {"notes": (*told["notes"], *remarks)}),
        )

    def _wanted(self) -> Iterator[Sample]:
        for sample in self.dataset:
            if not self.options.selects(sample):
                continue
            if self.survey.chosen is not None and sample.id not in self.survey.chosen:
                continue
            status, _ = self.known.get(sample.id, (None, b""))
            if self.options.retry_failed and status != Status.FAILED:
                continue
            if self.options.on_change == "keep" and _usable(status):
                self.skipped += 1
                continue
            yield sample

    def _hashes(self, chunk: Iterable[Sample]) -> dict[str, bytes]:
        known = ((sample.id, self.known.get(sample.id, (None, b""))) for sample in chunk)
        return {sample_id: digest for sample_id, (status, digest) in known if _usable(status)}

    def _task_size(self) -> int:
        config = self.encoder.config
        size = 4 * config.modality.points * config.modality.d_out
        return int(min(_MAX_TASK, max(1, min(_TASK_FLOPS // config.sample_flops, _TASK_BYTES // size))))

    def _keep(self, encoded: Encoded) -> None:
        if encoded.changed:
            self.store.commit()
            shown = ", ".join(repr(sample_id) for sample_id in encoded.changed[:5])
            raise DataError(
                f"the data of {shown} are not those that {self.store.path} was made from; "
                "use --on-change reencode to fit them again, or --on-change keep to leave them"
            )
        self.skipped += encoded.unchanged
        rows = self._new(encoded.rows)
        if len(rows):
            self.store.append(rows)
        failed = int((encoded.rows.status == Status.FAILED).sum())
        self.failed += failed
        self.encoded += len(encoded.rows) - failed
        what = f"encoding, {self.failed} failed" if self.failed else "encoding"
        self.progress(what, self.encoded + self.failed + self.skipped, self.survey.wanted)

    def _new(self, rows: Rows) -> Rows:
        # A sample that fails again would only repeat its row.
        again = [
            status == Status.FAILED and self.known.get(sample_id, (None, b""))[0] == Status.FAILED
            for sample_id, status in zip(rows.ids, rows.status, strict=True)
        ]
        return rows.take([index for index, repeated in enumerate(again) if not repeated])


@contextmanager
def _deferred_interrupt() -> Iterator[threading.Event]:
    """Let Ctrl-C set an event, so that it never falls into the middle of a commit; a second one acts at once."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    before = signal.getsignal(signal.SIGINT)

    def defer(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal handler
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, defer)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _usable(status: int | None) -> bool:
    return status in (Status.OK, Status.LOW_PSNR)


def _encode_task(task: tuple[list[Sample], dict[str, bytes]], *, encoder: Encoder, reencode: bool) -> Encoded:
    samples, known = task
    return encoder.encode(samples, known=known, reencode=reencode)
