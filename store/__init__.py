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
from store.functa_store import FunctaStore
from store.header import Header
from store.opening import create_store, open_store
from store.rows import Rows, Status, rows_equal
from store.verification import VerifyReport

__all__ = [
    "FunctaStore",
    "FusionError",
    "Header",
    "IntegrityError",
    "Rows",
    "Status",
    "StoreError",
    "StoreFormatError",
    "StoreLockedError",
    "StoreMismatchError",
    "UnknownIDError",
    "VerifyReport",
    "create_store",
    "open_store",
    "rows_equal",
]
