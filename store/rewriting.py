"""Puts a rewritten store in the place of an old one, so that a crash at any moment loses neither."""

from __future__ import annotations

from pathlib import Path
from time import sleep

from store import files
from store.errors import StoreError
from store.journal import drop_journal


def rewritten_path(path: Path) -> Path:
    """Name where the new store is written."""
    return path.with_name(f".{path.stem}.rewritten{path.suffix}")


def retired_path(path: Path) -> Path:
    """Name where the old store lies for the moment in which the new one takes its place."""
    return path.with_name(f".{path.stem}.retired{path.suffix}")


def swap(path: Path) -> None:
    """Put the rewritten store in the place of the old one and delete the old one.

    Notes
    -----
    A file is replaced in one step. A folder cannot be, so the old one is moved aside first: from then on, and until it
    is deleted, its presence says that the new one is complete, and :func:`recover` finishes the work.
    """
    if path.is_dir():
        files.system.replace(path, retired_path(path))
    drop_journal(path)
    files.system.replace(rewritten_path(path), path)
    files.system.sync(path.parent)
    files.system.remove_tree(retired_path(path))


def recover(path: Path) -> None:
    """Finish an interrupted swap or commit, or sweep away a rewritten store that was not complete.

    For the holder of the lock. A journal must not outlive the file it belongs to: it would be laid over the next one.
    """
    if retired_path(path).exists() and not path.exists():
        complete = rewritten_path(path)
        files.system.replace(complete if complete.exists() else retired_path(path), path)
        files.system.sync(path.parent)
    files.system.remove_tree(retired_path(path))
    remove_store(rewritten_path(path))
    if path.is_file():
        from store.replaying import replay

        replay(path)


def remove_store(path: Path) -> None:
    """Delete a store that nobody uses."""
    if path.is_dir():
        files.system.remove_tree(path)
    else:
        files.system.unlink(path)
    files.system.unlink(path.with_name(f".{path.name}.journal"))
    partial = files.temporary(path)
    if partial.is_dir():
        files.system.remove_tree(partial)
    else:
        files.system.unlink(partial)


def locate(path: Path) -> Path:
    """Find where a store is to be read: at its path or, in the middle of a swap, where the old one lies.

    Raises
    ------
    StoreError
        There is none.
    """
    for _ in range(20):
        if path.exists():
            return path
        if not retired_path(path).exists():
            break
        sleep(0.01)
    if retired_path(path).exists():
        return retired_path(path)
    if path.exists():
        return path
    raise StoreError(f"there is no store at {path}")
