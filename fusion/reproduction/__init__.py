"""The paper's tables, each by one call: measured beside claimed, with what a doubtful reader would ask."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from fusion.errors import ConfigError
from fusion.plugins import listed, load_attribute
from fusion.reproduction.markdown import write_section
from fusion.reproduction.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fusion.reproduction.table import Table

__all__ = ["TABLES", "Study", "reproduce"]

TABLES = {
    "cifar10": "fusion.reproduction.cifar10:cifar10",
    "hmdb51": "fusion.reproduction.hmdb51:hmdb51",
    "uci-har": "fusion.reproduction.uci_har:uci_har",
    "esc50": "fusion.reproduction.esc50:esc50",
    "ablation": "fusion.reproduction.ablation:ablation",
    "psnr": "fusion.reproduction.psnr:psnr",
    "multimodal": "fusion.reproduction.multimodal:multimodal",
    "utd-mhad": "fusion.reproduction.utd_mhad:utd_mhad",
}
"""By name, in the paper's order; the last is beyond it."""


def reproduce(name: str, study: Study, *, page: Path | None = None) -> Table:
    """Measure one table; what an earlier run of the same study has done is not done again.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    study : Study
        Where data, stores and results lie.
    page : Path, optional
        Markdown page that gets the table in the place of an earlier one; its pictures go to ``images`` beside it.

    Raises
    ------
    ConfigError
        No table of that name.
    DataError
        The data are not there.
    """
    if name not in TABLES:
        raise ConfigError(f"table {name!r} is not known; expected one of {listed(TABLES)}")
    make: Callable[[Study], Table] = load_attribute(TABLES[name])
    table = make(study)
    if page is not None:
        for picture in table.pictures.values():
            target = page.parent / "images" / picture
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(study.folder / "pictures" / picture, target)
        write_section(page, table)
    return table
