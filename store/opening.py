"""Creates and opens stores; the suffix chooses the format of a new one, what is on disk that of an existing one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from store.collection.collection import create_collection, exists, is_collection, open_collection, starting
from store.collection.manifest import PART_ROWS
from store.columns import block_rows_for
from store.errors import StoreError
from store.formats import COLLECTION, create_from_header, open_backend, open_to_write, vacant
from store.functa_store import FunctaStore
from store.header import DEFAULT_ID_WIDTH, make_header
from store.places import is_url, require_path

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def create_store(
    path: str | Path,
    *,
    modality: str,
    layout: Sequence[tuple[str, tuple[int, ...], int]],
    encoder: Mapping[str, Any],
    state: Mapping[str, NDArray[Any]],
    conventions: Mapping[str, Any] | None = None,
    dataset: str = "",
    seed: int = 0,
    block_rows: int | None = None,
    id_width: int = DEFAULT_ID_WIDTH,
    missing_values: bool = False,
    part_rows: int | None = None,
) -> FunctaStore:
    """Make a new store and open it for writing.

    Parameters
    ----------
    path : path-like
        Ends in ``.zarr``, ``.h5`` or ``.hdf5``, or in ``.functas`` for a collection; nothing may exist there.
    modality : str
    layout : sequence of (name, shape, offset)
        How a functa falls into the network's arrays; offsets follow one another from 0 to k.
    encoder : mapping
        The encoder's whole configuration, fit for JSON.
    state : mapping of str to array
        The encoder's learned arrays: the start, and what else it needs to encode new data.
    conventions : mapping, optional
        Of coordinates and values, sample rate or size.
    dataset : str
    seed : int
    block_rows : int, optional
        Rows per block; the power of two nearest 8 MiB of functas, between 256 and 16384, when not given; of a
        collection no more than fill a part.
    id_width : int
        Bytes an ID may have, at most 512. HDF5 keeps this much space for each.
    missing_values : bool
        Keep usable rows some of whose numbers are missing, as NaN.
    part_rows : int, optional
        Of a collection: rows of one part; 65536 when not given.

    Raises
    ------
    StoreError
        The path is taken or cannot be written to, or a parameter is not valid.
    """
    require_path(path)
    for what, given in (("encoder", encoder), ("state", state), ("conventions", conventions or {})):
        if not isinstance(given, Mapping):
            raise StoreError(f"{what} is of type {type(given).__name__}, expected a mapping")
    arrays = {name: _checked_state(name, array) for name, array in state.items()}
    header = make_header(
        modality=modality,
        layout=layout,
        encoder=encoder,
        state=arrays,
        conventions=conventions or {},
        dataset=dataset,
        seed=seed,
        block_rows=block_rows,
        id_width=id_width,
        missing_values=missing_values,
    )
    if Path(path).suffix == COLLECTION:
        if block_rows is None:
            header = header.changed(block_rows=block_rows_for(header.k, part_rows or PART_ROWS))
        return create_collection(path, header, arrays, part_rows)
    if part_rows is not None:
        raise StoreError(
            f"{path} is not written in parts, so part_rows says nothing. Name it {Path(path).stem}{COLLECTION}"
        )
    return create_from_header(path, header, arrays)


def open_store(path: str | Path, mode: Literal["r", "a"] = "r") -> FunctaStore:
    """Open a store for reading (``"r"``) or for writing too (``"a"``).

    Parameters
    ----------
    path : path-like or str
        A local path, or any URL that fsspec knows: to read, and of a collection to write to as well.
    mode : {"r", "a"}

    Raises
    ------
    StoreError
        There is no store, or it cannot be written to.
    StoreFormatError
        What is there is not a functa store, or needs a newer version.
    StoreLockedError
        Another process is writing to it.
    IntegrityError
        Its header or commit record is damaged.
    """
    if mode not in ("r", "a"):
        raise StoreError(f"mode is {mode!r}, expected 'r' or 'a'")
    if is_collection(path):
        return open_collection(path, mode)
    if mode == "r":
        return FunctaStore(open_backend(path), again=open_store)
    if is_url(path):
        raise StoreError(
            f"cannot write to {path}: behind a URL only collections (...{COLLECTION}) are written. Write here "
            "and copy it there"
        )
    return open_to_write(path)


@contextmanager
def reserved(path: str | Path) -> Iterator[bool]:
    """Look whether a new store can be made at a path before its state is learned, which may take minutes.

    Of several processes that ask for the same local collection one goes on, and the others wait for what it makes.
    Behind a URL the first that is ready makes it: StoreExistsError tells the others.

    Yields
    ------
    bool
        Whether there is nothing yet.

    Raises
    ------
    StoreError
        No store can be made there.
    """
    require_path(path)
    if Path(path).suffix != COLLECTION:
        vacant(path)
        yield True
        return
    with starting(path):
        yield not exists(path)


def _checked_state(name: str, array: NDArray[Any]) -> NDArray[Any]:
    found = np.asarray(array)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise StoreError(f"state array is named {name!r}, expected letters, digits, '_', '.', '-'")
    if found.dtype.kind not in "fiub" or not found.size:
        raise StoreError(
            f"state array {name!r} has type {found.dtype} and {found.size} values, expected numbers, at least one"
        )
    return np.array(found, found.dtype.newbyteorder("<"), order="C")
