from __future__ import annotations

import pytest
from helpers.made_bursts import Bursts, made_bursts


@pytest.fixture(scope="session")
def bursts(tmp_path_factory: pytest.TempPathFactory) -> Bursts:
    return made_bursts(tmp_path_factory.mktemp("bursts"))
