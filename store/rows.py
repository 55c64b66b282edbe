"""Rows in memory: what is appended to a store and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from store.errors import StoreError
from store.header import MAX_ID_BYTES

MAX_ERROR_BYTES = 256


class Status(IntEnum):
    """What became of a sample."""

    UNSET = 0
    OK = 1
    LOW_PSNR = 2
    FAILED = 3
    DELETED = 4


USABLE = (Status.OK, Status.LOW_PSNR)
LIVE = (*USABLE, Status.FAILED)

_SHAPES: dict[str, tuple[str, int]] = {
    "ids": ("O", 1),
    "functas": ("f4", 2),
    "labels": ("O", 1),
    "splits": ("O", 1),
    "groups": ("O", 1),
    "psnr": ("f4", 1),
    "loss": ("f8", 1),
    "steps": ("i4", 1),
    "fit_seconds": ("f4", 1),
    "status": ("u1", 1),
    "source_hash": ("u1", 2),
    "target": ("f8", 1),
    "errors": ("O", 1),
}


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch of b rows; every column has the same length.

    Parameters
    ----------
    ids : object array of str, shape (b,)
        1..512 bytes of UTF-8, no NUL.
    functas : float32 array, shape (b, k)
        NaN in failed rows, and where a number is missing in a store that keeps such rows; k is 0 when the functas
        were not asked for.
    labels, splits, groups : object array of str or None, shape (b,)
    psnr : float32 array, shape (b,)
        In dB.
    loss : float64 array, shape (b,)
    steps : int32 array, shape (b,)
    fit_seconds : float32 array, shape (b,)
    status : uint8 array, shape (b,)
        Values of :class:`Status`.
    source_hash : uint8 array, shape (b, 16)
        Of the decoded, resampled input.
    target : float64 array, shape (b,)
        For regression; NaN = none.
    errors : object array of str, shape (b,)
        ``""`` or ``"stage: reason"``, at most 256 bytes.
    extra : dict of array, each shape (b,)
        Columns that users added.

    Raises
    ------
    StoreError
        A column has another length or shape than the rest, or an ID is not valid.
    """

    ids: NDArray[np.object_]
    functas: NDArray[np.float32]
    labels: NDArray[np.object_]
    splits: NDArray[np.object_]
    groups: NDArray[np.object_]
    psnr: NDArray[np.float32]
    loss: NDArray[np.float64]
    steps: NDArray[np.int32]
    fit_seconds: NDArray[np.float32]
    status: NDArray[np.uint8]
    source_hash: NDArray[np.uint8]
    target: NDArray[np.float64]
    errors: NDArray[np.object_]
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (kind, dimensions) in _SHAPES.items():
            value = getattr(self, name)
            column = _objects(value) if kind == "O" else _numbers(name, value, kind)
            if column.ndim != dimensions:
                raise StoreError(f"column {name} has {column.ndim} dimensions, expected {dimensions}")
            object.__setattr__(self, name, column)
        self._check_lengths()
        if self.source_hash.shape[1] != 16:
            raise StoreError(f"column source_hash has {self.source_hash.shape[1]} bytes per row, expected 16")

    def _check_lengths(self) -> None:
        columns = {name: getattr(self, name) for name in _SHAPES} | dict(self.extra)
        for name, column in columns.items():
            if len(column) != len(self.ids):
                raise StoreError(f"column {name} has {len(column)} rows, but there are {len(self.ids)} ids")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def k(self) -> int:
        """Number of values in one functa."""
        return int(self.functas.shape[1])

    @classmethod
    def build(
        cls,
        ids: Sequence[str] | NDArray[np.object_],
        functas: ArrayLike,
        *,
        labels: Sequence[str | None] | NDArray[np.object_] | None = None,
        splits: Sequence[str | None] | NDArray[np.object_] | None = None,
        groups: Sequence[str | None] | NDArray[np.object_] | None = None,
        psnr: ArrayLike | None = None,
        loss: ArrayLike | None = None,
        steps: ArrayLike | None = None,
        fit_seconds: ArrayLike | None = None,
        status: ArrayLike | None = None,
        source_hash: ArrayLike | None = None,
        target: ArrayLike | None = None,
        errors: Sequence[str] | NDArray[np.object_] | None = None,
        extra: dict[str, NDArray[Any]] | None = None,
    ) -> Rows:
        """Make rows from what is known; the rest becomes none, NaN, 0 or, for the status, ok."""
        b = len(ids)
        return cls(
            ids=_objects(ids),
            functas=np.asarray(functas),
            labels=_objects([None] * b if labels is None else labels),
            splits=_objects([None] * b if splits is None else splits),
            groups=_objects([None] * b if groups is None else groups),
            psnr=_filled(psnr, b, np.nan),
            loss=_filled(loss, b, np.nan),
            steps=_filled(steps, b, 0),
            fit_seconds=_filled(fit_seconds, b, np.nan),
            status=_filled(status, b, Status.OK),
            source_hash=np.zeros((b, 16), np.uint8) if source_hash is None else np.asarray(source_hash),
            target=_filled(target, b, np.nan),
            errors=_objects([""] * b if errors is None else errors),
            extra=extra or {},
        )

    @classmethod
    def failed(
        cls,
        id: str,  # noqa: A002
        stage: str,
        reason: str,
        k: int,
        *,
        label: str | None = None,
        split: str | None = None,
        group: str | None = None,
        source_hash: bytes | None = None,
    ) -> Rows:
        """Make one row for a sample that could not be encoded, with the stage it failed at and why."""
        return cls.build(
            [id],
            np.full((1, k), np.nan, np.float32),
            labels=[label],
            splits=[split],
            groups=[group],
            status=[Status.FAILED],
            source_hash=None if source_hash is None else np.frombuffer(source_hash, np.uint8)[None],
            errors=[error_text(stage, reason)],
        )

    def take(self, indices: ArrayLike | slice) -> Rows:
        """Select the rows at these positions, in this order, or where a mask is true; StoreError when it is neither."""
        where = positions(indices, len(self))
        columns = {name: getattr(self, name)[where] for name in _SHAPES}
        return Rows(**columns, extra={name: column[where] for name, column in self.extra.items()})

    @classmethod
    def concatenate(cls, parts: Sequence[Rows]) -> Rows:
        """Put all rows of the parts one after the other; at least one part, all with the same extra columns."""
        if not parts:
            raise StoreError("nothing to concatenate: expected at least one batch of rows")
        if any(part.extra.keys() != parts[0].extra.keys() for part in parts):
            raise StoreError(f"batches of rows have different extra columns: {[sorted(part.extra) for part in parts]}")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _SHAPES}
        extra = {name: np.concatenate([part.extra[name] for part in parts]) for name in parts[0].extra}
        return cls(**columns, extra=extra)


def check_ids(ids: NDArray[np.object_]) -> list[bytes]:
    """Encode each ID as UTF-8.

    Raises
    ------
    StoreError
        An ID is not a string of 1..512 bytes without NUL.
    """
    try:
        encoded = [name.encode() for name in ids]
    except (AttributeError, UnicodeEncodeError):
        return _named_checks(ids)
    lengths = list(map(len, encoded))
    sound = not encoded or (min(lengths) >= 1 and max(lengths) <= MAX_ID_BYTES and b"\0" not in b"".join(encoded))
    return encoded if sound else _named_checks(ids)


def _named_checks(ids: NDArray[np.object_]) -> list[bytes]:
    """Check one ID after the other, to name the one that is not valid."""
    encoded = []
    for row, name in enumerate(ids):
        if not isinstance(name, str):
            raise StoreError(f"ID of row {row} is {name!r}, expected a string")
        try:
            data = name.encode()
        except UnicodeEncodeError as error:
            raise StoreError(f"ID of row {row} is {name!r}, which is not valid UTF-8") from error
        if not 1 <= len(data) <= MAX_ID_BYTES or b"\0" in data:
            raise StoreError(f"ID of row {row} is {name[:80]!r}, expected 1..{MAX_ID_BYTES} bytes of UTF-8 without NUL")
        encoded.append(data)
    return encoded


def positions(indices: ArrayLike | slice, length: int) -> slice | NDArray[np.intp]:
    """Give what selects some of so many rows.

    Parameters
    ----------
    indices : slice, whole numbers or booleans, shape (n,)
        Booleans are a mask, one for each row.
    length : int

    Raises
    ------
    StoreError
        They are neither, or the mask has another length.
    """
    if isinstance(indices, slice):
        return indices
    given = np.asarray(indices)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iub"):
        raise StoreError(
            f"rows are selected by {given.dtype} of shape {given.shape}, expected whole numbers or booleans in a row"
        )
    if given.dtype == bool and len(given) != length:
        raise StoreError(f"a mask has {len(given)} values, expected one for each of {length} rows")
    return np.flatnonzero(given) if given.dtype == bool else given.astype(np.intp)


def rows_equal(left: Rows, right: Rows) -> bool:
    """Tell whether two batches hold the same values in every column (NaN equals NaN)."""
    if left.extra.keys() != right.extra.keys():
        return False
    pairs = [(getattr(left, name.name), getattr(right, name.name)) for name in fields(Rows) if name.name != "extra"]
    pairs += [(left.extra[name], right.extra[name]) for name in left.extra]
    return all(same_values(a, b) for a, b in pairs)


def same_values(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Tell whether two arrays hold the same values; NaN equals NaN."""
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


def _objects(values: Any) -> NDArray[np.object_]:
    if isinstance(values, np.ndarray) and values.dtype == object:
        return values
    items = list(values)
    if any(issubclass(kind, np.generic) for kind in set(map(type, items))):
        items = [value.item() if isinstance(value, np.generic) else value for value in items]
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def _filled(values: ArrayLike | None, length: int, fill: float) -> NDArray[Any]:
    return np.full(length, fill) if values is None else np.asarray(values)


def _numbers(name: str, values: Any, kind: str) -> NDArray[Any]:
    """Convert a column; whole numbers must come out as they were."""
    try:
        given = np.asarray(values)
        if given.dtype.kind in "cmM":
            raise TypeError(f"its values are of type {given.dtype}")  # noqa: TRY301 - told below
        with np.errstate(invalid="ignore", over="ignore"):
            column: NDArray[Any] = given.astype(kind, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"column {name} cannot be of type {np.dtype(kind)}: {error}") from error
    if column is not given and kind != "f4" and kind != "f8" and not np.array_equal(column, given):
        first = given[column != given].tolist()[0]
        raise StoreError(f"column {name} holds {first!r}, expected whole numbers that fit into {np.dtype(kind)}")
    return column


def unusable(functas: NDArray[np.float32], *, missing_values: bool) -> NDArray[np.bool_]:
    """Tell which rows, shape (b, k), no usable row can hold: infinity, and NaN unless some numbers may be missing."""
    if not missing_values:
        return np.asarray(~np.isfinite(functas).all(axis=1))
    return np.asarray(np.isinf(functas).any(axis=1) | np.isnan(functas).all(axis=1))


def error_text(stage: str, reason: str) -> str:
    """Make the text that a store keeps of a failure: one line of UTF-8 without NUL, cut to 256 bytes.

    Parameters
    ----------
    stage : str
        Where it failed: ``"read"``, ``"prepare"``, ``"fit"``.
    reason : str
        Of any length, with whatever characters a file name or a library put in.
    """
    text = " ".join(f"{stage}: {reason}".replace("\0", " ").split()).encode("utf-8", "backslashreplace")
    if len(text) > MAX_ERROR_BYTES:
        text = text[: MAX_ERROR_BYTES - 3].decode("utf-8", "ignore").encode() + b"..."
    return text.decode()
