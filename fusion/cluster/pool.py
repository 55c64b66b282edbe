"""Encode over a Dask cluster: the workers read and fit, one process, the caller's, writes.

Chunks of samples are the tasks. A task whose worker is lost is run again elsewhere; a fit is a pure function of
configuration, state and sample, and only the caller appends, so nothing is lost and nothing is there twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fusion.encoders.pool import Mapper, in_order
from fusion.errors import ConfigError, FusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RETRIES = 3


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
        Keeps at most two tasks per worker under way; workers may come and go.

    Raises
    ------
    ConfigError
        When Dask is not installed.
    ClusterError
        When there is no scheduler or no worker in time; from the mapper, when a task failed for good.
    """
    with connected(scheduler, timeout=timeout) as client:
        yield partial(_map_on, client)


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
    try:
        client = Client(scheduler, timeout=timeout, set_as_default=False)
        client.wait_for_workers(1, timeout=timeout)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask cluster with a worker at {scheduler} within {timeout:.0f} s: {error}") from error
    with client:
        yield client


def _map_on(client: Any, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    from distributed import KilledWorker

    threads = sum(client.nthreads().values()) or 1
    submit = partial(client.submit, function, pure=False, retries=_RETRIES)
    try:
        yield from in_order(submit, tasks, ahead=2 * threads)
    except KilledWorker as error:
        raise ClusterError(
            f"a task ended {_RETRIES} workers, most often for lack of memory; what was committed is kept: {error}"
        ) from error
