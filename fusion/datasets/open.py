"""Open a data set by name, from a folder or from its archive."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.datasets.archives import is_archive, unpack
from fusion.datasets.uci_har import UciHar
from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fusion.datasets.base import Dataset

READERS: dict[str, Callable[[Path], Dataset]] = {UciHar.name: UciHar}


@contextmanager
def open_dataset(name: str, source: str | Path, *, modality: str | None = None) -> Iterator[Dataset]:
    """Open a public data set.

    Parameters
    ----------
    name : str
        One of `READERS`.
    source : path
        Its folder, or its archive, which is unpacked to a temporary folder until the context ends.
    modality : str, optional
        What the caller expects; another one is refused.

    Raises
    ------
    ConfigError
        When the name is not known, or its modality is another one.
    DataError
        When the source is missing, damaged or something else.
    """
    if name not in READERS:
        raise ConfigError(f"data set {name!r} is not known; expected one of {', '.join(sorted(READERS))}")
    source = Path(source)
    with ExitStack() as stack:
        if is_archive(source):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="functa-")))
            unpack(source, folder)
            source = folder
        dataset = READERS[name](source)
        if modality is not None and modality != dataset.modality:
            raise ConfigError(f"data set {name!r} holds {dataset.modality} samples, not {modality}")
        yield dataset
