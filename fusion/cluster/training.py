"""Train over a Dask cluster: the workers read their rows of the store themselves, and grow trees or add up sums.

Needs the extra ``dask``; the store has to be under the same path on every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from fusion.cluster.partitions import WorkerPartitions, partitions_on
from fusion.cluster.pool import ClusterError, connected, scheduler_named
from fusion.errors import ConfigError
from fusion.estimators.partitions import LearnedRows
from fusion.estimators.targets import Targets
from fusion.estimators.trainers import RowSource
from fusion.features.matrix import DesignPart, DesignRows

__all__ = ["ClusterTrainer", "dask_trainer"]

_PART_BYTES = 64 << 20
_PARTS_PER_WORKER = 2


@contextmanager
def dask_trainer(scheduler: str | Any, *, timeout: float = 30.0) -> Iterator[ClusterTrainer]:
    """Train on a Dask cluster; what this yields goes to `fusion.train` as ``trainer``.

    Parameters
    ----------
    scheduler : str or dask.distributed.Client
        Address of the scheduler, such as ``tcp://127.0.0.1:8786``, or a client already connected.
    timeout : float
        Seconds to wait for the scheduler and for the first worker.

    Raises
    ------
    ConfigError
        When Dask is not installed.
    ClusterError
        When there is no scheduler or no worker in time; later, when the scheduler is gone, or what a worker was at
        ended one after the other.
    """
    with connected(scheduler, timeout=timeout) as client:
        from distributed import KilledWorker

        try:
            with scheduler_named(client, "nothing was written"):
                yield ClusterTrainer(client)
        except KilledWorker as error:
            raise ClusterError(
                "a task of the training ended every worker that tried it, most often for lack of memory; nothing was "
                f"written. Start workers with more memory, or train on a share with --sample: {error}"
            ) from error


@dataclass(frozen=True)
class ClusterTrainer:
    """Trains on the workers of a Dask cluster; see `dask_trainer`."""

    client: Any

    def partitions(self, learned: LearnedRows[RowSource]) -> WorkerPartitions[LearnedRows[RowSource]]:
        """Let each worker read rows of its own."""
        return partitions_on(self.client, learned, _rows_of_a_store(learned.rows))

    def matrix(
        self,
        source: RowSource,
        targets: Targets,
        rows: NDArray[np.intp],
        parameters: dict[str, Any],
        reference: Any | None = None,
        margins: NDArray[np.float32] | None = None,
    ) -> Any:
        """Let each worker read parts of the rows and keep their bins."""
        if margins is not None:
            raise ConfigError("a cluster cannot start trees from margins; train the booster 'stacked' in one process.")
        stored = _rows_of_a_store(source)
        parts = [(stored.part(places), places) for places in self._parts(rows, source.shape[1])]
        array, dask_xgboost = _modules("dask.array", "xgboost.dask")
        shapes = [(len(places), source.shape[1]) for _, places in parts]
        read = [
            array.from_delayed(self._submit(part, number), shape=shape, dtype=np.float32)
            for number, ((part, _), shape) in enumerate(zip(parts, shapes, strict=True))
        ]
        heights, learned = tuple(height for height, _ in shapes), targets.take(rows)
        values = learned.values.astype(np.float32)
        labels = array.from_array(values, chunks=(heights, *values.shape[1:]))
        weights = None if learned.weights is None else array.from_array(learned.weights, chunks=(heights,))
        with self.client.as_current():
            return dask_xgboost.DaskQuantileDMatrix(
                self.client,
                array.concatenate(read),
                labels,
                weight=weights,
                max_bin=parameters["max_bin"],
                ref=reference,
            )

    def boost(
        self,
        parameters: dict[str, Any],
        data: Any,
        rounds: int,
        *,
        validation: Any | None = None,
        patience: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> xgboost.Booster:
        """Grow the trees on all workers; `progress` hears of the end only."""
        given = {name: value for name, value in parameters.items() if name != "nthread"}
        (dask_xgboost,) = _modules("xgboost.dask")
        with self.client.as_current():
            trained = dask_xgboost.train(
                self.client,
                given,
                data,
                num_boost_round=rounds,
                evals=[] if validation is None else [(validation, "held_out")],
                early_stopping_rounds=None if validation is None else patience,
                verbose_eval=False,
            )
        if progress is not None:
            progress(rounds, rounds)
        booster: xgboost.Booster = trained["booster"]
        booster.set_param({"nthread": parameters["nthread"]})
        return booster

    def _submit(self, part: DesignPart, number: int) -> Any:
        # one part for every worker in turn, as XGBoost cannot use the bins of a worker that has no rows
        workers = sorted(self._workers())
        here = [workers[number % len(workers)]] if workers else None
        return self.client.submit(_read, part, workers=here, allow_other_workers=here is not None, pure=False)

    def _workers(self) -> list[str]:
        return list(self.client.nthreads())

    def _parts(self, rows: NDArray[np.intp], columns: int) -> list[NDArray[np.intp]]:
        workers = max(len(self._workers()), 1)
        most = max(1, _PART_BYTES // (4 * columns))
        count = min(max(workers * _PARTS_PER_WORKER, -(-len(rows) // most)), len(rows))
        return np.array_split(rows, count)


def _rows_of_a_store(source: RowSource) -> DesignRows:
    if not isinstance(source, DesignRows):
        raise ConfigError(f"a cluster trains on the rows of a store, got {type(source).__name__}; use fusion.train.")
    return source


def _read(part: DesignPart) -> NDArray[np.float32]:
    return part.read()


def _modules(*names: str) -> list[Any]:
    return [import_module(name) for name in names]
