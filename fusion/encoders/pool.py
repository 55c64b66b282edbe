"""Worker processes, one thread each: two processes fit faster than two threads inside one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fusion.errors import ConfigError, FusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkerError(FusionError):
    """A worker process ended before it returned its results."""


class Mapper(Protocol):
    """Applies a function to each task, results in the order of the tasks."""

    def __call__(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Apply `function` to each of `tasks`."""
        ...


def serially(function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """Apply `function` to each of `tasks` in this process."""
    return map(function, tasks)


def available_workers() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pool(workers: int | None) -> Iterator[Mapper]:
    """Open a pool that keeps at most two tasks per worker under way, whatever their number.

    Parameters
    ----------
    workers : int or None
        1 works in this process, without a pool; None takes one per core.

    Yields
    ------
    Mapper

    Raises
    ------
    ConfigError
        When `workers` is below 1.
    WorkerError
        From the mapper, when a worker was killed, by the system for lack of memory for example.
    """
    count = available_workers() if workers is None else workers
    if count < 1:
        raise ConfigError(f"workers is {count}; expected 1 or more")
    if count == 1:
        yield serially
        return
    from loky import ProcessPoolExecutor

    environment = dict.fromkeys(_THREAD_VARIABLES, "1")
    executor = ProcessPoolExecutor(
        max_workers=count, timeout=300, env=environment, initializer=_start_worker, initargs=(os.getpid(),)
    )
    try:
        for _ in range(count):
            executor.submit(_load_engine)
        yield lambda function, tasks: _unbroken(in_order(partial(executor.submit, function), tasks, ahead=2 * count))
    finally:
        executor.shutdown(wait=True, kill_workers=True)


def in_order(submit: Callable[[T], Any], tasks: Iterable[T], ahead: int) -> Iterator[Any]:
    """Submit tasks and yield their results in order, with at most `ahead` of them under way."""
    pending: deque[Any] = deque()
    for task in tasks:
        pending.append(submit(task))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _unbroken(results: Iterator[R]) -> Iterator[R]:
    from loky.process_executor import BrokenProcessPool

    try:
        yield from results
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process was killed, most often for lack of memory; what was committed is kept. "
            "Run the same command again, with fewer workers if it repeats."
        ) from error


def _start_worker(parent: int) -> None:
    # Ctrl-C reaches the whole process group; the parent commits and then ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # A device is the parent's: many processes on one would each take memory of it and wait for one another.
    from fusion.inr.engine import use_device

    use_device("cpu")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _load_engine() -> None:
    # It takes a second, and several when it is compiled for the first time: do it while the parent reads its files.
    from fusion.inr.engine import warm_up

    warm_up()
