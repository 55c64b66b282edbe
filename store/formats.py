"""One store in one of its formats: made, opened for reading, opened for writing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from store import zarr_backend, zarr_writer
from store.backend import Backend, WritableBackend
from store.commit import Commit
from store.errors import StoreError
from store.functa_store import FunctaStore
from store.header import Header, now
from store.locks import StoreLock, resolved
from store.places import LocalFile, LocalFolder, RemotePlace, is_url
from store.rewriting import locate, recover, retired_path

SUFFIXES = {".zarr": "zarr", ".h5": "hdf5", ".hdf5": "hdf5"}
COLLECTION = ".functas"


def create_from_header(
    path: str | Path, header: Header, state: Mapping[str, NDArray[Any]], *, synced: bool = True
) -> FunctaStore:
    """Make a new store with a header that exists already, and open it for writing; `synced` as of `create_unlocked`."""
    target = vacant(path)
    lock = StoreLock(target)
    try:
        vacant(target)  # somebody else may have made one since
        backend = create_unlocked(target, header, state, synced=synced)
        lock.cover()
        return FunctaStore(backend, lock)
    except OSError as error:
        lock.release()
        raise StoreError(f"cannot create {target}: {error.strerror or error}. Nothing was written") from error
    except BaseException:
        lock.release()
        raise


def create_unlocked(
    path: Path,
    header: Header,
    state: Mapping[str, NDArray[Any]],
    commit: Commit | None = None,
    *,
    synced: bool = True,
) -> WritableBackend:
    """Make a new store under a path that nobody else writes to.

    Where it is not `synced`, a Zarr store's first commits may be lost with the power; HDF5 files always are.
    """
    commit = commit or Commit(header_sha256=header.sha256, utc=now())
    if SUFFIXES[path.suffix] == "zarr":
        zarr_backend.create_zarr(path, header, state, commit, synced=synced)
        return zarr_writer.WritableZarrBackend(path, synced=synced)
    from store import hdf5_backend

    hdf5_backend.create_hdf5(path, header, state, commit)
    return open_writable(path)


def vacant(path: str | Path, suffixes: Collection[str] = SUFFIXES) -> Path:
    """Check that a new store can be made at a path; return it with every link followed.

    Raises
    ------
    StoreError
        It is a URL, has another suffix, is taken, or its folder does not exist.
    """
    if is_url(path):
        raise StoreError(
            f"cannot write to {path}: behind a URL only collections (...{COLLECTION}) are written. Write here "
            "and copy it there"
        )
    target = resolved(path)
    if target.suffix not in suffixes:
        raise StoreError(f"{target} has suffix {target.suffix!r}, expected one of {', '.join(suffixes)}")
    if target.exists() or retired_path(target).exists():
        raise StoreError(f"{target} exists already. Open it with open_store, or choose another path")
    if not target.parent.is_dir():
        raise StoreError(f"folder {target.parent} does not exist. Create it first")
    return target


def open_to_write(path: str | Path) -> FunctaStore:
    """Open one local store for writing; errors as those of `open_store`."""
    target = resolved(path)
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
