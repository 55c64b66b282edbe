from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several test processes one thread: threads of one would wait for those of another."""
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Return the folder of public data sets that FUNCTA_DATA names."""
    folder = os.environ.get("FUNCTA_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FUNCTA_DATA names no folder of public data sets")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def uci_har_folder(public_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fusion.datasets.archives import unpack  # numpy reads the number of threads when it is loaded

    folder = tmp_path_factory.mktemp("uci-har")
    unpack(public_data / "uci-har" / "UCI_HAR_Dataset.tar.xz", folder)
    return folder / "UCI HAR Dataset"
