"""Disks that fail on purpose; put one in ``store.files.system``."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from store.files import Buffer, FileSystem


class Crash(BaseException):
    """The process died here; nothing after it reaches the disk."""


class CrashingFileSystem(FileSystem):
    """Does a number of operations, then dies in the middle of the next one, and does nothing any more.

    Parameters
    ----------
    operations : int
        How many are still done whole. A write that it dies in is done by half.
    """

    def __init__(self, operations: int) -> None:
        self.left = operations
        self._counting = Lock()

    def _fail(self) -> None:
        raise Crash

    def _step(self, do: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        with self._counting:
            self.left -= 1
            left = self.left
        if left == -1 and half is not None:
            half()
        if left < 0:
            self._fail()
        do()

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Write, or die after half of it."""
        data = b"".join(bytes(part) for part in parts)
        whole, half = super().write, data[: len(data) // 2]
        self._step(lambda: whole(path, [data]), lambda: whole(path, [half]))

    def write_at(self, descriptor: int, offset: int, data: Buffer) -> None:
        """Write, or die after half of it."""
        whole, half = super().write_at, bytes(data)[: len(data) // 2]
        self._step(lambda: whole(descriptor, offset, data), lambda: whole(descriptor, offset, half))

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut, or die."""
        do = super().truncate
        self._step(lambda: do(descriptor, size))

    def sync(self, path: Path) -> None:  # noqa: ARG002
        """Do nothing, or die: what was written survives the death of a process."""
        self._step(lambda: None)

    def sync_descriptor(self, descriptor: int) -> None:  # noqa: ARG002
        """Do nothing, or die."""
        self._step(lambda: None)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, or die."""
        do = super().replace
        self._step(lambda: do(source, target))

    def unlink(self, path: Path) -> None:
        """Delete, or die."""
        do = super().unlink
        self._step(lambda: do(path))

    def make_folder(self, path: Path) -> None:
        """Create, or die."""
        do = super().make_folder
        self._step(lambda: do(path))

    def remove_tree(self, path: Path) -> None:
        """Delete file by file, or die on the way."""
        for parent, _, names in os.walk(path, topdown=False):
            for name in sorted(names):
                self.unlink(Path(parent, name))
            self._step(Path(parent).rmdir)


class FullFileSystem(CrashingFileSystem):
    """A disk that has no space left after a number of operations."""

    def _fail(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def unlink(self, path: Path) -> None:
        """Delete: this a full disk still does."""
        FileSystem.unlink(self, path)

    def remove_tree(self, path: Path) -> None:
        """Delete: this a full disk still does."""
        FileSystem.remove_tree(self, path)


class PowerLossFileSystem(CrashingFileSystem):
    """Knows what was synced, so that :meth:`lose_power` can take away the rest.

    Parameters
    ----------
    root : Path
        Folder whose contents are durable now.
    operations : int
        As of :class:`CrashingFileSystem`.

    Notes
    -----
    A file's bytes are durable when the file was synced, its name when the folder was. Files are told apart by inode, so
    that a rename keeps their contents.
    """

    def __init__(self, root: Path, operations: int) -> None:
        super().__init__(operations)
        self.root = root
        self._bytes: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for parent, _, names in os.walk(root):
            for name in names:
                self._note_file(Path(parent, name))
            self._note_folder(Path(parent))

    def _note_file(self, path: Path) -> None:
        self._bytes[path.stat().st_ino] = path.read_bytes()

    def _note_folder(self, path: Path) -> None:
        self._names[path.stat().st_ino] = {entry.name: entry.inode() for entry in os.scandir(path)}

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Write; a new file has no durable bytes, even if its inode had."""
        fresh = not path.exists()
        try:
            super().write(path, parts)
        finally:
            if fresh and path.exists():
                self._bytes.pop(path.stat().st_ino, None)

    def make_folder(self, path: Path) -> None:
        """Create; a new folder has no durable names."""
        fresh = not path.exists()
        super().make_folder(path)
        if fresh:
            self._names[path.stat().st_ino] = {}

    def sync(self, path: Path) -> None:
        """Remember what is durable from now on."""
        super().sync(path)
        if path.is_dir():
            self._note_folder(path)
        else:
            self._note_file(path)

    def sync_descriptor(self, descriptor: int) -> None:
        """Remember what is durable from now on."""
        super().sync_descriptor(descriptor)
        size = os.fstat(descriptor).st_size
        self._bytes[os.fstat(descriptor).st_ino] = os.pread(descriptor, size, 0)

    def lose_power(self, target: Path, rng: np.random.Generator, survival: float) -> None:
        """Write to a new folder what a disk holds after a loss of power.

        Parameters
        ----------
        target : Path
        rng : Generator
        survival : float
            Chance of each change that was not synced to be there nevertheless; 0 and 1 are the extremes.
        """
        current = {entry.stat().st_ino: entry for entry in self.root.rglob("*")} | {self.root.stat().st_ino: self.root}
        self._rebuild(self.root.stat().st_ino, target, current, lambda: bool(rng.random() < survival))

    def _rebuild(self, folder: int, target: Path, current: dict[int, Path], survives: Callable[[], bool]) -> None:
        target.mkdir()
        for name, inode in self._surviving_names(folder, current, survives).items():
            if inode in self._names:
                self._rebuild(inode, target / name, current, survives)
            else:
                self._rebuild_file(inode, target / name, current, survives)

    def _surviving_names(self, folder: int, current: dict[int, Path], survives: Callable[[], bool]) -> dict[str, int]:
        durable = self._names.get(folder, {})
        now = {entry.name: entry.inode() for entry in os.scandir(current[folder])} if folder in current else durable
        if not survives():
            return durable
        merged = {name: (now if survives() else durable).get(name) for name in now.keys() | durable.keys()}
        return {name: inode for name, inode in merged.items() if inode is not None}

    def _rebuild_file(self, inode: int, path: Path, current: dict[int, Path], survives: Callable[[], bool]) -> None:
        if inode in current and survives():
            shutil.copyfile(current[inode], path)
        else:
            path.write_bytes(self._bytes.get(inode, b""))
