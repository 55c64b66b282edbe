"""Tests that a file format must pass, to be inherited: a contract suite and disks that fail on purpose."""

from store.testing.contract import ENCODER, LAYOUT, K, StoreContract, make_rows, new_store, numbered
from store.testing.faults import Crash, CrashingFileSystem, FullFileSystem, PowerLossFileSystem

__all__ = [
    "ENCODER",
    "LAYOUT",
    "Crash",
    "CrashingFileSystem",
    "FullFileSystem",
    "K",
    "PowerLossFileSystem",
    "StoreContract",
    "make_rows",
    "new_store",
    "numbered",
]
