"""Arrays of numbers out of .npy, .npz and MATLAB files that may be damaged or hostile.

Nothing in a file is executed (no pickles, no MATLAB objects), and nothing larger than a limit is allocated: sizes are
read from the headers, and compared with what the file can hold, before any data are.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.matlab import read_variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_BYTES = 1 << 30

_NUMBERS, _TEXT = "biuf", "US"


def read_npy(path: Path, *, max_bytes: int = MAX_BYTES) -> NDArray[Any]:
    """Read a .npy file.

    Raises
    ------
    SampleError
        When it is damaged, holds objects, or claims more data than it has or than `max_bytes`.
    """
    with _damage_named(path, "a readable .npy file"), path.open("rb") as file:
        return _read_array(file, path.stat().st_size, max_bytes)


def read_npz(path: Path, key: str, *, max_bytes: int = MAX_BYTES, text: bool = False) -> NDArray[Any]:
    """Read one array of a .npz file: numbers, and text too when asked.

    Raises
    ------
    SampleError
        When the file is damaged, has no array `key`, holds objects, or unpacks to more than `max_bytes`.
    """
    with _damage_named(path, "a readable .npz file"), zipfile.ZipFile(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            raise ValueError(f"no array {key!r}; got {', '.join(npz_names(archive)[:5]) or 'none'}")
        entry = archive.getinfo(f"{key}.npy")
        with archive.open(entry) as file:
            return _read_array(file, entry.file_size, max_bytes, _NUMBERS + _TEXT if text else _NUMBERS)


def npz_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the arrays in an open .npz file."""
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def read_mat(path: Path, key: str, *, max_bytes: int = MAX_BYTES) -> NDArray[Any]:
    """Read one array of numbers out of a MATLAB file of version 5 to 7.

    Raises
    ------
    SampleError
        When the file is damaged or of another version, has no variable `key` or not as plain numbers, or unpacks to
        more than `max_bytes`.
    """
    with _damage_named(path, "a readable MATLAB file of version 5 to 7"):
        if path.stat().st_size > max_bytes:
            raise ValueError(f"larger than {max_bytes:,} bytes")
        return read_variable(path.read_bytes(), key, max_bytes)


def _read_array(file: IO[bytes], size: int, max_bytes: int, kinds: str = _NUMBERS) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or dtype.kind not in kinds:
        raise ValueError(f"values of type {dtype}; expected numbers")
    needed = math.prod(shape) * dtype.itemsize
    if needed > min(size, max_bytes):
        raise ValueError(f"shape {shape} takes {needed:,} bytes; expected at most {min(size, max_bytes):,}")
    data = file.read(needed)
    if len(data) < needed:
        raise ValueError(f"ends after {len(data):,} of {needed:,} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


@contextmanager
def _damage_named(path: Path, expected: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SampleError:
        raise
    except FileNotFoundError:
        raise SampleError("read", f"{path.name} does not exist") from None
    except Exception as error:
        reason = f"{error}" if isinstance(error, (ValueError, OSError)) and str(error) else type(error).__name__
        raise SampleError("read", f"{path.name} is not {expected}: {reason}") from error
