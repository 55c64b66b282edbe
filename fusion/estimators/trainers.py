"""Where trees are grown: rows go into XGBoost block by block, into memory or into files beside it.

XGBoost keeps one byte per value (the histogram bin), so what is trained on is a fraction of the float32 rows, which are
never in memory as a whole.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.estimators.partitions import LearnedRows, OnePartition, Partitions
from fusion.estimators.targets import Targets
from fusion.features.batches import batches

__all__ = ["LocalTrainer", "Partitioner", "RowSource", "SomeColumns", "Trainer", "blocks_of", "chunks"]

CHUNK_BYTES = 16 << 20
"""Float32 rows that are read at once."""


class RowSource(Protocol):
    """Rows that can be had by their positions: a matrix of shape (n, p), or what reads like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def __getitem__(self, positions: NDArray[np.intp], /) -> NDArray[np.float32]:
        """Return the rows at these positions, shape (b, p)."""


Partitioner = Callable[[LearnedRows[RowSource]], Partitions[LearnedRows[RowSource]]]
"""Cuts rows into partitions."""


@dataclass(frozen=True, eq=False)
class SomeColumns:
    """Rows of which only some columns can be split on: the others are missing, which takes neither time nor bins.

    A tree's columns keep their numbers, so it reads whole rows afterwards.
    """

    rows: RowSource
    columns: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns, those left out among them."""
        return self.rows.shape

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return rows, shape (b, p), NaN in the columns left out."""
        whole = self.rows[positions]
        some = np.full_like(whole, np.nan)
        some[:, self.columns] = whole[:, self.columns]
        return some


class Trainer(Protocol):
    """Grows trees, and reads the rows of a linear fit: here, or on a cluster."""

    def partitions(self, learned: LearnedRows[RowSource]) -> Partitions[LearnedRows[RowSource]]:
        """Cut rows, and what is learned of them, into partitions that are read where they are worked on."""

    def matrix(
        self,
        source: RowSource,
        targets: Targets,
        rows: NDArray[np.intp],
        parameters: dict[str, Any],
        reference: Any | None = None,
        margins: NDArray[np.float32] | None = None,
    ) -> Any:
        """Return some rows of the source and what is to be learned of them as XGBoost keeps them.

        `reference` lends its bins; `margins`, shape (n, outputs), are where boosting starts from.
        """

    def boost(
        self,
        parameters: dict[str, Any],
        data: Any,
        rounds: int,
        *,
        validation: Any | None,
        patience: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> xgboost.Booster:
        """Grow `rounds` trees per output, or stop when `validation` has not improved for `patience` rounds."""


@dataclass(frozen=True)
class LocalTrainer:
    """Trains in this process.

    Parameters
    ----------
    external_memory : bool
        Keep the bins in files and read them page by page at every round: slower, for what does not fit into memory
        with one byte per value. The trees are the same.
    folder : Path or None
        Where those files go; None = the system's folder for temporary files. They are removed when training ends.
    device : str
        Where trees grow, as XGBoost names it: "cpu", "cuda" or "cuda:1". Sums of a device round in another order, so
        its trees are as good but not the same. The linear booster, and predictions, stay on the processor.
    chunk_bytes : int > 0
        Float32 rows that are read at once.
    sketched_rows : int > 0
        Most rows that the bins' limits are quantiles of.

    Raises
    ------
    ConfigError
        `device` is a CUDA device and this XGBoost is built without them.
    """

    external_memory: bool = False
    folder: Path | None = None
    device: str = "cpu"
    chunk_bytes: int = CHUNK_BYTES
    sketched_rows: int = 8192

    def __post_init__(self) -> None:
        if self.device != "cpu" and not xgboost.build_info().get("USE_CUDA", False):
            raise ConfigError(f"device is {self.device!r}, but this build of XGBoost has the processor only; use 'cpu'")

    def partitions(self, learned: LearnedRows[RowSource]) -> OnePartition[LearnedRows[RowSource]]:
        """Leave the rows as they are, in one partition."""
        return OnePartition(learned)

    def matrix(
        self,
        source: RowSource,
        targets: Targets,
        rows: NDArray[np.intp],
        parameters: dict[str, Any],
        reference: xgboost.DMatrix | None = None,
        margins: NDArray[np.float32] | None = None,
    ) -> xgboost.DMatrix:
        """Read the rows chunk by chunk, several times, and keep their bins.

        The bins' limits are quantiles of `sketched_rows` rows, drawn by the seed: XGBoost's sketch of more takes more
        memory than the rows' bins do (measured: 180 kB for each column at 60,000 rows).
        """
        if reference is None and len(rows) > self.sketched_rows:
            drawn = np.random.default_rng(parameters["seed"]).choice(rows, self.sketched_rows, replace=False)
            sketcher = replace(self, external_memory=False, device="cpu")
            reference = sketcher.matrix(source, targets, np.sort(drawn), parameters)
        kept = {"ref": reference, "nthread": parameters["nthread"], "max_bin": parameters["max_bin"]}
        parts = list(chunks(rows, source.shape[1], at_most=self.chunk_bytes))
        if not self.external_memory:
            on_device = self.device != "cpu"
            return xgboost.QuantileDMatrix(_Chunks(source, targets, parts, margins, on_device=on_device), **kept)
        cache = Path(tempfile.mkdtemp(prefix="functa-train-", dir=self.folder))
        try:
            made = xgboost.ExtMemQuantileDMatrix(_Chunks(source, targets, parts, margins, cache=cache / "page"), **kept)
        except BaseException:
            shutil.rmtree(cache, ignore_errors=True)
            raise
        weakref.finalize(made, shutil.rmtree, cache, ignore_errors=True)
        return made

    def boost(
        self,
        parameters: dict[str, Any],
        data: xgboost.DMatrix,
        rounds: int,
        *,
        validation: xgboost.DMatrix | None = None,
        patience: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> xgboost.Booster:
        """Grow the trees."""
        callbacks: Sequence[Any] = () if progress is None else (_Progress(progress, rounds),)
        trained = xgboost.train(
            parameters | {"device": self.device},
            data,
            num_boost_round=rounds,
            evals=[] if validation is None else [(validation, "held_out")],
            early_stopping_rounds=None if validation is None else patience,
            verbose_eval=False,
            callbacks=list(callbacks),
        )
        trained.set_param({"device": "cpu"})
        return trained


def blocks_of(rows: RowSource) -> tuple[int, ...]:
    """Return the number of columns of each modality: the `blocks` of such rows as have some, or all columns."""
    return tuple(getattr(rows, "blocks", (rows.shape[1],)))


def chunks(rows: NDArray[np.intp], columns: int, *, at_most: int = CHUNK_BYTES) -> Iterator[NDArray[np.intp]]:
    """Cut positions into parts of which the float32 rows of so many columns are at most so many bytes."""
    return (rows[batch] for batch in batches(len(rows), 4 * columns, at_most=at_most))


class _Chunks(xgboost.DataIter):
    """Some rows of a source, handed to XGBoost chunk by chunk so that they are never in memory as a whole."""

    def __init__(
        self,
        source: RowSource,
        targets: Targets,
        parts: Sequence[NDArray[np.intp]],
        margins: NDArray[np.float32] | None,
        *,
        cache: Path | None = None,
        on_device: bool = False,
    ) -> None:
        self._on_device = on_device
        self._source, self._targets, self._margins = source, targets, margins
        self._parts = parts
        self._next = 0
        self._only: Any = None
        super().__init__(cache_prefix=None if cache is None else str(cache))

    def next(self, input_data: Callable[..., Any]) -> bool:
        if self._next == len(self._parts):
            return False
        rows = self._parts[self._next]
        margins = None if self._margins is None else self._margins[rows]
        targets = self._targets.take(rows)
        input_data(data=self._read(rows), label=targets.values, weight=targets.weights, base_margin=margins)
        self._next += 1
        return True

    def _read(self, rows: NDArray[np.intp]) -> Any:
        """Read a chunk; where there is one only, XGBoost's next passes over it do not read it again."""
        if len(self._parts) > 1:
            return self._placed(self._source[rows])
        if self._only is None:
            self._only = self._placed(self._source[rows])
        return self._only

    def _placed(self, rows: NDArray[np.float32]) -> Any:
        # Bins are made where the rows are; without CuPy on the processor, which takes longer.
        if self._on_device and find_spec("cupy") is not None:
            return import_module("cupy").asarray(rows)
        return rows

    def reset(self) -> None:
        self._next = 0


class _Progress(xgboost.callback.TrainingCallback):
    def __init__(self, report: Callable[[int, int], None], rounds: int) -> None:
        self._report, self._rounds = report, rounds

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: object) -> bool:  # noqa: ARG002
        self._report(epoch + 1, self._rounds)
        return False
