"""Files that are written under temporary names and get their own names together, waited for or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from store import files
from store.files import Buffer, FileSystem, temporary

_PARALLEL = 16  # a block's files are synced together


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

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Add a file, written now; it is synced in a thread."""
        self._wait_for([path])
        files.system.write(temporary(path), parts)
        self._submit([path], _sync_all, files.system, [temporary(path)])

    def write_later(self, contents: Mapping[Path, Sequence[Buffer]]) -> None:
        """Add files that a thread writes and syncs one after the other; their parts must not change any more."""
        self._wait_for(contents)
        self._submit(contents, _write_and_sync, files.system, {temporary(path): contents[path] for path in contents})

    def _wait_for(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if path in self._jobs:
                self._jobs.pop(path).result()

    def _submit(self, paths: Iterable[Path], action: Callable[..., None], *arguments: Any) -> None:
        self._pool = self._pool or ThreadPoolExecutor(_PARALLEL)
        self._jobs |= dict.fromkeys(paths, self._pool.submit(action, *arguments))

    def publish(self, first: Path | None = None) -> None:
        """Wait until every file is on the disk, rename each and sync their folders.

        Parameters
        ----------
        first : Path, optional
            This file's name is durable before any other file gets its own.
        """
        for job in self._jobs.values():
            job.result()
        if first in self._jobs:
            del self._jobs[first]
            files.system.replace(temporary(first), first)
            files.system.sync(first.parent)
        for path in self._jobs:
            files.system.replace(temporary(path), path)
        if self._pool is not None:
            list(self._pool.map(files.system.sync, sorted({path.parent for path in self._jobs})))
        self.drop()

    def write_after(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Replace a file that speaks of those that were published."""
        files.write_durably(path, parts)

    def drop(self) -> list[Path]:
        """Forget the files; return under which names they lie around. Nothing is written after this returns."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        left, self._jobs, self._pool = list(map(temporary, self._jobs)), {}, None
        return left


class UnsyncedBatch:
    """Files that get their names together, as those of :class:`Batch`, without a sync.

    They survive the death of the process, and a loss of power only after `files.make_tree_durable`.
    """

    def __init__(self) -> None:
        self._written: dict[Path, None] = {}

    def write(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Add a file, written now."""
        files.system.write(temporary(path), parts)
        self._written[path] = None

    def write_later(self, contents: Mapping[Path, Sequence[Buffer]]) -> None:
        """Add files, written now."""
        for path, parts in contents.items():
            self.write(path, parts)

    def publish(self, first: Path | None = None) -> None:
        """Rename each file, `first` before all others."""
        for path in sorted(self._written, key=lambda path: path != first):
            files.system.replace(temporary(path), path)
        self._written = {}

    def write_after(self, path: Path, parts: Sequence[Buffer]) -> None:
        """Replace a file that speaks of those that were published."""
        files.system.write(temporary(path), parts)
        files.system.replace(temporary(path), path)

    def drop(self) -> list[Path]:
        """Forget the files; return under which names they lie around."""
        left, self._written = list(map(temporary, self._written)), {}
        return left


def _write_and_sync(disk: FileSystem, contents: Mapping[Path, Sequence[Buffer]]) -> None:
    for path, parts in contents.items():
        disk.write(path, parts)
    _sync_all(disk, contents)


def _sync_all(disk: FileSystem, paths: Iterable[Path]) -> None:
    for path in paths:
        disk.sync(path)
