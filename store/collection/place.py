"""Where a collection lies: the one thing that differs between a folder and an object store."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

from store import files
from store.backend import Backend
from store.collection.manifest import MANIFEST, MAX_MANIFEST_BYTES, PART_NAME, STATE, number_of
from store.errors import IntegrityError, StoreError, StoreLockedError
from store.formats import open_backend, open_readable
from store.locks import StoreLock
from store.places import LocalFolder, RemotePlace
from store.rewriting import remove_store

PATIENCE = 600.0
"""Seconds to wait for others that list their parts, which takes each of them less than one."""
_PAUSE = 0.02
_STAGED = re.compile(r"^\.{1,2}(part-[0-9a-f]{8}\.(?:zarr|h5|hdf5))(?:\..*)?$")


class ReadablePlace(ABC):
    """A manifest and stores beside it, by name."""

    location: str

    @abstractmethod
    def read_manifest(self) -> bytes | bytearray:
        """Read the manifest as it is now; IntegrityError when there is none, or it is too long."""

    @abstractmethod
    def open(self, name: str) -> Backend:
        """Open a part, or the state, for reading; IntegrityError when it is not there."""


class CollectionPlace(ReadablePlace):
    """A place that parts can be added to: written to a local disk first, and put in their place when they are whole.

    A writer that goes on after a crash finds what it left in :meth:`staged`.

    Attributes
    ----------
    shared : bool
        Several may list parts at once, wherever they run.
    """

    shared: bool = True

    @abstractmethod
    def create(self, fill: Callable[[Path], None]) -> None:
        """Make the place, which is there whole or not at all, of what `fill` writes into a local folder."""

    @abstractmethod
    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other writers from listing parts for a moment; they wait."""

    @abstractmethod
    def replace_manifest(self, data: bytes, *, seen: bytes | bytearray) -> bool:
        """Put another manifest in the place of the one that was seen, durably; False when it has changed since."""

    @abstractmethod
    def new_stage(self, suffix: str) -> Path:
        """Name a local path at which a part may be written; nobody else gets it."""

    @abstractmethod
    def staged(self) -> Iterable[Path]:
        """List the local paths of parts that were begun and never put in their place; their writers may be alive."""

    @abstractmethod
    def forget(self, stage: Path) -> None:
        """Delete whatever there is of a part that was begun."""

    def new_state(self) -> str:
        """Name the store that keeps header and state of a collection that is made."""
        return STATE

    def send(self, stage: Path, number: int) -> str | None:  # noqa: ARG002 - a folder needs no copy
        """Copy a part that is committed to its place, before others have to wait; None where it is only renamed."""
        return None

    def sent(self, stage: Path) -> str | None:  # noqa: ARG002 - a folder needs no copy
        """Tell the name under which a part was sent, perhaps in part only, by a run that may be gone."""
        return None

    def sweep(self) -> None:
        """Delete what writers that are gone have sent and never listed."""

    @abstractmethod
    def publish(self, stage: Path) -> str:
        """Put a part that is closed and whole in its place, durably, and return its name; it is not listed yet."""

    @abstractmethod
    def withdraw(self, name: str) -> None:
        """Take away a part that could not be listed."""

    @abstractmethod
    def unlisted(self, listed: Iterable[str]) -> list[str]:
        """List the names of parts that are in their place and not among those that are listed."""


class FolderPlace(CollectionPlace):
    """A folder on a local or mounted disk.

    Parameters
    ----------
    path : Path
        With every link followed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)

    def read_manifest(self) -> bytes | bytearray:
        """Read the file, which no link stands for."""
        try:
            return LocalFolder(self.path).read(MANIFEST, MAX_MANIFEST_BYTES)
        except FileNotFoundError as error:
            raise IntegrityError(f"{self.location} has no {MANIFEST}, so it is no collection of functas") from error

    def open(self, name: str) -> Backend:
        """Open a store of this folder, no link to one."""
        path = self.plain(name)
        if not path.exists():
            raise IntegrityError(
                f"{name} of {self.location} is listed, but not there. Put it back, or run `functa store repair "
                f"{self.location}`, which lists the others"
            )
        return open_readable(path)

    def plain(self, name: str) -> Path:
        """Give the path of a store of this folder; IntegrityError when a link stands for it."""
        if (self.path / name).is_symlink():
            raise IntegrityError(files.foreign_entry(name, self.location))
        return self.path / name

    def create(self, fill: Callable[[Path], None]) -> None:
        """Fill a temporary folder, then rename it."""
        with self.exclusive():
            if self.path.exists():
                raise StoreError(f"{self.location} exists already: it was made meanwhile. Choose another path")
            with files.whole_folder(self.path) as folder:
                fill(folder)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the folder's lock, which ends with its process."""
        with waited_lock(self.path, patience=PATIENCE):
            yield

    def replace_manifest(self, data: bytes, *, seen: bytes | bytearray) -> bool:
        """Compare, then write, sync and rename."""
        if self.read_manifest() != seen:
            return False
        files.write_durably(self.path / MANIFEST, [data])
        return True

    def new_stage(self, suffix: str) -> Path:
        """Name a hidden path in the folder itself, so that it only has to be renamed."""
        return self.path / f".part-{token_hex(4)}{suffix}"

    def staged(self) -> Iterable[Path]:
        """Look for hidden names, those of locks and temporary files too."""
        found = (_STAGED.match(entry.name) for entry in self.path.iterdir() if not entry.is_symlink())
        return sorted({self.path / f".{match[1]}" for match in found if match})

    def forget(self, stage: Path) -> None:
        """Delete the store and the hidden files beside it."""
        remove_store(stage)
        for path in self.path.glob(f".{stage.name}.*"):
            files.system.remove_tree(path)

    def publish(self, stage: Path) -> str:
        """Rename the store under the first number after all that are there."""
        taken = [number_of(name) for name in self.unlisted(())]
        name = f"part-{max(taken, default=-1) + 1:05d}{stage.suffix}"
        files.system.replace(stage, self.path / name)
        files.system.sync(self.path)
        return name

    def withdraw(self, name: str) -> None:
        """Delete the store."""
        remove_store(self.path / name)

    def unlisted(self, listed: Iterable[str]) -> list[str]:
        """List the folder."""
        known = set(listed)
        return sorted(
            entry.name
            for entry in self.path.iterdir()
            if re.fullmatch(PART_NAME, entry.name) and entry.name not in known
        )


class UrlPlace(ReadablePlace):
    """Anything behind an fsspec URL, to read."""

    def __init__(self, url: str) -> None:
        self.location = url.rstrip("/")

    def read_manifest(self) -> bytes | bytearray:
        """Fetch the object."""
        try:
            return RemotePlace(self.location).read(MANIFEST, MAX_MANIFEST_BYTES)
        except FileNotFoundError as error:
            raise IntegrityError(f"{self.location} has no {MANIFEST}, so it is no collection of functas") from error

    def open(self, name: str) -> Backend:
        """Open the store below the URL."""
        return open_backend(f"{self.location}/{name}")


@contextmanager
def waited_lock(path: Path, *, patience: float) -> Iterator[None]:
    """Hold the lock of a path; StoreLockedError says who holds it after so many seconds."""
    end = monotonic() + patience
    while True:
        try:
            lock = StoreLock(path)
        except StoreLockedError:
            if monotonic() > end:
                raise
            sleep(_PAUSE)
        else:
            break
    try:
        yield
    finally:
        lock.release()
