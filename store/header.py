"""What a store says about itself, once (header) and at every commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from store.columns import Column, base_columns, block_rows_for, extra_column
from store.errors import IntegrityError, StoreError, StoreFormatError

FORMAT = "functa-store"
SCHEMA_VERSION = "1.0"
MAX_ID_BYTES = 512
READER_VERSION = 1
DEFAULT_ID_WIDTH = 128


def canonical(value: Any) -> str:
    """Write JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any) -> str:
    """Compute the hexadecimal sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def plain(value: Any, what: str) -> Any:
    """Return a value as it comes back from JSON (tuples as lists).

    Raises
    ------
    StoreError
        The value cannot be written as JSON.
    """
    try:
        return json.loads(canonical(value))
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"{what} cannot be kept as JSON: {error}. Use strings, finite numbers, lists and dicts"
        ) from error


def state_digest(state: Mapping[str, NDArray[Any]]) -> str:
    """Compute the hexadecimal sha256 of names, types, shapes and values of the state's arrays."""
    total = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        total.update(canonical([name, array.dtype.str, list(array.shape)]).encode())
        total.update(array.tobytes())
    return total.hexdigest()


@dataclass(frozen=True)
class Header:
    """Written once, when a store is created.

    Parameters
    ----------
    layout : list of [name, shape, offset]
        How a functa of k values falls into the network's arrays.
    encoder : dict
        The encoder's whole configuration; ``encoder_sha256`` is its digest.
    state_sha256 : str
        Digest of the arrays under ``state/``, whose types and shapes stand in ``arrays``.
    """

    modality: str
    k: int
    block_rows: int
    layout: list[list[Any]]
    encoder: dict[str, Any]
    encoder_sha256: str
    state_sha256: str
    arrays: dict[str, dict[str, Any]]
    conventions: dict[str, Any] = field(default_factory=dict)
    dataset: str = ""
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""
    id_width: int = DEFAULT_ID_WIDTH
    format: str = FORMAT
    schema_version: str = SCHEMA_VERSION
    min_reader_version: int = READER_VERSION

    @property
    def sha256(self) -> str:
        """Digest of the whole header."""
        return digest(asdict(self))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns every store of this header has."""
        return base_columns(self.k, self.id_width)

    @classmethod
    def from_json(cls, value: Any, sha256: str, path: object) -> Header:
        """Check and read a header.

        Raises
        ------
        IntegrityError
            The header is not the one the commit was made for, or lacks a field.
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
        known = {entry.name for entry in fields(cls)}
        try:
            return cls(**{name: entry for name, entry in value.items() if name in known})
        except TypeError as error:
            raise IntegrityError(f"the header of {path} is incomplete: {error}") from error


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
) -> Header:
    """Make the header of a new store; k follows from the layout.

    Raises
    ------
    StoreError
        The layout has gaps, or a configuration cannot be written as JSON.
    """
    k = _size_of(layout)
    configuration = plain(dict(encoder), "the encoder's configuration")
    rows = block_rows_for(k) if block_rows is None else block_rows
    if rows < 1:
        raise StoreError(f"block_rows is {rows}, expected at least 1")
    if not 1 <= id_width <= MAX_ID_BYTES:
        raise StoreError(f"id_width is {id_width}, expected 1..{MAX_ID_BYTES} bytes")
    return Header(
        modality=modality,
        k=k,
        block_rows=rows,
        layout=plain(list(layout), "the layout"),
        encoder=configuration,
        encoder_sha256=digest(configuration),
        state_sha256=state_digest(state),
        arrays={name: {"dtype": array.dtype.str, "shape": list(array.shape)} for name, array in state.items()},
        conventions=plain(dict(conventions), "the conventions"),
        dataset=dataset,
        seed=seed,
        versions=_versions(),
        created=now(),
        id_width=id_width,
    )


def now() -> str:
    """Tell the moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _size_of(layout: Sequence[tuple[str, tuple[int, ...], int]]) -> int:
    end = 0
    for name, shape, offset in layout:
        if offset != end:
            raise StoreError(
                f"layout entry {name!r} starts at {offset}, expected {end}: entries must follow one another"
            )
        end += int(np.prod(shape, dtype=np.int64))
    if end < 1:
        raise StoreError("the layout is empty, expected at least one (name, shape, offset)")
    return end


def _versions() -> dict[str, str]:
    found = {}
    for name in ("functa-fusion", "numpy", "zarr", "h5py"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Commit:
    """The one value that says what a store holds; replaced as a whole.

    Parameters
    ----------
    n_rows : int
        Readers trust no row at or after this one.
    generation : int
        One more at every commit.
    epoch : int
        One more whenever the rows were written anew (compact, repair), so that open readers notice.
    extra : dict
        Columns that users added: name -> ``{"kind": ..., "path": ...}``.
    """

    header_sha256: str
    n_rows: int = 0
    generation: int = 0
    epoch: int = 0
    label_names: tuple[str, ...] = ()
    split_names: tuple[str, ...] = ()
    group_names: tuple[str, ...] = ()
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    finished: bool = False
    utc: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the commit with a checksum over its other fields."""
        value: dict[str, Any] = json.loads(canonical(asdict(self)))
        return value | {"crc32c": _checksum(value)}

    @classmethod
    def from_json(cls, value: Any, path: object) -> Commit:
        """Check and read a commit; IntegrityError when its checksum does not hold."""
        if not isinstance(value, dict):
            raise IntegrityError(f"{path} has no commit record. Run `functa store repair {path}`")
        body = {name: entry for name, entry in value.items() if name != "crc32c"}
        if value.get("crc32c") != _checksum(body):
            raise IntegrityError(f"the commit record of {path} is damaged. Run `functa store repair {path}`")
        names = {name: tuple(body[name]) for name in ("label_names", "split_names", "group_names")}
        return cls(**(body | names))

    def next(self, **changes: Any) -> Commit:
        """Make the commit after this one."""
        return replace(self, generation=self.generation + 1, utc=now(), **changes)

    def extra_columns(self) -> dict[str, Column]:
        """List the columns users added, by name."""
        return {name: extra_column(entry["path"], entry["kind"]) for name, entry in self.extra.items()}


def _checksum(body: Mapping[str, Any]) -> int:
    return int(google_crc32c.value(canonical(body).encode()))


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """List each field in which two configurations differ, with both values: ``"fit.omega_0 30.0 -> 60.0"``."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in sorted(old.keys() | new.keys()):
            found += differences(old.get(name, "(absent)"), new.get(name, "(absent)"), f"{prefix}{name}.")
        return found
    return [] if old == new else [f"{prefix.rstrip('.')} {old!r} -> {new!r}"]
