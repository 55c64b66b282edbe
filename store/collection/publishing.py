"""How a part becomes one that counts; and what becomes of those whose writer died before."""

from __future__ import annotations

import warnings
from pathlib import Path

from store import files
from store.backend import Backend
from store.collection.manifest import Manifest, Part, number_of
from store.collection.place import CollectionPlace
from store.collection.table import CollectionTable
from store.errors import IntegrityError, StoreError, StoreLockedError, StoreWarning, UnreachableError
from store.formats import open_readable, open_to_write
from store.functa_store import FunctaStore
from store.table import Table


def publish(
    listed: CollectionTable, place: CollectionPlace, store: FunctaStore, stage: Path, *, finished: bool | None
) -> str:
    """Read a part back, put it in its place and list it.

    Parameters
    ----------
    listed : CollectionTable
        The collection, which then has the part.
    place : CollectionPlace
    store : FunctaStore
        The part, open for writing; it is closed.
    stage : Path
        Where it lies.
    finished : bool or None
        Whether the run that wrote it is through; None keeps what stands.

    Returns
    -------
    str
        The part's name.

    Raises
    ------
    IntegrityError
        What is on disk is not what was written.
    StoreError
        Somebody else has listed one of its IDs meanwhile. The part is deleted.
    """
    store.commit()
    files.make_tree_durable(stage)  # closing changes nothing more that was not synced, so others need not wait for this
    _require_sound(open_readable(stage), str(stage))
    name = place.send(stage, _next_number(listed.parts.manifest))
    with place.exclusive():
        store.close()
        try:
            listed.parts.refresh()
            listed.advance(listed.parts.commit)
            _require_place_for(listed, open_readable(stage), stage.name)
            name = place.publish(stage)
            enlist(listed, place, name, finished=finished)
        except UnreachableError:
            raise  # it may be listed: the next run sees whether it is
        except StoreError:
            if name is not None:
                place.withdraw(name)
            place.forget(stage)
            raise
    place.forget(stage)
    return name


def _next_number(manifest: Manifest) -> int:
    return max((number_of(part.name) for part in manifest.parts), default=-1) + 1


def enlist(listed: CollectionTable, place: CollectionPlace, name: str, *, finished: bool | None) -> None:
    """List a part that is in its place, whole and checked; StoreError when an ID is in another part already."""
    backend = place.open(name)
    table = Table(backend, backend.commit)
    entry = Part.of(name, backend.content_sha256, table)

    def with_part(manifest: Manifest) -> Manifest:
        listed.advance(listed.parts.commit)
        if entry in manifest.parts:
            return manifest  # by a request whose answer was lost
        listed.require_new(table, name)
        now = manifest.finished if finished is None else finished
        return manifest.changed(parts=(*manifest.parts, entry), finished=now)

    listed.parts.relist(place, with_part)
    listed.advance(listed.parts.commit)
    backend.close()


def settle(listed: CollectionTable, place: CollectionPlace) -> None:
    """List what writers that died have left behind, as far as it is whole and new, and delete the rest of it."""
    with place.exclusive():
        listed.parts.refresh()
        listed.advance(listed.parts.commit)
        for name in place.unlisted(entry.name for entry in listed.parts.manifest.parts):
            _settle_unlisted(listed, place, name)
        stages = list(place.staged())
    for stage in stages:
        _settle_stage(listed, place, stage)
    place.sweep()


def _settle_stage(listed: CollectionTable, place: CollectionPlace, stage: Path) -> None:
    with place.exclusive():
        listed.parts.refresh()
        listed.advance(listed.parts.commit)
        try:
            store = open_to_write(stage)
        except StoreLockedError:
            return  # its writer is alive
        except StoreError:
            place.forget(stage)
            return
        if place.sent(stage) in {entry.name for entry in listed.parts.manifest.parts}:
            store.abandon()
            place.forget(stage)
            return
    try:
        if store.known():
            publish(listed, place, store, stage, finished=None)
    except UnreachableError:
        raise
    except StoreError as error:
        warnings.warn(
            f"rows that an interrupted run left behind are encoded again: {error}", StoreWarning, stacklevel=2
        )
    finally:
        store.abandon()
    place.forget(stage)


def _settle_unlisted(listed: CollectionTable, place: CollectionPlace, name: str) -> None:
    """List a part whose writer died just before it did that; its header is this collection's own."""
    try:
        backend = place.open(name)
        if backend.header.sha256 != listed.parts.header.sha256:
            raise StoreError("it was not written here")  # noqa: TRY301 - told below
        _require_sound(backend, name)
        enlist(listed, place, name, finished=None)
    except StoreError as error:
        warnings.warn(
            f"{name} in {place.location} is not listed and therefore not read ({error}). Delete it, or add it with "
            "`functa store collect`",
            StoreWarning,
            stacklevel=2,
        )


def _require_sound(backend: Backend, what: str) -> None:
    report = FunctaStore(backend).verify()
    if not report.ok:
        raise IntegrityError(f"{what} is damaged: {'; '.join(report.problems[:3])}. Check the disk, try again")


def _require_place_for(listed: CollectionTable, backend: Backend, what: str) -> None:
    listed.parts.require_fitting(what, backend)
    listed.require_new(Table(backend, backend.commit), what)
