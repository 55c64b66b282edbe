"""Every command does with a collection of many parts what it does with the one store that its parts make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.running import ENCODE, ROOT, Functa, flip_a_byte

from store import open_store, rows_equal

ID = "test-00003"
CHANGES = {
    "path", "seconds", "store", "model", "created", "started", "bytes", "block_rows", "committed", "generation",
    "parts", "part_rows", "fingerprint", "versions", "out", "file", "source", "sources", "rows_on_disk",
    "folder", "train_seconds", "fit_seconds", "report", "run", "schema_version", "stores", "utc",
}  # fmt: skip
"""What is of a file or of a moment, not of the rows."""


@pytest.fixture(scope="module")
def folders(functa: Functa, har: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with a collection of 18 parts, and one with the same as one store."""
    many, one = tmp_path_factory.mktemp("many"), tmp_path_factory.mktemp("one")
    outcome = functa("encode", har, "--store", many / "har.functas", *ENCODE, "--part-rows", 2)
    assert outcome.code == 0, outcome.err
    assert functa("store", "merge", many / "har.functas", "--out", one / "har.zarr").code == 0
    assert len(list((many / "har.functas").glob("part-*.zarr"))) == 18
    found = {"many": many / "har.functas", "one": one / "har.zarr"}
    for path in found.values():
        assert functa("train", path, "--model", path.parent / "m", "--rounds", 3).code == 0
    return found


def told(value: Any) -> Any:
    """Leave out what is of a file or a moment."""
    if isinstance(value, dict):
        return {name: told(entry) for name, entry in value.items() if name not in CHANGES}
    return [told(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "command",
    [
        ("store", "info", "STORE"),
        ("store", "ls", "STORE", "--label", "SITTING"),
        ("store", "verify", "STORE"),
        ("store", "export", "STORE", "--out", "OUT.npz"),
        ("store", "convert", "STORE", "OUT.h5"),
        ("store", "merge", "STORE", "--out", "OUT.zarr"),
        ("train", "STORE", "--model", "OUT", "--rounds", "3"),
        ("train", "STORE", "--model", "OUT", "--rounds", "2", "--cv", "group"),
        ("train", "STORE", "--model", "OUT", "--preset", "linear"),
        ("evaluate", "MODEL", "STORE"),
        ("predict", "MODEL", "FILE"),
        ("report", "MODEL"),
        ("explain", "MODEL", ID),
        ("decode", "STORE", ID, "--out", "OUT.csv"),
        ("link", "a=STORE", "b=STORE", "--on", "id", "--out", "OUT.csv"),
        ("link", "a=STORE", "b=STORE", "--on", "label", "--out", "OUT.csv"),
        ("compare", "STORE", "--preset", "linear", "--folds", "2", "--out", "OUT"),
    ],
    ids=" ".join,
)
def test_every_command_gives_the_same(
    functa: Functa, folders: dict[str, Path], tmp_path: Path, command: tuple[str, ...]
) -> None:
    new = tmp_path / "new.csv"
    np.savetxt(new, np.random.default_rng(0).normal(size=(128, 9)), delimiter=",")
    found = {}
    for name, path in folders.items():
        out = tmp_path / name / "out"
        out.parent.mkdir()
        arguments = list(command)
        for key, value in {"STORE": path, "OUT": out, "MODEL": path.parent / "m", "FILE": new}.items():
            arguments = [text.replace(key, str(value)) for text in arguments]
        outcome = functa(*arguments, "--json")
        assert outcome.code == 0, outcome.err
        document = json.loads(outcome.out.replace(str(path), "STORE"))
        found[name] = (told(document), written(out.parent))
    assert found["many"] == found["one"]


def written(folder: Path) -> dict[str, Any]:
    """What a command wrote, as far as it is plain text."""
    return {path.name: path.read_text() for path in folder.glob("*.csv") if path.name.startswith("out")}


@pytest.fixture
def collection(functa: Functa, folders: dict[str, Path], tmp_path: Path) -> Path:
    """A small collection of the same rows, to do something to."""
    path = tmp_path / "c.functas"
    assert functa("store", "collect", folders["one"], "--out", path).code == 0
    return path


def test_shards_at_once_share_what_the_first_one_learned(har: Path, folders: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "har.functas"
    command = [sys.executable, "-c", "from cli.main import main; main()", "encode", har, "--store", path, *ENCODE]
    runs = [
        subprocess.Popen(
            [*command, "--shard", f"{number}/3", "--part-rows", "5"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in (1, 2, 3)
    ]
    assert [(run.communicate()[1].strip(), run.returncode) for run in runs] == [(b"", 0)] * 3
    many, one = open_store(path), open_store(folders["one"])
    assert many.verify().ok
    assert many.n_rows == len(many) == 36
    assert rows_equal(untimed(many, one.ids), untimed(one, one.ids))


def untimed(store: Any, ids: Any) -> Any:
    rows = store.read(ids.tolist())
    rows.fit_seconds[:] = 0
    return rows


def test_it_resumes_by_id_over_all_parts(functa: Functa, har: Path, folders: dict[str, Path]) -> None:
    before = sorted(entry.name for entry in folders["many"].iterdir())
    report = functa("encode", har, "--store", folders["many"], *ENCODE, "--json").json
    assert (report["encoded"], report["skipped"], report["rows"]) == (0, 36, 36)
    assert sorted(entry.name for entry in folders["many"].iterdir()) == before
    outcome = functa("encode", har, "--store", folders["many"], *ENCODE, "--part-rows", 7)
    assert "is written in parts of 2 rows, so part-rows 7 does not fit" in outcome.error_line()
    outcome = functa("encode", har, "--store", folders["one"], *ENCODE, "--part-rows", 7)
    assert "is not written in parts" in outcome.error_line()


def test_its_state_is_taken_over(functa: Functa, har: Path, folders: dict[str, Path], tmp_path: Path) -> None:
    like = ("--like", folders["many"], "--limit", 3)
    assert functa("encode", har, "--store", tmp_path / "s.functas", *ENCODE, *like).code == 0
    assert open_store(tmp_path / "s.functas").header.state_sha256 == open_store(folders["many"]).header.state_sha256


def test_rows_of_samples_that_are_gone_are_dropped(
    functa: Functa, har: Path, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(collection, "a") as store:
        gone = store.get(ID)
        store.append(type(gone).build(["gone"], gone.functas))
    report = functa("encode", har, "--store", collection, *ENCODE, "--prune", "--json").json
    assert (report["pruned"], report["rows"], report["skipped"]) == (["gone"], 36, 36)


def test_damage_is_one_line_and_exit_code_3(functa: Functa, collection: Path) -> None:
    assert functa("store", "verify", collection).code == 0
    flip_a_byte(collection / "part-00000.zarr")
    outcome = functa("store", "verify", collection)
    assert outcome.code == 3
    assert "part-00000.zarr" in outcome.err
    (collection / "collection.json").write_text("{}")
    outcome = functa("store", "info", collection)
    assert outcome.code == 1
    assert "is not a collection of functas" in outcome.error_line()


def test_one_store_again(functa: Functa, collection: Path, tmp_path: Path) -> None:
    outcome = functa("store", "compact", collection)
    assert outcome.code == 1
    assert "Name the store to write, with --out" in outcome.error_line()
    report = functa("store", "compact", collection, "--out", tmp_path / "one.h5", "--json").json
    assert (report["rows"], report["removed"]) == (36, 0)
