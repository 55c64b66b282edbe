"""What the kinds of encoder without a network share: a row is numbers that the sample brings along."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from fusion.encoders.encoder import Encoder, EncoderConfig
from fusion.encoders.reach import Reach
from fusion.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.encoders.rows import Fitted


class PlainConfig(EncoderConfig):
    """A configuration without steps, start or network."""

    psnr_floor = None

    def network(self) -> NoReturn:
        """Refuse: there is none."""
        raise ConfigError(f"rows of the encoder {self.kind!r} are no networks")

    @property
    def sample_flops(self) -> float:
        """Cost of a sample: one operation for each number."""
        return float(self.k)

    def without_learning(self) -> Self:
        """Return the same: what is learned costs no fits."""
        return self

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or a user's part of it; ConfigError for options of a fit."""
        given = dict(values)
        fit = given.pop("fit", {})
        if fit:
            raise ConfigError(f"the encoder {cls.kind!r} fits no network, so {', '.join(fit)} means nothing; leave out")
        return super().from_dict(given)


@dataclass(frozen=True, eq=False)
class PlainEncoder(Encoder):
    """Rows without a network; a reconstruction's quality means nothing, so PSNR and loss of a row are none (NaN)."""

    @abstractmethod
    def rows(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """Turn prepared samples of shape (b, n) into rows of shape (b, k)."""

    @abstractmethod
    def prepared(self, row: NDArray[np.float32]) -> NDArray[Any]:
        """Turn a row of shape (k,) back into what `prepare` gave, shape (n,)."""

    def values(self, prepared: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Stack prepared samples as they are, shape (b, 1, n)."""
        shape = (len(prepared), 1, self.config.modality.d_out)
        return np.stack(prepared).reshape(shape) if prepared else np.empty(shape, np.float32)

    def reach(self, sample_id: str, prepared: NDArray[Any]) -> Reach:  # noqa: ARG002 - of use to those that override it
        """Measure nothing: rows have no ranges."""
        return Reach(1)

    def fit(self, values: NDArray[Any]) -> Fitted:
        """Give rows (b, k), NaN for their errors (b,) and 0 for their steps (b,)."""
        count = len(values)
        rows = self.rows(values.reshape(count, self.config.modality.d_out))
        return rows, np.full(count, np.nan, np.float32), np.zeros(count, np.int32)

    def sound(self, rows: NDArray[np.float32], mse: NDArray[np.float32]) -> NDArray[np.bool_]:  # noqa: ARG002 - none here
        """Tell which rows hold numbers, shape (b,)."""
        return np.asarray(np.isfinite(rows).all(axis=1))

    def weights(self, row: NDArray[np.float32]) -> NoReturn:  # noqa: ARG002
        """Refuse: a row stands for no network."""
        raise DataError(f"a row of the encoder {self.config.kind!r} is no network")

    def decode(self, row: NDArray[Any], scale: float = 1.0) -> NDArray[np.float32]:
        """Give what a row, shape (k,), was made from, in raw units; DataError at another scale than 1."""
        if scale != 1:
            raise DataError(f"a row of {self.config.kind} has no resolution, so its scale is 1, not {scale:g}")
        return self.prepared(np.asarray(row, dtype=np.float32))
