"""From a data set to a store: survey, learn, fit in worker processes, append in order, resume by ID."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.encoders.kinds import EncoderConfig, EncoderState, config_from_dict, state_from_arrays
from fusion.encoders.learning import chunks, learn_state
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress, told_of
from fusion.encoders.pool import worker_pool
from fusion.encoders.remarks import remarks_on
from fusion.encoders.rows import Encoded, encode_samples
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


def encode(
    dataset: Dataset,
    store: str | Path,
    config: EncoderConfig,
    options: EncodeOptions | None = None,
    *,
    like: str | Path | None = None,
    pool: AbstractContextManager[Mapper] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> EncodeReport:
    """Fit every sample of a data set and keep the functas in a store; go on where an earlier run stopped.

    Parameters
    ----------
    dataset : Dataset
    store : path
        ``.zarr`` or ``.h5``; created when it does not exist.
    config : EncoderConfig
        Such as a `FunctaConfig` or a `ModulationConfig`.
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
    options = options or EncodeOptions()
    started = time.perf_counter()
    with pool or worker_pool(options.workers) as mapper:
        survey = survey_samples(dataset, options, config.seed)
        learn = partial(_taken_over, like, config) if like else partial(_learned, dataset, config, options, mapper)
        with _open_store(dataset, Path(store), config, options, learn) as opened:
            run = _Run(dataset, opened, options, survey, progress)
            fitting = time.perf_counter()
            run.encode(mapper)
            fit_seconds = time.perf_counter() - fitting
        return run.report(time.perf_counter() - started, fit_seconds, _remarks(dataset, config, run.config))


def _remarks(dataset: Dataset, config: EncoderConfig, resolved: EncoderConfig) -> tuple[str, ...]:
    """Say what sizes that were taken from one sample do to the others."""
    return () if config.modality == resolved.modality else remarks_on(resolved.modality, dataset)


def _learned(
    dataset: Dataset, config: EncoderConfig, options: EncodeOptions, mapper: Mapper
) -> tuple[EncoderConfig, EncoderState]:
    return learn_state(config, training_samples(dataset, options, config), mapper)


def _taken_over(like: str | Path, config: EncoderConfig) -> tuple[EncoderConfig, EncoderState]:
    with open_store(like) as other:
        resolved = _with_sizes_of(config, other)
        other.require_same(encoder=resolved.to_dict())
        return resolved, state_from_arrays(resolved, other.state)


def _open_store(
    dataset: Dataset,
    path: Path,
    config: EncoderConfig,
    options: EncodeOptions,
    learn: Callable[[], tuple[EncoderConfig, EncoderState]],
) -> FunctaStore:
    if path.exists():
        opened = open_store(path, "a")
        try:
            opened.require_same(encoder=_with_sizes_of(config, opened).to_dict())
        except BaseException:
            opened.close()
            raise
        return opened
    resolved, state = learn()
    told = told_of(dataset)
    return create_store(
        path,
        modality=resolved.modality.name,
        layout=resolved.layout,
        encoder=resolved.to_dict(),
        state=state.arrays(),
        conventions={
            "coordinates": "regular grid in [-1, 1], first axis slowest, both ends included",
            "values": "(raw - state/low) / (state/high - state/low), clipped to [0, 1]",
            **resolved.conventions(),
            "train_splits": list(options.train_splits) if getattr(resolved, "learns", True) else [],
            "reader": dict(getattr(dataset, "options", {})),
            **({} if told["reading"] is None else {"reading": told["reading"]}),
        },
        dataset=dataset.name,
        seed=config.seed,
        block_rows=options.block_rows,
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
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.dataset = dataset
        self.store = store
        self.options = options
        self.survey = survey
        self.progress = progress or (lambda _: None)
        self.config = config_from_dict(store.header.encoder)
        self.state = state_from_arrays(self.config, store.state)
        self.known = store.known()
        self.encoded = self.failed = self.skipped = 0

    def encode(self, mapper: Mapper) -> None:
        task = partial(
            _encode_task, config=self.config, state=self.state, reencode=self.options.on_change == "reencode"
        )
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
            channels=self.config.modality.channel_names,
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
        fit = self.config.fit
        modality = self.config.modality
        points = min(fit.coordinates_per_step or math.inf, modality.points)
        flops = self.config.network().flops_per_coordinate * points * max(1, fit.steps)
        size = 4 * modality.points * modality.d_out
        return int(min(_MAX_TASK, max(1, min(_TASK_FLOPS // flops, _TASK_BYTES // size))))

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
        self.progress(Progress(self.encoded + self.failed + self.skipped, self.failed, self.survey.wanted))

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


def _encode_task(
    task: tuple[list[Sample], dict[str, bytes]], *, config: EncoderConfig, state: EncoderState, reencode: bool
) -> Encoded:
    samples, known = task
    return encode_samples(samples, config=config, state=state, known=known, reencode=reencode)
