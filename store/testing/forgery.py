"""Changes to the files of a store that set every checksum right again, so that only what they tie together notices."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from store.columns import base_columns
from store.documents import checksum, digest

Record = dict[str, Any]
BASE_COLUMNS = tuple(column.path for column in base_columns(1, 1))


def chunk_file(path: Path, column: str, block: int) -> Path:
    """Name the file of a chunk in a Zarr store."""
    wide = column in ("functas", "source_hash")
    return path / column / (f"c.{block}.0" if wide else f"c.{block}")


def swap_chunks(path: Path, columns: Iterable[str], first: int = 0, second: int = 1) -> None:
    """Let two full chunks of some columns change places; in HDF5 with what the file says of their checksums."""
    if path.is_dir():
        for column in columns:
            one, two = (chunk_file(path, column, block) for block in (first, second))
            data = one.read_bytes()
            shutil.copyfile(two, one)
            two.write_bytes(data)
        return
    with h5py.File(path, "r+") as file:
        rows, table = file["functas"].chunks[0], file["chunk_crc"][:]
        places = [slice(block * rows, (block + 1) * rows) for block in (first, second)]
        for column in columns:
            one, two = (file[column][place] for place in places)
            file[column][places[0]], file[column][places[1]] = two, one
            at = BASE_COLUMNS.index(column)
            table[[first, second], at] = table[[second, first], at]
        file["chunk_crc"][:] = table


def forge(path: Path, change: Callable[[Record, Record], None]) -> None:
    """Change header and commit in both copies, then set every checksum and the seal over them.

    Parameters
    ----------
    path : Path
    change : callable
        Takes header and commit, and changes them.
    """
    if path.is_dir():
        for name in ("zarr.json", "mirror/zarr.json"):
            document = json.loads((path / name).read_text())
            document["attributes"].update(_forged(document["attributes"], change))
            (path / name).write_text(json.dumps(document))
        return
    with h5py.File(path, "r+") as file:
        for folder in ("", "mirror/"):
            found = {name: json.loads(file[folder + name][:].tobytes()) for name in ("header", "commit", "seal")}
            for name, value in _forged(found, change).items():
                data = np.frombuffer(json.dumps(value).encode(), np.uint8)
                file[folder + name].resize((len(data),))
                file[folder + name][:] = data


def _forged(found: Record, change: Callable[[Record, Record], None]) -> Record:
    header, commit, seal = (copy.deepcopy(found[name]) for name in ("header", "commit", "seal"))
    change(header, commit)
    with suppress(ValueError, TypeError):  # some values cannot even be summed up
        commit["header_sha256"] = digest(header)
        commit["crc32c"] = _checksum(commit)
        seal["commit"] = commit["crc32c"]
        seal["crc32c"] = _checksum(seal)
    return {"header": header, "commit": commit, "seal": seal}


def _checksum(value: Record) -> int:
    return checksum({name: entry for name, entry in value.items() if name != "crc32c"})


def tree(folder: Path) -> dict[str, bytes | str]:
    """Read every file below a folder, and where links lead."""
    return {
        str(entry.relative_to(folder)): str(entry.readlink()) if entry.is_symlink() else entry.read_bytes()
        for entry in sorted(folder.rglob("*"))
        if entry.is_symlink() or entry.is_file()
    }
