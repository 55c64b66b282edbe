"""Encoding where one device fits for all: workers read and prepare, blocks of samples go to the device, rows come out.

The device fits one block while the workers prepare the next and the rows of the last are written: none waits for
another, except for the slowest, which `Pace` names.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from fusion.encoders.pool import Rescue
from fusion.encoders.rows import (
    Encoded,
    Prepared,
    Task,
    fit_prepared,
    joined,
    lost_sample,
    prepare_samples,
    single_samples,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fusion.encoders.encoder import Encoder
    from fusion.encoders.pool import Mapper

_BLOCK_BYTES = 1 << 28
_MAX_BLOCK = 4096
_AHEAD = 1
"""Blocks that wait for the device, beside the one that it fits."""


class Pace:
    """What a run has waited for so far."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("reading", "fitting", "writing"), 0.0)

    @contextmanager
    def waiting_for(self, what: str) -> Iterator[None]:
        """Count the seconds inside as waiting."""
        begin = time.perf_counter()
        yield
        self.seconds[what] += time.perf_counter() - begin

    @property
    def limit(self) -> str:
        """What was waited for the longest."""
        return max(self.seconds, key=lambda what: self.seconds[what])


def encode_stream(
    encoder: Encoder, tasks: Iterable[Task], mapper: Mapper, *, reencode: bool, pace: Pace
) -> Iterator[Encoded]:
    """Encode tasks in order: prepared by the mapper, fitted in this process.

    Parameters
    ----------
    encoder : Encoder
    tasks : iterable of (samples, source hashes of those that are stored already)
    mapper : Mapper
    reencode : bool
        Fit a stored sample again when its data have changed.
    pace : Pace
        Told what is waited for.

    Yields
    ------
    Encoded
        Of a block of samples each.
    """
    rescue = Rescue(single_samples, partial(_lost, encoder=encoder))
    prepared = mapper(partial(_prepare_task, encoder=encoder, reencode=reencode), tasks, rescue)
    pending: deque[Future[Encoded]] = deque()
    with ThreadPoolExecutor(1) as device:
        for block in _blocks(encoder, prepared, pace):
            pending.append(device.submit(fit_prepared, encoder, block))
            if len(pending) > _AHEAD:
                yield from _finished(pending, pace)
        while pending:
            yield from _finished(pending, pace)


def _finished(pending: deque[Future[Encoded]], pace: Pace) -> Iterator[Encoded]:
    with pace.waiting_for("fitting"):
        encoded = pending.popleft().result()
    with pace.waiting_for("writing"):
        yield encoded


def _prepare_task(task: Task, *, encoder: Encoder, reencode: bool) -> Prepared:
    samples, known = task
    return prepare_samples(encoder, samples, known=known, reencode=reencode)


def _lost(task: Task, reason: str, encoder: Encoder) -> Prepared:
    return lost_sample(encoder, task[0][0], reason)


def block_size(encoder: Encoder) -> int:
    """Choose the samples of a block: as many as make a device worth its while and fit in memory a few times."""
    modality = encoder.config.modality
    each = 4 * (encoder.config.k + modality.points * modality.d_out)
    return int(max(1, min(_MAX_BLOCK, _BLOCK_BYTES // each)))


def _blocks(encoder: Encoder, prepared: Iterator[Prepared], pace: Pace) -> Iterator[Prepared]:
    size = block_size(encoder)
    parts: list[Prepared] = []
    while True:
        with pace.waiting_for("reading"):
            part = next(prepared, None)
        if part is not None:
            parts.append(part)
        if parts and (part is None or sum(len(one.errors) for one in parts) >= size):
            yield joined(parts)
            parts = []
        if part is None:
            return
