"""A collection as its users see it: a store, that happens to lie in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from store import files
from store.collection.bucket import Bucket
from store.collection.manifest import MANIFEST, PART_ROWS, Manifest, Part
from store.collection.object_place import ObjectPlace
from store.collection.parts import Parts
from store.collection.place import CollectionPlace, FolderPlace, UrlPlace, waited_lock
from store.collection.publishing import settle
from store.collection.table import CollectionTable
from store.collection.writer import CollectionWriter
from store.errors import IntegrityError, StoreError
from store.formats import COLLECTION, create_unlocked, vacant
from store.functa_store import FunctaStore
from store.header import Header
from store.locks import resolved
from store.places import is_url, require_path
from store.row_index import RowIndex
from store.verification import VerifyReport, verify

_START_PATIENCE = 24 * 3600.0
_PROVED = "every part is the one that was listed, and each ID is in one part only"


class Collection(FunctaStore):
    """Several stores of one configuration, read and written as one.

    Several may be open for writing at once: each writes parts of its own, and rows of others are seen when they are
    listed. A commit lists the part that was begun.

    Parameters
    ----------
    parts : Parts
    place : CollectionPlace, optional
        To write to.
    """

    def __init__(self, parts: Parts, place: CollectionPlace | None = None) -> None:
        table = CollectionTable(parts)
        if place is not None:
            settle(table, place)
        writer = None if place is None else CollectionWriter(parts, place, table)
        super().__init__(parts, table=table, writer=writer, again=open_collection)
        self._parts, self._place, self._listed = parts, place, table

    @property
    def writable(self) -> tuple[CollectionTable, CollectionPlace]:
        """Rows and place, for those who add whole parts; StoreError when it is open for reading."""
        if self._place is None:
            raise StoreError(f"{self.path} is open for reading. Open it with mode='a' to write")
        return self._listed, self._place

    @property
    def table(self) -> RowIndex:
        """The rows of all parts, by number and by ID."""
        return self._table

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is listed, in the order in which it was."""
        return self._parts.manifest.parts

    @property
    def written_by_many(self) -> bool:
        """Whether several processes may write at once: not in an object store that has no conditional writes."""
        return self._place is not None and self._place.shared

    @property
    def part_rows(self) -> int:
        """Rows after which a writer begins another part."""
        return self._parts.manifest.part_rows

    def verify(self, *, deep: bool = False) -> VerifyReport:
        """Read every part and compare it with its checksums and with what is listed; see :meth:`FunctaStore.verify`."""
        self._require_open()
        report = VerifyReport(ok=True)
        for entry, table in zip(self.parts, self._parts.tables, strict=True):
            found = verify(table, deep=deep)
            problems = [f"{entry.name}: {problem}" for problem in found.problems]
            if found.ok and Part.of(entry.name, table.backend.content_sha256, table) != entry:
                problems.append(f"{entry.name}: its rows are not those that {MANIFEST} counts")
            report = replace(
                report,
                bad_ids=sorted({*report.bad_ids, *found.bad_ids}),
                problems=[*report.problems, *problems],
                rows=report.rows + found.rows,
                proved=found.proved,
                not_proved=found.not_proved,
            )
        return self._concluded(report)

    def _concluded(self, report: VerifyReport) -> VerifyReport:
        problems = list(report.problems)
        try:
            self.state  # noqa: B018 - its checksum
            if not problems:
                self._table.index()
        except IntegrityError as error:
            problems.append(str(error))
        proved = [] if problems or not report.proved else [*report.proved, _PROVED]
        return replace(report, ok=not problems, problems=problems, proved=proved)

    def info(self) -> dict[str, Any]:
        """Say what is inside, and in how many parts."""
        return super().info() | {"parts": len(self.parts), "part_rows": self.part_rows}


def is_collection(path: str | Path) -> bool:
    """Tell whether a path is, or is named as, a collection; StoreError when it is no path."""
    require_path(path)
    name = str(path).rstrip("/")
    if name.endswith(COLLECTION):
        return True
    return not is_url(path) and (Path(path) / MANIFEST).is_file()


def open_collection(path: str | Path, mode: Literal["r", "a"] = "r") -> Collection:
    """Open a collection; errors as those of `open_store`."""
    if is_url(path):
        if mode == "r":
            return Collection(Parts(UrlPlace(str(path))))
        remote = ObjectPlace(str(path))
        return Collection(Parts(remote), remote)
    place = _folder(path)
    if not place.path.is_dir():
        raise StoreError(f"there is no store at {path}")
    try:
        return Collection(Parts(place), place if mode == "a" else None)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror or error}. Check its permissions") from error


def create_collection(
    path: str | Path, header: Header, state: Mapping[str, NDArray[Any]], part_rows: int | None = None
) -> Collection:
    """Make a collection without parts and open it for writing; StoreError when something is there."""
    place = _vacant(path)
    rows = PART_ROWS if part_rows is None else part_rows
    if rows < 1:
        raise StoreError(f"part_rows is {rows}, expected 1 or more")

    def fill(folder: Path) -> None:
        name = place.new_state()
        backend = create_unlocked(folder / name, header, state)
        content = backend.content_sha256
        backend.close()
        manifest = Manifest(
            encoder_sha256=header.encoder_sha256,
            state_sha256=header.state_sha256,
            state_fingerprint=content,
            state=name,
            part_rows=rows,
        )
        files.write_whole(folder / MANIFEST, manifest.changed().to_bytes())

    try:
        place.create(fill)
    except OSError as error:
        raise StoreError(f"cannot create {path}: {error.strerror or error}. Nothing was written") from error
    return Collection(Parts(place), place)


@contextmanager
def starting(path: str | Path) -> Iterator[None]:
    """Be the only one who makes what a new collection begins with; others wait for their turn, but not behind a URL."""
    if is_url(path):
        _vacant(path)
        yield
        return
    target = resolved(path)
    if target.exists():
        yield
        return
    _vacant(path)
    with waited_lock(target.with_name(f"{target.name}.start"), patience=_START_PATIENCE):
        yield


def exists(path: str | Path) -> bool:
    """Tell whether there is something at a path; behind a URL, whether there is a collection."""
    if is_url(path):
        return str(path).rstrip("/").endswith(COLLECTION) and Bucket(str(path).rstrip("/")).exists(MANIFEST)
    return Path(path).exists()


def _vacant(path: str | Path) -> CollectionPlace:
    if not is_url(path):
        return FolderPlace(vacant(path, (COLLECTION,)))
    if not str(path).rstrip("/").endswith(COLLECTION):
        raise StoreError(f"cannot write to {path}: behind a URL only collections are written. Name it ...{COLLECTION}")
    if exists(path):
        raise StoreError(f"{path} exists already. Open it with open_store, or choose another address")
    return ObjectPlace(str(path))


def _folder(path: str | Path) -> FolderPlace:
    return FolderPlace(resolved(path))
