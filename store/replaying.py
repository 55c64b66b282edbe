"""Finds out whether a journal belongs to the file beside it, and finishes the file's last commit."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py

from store.commit import Commit
from store.errors import IntegrityError, StoreWarning
from store.hdf5_layout import read_json
from store.journal import Journal, drop_journal, journal_path, read_journal, set_aside, unpack_journal, write_pages
from store.overlay import OverlaidPlace, PlaceFile
from store.places import LocalFile, Place


class ForeignJournalError(IntegrityError):
    """The journal beside a file was not written for it, or not for the state it is in."""


def fitting_journal(place: Place, path: Path) -> Journal | None:
    """Read the journal of a file; None when there is none that is whole.

    Raises
    ------
    ForeignJournalError
        It does not belong to the file.
    """
    journal = unpack_journal(read_journal(path))
    if journal is None:
        return None
    if not (journal.fits(place) if journal.before else _unbound_fits(journal, place)):
        raise ForeignJournalError(
            f"the journal {journal_path(path)} does not go with {path}: it is of another store, or of another state of "
            "this one"
        )
    return journal


def _unbound_fits(journal: Journal, place: Place) -> bool:
    """Judge a journal of format 1.0, which does not say what it goes on from, by what both say of themselves."""
    if journal.size > place.size(""):
        return False
    after = _commit(OverlaidPlace(place, place.size(""), journal.pages))
    now = _commit(place)
    return after is not None and (now is None or now == after or _follows(now, after))


def _follows(now: Commit, after: Commit) -> bool:
    """Tell whether one commit can be the next one after another."""
    same = (now.header_sha256, now.epoch, now.generation + 1) == (after.header_sha256, after.epoch, after.generation)
    named = all(
        getattr(after, names)[: len(getattr(now, names))] == getattr(now, names)
        for names in ("label_names", "split_names", "group_names")
    )
    return same and named and after.n_rows >= now.n_rows


def _commit(place: Place) -> Commit | None:
    try:
        with h5py.File(PlaceFile(place), "r") as file:
            return Commit.from_json(read_json(file, "commit", place.location), place.location)
    except Exception:  # noqa: BLE001 - h5py raises whatever it likes for a file in pieces
        return None


def replay(path: Path) -> None:
    """Finish the last commit of a file, so that it needs its journal no more; for the holder of the lock.

    A journal that does not belong to the file is moved to ``.<name>.journal.aside``, with a warning.
    """
    if not journal_path(path).exists():
        return
    place = LocalFile(path)
    try:
        journal = fitting_journal(place, path)
    except ForeignJournalError as error:
        warnings.warn(f"{error}. It is now {set_aside(path)}; {path} was not changed", StoreWarning, stacklevel=2)
        return
    finally:
        place.close()
    if journal is not None:
        write_pages(path, journal)
    drop_journal(path)
