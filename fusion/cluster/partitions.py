"""Partitions of rows that stay with the workers of a Dask cluster.

Every value is a task's result. Of a worker that is lost, the tasks that made what it held run again on another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from operator import add
from typing import Any, TypeVar

import numpy as np

from fusion.estimators.partitions import LearnedRows, Partitions
from fusion.estimators.trainers import RowSource
from fusion.features.matrix import DesignRows

__all__ = ["WorkerPartitions", "partitions_on"]

ValueT = TypeVar("ValueT", covariant=True)
MadeT = TypeVar("MadeT")


def partitions_on(
    client: Any, learned: LearnedRows[RowSource], source: DesignRows
) -> WorkerPartitions[LearnedRows[RowSource]]:
    """Give each worker that there is now a partition of rows that stand side by side; `source` are those rows."""
    workers = sorted(client.nthreads()) or [None]
    places = np.array_split(np.arange(source.shape[0]), min(len(workers), source.shape[0]))
    parts = [learned.take(part, source.part(part)) for part in places]
    put = [_submit(client, worker, _fitting, part) for worker, part in zip(workers, parts, strict=False)]
    return WorkerPartitions(client, tuple(workers[: len(put)]), tuple(put))


@dataclass(frozen=True, eq=False)
class WorkerPartitions(Partitions[ValueT]):
    """Values of the partitions, each with a worker.

    Attributes
    ----------
    client : dask.distributed.Client
    workers : tuple of str or None
        Address of the one that has the rows of each partition, as long as it is there.
    futures : tuple of dask.distributed.Future
    """

    client: Any
    workers: tuple[str | None, ...]
    futures: tuple[Any, ...]

    def map(self, work: Callable[..., MadeT], *given: Any) -> WorkerPartitions[MadeT]:
        """Give each value to `work`, by the worker that has it; what is given besides is sent once."""
        every = [
            each.futures if isinstance(each, WorkerPartitions) else [self._sent(each)] * len(self.futures)
            for each in given
        ]
        made = map(partial(_submit, self.client), self.workers, [work] * len(self.futures), self.futures, *every)
        return WorkerPartitions(self.client, self.workers, tuple(made))

    def total(self) -> ValueT:
        """Add the values up in pairs, and the pairs in pairs, by the workers; the sum alone comes here."""
        workers, futures = self.workers[::2], self.futures
        while len(futures) > 1:
            pairs = zip(workers, futures[::2], futures[1::2], strict=False)
            added = [_submit(self.client, worker, add, one, two) for worker, one, two in pairs]
            futures = (*added, *futures[2 * len(added) :])
            workers = workers[::2]
        total: ValueT = futures[0].result()
        return total

    def __iter__(self) -> Iterator[ValueT]:
        """Bring the values here."""
        return iter(self.client.gather(list(self.futures)))

    def _sent(self, value: Any) -> Any:
        # a task and no scattered value, which would be lost with its worker
        return _submit(self.client, None, _same, value)


def _submit(client: Any, worker: str | None, work: Callable[..., Any], *given: Any) -> Any:
    where = {} if worker is None else {"workers": [worker], "allow_other_workers": True}
    return client.submit(work, *given, pure=False, **where)


def _same(value: MadeT) -> MadeT:
    return value


def _fitting(learned: LearnedRows[RowSource]) -> LearnedRows[RowSource]:
    """Let a worker keep no more of its rows than a quarter of its memory."""
    from distributed import get_worker

    limit = get_worker().memory_manager.memory_limit
    return learned if not limit else replace(learned, kept_bytes=min(learned.kept_bytes, limit // 4))
