"""What a store says about itself once, when it is created."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from math import prod
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from store.columns import MAX_BLOCK_BYTES, Column, base_columns, block_rows_for
from store.documents import canonical, digest, plain, validated
from store.errors import IntegrityError, StoreError, StoreFormatError

FORMAT = "functa-store"
SCHEMA_VERSION = "1.1"
MISSING_VERSION = "1.2"
"""Of stores whose usable rows may lack numbers; others are as before, and older versions go on with them."""
MAX_ID_BYTES = 512
MAX_BLOCK_ROWS_EVER = 2**20
MAX_STATE_BYTES = 2**29
READER_VERSION = 1
DEFAULT_ID_WIDTH = 128
_OF_SOURCE = ("reading", "source")
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"

Size = Annotated[int, Field(ge=0, le=MAX_STATE_BYTES)]


def state_digest(state: Mapping[str, NDArray[Any]]) -> str:
    """Compute the hexadecimal sha256 of names, types, shapes and values of the state's arrays."""
    total = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        total.update(canonical([name, array.dtype.str, list(array.shape)]).encode())
        total.update(array.tobytes())
    return total.hexdigest()


class StateArray(BaseModel):
    """Type and shape of one array under ``state/``."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    dtype: str = Field(pattern=r"^[<|][fiub][1248]$")
    shape: list[Size] = Field(max_length=8)

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


class Header(BaseModel):
    """Written once, when a store is created; fields of later versions are carried along.

    Parameters
    ----------
    layout : list of [name, shape, offset]
        How a functa of k values falls into the network's arrays.
    encoder : dict
        The encoder's whole configuration; ``encoder_sha256`` is its digest.
    state_sha256 : str
        Digest of the arrays under ``state/``, whose types and shapes stand in ``arrays``.
    missing_values : bool
        Whether NaN in a usable row is a number that is missing; not written where it is not so. Since format 1.2.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    modality: str = Field(max_length=100)
    k: int = Field(ge=1, le=MAX_BLOCK_BYTES // 4)
    block_rows: int = Field(ge=1, le=MAX_BLOCK_ROWS_EVER)
    layout: list[list[Any]]
    encoder: dict[str, Any]
    encoder_sha256: str
    state_sha256: str
    arrays: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], StateArray] = Field(max_length=1000)
    conventions: dict[str, Any] = Field(default_factory=dict)
    dataset: str = ""
    seed: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    missing_values: bool = False
    id_width: int = Field(default=DEFAULT_ID_WIDTH, ge=1, le=MAX_ID_BYTES)
    format: str = FORMAT
    schema_version: str = Field(default=SCHEMA_VERSION, pattern=r"^\d{1,3}\.\d{1,3}$")
    min_reader_version: int = READER_VERSION

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if layout_size(self.layout) != self.k:
            raise ValueError(f"the layout has {layout_size(self.layout)} values, but k is {self.k}")
        if 4 * self.k * self.block_rows > MAX_BLOCK_BYTES:
            raise ValueError(f"a block of {self.block_rows} rows of {self.k} values is larger than {MAX_BLOCK_BYTES}")
        if sum(array.nbytes for array in self.arrays.values()) > MAX_STATE_BYTES:
            raise ValueError(f"the arrays of the state are larger than {MAX_STATE_BYTES} bytes")
        return self

    @cached_property
    def sha256(self) -> str:
        """Digest of the whole header, as it is on disk."""
        return digest(self.to_json())

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what the store is of; the format's minor version, which compact may raise, is left out."""
        return digest(self.to_json() | {"schema_version": "1.0"})

    @property
    def identity(self) -> dict[str, Any]:
        """What two stores have in common whose rows can stand beside one another."""
        found = {name: getattr(self, name) for name in ("modality", "layout", "encoder", "state_sha256", "conventions")}
        # Which file it was, and how it was read - what was left out, say - may differ between sources of one kind.
        return found | {
            "conventions": {name: told for name, told in self.conventions.items() if name not in _OF_SOURCE}
        }

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of the format."""
        return _version(self.schema_version)

    @property
    def sealed(self) -> bool:
        """Whether a seal ties every chunk to its place: since format 1.1."""
        return self.version >= (1, 1)

    @property
    def written_version(self) -> str:
        """The version of the format that this package writes such a store in."""
        return MISSING_VERSION if self.missing_values else SCHEMA_VERSION

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns every store of this header has."""
        return base_columns(self.k, self.id_width)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that were read or given, ready for JSON."""
        return self.model_dump(exclude_unset=True)

    def changed(self, **changes: Any) -> Header:
        """Make a header that differs in some fields."""
        return type(self).model_validate(self.to_json() | changes)

    def as_this_version(self, path: object) -> Header:
        """Make the header of a store that is written anew, in the version of the format that this package writes.

        Raises
        ------
        StoreFormatError
            A later version wrote the store.
        """
        self.require_writable(path)
        written = self.written_version
        return self if self.schema_version == written else self.changed(schema_version=written)

    def require_writable(self, path: object) -> None:
        """Refuse to write to a store of a later version, which may hold what this one would not keep up."""
        latest = max(SCHEMA_VERSION, MISSING_VERSION, key=_version)
        if self.version > _version(latest):
            raise StoreFormatError(
                f"{path} has schema version {self.schema_version}, which this version reads but does not write, as "
                f"it writes {latest}. Upgrade functa-fusion"
            )

    @classmethod
    def from_json(cls, value: Any, sha256: str, path: object) -> Header:
        """Check and read a header.

        Raises
        ------
        IntegrityError
            The header is not the one the commit was made for, or a field is missing or cannot be.
        StoreFormatError
            Not the header of a functa store, or one that needs a newer reader.
        """
        if digest(value) != sha256:
            raise IntegrityError(f"the header of {path} does not match its checksum. Run `functa store repair {path}`")
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise StoreFormatError(f"{path} is not a functa store: its header does not say format = {FORMAT!r}")
        needed = value.get("min_reader_version")
        if not isinstance(needed, int) or needed > READER_VERSION:
            raise StoreFormatError(
                f"{path} has schema version {value.get('schema_version')} and needs reader {needed}, "
                f"but this is reader {READER_VERSION}. Upgrade functa-fusion"
            )
        return validated(cls, value, f"the header of {path}")


def make_header(
    *,
    modality: str,
    layout: Sequence[tuple[str, tuple[int, ...], int]],
    encoder: Mapping[str, Any],
    state: Mapping[str, NDArray[Any]],
    conventions: Mapping[str, Any],
    dataset: str,
    seed: int,
    block_rows: int | None,
    id_width: int,
    missing_values: bool,
) -> Header:
    """Make the header of a new store; k follows from the layout.

    Raises
    ------
    StoreError
        The layout has gaps, a size is out of range, or a configuration cannot be written as JSON.
    """
    try:
        entries = plain([[name, list(shape), offset] for name, shape, offset in layout], "the layout")
    except (TypeError, ValueError) as error:
        raise StoreError(f"the layout is no list of (name, shape, offset): {error}") from error
    try:
        k = layout_size(entries)
    except ValueError as error:
        raise StoreError(str(error)) from error
    configuration = plain(dict(encoder), "the encoder's configuration")
    try:
        return validated(
            Header,
            {
                "modality": plain(modality, "the modality"),
                "k": k,
                "block_rows": block_rows_for(k) if block_rows is None else block_rows,
                "layout": entries,
                "encoder": configuration,
                "encoder_sha256": digest(configuration),
                "state_sha256": state_digest(state),
                "arrays": {
                    name: {"dtype": array.dtype.str, "shape": list(array.shape)} for name, array in state.items()
                },
                "conventions": plain(dict(conventions), "the conventions"),
                "dataset": plain(dataset, "the data set's name"),
                "seed": seed,
                "versions": _versions(),
                "created": now(),
                "id_width": id_width,
                "format": FORMAT,
                "schema_version": MISSING_VERSION if missing_values else SCHEMA_VERSION,
                **({"missing_values": True} if missing_values else {}),
                "min_reader_version": READER_VERSION,
            },
            "what the store is to be created with",
        )
    except IntegrityError as error:
        raise StoreError(str(error)) from error


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def now() -> str:
    """Tell the moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def layout_size(layout: Sequence[Sequence[Any]]) -> int:
    """Count the values that a layout describes; ValueError when its entries do not follow one another."""
    end = 0
    for entry in layout:
        name, shape, offset = entry if len(entry) == 3 else ("", None, None)
        sizes = shape if isinstance(shape, list) else [None]
        if not isinstance(name, str) or not all(type(size) is int and size >= 0 for size in (*sizes, offset)):
            raise ValueError(f"layout entry {str(entry)[:80]} is not a name, a shape and an offset")
        if offset != end:
            raise ValueError(
                f"layout entry {name!r} starts at {offset}, expected {end}: entries must follow one another"
            )
        end += prod(sizes)
    if end < 1:
        raise ValueError("the layout is empty, expected at least one (name, shape, offset)")
    return end


def _versions() -> dict[str, str]:
    found = {}
    for name in ("functa-fusion", "numpy", "zarr", "h5py"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """List each field in which two configurations differ, with both values: ``"fit.omega_0 30.0 -> 60.0"``."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in sorted(old.keys() | new.keys()):
            found += differences(old.get(name, "(absent)"), new.get(name, "(absent)"), f"{prefix}{name}.")
        return found
    return [] if old == new else [f"{prefix.rstrip('.')} {old!r} -> {new!r}"]
