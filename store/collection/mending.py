"""Repairs what is damaged: a store, or the parts of a collection, in an object store under new names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from store.collection.collection import is_collection
from store.collection.manifest import Manifest, Part, number_of
from store.collection.object_place import ObjectPlace
from store.collection.place import CollectionPlace, FolderPlace
from store.errors import IntegrityError, StoreError
from store.functa_store import FunctaStore
from store.locks import resolved
from store.maintenance import RepairReport, repair_store
from store.places import is_url
from store.table import Table

P = TypeVar("P", bound=CollectionPlace)


def repair(path: str | Path) -> RepairReport:
    """Write a damaged store anew with every row that matches its checksum; of a collection, the parts that are damaged.

    Damaged rows are left out, and older rows of the same ID too, so that the next encode fits exactly those again. A
    part that was changed since it was listed is listed as it is now; one that is gone is listed no more. Behind a URL
    they are repaired on the local disk and sent under new names.

    Raises
    ------
    IntegrityError
        Nothing can be saved: both copies of the header, the commit record or the state are damaged, or the list of a
        collection's parts is.
    """
    if is_url(path):
        if not is_collection(path):
            raise StoreError(f"cannot write to {path}: behind a URL only collections are written. Repair a copy of it")
        return _repair_parts(ObjectPlace(str(path)), _resent_state, _resent)
    return _repair_parts(FolderPlace(resolved(path)), _own_state, _own) if is_collection(path) else repair_store(path)


def _repair_parts(
    place: P, mend_state: Callable[[P, Manifest], str], mend: Callable[[P, Part], tuple[Part, RepairReport] | None]
) -> RepairReport:
    """Repair state and parts; `mend_state` names the state from then on, `mend` gives None for a part that is gone."""
    with place.exclusive():
        seen = place.read_manifest()
        manifest = Manifest.from_bytes(seen, place.location)
        state = mend_state(place, manifest)
        fingerprint = _fingerprint_of_state(place, manifest, state)
        mended = [mend(place, entry) for entry in manifest.parts]
        parts = tuple(found[0] for found in mended if found is not None)
        changed = manifest.changed(parts=parts, state=state, state_fingerprint=fingerprint)
        before = manifest.parts, manifest.state, manifest.state_fingerprint
        if (parts, state, fingerprint) != before and not place.replace_manifest(changed.to_bytes(), seen=seen):
            raise StoreError(f"others listed parts of {place.location} meanwhile, so nothing was changed. Try again")
    pairs = zip(manifest.parts, mended, strict=True)
    return RepairReport.together([_gone(entry) if found is None else found[1] for entry, found in pairs])


def _fingerprint_of_state(place: CollectionPlace, manifest: Manifest, name: str) -> str:
    backend = place.open(name)
    if backend.header.state_sha256 != manifest.state_sha256 or backend.header.encoder_sha256 != manifest.encoder_sha256:
        raise IntegrityError(
            f"{manifest.state} of {place.location} is of another collection. Put back the one that was there"
        )
    return backend.content_sha256


def _gone(entry: Part) -> RepairReport:
    return RepairReport(0, lost_unknown=entry.rows, problems=[f"{entry.name} is gone"])


def _listed_anew(place: CollectionPlace, name: str, entry: Part, report: RepairReport) -> tuple[Part, RepairReport]:
    """Describe a part as it is now, under its name from now on."""
    backend = place.open(name)
    part = Part.of(name, backend.content_sha256, Table(backend, backend.commit))
    backend.close()
    told = entry.name if name == entry.name else f"{entry.name}, now {name}"
    problems = report.problems
    if not problems and (name, part.fingerprint) != (entry.name, entry.fingerprint):
        problems = ["it was changed since it was listed"]
    return part, replace(report, problems=[f"{told}: {problem}" for problem in problems])


def _own_state(place: FolderPlace, manifest: Manifest) -> str:
    repair_store(place.plain(manifest.state))
    return manifest.state


def _own(place: FolderPlace, entry: Part) -> tuple[Part, RepairReport] | None:
    path = place.plain(entry.name)
    return _listed_anew(place, entry.name, entry, repair_store(path)) if path.exists() else None


def _resent_state(place: ObjectPlace, manifest: Manifest) -> str:
    if _is_sound(place, manifest.state, manifest.state_fingerprint):
        return manifest.state
    name = place.new_state()
    _resend(place, manifest.state, name)
    return name


def _resent(place: ObjectPlace, entry: Part) -> tuple[Part, RepairReport] | None:
    if not place.bucket.below(entry.name):
        return None
    if _is_sound(place, entry.name, entry.fingerprint):
        return entry, RepairReport(entry.rows)
    name = place.new_part(number_of(entry.name))
    return _listed_anew(place, name, entry, _resend(place, entry.name, name))


def _is_sound(place: ObjectPlace, name: str, fingerprint: str) -> bool:
    try:
        backend = place.open(name)
        return backend.content_sha256 == fingerprint and FunctaStore(backend).verify().ok
    except StoreError:
        return False


def _resend(place: ObjectPlace, name: str, new: str) -> RepairReport:
    """Fetch a store, repair the copy, and send it under a name that nobody reads yet."""
    with tempfile.TemporaryDirectory(prefix="functa-") as folder:
        copy = Path(folder) / name
        place.bucket.download(name, copy)
        report = repair_store(copy)
        place.bucket.upload(copy, new)
    return report
