"""Repairs what is damaged, a store or the parts of a collection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from store.backend import Backend
from store.collection.collection import is_collection
from store.collection.manifest import Manifest, Part
from store.collection.object_place import ObjectPlace
from store.collection.place import FolderPlace
from store.collection.remote_mending import repair_remote
from store.errors import IntegrityError, StoreError
from store.locks import resolved
from store.maintenance import RepairReport, repair_store
from store.places import is_url
from store.table import Table


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
        return repair_remote(ObjectPlace(str(path)))
    return _repair_parts(FolderPlace(resolved(path))) if is_collection(path) else repair_store(path)


def _repair_parts(place: FolderPlace) -> RepairReport:
    with place.exclusive():
        seen = place.read_manifest()
        manifest = Manifest.from_bytes(seen, place.location)
        fingerprint = _mended_state(place, manifest)
        found = [_mended(place, entry) for entry in manifest.parts]
        parts = tuple(part for part, _ in found if part is not None)
        changed = manifest.changed(parts=parts, state_fingerprint=fingerprint)
        if (changed.parts, fingerprint) != (manifest.parts, manifest.state_fingerprint):
            place.replace_manifest(changed.to_bytes(), seen=seen)
    return RepairReport.together([report for _, report in found])


def _mended_state(place: FolderPlace, manifest: Manifest) -> str:
    repair_store(place.plain(manifest.state))
    backend = place.open(manifest.state)
    if backend.header.state_sha256 != manifest.state_sha256 or backend.header.encoder_sha256 != manifest.encoder_sha256:
        raise IntegrityError(
            f"{manifest.state} of {place.location} is of another collection. Put back the one that was there"
        )
    return backend.content_sha256


def _mended(place: FolderPlace, entry: Part) -> tuple[Part | None, RepairReport]:
    if not place.plain(entry.name).exists():
        return None, RepairReport(0, lost_unknown=entry.rows, problems=[f"{entry.name} is gone"])
    report = repair_store(place.plain(entry.name))
    backend = place.open(entry.name)
    mended = _listed_anew(entry.name, backend)
    problems = [f"{entry.name}: {problem}" for problem in report.problems]
    if mended.fingerprint != entry.fingerprint and not problems:
        problems = [f"{entry.name}: it was changed since it was listed"]
    return mended, replace(report, problems=problems)


def _listed_anew(name: str, backend: Backend) -> Part:
    part = Part.of(name, backend.content_sha256, Table(backend, backend.commit))
    backend.close()
    return part
