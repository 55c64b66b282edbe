"""docs/columns-and-vectors.md: its commands run in order, and say what they take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.made_people import NAMES, people, write_people, write_windows
from helpers.made_volumes import write_volumes
from helpers.running import ROOT, Functa

PAGE = (ROOT / "docs" / "columns-and-vectors.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
]
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_people(folder / "people.csv", people().assign(city=[*"xyxyxyxyxy"]))
    write_windows(folder / "walks.csv")
    write_volumes(folder / "volumes", 8)
    random = np.random.default_rng(0)
    vectors = pd.DataFrame(random.normal(size=(40, 8)), columns=[f"e{place}" for place in range(8)])
    vectors["label"] = np.where(vectors["e0"] > 0, "up", "down")
    vectors.insert(0, "id", [f"v{place}" for place in range(40)])
    vectors.to_parquet(folder / "clip.parquet")
    return folder


@pytest.mark.slow
def test_its_commands_run_in_order(folder: Path, functa: Functa) -> None:
    for command in COMMANDS:
        name, *arguments = shlex.split(command)
        more = {"encode": ["--workers", "1"], "train": ["--rounds", "5", "--threads", "1"]}.get(arguments[0], [])
        more += ["--steps", "5"] if "--steps" in arguments else []
        done = functa(*arguments, *more, cwd=folder)
        assert (name, done.code) == ("functa", 0), f"{command}\n{done.out}\n{done.err}"


@pytest.mark.slow
def test_its_code_runs(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    shares, arrays = CODE
    exec(shares, {})  # noqa: S102 - the page's own code
    assert set(eval(capsys.readouterr().out)) == {"age", "sex", "city"}  # noqa: S307 - what it printed
    windows = list(np.random.default_rng(0).normal(size=(10, 16, 2)))
    given = {"labels": list("ab") * 5, "people": NAMES, "splits": ["train"] * 10, "names": NAMES}
    exec(arrays, {"windows": windows, **given})  # noqa: S102
    assert (folder / "windows.zarr").exists()


def test_the_plan_names_columns_and_reasons_and_the_run_does_too(folder: Path, tmp_path: Path, functa: Functa) -> None:
    command = ["encode", folder / "people.csv", "--modality", "columns", "--store", tmp_path / "p.zarr", "--workers", 1]
    told = functa(*command, "--dry-run", "--json").json
    assert (told["channels"], told["k"]) == (["age", "sex", "city"], 5)
    assert told["left_out"] == {"country": "constant: 'here' in all training rows"}
    report = functa(*command, "--json").json
    assert (report["channels"], report["left_out"], report["psnr_mean"]) == (told["channels"], told["left_out"], None)
    assert "'here' in all training rows" in functa(*command).out


def test_a_table_without_vectors_is_one_line_and_a_failure(folder: Path, tmp_path: Path, functa: Functa) -> None:
    done = functa("encode", folder / "people.csv", "--modality", "vectors", "--store", tmp_path / "v.zarr")
    assert done.code == 2
    assert "expected one column of lists, or columns numbered from 0 or 1" in done.error_line()
