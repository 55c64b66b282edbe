"""Changes to the files of a store that leave every single checksum as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np

BASE_COLUMNS = (
    "functas", "id", "label", "target", "split", "group", "psnr", "loss", "steps", "fit_seconds", "status",
    "source_hash", "row_crc", "error",
)  # fmt: skip


def chunk_file(path: Path, column: str, block: int) -> Path:
    wide = column in ("functas", "source_hash")
    return path / column / (f"c.{block}.0" if wide else f"c.{block}")


def swap_chunks(path: Path, columns: tuple[str, ...], first: int = 0, second: int = 1) -> None:
    """Let two chunks of some columns change places; in HDF5 with what the file says of their checksums."""
    if path.is_dir():
        for column in columns:
            one, two = (chunk_file(path, column, block) for block in (first, second))
            data = one.read_bytes()
            shutil.copyfile(two, one)
            two.write_bytes(data)
        return
    with h5py.File(path, "r+") as file:
        rows = file["functas"].chunks[0]
        table = file["chunk_crc"][:]
        for column in columns:
            for start in (first * rows, second * rows):
                assert start + rows <= len(file[column])
            one, two = (file[column][block * rows : (block + 1) * rows] for block in (first, second))
            file[column][first * rows : (first + 1) * rows] = two
            file[column][second * rows : (second + 1) * rows] = one
            at = BASE_COLUMNS.index(column)
            table[[first, second], at] = table[[second, first], at]
        file["chunk_crc"][:] = table


def tree(folder: Path) -> dict[str, bytes | str]:
    """Read every file below a folder, and where links lead."""
    return {
        str(entry.relative_to(folder)): str(entry.readlink()) if entry.is_symlink() else entry.read_bytes()
        for entry in sorted(folder.rglob("*"))
        if entry.is_symlink() or entry.is_file()
    }


def same_numbers(left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.array_equal(left, right, equal_nan=True))
