"""What a collection says of itself: ``collection.json``, replaced as a whole with every part that is listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

from store.columns import NO_SPLIT
from store.commit import MAX_COUNT, MAX_ROWS
from store.documents import MAX_DOCUMENT_BYTES, checksum, document_bytes, parse, validated
from store.errors import IntegrityError, StoreFormatError
from store.header import now
from store.row_index import RowIndex
from store.rows import LIVE, Status

MANIFEST = "collection.json"
STATE = "state.zarr"
STATE_NAME = r"^state(-[0-9a-f]{8})?\.zarr$"
FORMAT: Literal["functa-collection"] = "functa-collection"
READER_VERSION = 1
PART_ROWS = 65536
PART_NAME = r"^part-[0-9]{5,9}(-[0-9a-f]{8})?\.(zarr|h5|hdf5)$"
MAX_PARTS = 2**17
MAX_CLASSES = 1000

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Rows = Annotated[int, Field(ge=0, le=MAX_ROWS)]


class Part(BaseModel):
    """One store of the collection, as it was when it was listed.

    Parameters
    ----------
    name : str
        ``part-00000.zarr`` or ``.h5``, beside the manifest; never a path.
    fingerprint : str
        Digest of its header, its commit and the checksums of all its chunks.
    rows : int
        Rows on disk.
    usable, failed : int
        IDs whose last row in this part has a functa, or has failed.
    first_id, last_id : str or None
        Of these IDs, in the order of their characters; None where there are none.
    splits : dict of str to int
        Usable rows of each.
    classes : dict of str to int, or None
        The same of labels; None where there are more than a thousand.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    name: Annotated[str, StringConstraints(pattern=PART_NAME)]
    fingerprint: Sha256
    rows: Rows
    usable: Rows = 0
    failed: Rows = 0
    first_id: Annotated[str, Field(max_length=512)] | None = None
    last_id: Annotated[str, Field(max_length=512)] | None = None
    splits: dict[str, Rows] = Field(default_factory=dict, max_length=NO_SPLIT)
    classes: dict[str, Rows] | None = None

    @classmethod
    def of(cls, name: str, fingerprint: str, table: RowIndex) -> Part:
        """Describe a part by its rows."""
        usable, live = table.usable(), table.last_rows(*LIVE)
        ids = table.column("id")[live]
        classes = _counts(table, "label")
        return cls(
            name=name,
            fingerprint=fingerprint,
            rows=table.commit.n_rows,
            usable=len(usable),
            failed=len(table.last_rows(Status.FAILED)),
            first_id=min(ids, default=None),
            last_id=max(ids, default=None),
            splits=_counts(table, "split"),
            classes=classes if len(classes) <= MAX_CLASSES else None,
        )


def _counts(table: RowIndex, path: str) -> dict[str, int]:
    counts = Counter(table.names(path, table.usable()).tolist())
    return {name: counts[name] for name in sorted(name for name in counts if name is not None)}


def _distinct(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    names = Counter(part.name.partition(".")[0] for part in parts)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands there twice")
    return parts


class Manifest(BaseModel):
    """The parts that count, in their order; what is not listed here is never read.

    Parameters
    ----------
    encoder_sha256, state_sha256 : str
        Of the configuration and the learned arrays that all parts have.
    state_fingerprint : str
        Of the state, a store without rows that keeps header and learned arrays of the collection.
    state : str
        Its name: ``state.zarr``, or one that nobody else writes in an object store.
    part_rows : int
        Rows after which a writer begins another part.
    generation : int
        One more whenever the manifest is replaced.
    finished : bool
        Whether the last run that wrote here said it was through.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    format: Literal["functa-collection"] = FORMAT
    schema_version: str = Field(default="1.0", pattern=r"^\d{1,3}\.\d{1,3}$")
    min_reader_version: int = READER_VERSION
    encoder_sha256: Sha256
    state_sha256: Sha256
    state_fingerprint: Sha256
    state: Annotated[str, StringConstraints(pattern=STATE_NAME)] = STATE
    part_rows: int = Field(default=PART_ROWS, ge=1, le=MAX_ROWS)
    generation: int = Field(default=0, ge=0, le=MAX_COUNT)
    parts: Annotated[tuple[Part, ...], Strict(strict=False), AfterValidator(_distinct)] = Field(
        default=(), max_length=MAX_PARTS
    )
    finished: bool = False
    utc: str = ""

    def changed(self, **changes: Any) -> Manifest:
        """Make the manifest after this one."""
        following = min(self.generation + 1, MAX_COUNT)
        return self.model_copy(update={"generation": following, "utc": now(), **changes})

    def to_bytes(self) -> bytes:
        """Write the document, with a checksum over its other fields."""
        value = self.model_dump(mode="json")
        return document_bytes(value | {"crc32c": checksum(value)}, indent=1)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray, location: str) -> Manifest:
        """Check and read a document that somebody else may have written.

        Raises
        ------
        IntegrityError
            It is not what was written, or a field cannot be.
        StoreFormatError
            It is of no collection, or of one that needs a newer reader.
        """
        what = f"{MANIFEST} of {location}"
        value = parse(data, what)
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            raise StoreFormatError(f"{location} is not a collection of functas: {MANIFEST} does not say so")
        body = {name: entry for name, entry in value.items() if name != "crc32c"}
        if value.get("crc32c") != checksum(body):
            raise IntegrityError(
                f"{what} does not match its checksum. Put back a copy of it, or collect the parts anew"
            )
        needed = value.get("min_reader_version")
        if not isinstance(needed, int) or needed > READER_VERSION:
            raise StoreFormatError(
                f"{location} needs reader {needed}, but this is {READER_VERSION}. Upgrade functa-fusion"
            )
        return validated(cls, body, what)


def number_of(name: str) -> int:
    """Tell the number in a part's name."""
    return int(re.split(r"[-.]", name)[1])


MAX_MANIFEST_BYTES = MAX_DOCUMENT_BYTES
