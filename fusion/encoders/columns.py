"""Plain columns: numbers standardised, categories one-hot, by what training rows say; what is missing stays missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import PlainValidator

from fusion.encoders.learning import usable_arrays
from fusion.encoders.plain import PlainConfig, PlainEncoder
from fusion.encoders.reach import Reach
from fusion.errors import ConfigError, DataError
from fusion.modalities import ColumnsModality, Scaling, modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.pool import Mapper
    from fusion.inr.architecture import LayoutEntry

_FAR = 6


@dataclass(frozen=True)
class ColumnsConfig(PlainConfig):
    """How a row of a table is kept.

    Parameters
    ----------
    modality : ColumnsModality
        Columns and categories may be open until training rows are seen.
    seed : int
        Nothing is drawn.
    """

    modality: Annotated[ColumnsModality, PlainValidator(modality_from_dict)]
    seed: int = 42

    kind: ClassVar[str] = "columns"
    missing_values: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.modality, ColumnsModality):
            raise ConfigError(f"the encoder 'columns' takes the modality 'columns', not {self.modality.name!r}")

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(column, shape, offset) of every column in a row: one number, or one place for each category."""
        entries: list[LayoutEntry] = [(name, (1,), place) for place, name in enumerate(self.modality.numbers)]
        offset = len(entries)
        for name, levels in self.modality.categories:
            entries.append((name, (len(levels),), offset))
            offset += len(levels)
        return tuple(entries)

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, what a row holds."""
        return {
            "coordinates": "none",
            "values": "a number is (raw - state/mean) / state/scale; a category is 1 at its place in its layout entry "
            "and 0 elsewhere, 0 everywhere when no training row has it; NaN where the cell is empty",
        }


@dataclass(frozen=True, eq=False)
class Columns(PlainEncoder):
    """Standardises the numbers of each row.

    Parameters
    ----------
    config : ColumnsConfig
    scaling : Scaling
        Of no effect.
    mean, scale : NDArray of float64, shape=(numbers,)
        Of each column of numbers over the training rows that have it; a deviation of 0 counts as 1.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    config_class = ColumnsConfig
    learned: ClassVar[str] = "categories, means and deviations"
    outside: ClassVar[str] = f"have a number more than {_FAR} deviations from the mean of training rows"
    outside_share: ClassVar[float] = 0.5
    has_dictionary: ClassVar[bool] = False

    @classmethod
    def learn(cls, config: ColumnsConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:  # noqa: ARG003
        """Measure the numbers of training rows; their order changes nothing."""
        count = len(config.modality.numbers)
        rows = [prepared[:count] for prepared in usable_arrays(training, config.modality)]
        if not rows:
            raise DataError("no training row can be used: each lacks a column, or holds words where numbers are")
        if not count:
            return cls(config, scaling, np.empty(0), np.empty(0))
        # Sorted, so that sums are the same in whatever order the rows came.
        numbers = np.sort(np.stack(rows), axis=0)
        scale = np.nanstd(numbers, axis=0)
        return cls(config, scaling, np.nanmean(numbers, axis=0), np.where(scale > 0, scale, 1.0))

    @classmethod
    def from_arrays(cls, config: ColumnsConfig, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `arrays` gave."""
        if not config.modality.numbers:
            return cls(config, config.modality.fixed_scaling(), np.empty(0), np.empty(0))
        mean, scale = (np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "scale"))
        return cls(config, config.modality.fixed_scaling(), mean, scale)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give mean and deviation of each column of numbers; nothing without such columns, as no state is empty."""
        return {"mean": self.mean, "scale": self.scale} if len(self.mean) else {}

    def reach(self, sample_id: str, prepared: NDArray[Any]) -> Reach:
        """Measure whether numbers of a row lie far from the mean of those of training rows."""
        count = len(self.mean)
        if not count:
            return Reach(1)
        found = Reach.of(sample_id, prepared[:count], self._far_limits, self.config.modality.numbers)
        return replace(found, low=(), high=())

    @cached_property
    def _far_limits(self) -> Scaling:
        far = _FAR * self.scale
        return Scaling((self.mean - far).astype(np.float32), (self.mean + far).astype(np.float32))

    def rows(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """Standardise the numbers of prepared rows, shape (b, k)."""
        count = len(self.mean)
        standard = (prepared[:, :count] - self.mean) / self.scale
        with np.errstate(over="ignore"):
            return np.hstack([standard, prepared[:, count:]]).astype(np.float32)

    def prepared(self, row: NDArray[np.float32]) -> NDArray[Any]:
        """Turn standardised numbers back, shape (k,)."""
        count = len(self.mean)
        return np.concatenate([row[:count] * self.scale + self.mean, row[count:]])

    def sound(self, rows: NDArray[np.float32], mse: NDArray[np.float32]) -> NDArray[np.bool_]:  # noqa: ARG002
        """Tell which rows hold at least one number and no infinity, shape (b,)."""
        return np.asarray(~np.isinf(rows).any(axis=1) & ~np.isnan(rows).all(axis=1))
