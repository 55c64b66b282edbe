"""Creates and opens stores; the suffix chooses the format of a new one, what is on disk that of an existing one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from store import zarr_backend, zarr_writer
from store.backend import Backend, WritableBackend
from store.commit import Commit
from store.errors import StoreError
from store.functa_store import FunctaStore
from store.header import DEFAULT_ID_WIDTH, Header, make_header, now
from store.locks import StoreLock, resolved
from store.places import LocalFile, LocalFolder, RemotePlace, is_url
from store.rewriting import locate, recover, retired_path

SUFFIXES = {".zarr": "zarr", ".h5": "hdf5", ".hdf5": "hdf5"}
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
) -> FunctaStore:
    """Make a new store and open it for writing.

    Parameters
    ----------
    path : path-like
        Ends in ``.zarr``, ``.h5`` or ``.hdf5``; nothing may exist there.
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
        Rows per block; the power of two nearest 8 MiB of functas, between 256 and 16384, when not given.
    id_width : int
        Bytes an ID may have, at most 512. HDF5 keeps this much space for each.
    missing_values : bool
        Keep usable rows some of whose numbers are missing, as NaN.

    Raises
    ------
    StoreError
        The path is taken or cannot be written to, or a parameter is not valid.
    """
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
    return create_from_header(path, header, arrays)


def create_from_header(path: str | Path, header: Header, state: Mapping[str, NDArray[Any]]) -> FunctaStore:
    """Make a new store with a header that exists already, and open it for writing."""
    target = vacant(path)
    lock = StoreLock(target)
    try:
        vacant(target)  # somebody else may have made one since
        backend = create_unlocked(target, header, state)
        lock.cover()
        return FunctaStore(backend, lock)
    except OSError as error:
        lock.release()
        raise StoreError(f"cannot create {target}: {error.strerror or error}. Nothing was written") from error
    except BaseException:
        lock.release()
        raise


def create_unlocked(
    path: Path, header: Header, state: Mapping[str, NDArray[Any]], commit: Commit | None = None
) -> WritableBackend:
    """Make a new store under a path that nobody else writes to."""
    commit = commit or Commit(header_sha256=header.sha256, utc=now())
    if SUFFIXES[path.suffix] == "zarr":
        zarr_backend.create_zarr(path, header, state, commit)
    else:
        from store import hdf5_backend

        hdf5_backend.create_hdf5(path, header, state, commit)
    return open_writable(path)


def vacant(path: str | Path) -> Path:
    """Check that a new store can be made at a path; return it with every link followed.

    Raises
    ------
    StoreError
        It is a URL, has another suffix, is taken, or its folder does not exist.
    """
    if is_url(path):
        raise StoreError(
            f"cannot write to {path}: stores are written to local paths only. Write here and copy it there"
        )
    target = resolved(path)
    if target.suffix not in SUFFIXES:
        raise StoreError(f"{target} has suffix {target.suffix!r}, expected one of {', '.join(SUFFIXES)}")
    if target.exists() or retired_path(target).exists():
        raise StoreError(f"{target} exists already. Open it with open_store, or choose another path")
    if not target.parent.is_dir():
        raise StoreError(f"folder {target.parent} does not exist. Create it first")
    return target


def open_store(path: str | Path, mode: Literal["r", "a"] = "r") -> FunctaStore:
    """Open a store for reading (``"r"``) or for writing too (``"a"``).

    Parameters
    ----------
    path : path-like or str
        A local path, or for reading any URL that fsspec knows.
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
    if is_url(path):
        if mode == "a":
            raise StoreError(
                f"cannot write to {path}: stores are written to local paths only. Write here and copy it there"
            )
        return FunctaStore(_open_remote(str(path)))
    target = resolved(path)
    if mode == "r":
        return FunctaStore(open_readable(locate(target)))
    locate(target)
    lock = StoreLock(target)
    try:
        recover(target)
        return FunctaStore(open_writable(target), lock)
    except OSError as error:
        lock.release()
        raise StoreError(f"cannot write to {target}: {error.strerror or error}. Check its permissions") from error
    except BaseException:
        lock.release()
        raise


def open_backend(path: str | Path) -> Backend:
    """Open a store for reading, wherever it is."""
    return _open_remote(str(path)) if is_url(path) else open_readable(locate(resolved(path)))


def _open_remote(url: str) -> Backend:
    place = RemotePlace(url)
    if place.is_folder():
        return zarr_backend.ZarrBackend(place)
    from store import hdf5_backend

    return hdf5_backend.Hdf5Backend(place)


def open_readable(path: Path, *, spare: bool = False) -> Backend:
    """Open a local store for reading; ``spare`` reads the spare copies of header, commit and state."""
    if path.is_dir():
        return zarr_backend.ZarrBackend(LocalFolder(path), spare=spare)
    from store import hdf5_backend

    return hdf5_backend.Hdf5Backend(LocalFile(path), path, spare=spare)


def open_writable(path: Path) -> WritableBackend:
    """Open a local store for writing; the caller holds its lock."""
    if path.is_dir():
        return zarr_writer.WritableZarrBackend(path)
    from store import hdf5_writer

    return hdf5_writer.WritableHdf5Backend(path)


def _checked_state(name: str, array: NDArray[Any]) -> NDArray[Any]:
    found = np.asarray(array)
    if not _NAME.fullmatch(name):
        raise StoreError(f"state array is named {name!r}, expected letters, digits, '_', '.', '-'")
    if found.dtype.kind not in "fiub" or not found.size:
        raise StoreError(
            f"state array {name!r} has type {found.dtype} and {found.size} values, expected numbers, at least one"
        )
    return np.array(found, found.dtype.newbyteorder("<"), order="C")
