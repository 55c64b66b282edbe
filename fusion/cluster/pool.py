"""Encode over a Dask cluster: the workers read and fit, one process, the caller's, writes.

Chunks of samples are the tasks. A task whose worker is lost is run again elsewhere; a fit is a pure function of
configuration, state and sample, and only the caller appends, so nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from fusion.encoders.pool import Mapper, Rescue, load_engine
from fusion.errors import ConfigError, FusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RETRIES = 3
_FAREWELL_SECONDS = 3


class ClusterError(FusionError):
    """The cluster cannot be reached, or a task failed on every worker that tried it."""


@contextmanager
def dask_pool(scheduler: str | Any, *, timeout: float = 30.0) -> Iterator[Mapper]:
    """Work on a Dask cluster; give the result to `fusion.encode` as ``pool``.

    Workers need this package, the same files under the same paths, and one thread each (``--nthreads 1``): fits fill
    a core on their own.

    Parameters
    ----------
    scheduler : str or dask.distributed.Client
        Address of the scheduler, such as ``tcp://127.0.0.1:8786``, or a client already connected.
    timeout : float
        Seconds to wait for the scheduler and for the first worker.

    Yields
    ------
    Mapper
        Keeps two tasks per worker under way, or one more; workers may come and go.

    Raises
    ------
    ConfigError
        When Dask is not installed.
    ClusterError
        When there is no scheduler or no worker in time; from the mapper, when a task failed for good.
    """
    with connected(scheduler, timeout=timeout) as client:
        ahead = [client.submit(load_engine, workers=[worker], pure=False) for worker in client.nthreads()]
        yield partial(_map_on, client)
        del ahead


@contextmanager
def connected(scheduler: str | Any, *, timeout: float = 30.0) -> Iterator[Any]:
    """Connect to a scheduler that has a worker, and disconnect at the end; a client already connected stays so.

    Raises
    ------
    ConfigError
        When Dask is not installed.
    ClusterError
        When there is no scheduler or no worker in time.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "a scheduler needs Dask, which is not installed; run pip install 'functa-fusion[dask]'"
        ) from error
    if not isinstance(scheduler, str):
        yield scheduler
        return
    with _quiet():
        try:
            client = Client(scheduler, timeout=timeout, set_as_default=False)
            client.wait_for_workers(1, timeout=timeout)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(
                f"no Dask cluster with a worker at {scheduler} within {timeout:.0f} s: {error}"
            ) from error
        try:
            yield client
        finally:
            with suppress(Exception):
                client.close(timeout=_FAREWELL_SECONDS)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from telling of lost connections, dozens of lines each: what matters becomes an error."""
    loggers = list(map(logging.getLogger, ("distributed", "distributed.client", "tornado.application", "asyncio")))
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _map_on(
    client: Any, function: Callable[[Any], Any], tasks: Iterable[Any], rescue: Rescue | None = None
) -> Iterator[Any]:
    submit = partial(client.submit, function, pure=False, retries=_RETRIES)
    waiting: deque[tuple[Any, Any]] = deque()
    with scheduler_named(client):
        for task in tasks:
            waiting.append((task, submit(task)))
            while len(waiting) > 2 * (sum(client.nthreads().values()) or 1):  # workers come and go
                yield from _result(submit, *waiting.popleft(), rescue)
        while waiting:
            yield from _result(submit, *waiting.popleft(), rescue)


def _result(submit: Callable[[Any], Any], task: Any, future: Any, rescue: Rescue | None) -> Iterator[Any]:
    """Give what a task returned; of one that ends every worker, what its parts return."""
    from distributed import KilledWorker

    try:
        found = [future.result()]
    except KilledWorker as error:
        if rescue is None:
            raise ClusterError(
                f"a task ended {_RETRIES} workers, most often for lack of memory; what was committed is kept: {error}"
            ) from error
        parts = rescue.parts(task)
        if len(parts) == 1:
            found = [rescue.lost(task, "every worker that read and fitted it was killed or crashed")]
        else:
            found = [result for part in parts for result in _result(submit, part, submit(part), rescue)]
    yield from found


@contextmanager
def scheduler_named(client: Any, kept: str = "what was committed is kept") -> Iterator[None]:
    """Turn whatever Dask raises when its scheduler is gone into one line, which says what is `kept`."""
    from concurrent.futures import CancelledError

    address = client.scheduler.address if client.scheduler else "the scheduler"
    try:
        yield
    except FusionError:
        raise
    except (Exception, CancelledError) as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise
        raise ClusterError(
            f"the Dask scheduler at {address} is gone ({type(error).__name__}); {kept}. Start it again, "
            "and run the same command"
        ) from error
