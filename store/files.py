"""Every change the store makes to a disk goes through one object, so that tests can crash it at any of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

TEMPORARY = ".partial"
_PARALLEL = 16  # a block's files are synced together

Buffer = Any


class FileSystem:
    """The operations that change files; nothing is durable before it was synced.

    Notes
    -----
    A rename is atomic, but what it names survives a power loss only when the file was synced before the rename and the
    folder after it.
    """

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Create or overwrite a file with the parts, one after the other."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            for part in parts:
                _write_all(descriptor, memoryview(part).cast("B"))
        finally:
            os.close(descriptor)

    def write_at(self, descriptor: int, offset: int, data: Buffer) -> None:
        """Overwrite a part of an open file."""
        view = memoryview(data).cast("B")
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut an open file, or fill it up with zeros."""
        os.ftruncate(descriptor, size)

    def sync(self, path: Path) -> None:
        """Wait until what a file or folder holds is on the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_descriptor(self, descriptor: int) -> None:
        """Wait until what an open file holds is on the disk."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what is there."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Delete a file, if it exists."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """Create a folder and those above it."""
        path.mkdir(parents=True, exist_ok=True)

    def remove_tree(self, path: Path) -> None:
        """Delete a folder with everything in it, if it exists."""
        shutil.rmtree(path, ignore_errors=True)


system = FileSystem()


def _write_all(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def temporary(path: Path) -> Path:
    """Name the path under which a file is written before it is complete."""
    return path.with_name(f"{path.name}{TEMPORARY}")


def write_durably(path: Path, parts: Sequence[Buffer]) -> None:
    """Replace a file so that after a crash it is the old or the new one: write, sync, rename, sync the folder."""
    system.write(temporary(path), parts)
    system.sync(temporary(path))
    system.replace(temporary(path), path)
    system.sync(path.parent)


class Batch:
    """Files that are written under temporary names and get their own names together.

    Notes
    -----
    Each file is synced in a thread as soon as it is written, so that the disk works while the caller makes the next
    one, and the syncs run side by side, which lets a file system make many durable in one step.
    """

    def __init__(self) -> None:
        self._jobs: dict[Path, Future[None]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def write(self, path: Path, parts: Sequence[Buffer], *, later: bool = False) -> None:
        """Add a file; with ``later`` it is written in a thread too, and the parts must not change any more."""
        if path in self._jobs:
            self._jobs.pop(path).result()
        self._pool = self._pool or ThreadPoolExecutor(_PARALLEL)
        if not later:
            system.write(temporary(path), parts)
        self._jobs[path] = self._pool.submit(_write_and_sync, system, temporary(path), parts if later else None)

    def publish(self) -> None:
        """Wait until every file is on the disk, rename each and sync their folders."""
        for job in self._jobs.values():
            job.result()
        for path in self._jobs:
            system.replace(temporary(path), path)
        if self._pool is not None:
            list(self._pool.map(system.sync, sorted({path.parent for path in self._jobs})))
        self.drop()

    def drop(self) -> list[Path]:
        """Forget the files; return under which names they lie around. Nothing is written after this returns."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        left, self._jobs, self._pool = list(map(temporary, self._jobs)), {}, None
        return left


def _write_and_sync(disk: FileSystem, path: Path, parts: Sequence[Buffer] | None) -> None:
    if parts is not None:
        disk.write(path, parts)
    disk.sync(path)


def sweep(folder: Path) -> None:
    """Delete what an interrupted write left behind."""
    for path in sorted(folder.rglob(f"*{TEMPORARY}")):
        system.unlink(path)
