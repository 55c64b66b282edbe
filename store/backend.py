"""The interface that a file format implements; everything above it is the same for all formats."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.columns import Column
from store.commit import Commit
from store.documents import digest
from store.errors import IntegrityError
from store.header import MAX_ID_BYTES, Header
from store.seal import ChunkTable

PlainReader = Callable[[Column, int, int], NDArray[Any]]


class Storage(ABC):
    """What holds rows on disk, one store or many: header, commit record and state.

    Parameters
    ----------
    location : str
        Path or URL, for messages.
    header : Header
    commit : Commit
        The one that was read on opening; all reading goes by it.
    """

    location: str
    header: Header
    commit: Commit

    @property
    def longest_id(self) -> int:
        """Bytes of the longest ID that there is room for."""
        return MAX_ID_BYTES

    @abstractmethod
    def read_state(self) -> dict[str, NDArray[Any]]:
        """Read the arrays under ``state/``, each checked against its own checksum."""

    @abstractmethod
    def nbytes(self) -> int:
        """Count the bytes on disk."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files."""

    def all_columns(self, commit: Commit) -> dict[str, Column]:
        """List every column by its path, those that users added last."""
        columns = (*self.header.columns, *commit.extra_columns().values())
        return {column.path: column for column in columns}

    def damaged(self, what: str, why: str) -> IntegrityError:
        """Make the error for a damaged place."""
        return IntegrityError(f"{what} of {self.location} {why}. Run `functa store repair {self.location}`")


class Backend(Storage):
    """Columns of equal length on disk, in blocks of ``header.block_rows`` rows, behind one commit record.

    Parameters
    ----------
    concurrent : bool
        Several threads may read functas at once.
    in_order : bool
        What says where each block belongs is itself what was written.
    """

    concurrent: bool = False
    in_order: bool = True
    _table: ChunkTable | None = None

    @property
    def content_sha256(self) -> str:
        """Digest of header, commit and the checksums of all chunks: other rows give another one."""
        blocks = -(-self.commit.n_rows // self.header.block_rows)
        chunks = b"" if self._table is None else self._table.array(blocks).tobytes()
        return digest([self.header.sha256, self.commit.to_json(), hashlib.sha256(chunks).hexdigest()])

    @abstractmethod
    def newest_commit(self) -> Commit:
        """Read from disk which commit is the last one now; IntegrityError when it is damaged."""

    @abstractmethod
    def read_chunk(self, column: Column, block: int, rows: int, *, check: bool = True) -> NDArray[Any]:
        """Read the first rows of one block of one column; IntegrityError names the place.

        ``check=False`` leaves out the chunk's checksum, for a caller that compares every row with its own.
        """

    @abstractmethod
    def read_block(self, block: int, into: NDArray[np.float32]) -> bool:
        """Read all functas of a full block into an array; tell whether they match the chunk's own checksum."""

    @abstractmethod
    def read_functas(self, block: int, offsets: Sequence[int], into: Sequence[memoryview]) -> None:
        """Read single functas of one block into 4 k bytes each; the caller checks them by their rows."""

    @abstractmethod
    def salvage_chunk(self, column: Column, block: int, rows: int) -> NDArray[Any]:
        """Read what is left of a damaged chunk; unreadable rows are fill values."""

    def unnamed_blocks(self) -> int:
        """Count the blocks after the committed ones that no commit in progress names either."""
        return 0

    @abstractmethod
    def structural_problems(self, commit: Commit) -> list[str]:
        """Say what is wrong with metadata and spare copies, which reading rows does not touch."""

    @contextmanager
    def plain_reader(self) -> Iterator[PlainReader | None]:
        """Give a function that reads rows start..end of a column with the format's own library; None where none can."""
        yield None


class WritableBackend(Backend):
    """A backend opened by the one process that holds the store's lock."""

    @abstractmethod
    def write_block(self, block: int, columns: Mapping[str, NDArray[Any]], start: int, stop: int) -> None:
        """Write rows start..stop of a block, of which the arrays hold all rows; visible after the next commit."""

    @abstractmethod
    def write_commit(self, commit: Commit) -> None:
        """Make everything written so far durable, then put the commit in place of the last one."""

    @abstractmethod
    def add_column(self, column: Column, n_rows: int) -> None:
        """Make room for another column; its blocks and the commit that names it are written next."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of files after an error, touching the disk no more; what was not committed is lost."""
