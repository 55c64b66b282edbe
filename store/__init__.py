"""Arrays on disk keyed by sample ID: functas that survive crashes, say who made them and notice every flipped bit.

Part of functa-fusion. Names are loaded when they are first used, so that the errors alone cost nothing.

Examples
--------
>>> import numpy as np
>>> from store import Rows, create_store, open_store
>>> state = {"start": np.zeros(2)}
>>> with create_store("s.zarr", modality="sensor", layout=[("w", (2,), 0)], encoder={}, state=state) as written:
...     written.append(Rows.build(["walk-1", "sit-1"], [[0.5, 1.0], [0.0, 2.0]], labels=["walk", "sit"]))
>>> with open_store("s.zarr") as opened:
...     opened.get("sit-1").functas, len(opened)
(array([[0., 2.]], dtype=float32), 2)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.collection.collecting import CollectReport, collect
    from store.collection.mending import repair
    from store.errors import (
        FusionError,
        IntegrityError,
        StoreError,
        StoreFormatError,
        StoreLockedError,
        StoreMismatchError,
        StoreWarning,
        UnknownIDError,
    )
    from store.exporting import export
    from store.functa_store import FunctaStore
    from store.header import Header
    from store.listing import list_rows
    from store.maintenance import CompactReport, RepairReport, compact, convert
    from store.merging import MergeReport, merge
    from store.opening import create_store, open_store
    from store.rows import Rows, Status, error_text, rows_equal
    from store.verification import VerifyReport
    from store.views import RowView

_HOME = {
    "store.collection.collecting": ("CollectReport", "collect"),
    "store.collection.mending": ("repair",),
    "store.errors": (
        "FusionError",
        "IntegrityError",
        "StoreError",
        "StoreFormatError",
        "StoreLockedError",
        "StoreMismatchError",
        "StoreWarning",
        "UnknownIDError",
    ),
    "store.exporting": ("export",),
    "store.functa_store": ("FunctaStore",),
    "store.header": ("Header",),
    "store.listing": ("list_rows",),
    "store.maintenance": ("CompactReport", "RepairReport", "compact", "convert"),
    "store.merging": ("MergeReport", "merge"),
    "store.opening": ("create_store", "open_store"),
    "store.rows": ("Rows", "Status", "error_text", "rows_equal"),
    "store.verification": ("VerifyReport",),
    "store.views": ("RowView",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CollectReport",
    "CompactReport",
    "FunctaStore",
    "FusionError",
    "Header",
    "IntegrityError",
    "MergeReport",
    "RepairReport",
    "RowView",
    "Rows",
    "Status",
    "StoreError",
    "StoreFormatError",
    "StoreLockedError",
    "StoreMismatchError",
    "StoreWarning",
    "UnknownIDError",
    "VerifyReport",
    "collect",
    "compact",
    "convert",
    "create_store",
    "error_text",
    "export",
    "list_rows",
    "merge",
    "open_store",
    "repair",
    "rows_equal",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'store' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
