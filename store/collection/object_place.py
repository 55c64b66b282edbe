"""A collection in an object store: parts are made on a local disk, sent, and listed."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from store import files
from store.collection.bucket import Bucket
from store.collection.manifest import MANIFEST, MAX_MANIFEST_BYTES, PART_NAME, STATE_NAME, Manifest
from store.collection.place import CollectionPlace, FolderPlace, UrlPlace
from store.errors import IntegrityError, StoreError, StoreExistsError

LEFTOVER_AGE = timedelta(days=1)
"""What was sent, is not listed and has not changed for so long was left by a writer that is gone."""
STAGES = "FUNCTA_STAGES"


class ObjectPlace(UrlPlace, CollectionPlace):
    """A collection below an fsspec URL, to write to.

    Parts are begun in a local folder that belongs to the URL. There the next run on this machine finds what a killed
    one left, sends it under the same name and lists it.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.bucket = Bucket(self.location)
        self.shared = self.bucket.conditional
        self._local = FolderPlace(stage_folder(self.location))

    def create(self, fill: Callable[[Path], None]) -> None:
        """Send the state under a name of its own; who creates the manifest first has made the collection."""
        with tempfile.TemporaryDirectory(prefix="functa-") as made:
            folder = Path(made)
            fill(folder)
            data = (folder / MANIFEST).read_bytes()
            state = Manifest.from_bytes(data, self.location).state
            self.bucket.upload(folder / state, state)
        if not self.bucket.create(MANIFEST, data):
            self.bucket.remove(state)
            raise StoreExistsError(f"{self.location} exists already: it was made meanwhile. Choose another address")

    def new_state(self) -> str:
        """Name a state that nobody else sends."""
        return f"state-{token_hex(4)}.zarr"

    def new_part(self, number: int) -> str:
        """Name a part that nobody else sends."""
        return f"part-{number:05d}-{token_hex(4)}.zarr"

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other writers of this machine waiting; those of others are told by the manifest's condition."""
        with self._local.exclusive():
            yield

    def replace_manifest(self, data: bytes, *, seen: bytes | bytearray) -> bool:
        """Replace the object on condition that it is the one that was seen."""
        if len(data) > MAX_MANIFEST_BYTES:
            raise StoreError(f"{MANIFEST} of {self.location} is full: it would have {len(data)} bytes")
        return self.bucket.replace(MANIFEST, data, seen=seen)

    def new_stage(self, suffix: str) -> Path:  # noqa: ARG002 - one object for each block is what can be sent again
        """Name a path in the local folder, always of a Zarr store."""
        return self._local.new_stage(".zarr")

    def staged(self) -> Iterable[Path]:
        """List what runs on this machine began."""
        return self._local.staged()

    def forget(self, stage: Path) -> None:
        """Delete the local store, and the note under which name it was sent."""
        self._local.forget(stage)

    def sent(self, stage: Path) -> str | None:
        """Read the note."""
        note = _note(stage)
        name = note.read_text() if note.is_file() and not note.is_symlink() else ""
        return name if re.fullmatch(PART_NAME, name) else None

    def send(self, stage: Path, number: int) -> str:
        """Note a name, then send the store."""
        name = self.sent(stage) or self.new_part(number)
        files.write_whole(_note(stage), name)
        self.bucket.upload(stage, name)
        return name

    def publish(self, stage: Path) -> str:
        """Give the name under which it was sent: it is in its place already."""
        name = self.sent(stage)
        if name is None:
            raise IntegrityError(f"the note that says where {stage} was sent is gone. Run the same command again")
        return name

    def withdraw(self, name: str) -> None:
        """Delete the objects, unless the part is listed after all."""
        if name not in self._listed():
            self.bucket.remove(name)

    def _listed(self) -> set[str]:
        manifest = Manifest.from_bytes(self.read_manifest(), self.location)
        return {manifest.state, *(part.name for part in manifest.parts)}

    def unlisted(self, listed: Iterable[str]) -> list[str]:  # noqa: ARG002 - see sweep
        """List nothing: whoever sends a part may be alive on another machine."""
        return []

    def sweep(self) -> None:
        """Delete what was sent, never listed, and not touched for a day."""
        found = [name for name in self.bucket.names() if re.fullmatch(f"{PART_NAME}|{STATE_NAME}", name)]
        latest = datetime.now(UTC) - LEFTOVER_AGE
        listed = self._listed()
        for name in found:
            if name not in listed:
                times = list(self.bucket.below(name).values())
                if all(time is not None and time < latest for time in times):
                    self.bucket.remove(name)


def stage_folder(url: str) -> Path:
    """Give the local folder where parts of a URL are begun, and make it; ``FUNCTA_STAGES`` moves it.

    Raises
    ------
    StoreError
        It cannot be made.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    base = Path(os.environ.get(STAGES) or Path(cache) / "functa" / "stages")
    folder = base / sha256(url.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"parts are begun on a local disk, but {folder} cannot be made: {error.strerror or error}. Set {STAGES} to "
            "a folder that can"
        ) from error
    return folder.resolve()


def _note(stage: Path) -> Path:
    return stage.with_name(f".{stage.name}.sent")
