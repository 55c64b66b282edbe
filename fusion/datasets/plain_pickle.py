"""Read a pickle that holds plain values and arrays of bytes, and nothing that could run code."""

from __future__ import annotations

import pickle
import pickletools
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_MAX_BYTES = 1 << 29
_SPARE_PLACES = 1000


class _Array:
    """Takes the place of numpy's array while a pickle is read; nothing of numpy's own unpickling is called."""

    content: NDArray[np.uint8] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_column, raw = state
        kind.require_bytes()
        content = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
        self.content = np.frombuffer(content, np.uint8).reshape(tuple(shape), order="F" if by_column else "C")


class _Kind:
    """Takes the place of numpy's dtype."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode("latin1") if isinstance(name, bytes) else str(name)

    def __setstate__(self, state: Any) -> None:
        """Leave out what numpy keeps beside the name: byte order and fields, of which bytes have none."""

    def require_bytes(self) -> None:
        if self.name.lstrip("|") != "u1":
            raise pickle.UnpicklingError(f"an array of {self.name!r}; expected bytes, 'u1'")


def _new_array(*_: Any) -> _Array:
    return _Array()


def _encoded(text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError(f"text in the encoding {encoding!r}; expected latin1")
    return str(text).encode("latin1")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _new_array,
    ("numpy._core.multiarray", "_reconstruct"): _new_array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encoded,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which data never need")
        return _ALLOWED[module, name]


def load_plain_pickle(path: Path) -> Any:
    """Read numbers, text, lists, dictionaries and arrays of bytes from a pickle of Python 2 or 3.

    Parameters
    ----------
    path : Path
        Text of Python 2 comes back as bytes.

    Raises
    ------
    DataError
        When the pickle asks for anything else - it could run any code -, is damaged, or is larger than 512 MiB.
    """
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise DataError(f"{path} has {size:,} bytes; expected a batch of at most {_MAX_BYTES:,}")
    try:
        content = path.read_bytes()
        _refuse_far_places(content)
        return _plain(_PlainUnpickler(BytesIO(content), encoding="bytes").load())
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is refused: {reason}. Download it again from its official source.") from error


def _refuse_far_places(content: bytes) -> None:
    """Refuse to remember values at numbers far above their count: room for all numbers below would be made."""
    for step, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > step + _SPARE_PLACES:
            raise pickle.UnpicklingError(f"it remembers a value as number {argument} after {step} steps")


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.content
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
