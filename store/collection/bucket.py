"""Objects below an fsspec URL: created, replaced if nobody else has, compared after they were written."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import md5
from itertools import islice
from pathlib import Path
from time import sleep
from typing import Any

from store.errors import IntegrityError, UnreachableError
from store.places import file_system
from store.retrying import ATTEMPTS, FIRST_PAUSE, in_a_line, retried

_PARALLEL = 8
"""Objects under way at once, each at most a block of a column, some 8 MiB."""
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_IN_THIS_PROCESS = threading.Lock()


class Bucket:
    """A tree of objects that can be written.

    Parameters
    ----------
    url : str

    Attributes
    ----------
    conditional : bool
        An object can be replaced on condition that it is the one that was read, so that several may write at once.
    """

    def __init__(self, url: str) -> None:
        self.location = url
        self._files: Any
        self._files, self._root = file_system(url)
        protocol = self._files.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self.conditional = bool(self._protocols & {"s3", "memory"})

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def read(self, key: str) -> bytes:
        """Fetch an object; FileNotFoundError when there is none."""
        return bytes(retried(lambda: self._files.cat_file(self._path(key)), f"{self.location}/{key}"))

    def exists(self, key: str) -> bool:
        """Ask for an object."""
        return bool(retried(lambda: self._files.isfile(self._path(key)), f"{self.location}/{key}"))

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that is not there; False when there is another one, even if it came meanwhile."""
        try:
            retried(lambda: self._files.pipe_file(self._path(key), data, mode="create"), f"{self.location}/{key}")
        except FileExistsError:
            return self.read(key) == data  # an answer may have been lost
        return True

    def replace(self, key: str, data: bytes, *, seen: bytes | bytearray) -> bool:
        """Write an object if it still is the one that was seen; False when it is not.

        Raises
        ------
        UnreachableError
            It is not known whether it was written.
        """
        with _IN_THIS_PROCESS:  # memory:// has no other writers than this process
            for left in reversed(range(ATTEMPTS)):
                # The tag is asked for first: one that is too old makes the write fail, one that is too new would not.
                condition = self._condition(key)
                there = self.read(key)
                if there != seen:
                    return there == data
                try:
                    self._files.pipe_file(self._path(key), data, **condition)
                except Exception as error:
                    if not left:
                        why = in_a_line(error)
                        raise UnreachableError(f"{self.location}/{key} cannot be replaced: {why}") from error
                else:
                    return True
                sleep(FIRST_PAUSE)
        raise AssertionError

    def _condition(self, key: str) -> dict[str, str]:
        if "s3" not in self._protocols:
            return {}
        what = f"{self.location}/{key}"
        return {"IfMatch": retried(lambda: self._files.info(self._path(key), refresh=True), what)["ETag"]}

    def upload(self, folder: Path, key: str) -> None:
        """Copy a folder and compare each object with what was sent; what else stood below the key is deleted.

        Where S3 tells the MD5 of what it has, that is compared; elsewhere the object is read back.

        Raises
        ------
        IntegrityError
            What is there is not what was sent.
        """
        sources = {f"{key}/{path.relative_to(folder).as_posix()}": path for path in _plain_files(folder)}
        _all_done(lambda item: self._put(*item), sources.items())
        for left in self.below(key):
            if left not in sources:
                self._remove_one(left)

    def _put(self, key: str, source: Path) -> None:
        data, what = source.read_bytes(), f"{self.location}/{key}"
        retried(lambda: self._files.pipe_file(self._path(key), data), what)
        if not self._has_digest_of(key, data) and self.read(key) != data:
            raise IntegrityError(f"{what} is not what was sent there. Try again, check the store")

    def download(self, key: str, folder: Path) -> None:
        """Copy what stands below a key into a new folder.

        Raises
        ------
        IntegrityError
            A name leads out of the folder.
        """

        def fetch(name: str) -> None:
            target = folder / name.removeprefix(f"{key}/")
            if ".." in target.parts or not target.is_relative_to(folder):
                raise IntegrityError(f"{self.location}/{name} has a name that leads elsewhere. Delete it")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(name))

        _all_done(fetch, self.below(key))

    def _has_digest_of(self, key: str, data: bytes) -> bool:
        if "s3" not in self._protocols:
            return False
        tag = self._condition(key)["IfMatch"].strip('"')  # the MD5, unless it was encrypted or sent in pieces
        return tag == md5(data, usedforsecurity=False).hexdigest()

    def below(self, key: str) -> dict[str, datetime | None]:
        """List the objects below a key, with the time of their last change where it is known."""
        found = retried(lambda: self._files.find(self._path(key), detail=True), f"{self.location}/{key}")
        root = self._root.rstrip("/") + "/"
        return {path.removeprefix(root): _changed(entry) for path, entry in found.items()}

    def names(self) -> list[str]:
        """List what stands directly below the URL."""
        found = retried(lambda: self._files.ls(self._root, detail=False), self.location)
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def remove(self, key: str) -> None:
        """Delete everything below a key, if there is anything."""
        for name in self.below(key):
            self._remove_one(name)

    def _remove_one(self, key: str) -> None:
        with suppress(FileNotFoundError):
            retried(lambda: self._files.rm_file(self._path(key)), f"{self.location}/{key}")


def _plain_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _all_done(action: Any, items: Iterable[Any]) -> None:
    """Work on a few items at once; the first error ends it."""
    todo = iter(items)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        under_way = {pool.submit(action, item) for item in islice(todo, _PARALLEL)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            under_way |= {pool.submit(action, item) for item in islice(todo, len(done))}


def _changed(entry: dict[str, Any]) -> datetime | None:
    for name in _TIMES:
        time = entry.get(name)
        if isinstance(time, datetime):
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        if isinstance(time, float):
            return datetime.fromtimestamp(time, UTC)
    return None
