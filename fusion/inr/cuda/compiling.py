"""From a plan to machine code: numba-cuda, NVIDIA's linker, and a folder that keeps what was made.

None of it needs a device. What needs one is in `fusion.inr.cuda.device`.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.inr.cuda.errors import CudaUnavailableError
from fusion.inr.cuda.source import INTEGERS, NAME, POINTERS, kernel_source

if TYPE_CHECKING:
    from fusion.inr.cuda.plan import Plan

OLDEST = (7, 0)
"""Compute capability that a device needs."""

_PACKAGES = ("numba-cuda", "numba", "nvidia-nvvm", "nvidia-nvjitlink")
_WRITES_CODE = ("instructions", "primitives")
_INTEGER_POINTERS = ("taken", "rows")


@dataclass(frozen=True)
class Usage:
    """What a kernel takes of a multiprocessor.

    Parameters
    ----------
    registers : int
        Of each thread.
    spilled : int
        Bytes of each thread that did not find a register.
    shared : int
        Bytes of shared memory of each block.
    """

    registers: int
    spilled: int
    shared: int


def cubin(layout: Plan, capability: tuple[int, int]) -> bytes:
    """Give a kernel's machine code for one compute capability, from the folder of kept ones where it is there.

    Raises
    ------
    CudaUnavailableError
        When the packages that compile it are missing or do not go together.
    """
    source = kernel_source(layout)
    path = cache_folder() / f"{_digest(source, layout, capability)}.cubin"
    try:
        return path.read_bytes()
    except OSError:
        pass
    code, _ = build(layout, capability)
    _keep(path, code)
    return code


def build(layout: Plan, capability: tuple[int, int]) -> tuple[bytes, Usage]:
    """Compile a kernel, without looking at what is kept.

    Raises
    ------
    CudaUnavailableError
        When it cannot be compiled or linked, whatever compiler and linker say.
    """
    try:
        return _linked(_ptx(layout, capability), capability, layout.shared)
    except CudaUnavailableError:
        raise
    except Exception as error:  # beside packages that they were not made for they fail in any way
        raise CudaUnavailableError(
            f"no kernel could be made for compute capability {capability[0]}.{capability[1]} ({_in_short(error)}); "
            "pip install 'functa-fusion[cuda]' gives versions of compiler, linker and NumPy that go together, "
            "numba-cuda[cu12] those for devices older than 7.5"
        ) from error


def _in_short(error: Exception) -> str:
    told = str(error).strip().splitlines()
    return f"{type(error).__name__}: {told[0]}" if told else type(error).__name__


def cache_folder() -> Path:
    """Where compiled kernels are kept: ``functa-fusion/cuda`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "functa-fusion" / "cuda"


def _keep(path: Path, code: bytes) -> None:
    # A folder that cannot be written costs compiling again, nothing else.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(code)
        Path(file.name).replace(path)
    except OSError:
        return


def _digest(source: str, layout: Plan, capability: tuple[int, int]) -> str:
    primitives = b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in _WRITES_CODE)
    made_by = [f"{name} {_version(name)}" for name in _PACKAGES]
    known = repr((capability, layout.threads, layout.blocks, made_by))
    return hashlib.sha256(source.encode() + primitives + known.encode()).hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


@lru_cache(maxsize=1)
def load_compiler() -> tuple[Any, Any, dict[str, Any]]:
    """Load numba-cuda and what a kernel's text may call.

    Raises
    ------
    CudaUnavailableError
        When it is missing, or does not go together with what is installed beside it.
    """
    if find_spec("numba_cuda") is None:
        raise CudaUnavailableError("numba-cuda is not installed; pip install 'functa-fusion[cuda]'")
    try:
        names = import_module("fusion.inr.cuda.primitives").NAMES
        return import_module("numba.cuda"), import_module("numba.types"), names
    except (ImportError, AttributeError) as error:
        raise CudaUnavailableError(
            f"numba-cuda cannot be loaded ({error}); pip install 'functa-fusion[cuda]' gives versions that go together"
        ) from error


def _ptx(layout: Plan, capability: tuple[int, int]) -> str:
    cuda, types, names = load_compiler()
    names = dict(names)
    exec(compile(kernel_source(layout), "<kernel>", "exec"), names)  # noqa: S102 - the text is our own
    pointers = [types.CPointer(types.int32 if name in _INTEGER_POINTERS else types.float32) for name in POINTERS]
    floats = [types.float32] * (1 + layout.layers)
    signature = types.void(*pointers, *[types.int64] * len(INTEGERS), *floats)
    bounds = (layout.threads, layout.blocks)
    ptx, _ = cuda.compile_ptx(names[NAME], signature, cc=capability, launch_bounds=bounds)
    entry = re.search(r"\.entry\s+([\w$]+)", ptx)
    if entry is None:
        raise CudaUnavailableError("numba-cuda wrote no kernel; another version of it may")
    return str(ptx.replace(entry[1], NAME))


def _linked(ptx: str, capability: tuple[int, int], shared: int) -> tuple[bytes, Usage]:
    try:
        linker: Any = import_module("cuda.bindings.nvjitlink")
    except ImportError as error:
        raise CudaUnavailableError(
            f"NVIDIA's linker cannot be loaded ({error}); pip install 'functa-fusion[cuda]' brings it"
        ) from error
    options = [f"-arch=sm_{capability[0]}{capability[1]}", "-Xptxas=-v"]
    handle = linker.create(len(options), options)
    try:
        code = ptx.encode()
        linker.add_data(handle, linker.InputType.PTX, code, len(code), NAME)
        linker.complete(handle)
        linked = bytearray(linker.get_linked_cubin_size(handle))
        linker.get_linked_cubin(handle, linked)
        log = bytearray(linker.get_info_log_size(handle))
        linker.get_info_log(handle, log)
    finally:
        linker.destroy(handle)
    return bytes(linked), _usage(log.decode(), shared)


def _usage(log: str, shared: int) -> Usage:
    registers = re.search(r"Used (\d+) registers", log)
    spilled = re.findall(r"(\d+) bytes spill", log)
    return Usage(int(registers[1]) if registers else 0, sum(map(int, spilled)), shared)
