"""Repairs the parts of a collection in an object store: what is damaged is repaired here and sent under a new name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from secrets import token_hex

from store.collection.manifest import Manifest, Part, number_of
from store.collection.object_place import ObjectPlace
from store.errors import IntegrityError, StoreError
from store.functa_store import FunctaStore
from store.maintenance import RepairReport, repair_store
from store.table import Table


def repair_remote(place: ObjectPlace) -> RepairReport:
    """Replace each damaged part by one of its sound rows; one that is gone is listed no more.

    Raises
    ------
    IntegrityError
        Nothing can be saved of a part, or the manifest is damaged.
    StoreError
        Others listed parts meanwhile.
    """
    with place.exclusive():
        seen = place.read_manifest()
        manifest = Manifest.from_bytes(seen, place.location)
        state, fingerprint = _mended_state(place, manifest)
        found = [_mended(place, entry) for entry in manifest.parts]
        parts = tuple(part for part, _ in found if part is not None)
        changed = manifest.changed(parts=parts, state=state, state_fingerprint=fingerprint)
        same = (parts, state) == (manifest.parts, manifest.state)
        if not same and not place.replace_manifest(changed.to_bytes(), seen=seen):
            raise StoreError(f"others listed parts of {place.location} meanwhile, so nothing was changed. Try again")
    return RepairReport.together([report for _, report in found])


def _mended_state(place: ObjectPlace, manifest: Manifest) -> tuple[str, str]:
    if _is_sound(place, manifest.state, manifest.state_fingerprint):
        return manifest.state, manifest.state_fingerprint
    name = place.new_state()
    _repaired(place, manifest.state, name)
    backend = place.open(name)
    if backend.header.state_sha256 != manifest.state_sha256 or backend.header.encoder_sha256 != manifest.encoder_sha256:
        raise IntegrityError(
            f"{manifest.state} of {place.location} is of another collection. Put back the one that was there"
        )
    return name, backend.content_sha256


def _mended(place: ObjectPlace, entry: Part) -> tuple[Part | None, RepairReport]:
    if not place.bucket.below(entry.name):
        return None, RepairReport(0, lost_unknown=entry.rows, problems=[f"{entry.name} is gone"])
    if _is_sound(place, entry.name, entry.fingerprint):
        return entry, RepairReport(entry.rows)
    name = f"part-{number_of(entry.name):05d}-{token_hex(4)}.zarr"
    report = _repaired(place, entry.name, name)
    backend = place.open(name)
    problems = report.problems or ["it was changed since it was listed"]
    told = RepairReport(
        report.rows,
        report.lost_ids,
        report.lost_unknown,
        report.lost_extra,
        [f"{entry.name}, now {name}: {problem}" for problem in problems],
    )
    return Part.of(name, backend.content_sha256, Table(backend, backend.commit)), told


def _is_sound(place: ObjectPlace, name: str, fingerprint: str) -> bool:
    try:
        backend = place.open(name)
        return backend.content_sha256 == fingerprint and FunctaStore(backend).verify().ok
    except StoreError:
        return False


def _repaired(place: ObjectPlace, name: str, new: str) -> RepairReport:
    """Fetch a store, repair the copy, and send it under a name that nobody reads yet."""
    with tempfile.TemporaryDirectory(prefix="functa-") as folder:
        copy = Path(folder) / name
        place.bucket.download(name, copy)
        report = repair_store(copy)
        place.bucket.upload(copy, new)
    return report
