"""Worker processes, one thread each: two processes fit faster than two threads inside one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fusion.encoders.interrupts import SIGNALS
from fusion.errors import ConfigError, FusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_PER_CORE = 4
_LOSSES = 20


class WorkerError(FusionError):
    """A worker process ended before it returned its results."""


@dataclass(frozen=True)
class Rescue:
    """What becomes of a task that its worker process dies of.

    Parameters
    ----------
    parts : callable
        Gives the task as smaller ones, tried one by one; a list of one when there are none.
    lost : callable
        Takes the smallest one that a worker dies of, and why; returns what stands for its result.
    """

    parts: Callable[[Any], Sequence[Any]]
    lost: Callable[[Any, str], Any]


class Mapper(Protocol):
    """Applies a function to each task, results in the order of the tasks."""

    def __call__(self, function: Callable[[T], R], tasks: Iterable[T], rescue: Rescue | None = None) -> Iterator[R]:
        """Apply `function` to each of `tasks`; to the parts of one that workers die of, if `rescue` says which."""
        ...


def serially(function: Callable[[T], R], tasks: Iterable[T], rescue: Rescue | None = None) -> Iterator[R]:  # noqa: ARG001
    """Apply `function` to each of `tasks` in this process, which has no worker to lose."""
    return map(function, tasks)


def available_workers() -> int:
    """Cores that this process may use: its affinity, and the share that its container was given."""
    from loky import cpu_count

    return int(cpu_count())


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
        When `workers` is below 1, or far more than there are cores.
    WorkerError
        From the mapper, when a worker was killed, by the system for lack of memory for example, and the task cannot be
        tried in parts, or ever so many samples have ended one after the other.
    """
    count: Any = available_workers() if workers is None else workers
    cores = os.cpu_count() or 1
    whole = isinstance(count, Integral)
    if not whole or not 1 <= count <= _PER_CORE * cores:
        raise ConfigError(f"workers is {count!r}; expected 1 to {_PER_CORE * cores}, as this machine has {cores} cores")
    if count == 1:
        yield _beside
        return
    pool = _Workers(count)
    try:
        yield pool.map
    finally:
        pool.close()


class _Workers:
    """Processes that are replaced when one of them dies.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._losses = 0
        self._executor: Any = _executor(count)

    def map(self, function: Callable[[T], R], tasks: Iterable[T], rescue: Rescue | None = None) -> Iterator[R]:
        """Apply a function to each task."""
        waiting: deque[tuple[T, Future[R]]] = deque()
        for task in tasks:
            waiting.append((task, self._submit(function, task, self._count)))
            if len(waiting) > 2 * self._count:
                yield from self._first(function, waiting, rescue)
        while waiting:
            yield from self._first(function, waiting, rescue)

    def _submit(self, function: Callable[[T], R], task: T, count: int) -> Future[R]:
        from loky.process_executor import BrokenProcessPool

        self._executor = self._executor or _executor(count)
        try:
            found: Future[R] = self._executor.submit(function, task)
        except BrokenProcessPool as error:
            found = Future()
            found.set_exception(error)
        return found

    def _first(
        self, function: Callable[[T], R], waiting: deque[tuple[T, Future[R]]], rescue: Rescue | None
    ) -> Iterator[R]:
        """Give the result of the first task; if a worker died, those of all tasks that wait."""
        from loky.process_executor import BrokenProcessPool

        try:
            found = [waiting[0][1].result()]
        except BrokenProcessPool as error:
            if rescue is None:
                raise _killed() from error
            yield from self._one_by_one(function, list(waiting), rescue)
            waiting.clear()
        else:
            self._losses = 0
            waiting.popleft()
            yield from found

    def _one_by_one(
        self, function: Callable[[T], R], waiting: list[tuple[T, Future[R]]], rescue: Rescue
    ) -> Iterator[R]:
        """Keep what arrived, and try the parts of the others alone, so that the one that is to blame is known."""
        self.close()
        for task, future in waiting:
            if future.done() and future.exception() is None:
                yield future.result()
                continue
            for part in rescue.parts(task):
                yield self._alone(function, part, rescue)
        self.close()

    def _alone(self, function: Callable[[T], R], task: T, rescue: Rescue) -> R:
        from loky.process_executor import BrokenProcessPool

        try:
            found = self._submit(function, task, 1).result()
        except BrokenProcessPool as error:
            self.close()
            self._losses += 1
            if self._losses > _LOSSES:
                raise _killed() from error
            lost: R = rescue.lost(task, "the process that read and fitted it was killed or crashed, and so again alone")
            return lost
        self._losses = 0
        return found

    def close(self) -> None:
        """End the processes, whatever they are doing; new ones start when there is work again."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


def _killed() -> WorkerError:
    return WorkerError(
        "a worker process was killed, most often for lack of memory; what was committed is kept. Run the same command "
        "again, with fewer workers if it repeats."
    )


def _executor(count: int) -> Any:
    from loky import ProcessPoolExecutor
    from loky.backend.resource_tracker import ensure_running

    # A signal to the whole process group must not end the process that cleans up after the others.
    with _blocked("SIGHUP"):
        ensure_running()
    environment = dict.fromkeys(_THREAD_VARIABLES, "1")
    executor = ProcessPoolExecutor(
        max_workers=count, timeout=300, env=environment, initializer=_start_worker, initargs=(os.getpid(),)
    )
    for _ in range(count):
        executor.submit(load_engine)
    return executor


@contextmanager
def _blocked(name: str) -> Iterator[None]:
    """Keep a signal waiting, where the system has it."""
    if not hasattr(signal, name):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {getattr(signal, name)})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _beside(function: Callable[[T], R], tasks: Iterable[T], rescue: Rescue | None = None) -> Iterator[R]:
    """Work in a thread beside the main one, which waits and so hears signals; compiled code would keep it from that."""
    if threading.current_thread() is not threading.main_thread():
        yield from serially(function, tasks, rescue)
        return
    for task in tasks:
        answer: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        threading.Thread(target=_answer, args=(function, task, answer), daemon=True).start()
        sound, found = answer.get()
        if not sound:
            raise found
        yield found


def _answer(function: Callable[[T], R], task: T, answer: SimpleQueue[tuple[bool, Any]]) -> None:
    try:
        answer.put((True, function(task)))
    except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
        answer.put((False, error))


def _start_worker(parent: int) -> None:
    # Signals reach the whole process group; the parent commits and then ends its workers itself.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # A device is the parent's: many processes on one would each take memory of it and wait for one another.
    from fusion.inr.engine import use_device

    use_device("cpu")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def load_engine() -> None:
    """Load what fits, which takes a second, and several when it is compiled first: while the parent reads its files."""
    from fusion.inr.engine import warm_up

    warm_up()
