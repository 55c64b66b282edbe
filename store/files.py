"""Files and folders that are there whole or not at all; every change to a disk goes through one object.

So tests can crash the store at any of its changes. :func:`write_whole`, :func:`whole_file` and :func:`whole_folder` are
for everybody who writes files that others read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store.errors import IntegrityError
from store.portable import NO_LINKS, sync_path, write_from

TEMPORARY = ".partial"
_TREE_PARALLEL = 4
"""Syncs of a tree that run side by side: four take as long as sixteen, one by one they took 18 times as long."""
_SLICE = 1 << 20  # a page cache that is asked for more at once looks for larger free pages, and takes twice as long

Buffer = Any


class FileSystem:
    """The operations that change files; nothing is durable before it was synced.

    Notes
    -----
    A rename is atomic, but what it names survives a power loss only when the file was synced before the rename and the
    folder after it.
    """

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Create a file of the parts, one after the other; what had its name, a link too, is not written through."""
        descriptor = _create(path)
        try:
            for part in parts:
                _write_all(descriptor, memoryview(part).cast("B"))
        finally:
            os.close(descriptor)

    def write_at(self, descriptor: int, offset: int, data: Buffer) -> None:
        """Overwrite a part of an open file."""
        view = memoryview(data).cast("B")
        while view:
            written = write_from(descriptor, view[:_SLICE], offset)
            view, offset = view[written:], offset + written

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut an open file, or fill it up with zeros."""
        os.ftruncate(descriptor, size)

    def sync(self, path: Path) -> None:
        """Wait until what a file or folder holds is on the disk."""
        sync_path(path)

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
        """Delete a folder with everything in it, if it exists; of a link, or of a pipe, only the name."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


system = FileSystem()


def _create(path: Path) -> int:
    """Open a new file, in the place of what has its name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINKS
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        path.unlink()
        return os.open(path, flags, 0o666)


def _write_all(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view[:_SLICE]) :]


def temporary(path: Path) -> Path:
    """Name the path under which a file is written before it is complete."""
    return path.with_name(f"{path.name}{TEMPORARY}")


def write_durably(path: Path, parts: Sequence[Buffer]) -> None:
    """Replace a file so that after a crash it is the old or the new one: write, sync, rename, sync the folder."""
    system.write(temporary(path), parts)
    system.sync(temporary(path))
    system.replace(temporary(path), path)
    system.sync(path.parent)


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file that after a crash is the old or the new one, never a part of it.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    data : bytes or str
        A string is written as UTF-8.
    """
    write_durably(path, [data.encode() if isinstance(data, str) else data])


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; the file gets its own name when the block ends without an error.

    Yields
    ------
    Path
        Beside `path`; deleted when the block raises.
    """
    partial = temporary(path)
    system.unlink(partial)
    try:
        yield partial
        system.sync(partial)
        system.replace(partial, path)
        system.sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it takes the place of `path`, old contents and all, when the block ends well.

    Yields
    ------
    Path
        Beside `path`; deleted when the block raises.

    Notes
    -----
    A folder that holds something cannot be replaced in one step. A crash between the two renames leaves the old folder
    as ``<name>.retired`` and the new one, complete, as ``<name>.partial``.
    """
    partial, retired = temporary(path), path.with_name(f"{path.name}.retired")
    system.remove_tree(partial)
    system.make_folder(partial)
    try:
        yield partial
        make_tree_durable(partial)
        system.remove_tree(retired)
        replaced = path.exists()
        if replaced:
            system.replace(path, retired)
        try:
            system.replace(partial, path)
        except OSError:
            if replaced:
                system.replace(retired, path)
            raise
        system.sync(path.parent)
        system.remove_tree(retired)
    finally:
        if path.exists() or not retired.exists():
            system.remove_tree(partial)


def make_tree_durable(folder: Path) -> None:
    """Sync every file and folder of a tree, several at once; in which order does not matter before it is named."""
    found = [Path(parent, name) for parent, _, names in os.walk(folder) for name in (*names, "")]
    with ThreadPoolExecutor(_TREE_PARALLEL) as pool:
        list(pool.map(system.sync, found))


def sweep(folder: Path) -> None:
    """Delete what an interrupted write left behind in a tree of plain files and folders.

    Raises
    ------
    IntegrityError
        There is a link or a device in the tree: writing could change files elsewhere. Nothing was deleted.
    """
    left = []
    for entry in _walk(folder):
        if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            raise IntegrityError(foreign_entry(Path(entry.path).relative_to(folder), folder))
        if entry.name.endswith(TEMPORARY):
            left.append(Path(entry.path))
    for path in sorted(left):
        system.unlink(path)


def foreign_entry(key: object, location: object) -> str:
    """Say that something in a store is neither file nor folder."""
    return (
        f"{key} in {location} is a link or a device, and a store has plain files and folders only: it is not read or "
        "written through. Put a copy of what it points to in its place if you trust it"
    )


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))
