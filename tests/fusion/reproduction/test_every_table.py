"""Every table on a part of the public data: it is made, and its audit finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusion.reproduction import TABLES, Study, reproduce

LIMITS = {"multimodal": 1200, "utd-mhad": 250}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores that several tables read are encoded once."""
    return tmp_path_factory.mktemp("tables")


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_some_samples(name: str, public_data: Path, folder: Path) -> None:
    limit = LIMITS.get(name, 150)
    table = reproduce(name, Study(public_data, folder, limit=limit), page=folder / "results.md")
    assert table.command == f"functa reproduce {name} --data DIR --limit {limit}"
    assert all(0 <= result.measured <= 1 for result in table.results)
    assert any("shuffled" in check.question for check in table.audit)
    failed = [check.question for check in table.audit if check.passed is False]
    assert failed == []
    for picture in table.pictures.values():
        assert (folder / "images" / picture).stat().st_size > 5000
