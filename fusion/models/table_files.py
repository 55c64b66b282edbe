"""Tables as files: CSV or Parquet, by the suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fusion.errors import ConfigError
from store.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["require_table_path", "write_table"]

_SUFFIXES = (".csv", ".parquet")


def require_table_path(path: str | Path) -> Path:
    """Refuse a file that no table can be written to, before any work is done.

    Raises
    ------
    ConfigError
        Another suffix, or no such folder.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"the table cannot be written to {target}; expected a name in {' or '.join(_SUFFIXES)}.")
    if target.is_dir() or not target.parent.is_dir():
        what = f"{target} is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise ConfigError(f"{what}; expected a file in a folder that exists.")
    return target


def write_table(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as a whole, or leave what is there; see `require_table_path`."""
    target = require_table_path(path)
    with whole_file(target) as partial:
        if target.suffix.lower() == ".csv":
            frame.to_csv(partial, index=False, encoding="utf-8", errors="backslashreplace")
        else:
            frame.to_parquet(partial, index=False)
    return target
