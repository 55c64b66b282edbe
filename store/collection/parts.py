"""The parts of a collection, opened and compared with what the manifest says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from numpy.typing import NDArray

from store.backend import Backend, Storage
from store.collection.manifest import MANIFEST, Manifest, Part
from store.collection.place import CollectionPlace, ReadablePlace
from store.commit import Commit
from store.documents import validated
from store.errors import IntegrityError, StoreError
from store.header import differences
from store.table import Table


class Parts(Storage):
    """All parts of a collection as one storage: one header, one state, and a commit record that adds up theirs.

    Parameters
    ----------
    place : ReadablePlace

    Raises
    ------
    IntegrityError
        The manifest is damaged, or a part is not the one that was listed.
    """

    def __init__(self, place: ReadablePlace) -> None:
        self.place = place
        self.location = place.location
        self.seen, self.manifest = self._read()
        self._state = place.open(self.manifest.state)
        self.header = self._state.header
        self._require_state()
        self.tables: list[Table] = []
        self._open(self.manifest.parts)

    def _read(self) -> tuple[bytes | bytearray, Manifest]:
        data = self.place.read_manifest()
        return data, Manifest.from_bytes(data, self.location)

    def _require_state(self) -> None:
        told = (self.manifest.state_fingerprint, self.manifest.state_sha256, self.manifest.encoder_sha256)
        if told != (self._state.content_sha256, self.header.state_sha256, self.header.encoder_sha256):
            raise IntegrityError(
                f"{self.manifest.state} of {self.location} is not the one that {MANIFEST} was written for. "
                "Put that one back"
            )

    def _open(self, entries: Iterable[Part]) -> None:
        for entry in entries:
            backend = self.place.open(entry.name)
            self.require_listed(entry, backend)
            self.tables.append(Table(backend, backend.commit))
        self.commit = self._added_up()

    def require_listed(self, entry: Part, backend: Backend) -> None:
        """Compare a part with what is listed; IntegrityError when it differs."""
        self.require_fitting(entry.name, backend)
        if entry.rows != backend.commit.n_rows:
            raise IntegrityError(
                f"{entry.name} of {self.location} has {backend.commit.n_rows} rows, but {entry.rows} are listed. "
                f"Put back the part that was listed, or run `functa store repair {self.location}`"
            )
        if entry.fingerprint != backend.content_sha256:
            raise IntegrityError(
                f"{entry.name} of {self.location} is not the part that was listed: it was changed since. "
                f"Put back the one that was listed, or run `functa store repair {self.location}`"
            )

    def require_fitting(self, name: str, backend: Storage) -> None:
        """Refuse a part that another configuration made."""
        if backend.header.fingerprint == self.header.fingerprint:
            return
        found = differences(self.header.identity, backend.header.identity)
        if backend.header.missing_values and not self.header.missing_values:
            found += ["missing_values False -> True"]
        if found:
            raise IntegrityError(
                f"{name} of {self.location} was made by another configuration than the collection: {'; '.join(found)}"
            )

    def _added_up(self) -> Commit:
        commits = [table.commit for table in self.tables]
        kinds: dict[str, str] = {}
        for entry, commit in zip(self.manifest.parts, commits, strict=True):
            for name, column in commit.extra.items():
                if kinds.setdefault(name, column.kind) != column.kind:
                    raise IntegrityError(
                        f"column {name!r} is {kinds[name]} in other parts and {column.kind} in {entry.name} of "
                        f"{self.location}"
                    )
        values = {
            "header_sha256": self.header.sha256,
            "n_rows": sum(commit.n_rows for commit in commits),
            "generation": self.manifest.generation,
            "extra": {name: {"kind": kind, "path": name} for name, kind in kinds.items()},
            "finished": self.manifest.finished,
            "utc": self.manifest.utc,
        }
        names = {
            f"{what}_names": list(
                dict.fromkeys(name for commit in commits for name in getattr(commit, f"{what}_names"))
            )
            for what in ("label", "split", "group")
        }
        return validated(Commit, values | names, f"what the parts of {self.location} add up to")

    def read_state(self) -> dict[str, NDArray[Any]]:
        """Read the common state."""
        return self._state.read_state()

    def nbytes(self) -> int:
        """Count the bytes of all parts, the state and the manifest."""
        parts = sum(table.backend.nbytes() for table in self.tables)
        return parts + self._state.nbytes() + len(self.seen)

    def close(self) -> None:
        """Close every part."""
        for backend in (self._state, *(table.backend for table in self.tables)):
            backend.close()

    def refresh(self) -> None:
        """Read the manifest again and open what was listed since.

        Raises
        ------
        StoreError
            A part that was there has gone: the collection was rewritten.
        """
        self._follow(*self._read())

    def _follow(self, seen: bytes | bytearray, manifest: Manifest) -> None:
        old = self.manifest
        if manifest.state_fingerprint != old.state_fingerprint or manifest.parts[: len(old.parts)] != old.parts:
            raise StoreError(f"{self.location} was rewritten since it was opened. Open it again")
        self.seen, self.manifest = seen, manifest
        self._open(manifest.parts[len(self.tables) :])

    def relist(self, place: CollectionPlace, change: Callable[[Manifest], Manifest]) -> None:
        """Put another manifest in place, made of the newest one; `change` may raise when that one forbids it."""
        while True:
            self.refresh()
            changed = change(self.manifest)
            if changed is self.manifest:
                return
            data = changed.to_bytes()
            if place.replace_manifest(data, seen=self.seen):
                break
        self._follow(data, changed)
