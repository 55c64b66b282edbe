"""Arrays on disk keyed by sample ID: functas that survive crashes, say who made them and notice every flipped bit."""

from store.errors import (
    FusionError,
    IntegrityError,
    StoreError,
    StoreFormatError,
    StoreLockedError,
    StoreMismatchError,
    UnknownIDError,
)
from store.exporting import export
from store.functa_store import FunctaStore
from store.header import Header
from store.listing import list_rows
from store.maintenance import CompactReport, RepairReport, compact, convert, repair
from store.merging import MergeReport, merge
from store.opening import create_store, open_store
from store.rows import Rows, Status, rows_equal
from store.verification import VerifyReport

__all__ = [
    "CompactReport",
    "FunctaStore",
    "FusionError",
    "Header",
    "IntegrityError",
    "MergeReport",
    "RepairReport",
    "Rows",
    "Status",
    "StoreError",
    "StoreFormatError",
    "StoreLockedError",
    "StoreMismatchError",
    "UnknownIDError",
    "VerifyReport",
    "compact",
    "convert",
    "create_store",
    "export",
    "list_rows",
    "merge",
    "open_store",
    "repair",
    "rows_equal",
]
