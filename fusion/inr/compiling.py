"""Functions compiled by Numba: parts that are inlined, and whole ones whose machine code is kept on disk."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba

from fusion.errors import EngineWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType


def part(flags: Collection[str]) -> Callable[[Callable[..., Any]], Any]:
    """Compile a part of a kept function, with these fast-math flags.

    Parts are inlined: code that was just compiled would else call another copy of a part than code from disk does, and
    round differently.
    """
    return numba.njit(fastmath=set(flags), error_model="numpy", nogil=True, forceinline=True)  # type: ignore[no-any-return]


def kept(flags: Collection[str], *modules: ModuleType) -> Callable[[Callable[..., Any]], Any]:
    """Compile at the first call and keep the code beside the source, or in the user's cache folder, or not at all.

    Parameters
    ----------
    flags : collection of str
        Fast-math flags.
    *modules : ModuleType
        Whose functions are inlined. Numba looks at the file of the function alone; the code is kept under a name that
        tells what was in these files too, so that a change in any of them compiles it anew.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        options: dict[str, Any] = {"fastmath": set(flags), "error_model": "numpy", "nogil": True}
        function.__qualname__ += f"-{_digest(modules)}"
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither folder can be written
            _warn_once()
            return numba.njit(**options)(function)

    return compiled


@cache
def _warn_once() -> None:
    warnings.warn(
        "compiled code cannot be kept, so every run compiles anew, which takes up to two minutes: neither "
        f"{Path(__file__).parent} nor the user's cache folder can be written. Set NUMBA_CACHE_DIR to a folder that can",
        EngineWarning,
        stacklevel=2,
    )


def _digest(modules: Collection[ModuleType]) -> str:
    total = hashlib.blake2b(digest_size=6)
    for module in modules:
        total.update(Path(inspect.getfile(module)).read_bytes())
    return total.hexdigest()
