"""Writes what a hostile hand would into the records of a store, with every checksum made right again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from store.documents import checksum, digest

Record = dict[str, Any]


def forge(path: Path, change: Callable[[Record, Record], None]) -> None:
    """Change header and commit in both copies, then set every checksum and the seal over them."""
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
    try:
        commit["header_sha256"] = digest(header)
        commit["crc32c"] = _checksum(commit)
        seal["commit"] = commit["crc32c"]
        seal["crc32c"] = _checksum(seal)
    except (ValueError, TypeError):
        pass  # some values cannot even be summed up
    return {"header": header, "commit": commit, "seal": seal}


def _checksum(value: Record) -> int:
    return checksum({name: entry for name, entry in value.items() if name != "crc32c"})
