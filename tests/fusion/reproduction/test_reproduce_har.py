from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.har_files import write_har

from fusion.errors import ConfigError, DataError
from fusion.reproduction import Study, reproduce
from fusion.reproduction.table import Table

ROWS = (
    "paper functa + XGBoost",
    "SIREN functa + XGBoost",
    "logistic regression",
    "logistic regression, standardised and converged",
    "Conv1D, augmented",
    "XGBoost on raw values",
    "XGBoost on simple statistics",
    "autoregressive LSTM as INR + XGBoost",
    "paper functa, random start",
    "local functas + XGBoost",
    "the same on raw windows",
    "paper functa, no filter",
    "paper functa, no normalisation",
)
BEFORE = "# Mine\n\n<!-- uci-har -->\nold figures\n<!-- end uci-har -->\n\nWritten by hand.\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("har")
    write_har(folder / "data")
    return Study(folder / "data", folder / "out", workers=1)


@pytest.fixture(scope="module")
def table(study: Study) -> Table:
    page = study.folder.parent / "results.md"
    page.write_text(BEFORE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fusion.baselines.networks._ANNEALED_EPOCHS", 4)  # the schedule of few rows is long
        return reproduce("uci-har", study, page=page)


def test_rows_are_measured_beside_what_is_claimed(table: Table) -> None:
    assert tuple(result.model for result in table.results) == ROWS
    assert [result.paper for result in table.results[:3]] == [0.865, 0.839, 0.527]
    assert {(result.rows_train, result.rows_test) for result in table.results} == {(24, 12)}
    for result in table.results:
        assert 0 <= result.measured <= 1
        low, high = result.interval or (0, 1)
        assert low <= result.measured <= high
    document = json.loads(json.dumps(table.to_dict()))
    assert {"name", "protocol", "differs", "table", "audit", "command", "pictures", "extra", "seconds"} <= set(document)


def test_its_audit_asks_every_question_and_passes(table: Table) -> None:
    verdicts = {check.question: check.passed for check in table.audit}
    assert verdicts == {
        "groups in training and test": True,
        "equal data in training and test": True,
        "order of samples against label": None,
        "PSNR against label": None,
        "state carried from one fit to the next": True,
        "rows that the start was learned from": True,
        "training on shuffled labels": True,
        "SIREN functa: training on shuffled labels": True,
        "local functas: training on shuffled labels": True,
    }


def written(study: Study, *rooms: str) -> dict[Path, int]:
    """When each file was written."""
    files = [path for room in rooms for path in (study.folder / room).rglob("*") if path.is_file()]
    assert files
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_run_does_nothing_anew(study: Study, table: Table) -> None:
    told: list[str] = []
    kept = written(study, "stores", "models", "results")
    again = reproduce("uci-har", replace(study, progress=lambda what, done, most: told.append(what)))
    assert again == table
    assert told == []
    assert written(study, "stores", "models", "results") == kept


def test_the_page_gets_the_table_in_the_place_of_the_earlier_one(study: Study, table: Table) -> None:
    page = study.folder.parent / "results.md"
    text = page.read_text()
    assert text.startswith("# Mine\n")
    assert text.endswith("Written by hand.\n")
    assert "old figures" not in text
    assert all(f"| {result.model} | {result.measured:.3f} |" in text for result in table.results)
    reproduce("uci-har", study, page=page)
    assert page.read_text() == text


def test_a_lost_result_is_made_again_without_encoding(study: Study, table: Table) -> None:
    (lost,) = (study.folder / "results").glob("har-paper-*.json")
    lost.unlink()
    stores = written(study, "stores")
    again = reproduce("uci-har", study)
    assert again.results[0].measured == table.results[0].measured
    assert again.results[1:] == table.results[1:]
    assert lost.exists()
    assert written(study, "stores") == stores


def test_other_data_are_not_taken_for_those_of_earlier_results(study: Study, table: Table, tmp_path: Path) -> None:
    write_har(tmp_path / "data", per_class=5)
    expected = r"holds results of 36 samples of uci-har, but .* has \d+, or others.*another folder with --out"
    with pytest.raises(DataError, match=expected):
        reproduce("uci-har", replace(study, data=tmp_path / "data"))


def test_unknown_tables_and_folders_without_data_are_explained(tmp_path: Path) -> None:
    study = Study(tmp_path, tmp_path / "out", workers=1)
    with pytest.raises(ConfigError, match=r"table 'har' is not known; expected one of .*uci-har"):
        reproduce("har", study)
    with pytest.raises(DataError, match=r"holds no uci-har data; expected activity_labels.txt in it.*datasets list"):
        reproduce("uci-har", study)
