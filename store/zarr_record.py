"""The root ``zarr.json`` and its spare copy: header, commit, and the checksums that tie every chunk to its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.commit import Commit
from store.documents import MAX_DOCUMENT_BYTES, parse
from store.errors import IntegrityError, StoreError, StoreFormatError
from store.header import Header
from store.places import Place
from store.seal import ChunkTable, Seal, check_seal, pack_table, unpack_table

ROOT, MIRROR = "zarr.json", "mirror/zarr.json"
_OWN = ("header", "commit", "seal", "chunk_crc")


@dataclass(frozen=True)
class Record:
    """What a root says.

    Parameters
    ----------
    header : Header
    commit : Commit
    table : ChunkTable or None
        None in stores of format 1.0.
    others : dict
        Attributes that are not ours, which are carried along.
    """

    header: Header
    commit: Commit
    table: ChunkTable | None
    others: dict[str, Any]

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the root, ready for JSON."""
        commit = self.commit.to_json()
        found = {**self.others, "header": self.header.to_json(), "commit": commit}
        if self.table is None:
            return found
        table = self.table.array(blocks_of(self.header, self.commit))
        return found | {"seal": Seal.over(commit["crc32c"], table).to_json(), "chunk_crc": pack_table(table)}


def blocks_of(header: Header, commit: Commit) -> int:
    """Count the blocks that hold committed rows."""
    return -(-commit.n_rows // header.block_rows)


def read_record(place: Place, key: str) -> Record:
    """Read and check a root.

    Raises
    ------
    IntegrityError
        It is missing from what looks like a store, damaged, or does not fit together.
    StoreFormatError
        There is no store here, or one that needs a newer reader.
    """
    attributes, location = _attributes(place, key), place.location
    commit = Commit.from_json(attributes.get("commit"), location)
    header = Header.from_json(attributes["header"], commit.header_sha256, location)
    others = {name: value for name, value in attributes.items() if name not in _OWN}
    if not header.sealed:
        return Record(header, commit, None, others)
    paths = [column.path for column in (*header.columns, *commit.extra_columns().values())]
    table = unpack_table(attributes.get("chunk_crc"), blocks_of(header, commit), len(paths), location)
    check_seal(attributes.get("seal"), attributes["commit"]["crc32c"], table, location)
    return Record(header, commit, ChunkTable(paths, table), others)


def _attributes(place: Place, key: str) -> dict[str, Any]:
    location = place.location
    try:
        document = parse(place.read(key, MAX_DOCUMENT_BYTES), f"{key} of {location}")
        attributes = dict(document["attributes"])
    except (FileNotFoundError, IntegrityError, KeyError, TypeError, ValueError) as error:
        if any(name.startswith(("functas/", "mirror/")) for name in place.keys()):  # noqa: SIM118 - not a dict
            why = "is missing" if isinstance(error, FileNotFoundError) else "is damaged"
            raise IntegrityError(f"{key} of {location} {why}. Run `functa store repair {location}`") from error
        raise StoreFormatError(f"{location} is not a functa store: it has no readable {key}") from error
    if "header" not in attributes:
        raise StoreFormatError(f"{location} is not a functa store: {key} has no attribute 'header'")
    return attributes


def read_current(place: Place) -> tuple[Record, Record | None]:
    """Read the root, and see that nobody put an old one back; return the spare copy too, None if it is damaged.

    A commit writes the spare copy, then the new chunks, then the root, each durable before the next. So the spare copy
    is never more than one commit ahead, and no chunk is there that neither of them names. Writers of format 1.0 wrote
    the spare copy after the chunks; there only the first of the two says anything.

    Raises
    ------
    IntegrityError
        As :func:`read_record`; or the root is older than the spare copy or the chunks say.
    """
    while True:
        spare = read_spare(place)
        record = read_record(place, ROOT)
        if spare is not None and spare.header != record.header:
            spare = None
        ahead = 0 if spare is None else spare.commit.generation - record.commit.generation
        if ahead > 1:
            raise IntegrityError(_put_back(place.location, f"its spare copy is {ahead} commits ahead"))
        if spare is None or record.table is None or not has_unnamed_block(place, record, spare):
            return record, spare
        again = read_spare(place)
        if again is not None and again.commit == spare.commit:
            raise IntegrityError(_put_back(place.location, "there are blocks that it does not name"))


def read_spare(place: Place) -> Record | None:
    """Read the spare copy; None when there is none to be had."""
    try:
        return read_record(place, MIRROR)
    except StoreError:
        return None


def has_unnamed_block(place: Place, record: Record, spare: Record | None) -> bool:
    """Tell whether there is a block after those that the root or its spare copy name."""
    return _exists(place, f"functas/c.{named_blocks(record, spare)}.0")


def named_blocks(record: Record, spare: Record | None) -> int:
    """Count the blocks that the root or its spare copy name."""
    return max(blocks_of(entry.header, entry.commit) for entry in (record, spare) if entry is not None)


def unnamed_blocks(place: Place, named: int) -> int:
    """Count the blocks after the first so many."""
    count = 0
    while _exists(place, f"functas/c.{named + count}.0"):
        count += 1
    return count


def _exists(place: Place, key: str) -> bool:
    try:
        place.size(key)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _put_back(location: str, why: str) -> str:
    return (
        f"{ROOT} of {location} is older than the store: {why}. Was a copy put back? Nothing was changed. "
        f"Run `functa store repair {location}`, which keeps every row that proves itself"
    )
