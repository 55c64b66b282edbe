"""Every change the store makes to a disk goes through one object, so that tests can crash it at any of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TEMPORARY = ".partial"
_PARALLEL = 8

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


def publish(paths: Iterable[Path]) -> None:
    """Sync the temporary versions of many files, rename each and sync their folders; the syncs run side by side."""
    paths = list(paths)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        list(pool.map(system.sync, map(temporary, paths)))
        for path in paths:
            system.replace(temporary(path), path)
        list(pool.map(system.sync, sorted({path.parent for path in paths})))


def sweep(folder: Path) -> None:
    """Delete what an interrupted write left behind."""
    for path in sorted(folder.rglob(f"*{TEMPORARY}")):
        system.unlink(path)
