"""What this machine offers and lacks, each fact with what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fusion.bench.bytecode import compiled_anew, writable
from fusion.errors import FusionError
from store.portable import lock_at_once, sync_path

_LIBRARIES = ("functa-fusion", "numpy", "zarr", "h5py", "xgboost", "numba", "tensorflow", "librosa")
_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
_EXTRAS = {
    "dask": ("distributed", "encode and train on a cluster"),
    "remote": ("fsspec", "read stores by URL"),
    "nifti": ("nibabel", "read NIfTI volumes"),
    "anndata": ("anndata", "export to .h5ad"),
    "skops": ("skops", "save estimators of scikit-learn"),
    "mlflow": ("mlflow", "send runs to MLflow"),
    "controls": ("aeon", "measure MiniRocket beside functas"),
    "tensorboard": ("tensorboardX", "send runs to TensorBoard"),
    "cuda": ("numba_cuda", "fit on a CUDA device"),
}
_SPACE = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """One fact about this machine.

    Parameters
    ----------
    name : str
    value : str
    ok : bool
    advice : str
        What to do, or what it means; empty where there is nothing to say.
    """

    name: str
    value: str
    ok: bool = True
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def examine(folder: str | Path = ".") -> list[Finding]:
    """Look at versions, cores, caches, devices, and the file system of a folder.

    Parameters
    ----------
    folder : path
        Where stores are to lie; some small files are written there and deleted.

    Returns
    -------
    list of Finding
        What can be told is told; nothing raises.
    """
    return [*_versions(), *_cores(), _code_cache(), _bytecode(), _device(), *_disk(Path(folder)), *_extras()]


def _versions() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _LIBRARIES:
        found = _version(name)
        yield Finding(name, found or "not installed", found is not None, "" if found else f"pip install {name}")
    opencv = next((f"{name} {_version(name)}" for name in _OPENCV if _version(name)), None)
    yield Finding(
        "opencv", opencv or "not installed", opencv is not None, "" if opencv else "pip install opencv-python"
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cores() -> Iterator[Finding]:
    from loky import cpu_count

    seen, usable = os.cpu_count() or 1, int(cpu_count())
    advice = "" if usable == seen else "a quota, an affinity or LOKY_MAX_CPU_COUNT leaves so many; --workers follows it"
    yield Finding("cores", f"{usable} of {seen} for this process", advice=advice)
    threads = os.environ.get("OMP_NUM_THREADS")
    yield Finding("OMP_NUM_THREADS", threads or "not set")
    memory = _memory()
    few = memory is not None and memory < 2.0
    yield Finding(
        "memory",
        "not known" if memory is None else f"{memory:.1f} GiB",
        not few,
        "train with --external-memory, and encode with --workers 1" if few else "",
    )


def _memory() -> float | None:
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return None


def _code_cache() -> Finding:
    """Tell where compiled code is kept; Numba looks beside the source, then in the user's cache folder."""
    import fusion.inr

    given = os.environ.get("NUMBA_CACHE_DIR")
    beside = Path(str(fusion.inr.__file__)).parent
    places = [Path(given)] if given else [beside, _user_cache()]
    for place in places:
        if writable(place):
            return Finding("compiled code is kept in", str(place))
    return Finding(
        "compiled code is kept in",
        "no folder that can be written",
        ok=False,
        advice="every run compiles anew, up to two minutes: set NUMBA_CACHE_DIR to a folder that can be written",
    )


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"


def _bytecode() -> Finding:
    anew = compiled_anew()
    if not anew:
        return Finding("Python's bytecode", "kept")
    keep = "unset PYTHONDONTWRITEBYTECODE" if sys.dont_write_bytecode else "let this user write there once"
    advice = (
        f"every start compiles them anew: run python -m compileall -q on the folder of installed packages, or {keep}"
    )
    return Finding("Python's bytecode", f"not kept for {', '.join(anew)}", ok=False, advice=advice)


def _device() -> Finding:
    from fusion.inr.engine import chosen_backend

    try:
        where = chosen_backend()
    except FusionError as error:
        return Finding("device", "unusable", ok=False, advice=str(error))
    advice = "pip install 'functa-fusion[cuda]' where there is a CUDA device" if where == "cpu" else ""
    return Finding("device", where, advice=advice)


def _disk(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("folder", f"{folder.absolute()} cannot be written", ok=False, advice="name another with --folder")
        return
    for name, place in (("free space", folder), ("free space for temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(place).free
        few = free < _SPACE
        advice = "a full disk ends a run; what was committed is kept" if few else ""
        yield Finding(name, f"{free / 2**30:.1f} GiB in {place.absolute()}", not few, advice)
    probe = folder / f".functa-doctor-{uuid.uuid4().hex}"
    probe.mkdir()
    try:
        yield _locks(probe)
        yield _syncs(probe)
        yield _cases(probe)
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _locks(probe: Path) -> Finding:
    try:
        with (probe / "lock").open("w") as file:
            lock_at_once(file.fileno())
    except OSError as error:
        return Finding(
            "locks",
            f"none ({error})",
            ok=False,
            advice="a soft lock is used: let one process write to a store at a time",
        )
    return Finding("locks", "held by the file system")


def _syncs(probe: Path) -> Finding:
    try:
        sync_path(probe)
    except OSError as error:
        advice = "after a power loss the last commits may be missing here: write stores to a local disk"
        return Finding("folders are synced", f"no ({error})", ok=False, advice=advice)
    return Finding("folders are synced", "yes")


def _cases(probe: Path) -> Finding:
    (probe / "case").touch()
    same = (probe / "CASE").exists()
    advice = "names of samples that differ in upper and lower case only must not become files" if same else ""
    return Finding("upper and lower case", "the same file" if same else "different files", advice=advice)


def _extras() -> Iterator[Finding]:
    for extra, (module, purpose) in _EXTRAS.items():
        there = find_spec(module) is not None
        advice = "" if there else f"to {purpose}: pip install 'functa-fusion[{extra}]'"
        yield Finding(f"extra {extra}", "installed" if there else "not installed", advice=advice)
