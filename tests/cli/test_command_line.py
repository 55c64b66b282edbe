"""Help, version, typed values, names that a terminal cannot show, all samples failed, debug."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.running import ENCODE, Functa
from typer.testing import CliRunner

from cli.main import app
from fusion.encoders.presets import ENCODER_PRESETS


def test_version_and_short_help(functa: Functa) -> None:
    assert re.fullmatch(r"functa-fusion \S+\n", functa("--version").out)
    assert functa("encode", "-h").out == functa("encode", "--help").out
    assert "Exit codes: 0 ok" in functa("-h").out


def test_the_help_of_encode_has_groups_and_fits_a_screen_and_a_half() -> None:
    shown = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, ["encode", "-h"]).stdout
    for group in ("Data", "Encoder", "Fit", "Run"):
        assert f"─ {group} ─" in shown
    assert len(shown.splitlines()) <= 60


@pytest.mark.parametrize("group", [[], ["store"], ["datasets"], ["bench"]])
def test_the_help_of_a_group_has_a_line_for_each_command(group: list[str]) -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, [*group, "-h"]).stdout
    commands = shown.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert all(re.fullmatch(r"  [a-z]+ +[A-Z].*\.", line) for line in commands), shown
    assert "..." not in "".join(commands)


@pytest.mark.parametrize("group", [[], ["store"], ["datasets"], ["bench"]])
def test_a_group_without_a_command_shows_its_help(group: list[str], functa_process: Functa) -> None:
    shown = functa_process(*group)
    assert shown.code == 2
    assert "Usage: functa" in shown.err + shown.out
    assert "Commands:" in shown.err + shown.out


def test_the_help_tells_the_defaults_of_the_presets(functa: Functa) -> None:
    shown = " ".join(functa("encode", "-h").out.split())
    steps = {name: ENCODER_PRESETS["functa", name]["fit"]["steps"] for name in ("sensor", "video", "image", "audio")}
    assert steps == {"sensor": 10, "video": 10, "image": 3, "audio": 3}
    assert "[10; image, audio 3]" in shown
    omegas = {name: ENCODER_PRESETS["functa", name]["omegas"] for name in ("sensor", "image", "video")}
    assert omegas == {"sensor": (60.0, 1.0), "image": (15.0, 1.0), "video": (30.0, 10.0)}
    assert "[60,1; image 15,1; video 30,10]" in shown
    starts = {name: ENCODER_PRESETS["functa", name].get("initialisation") for name in ("sensor", "image", "audio")}
    assert starts == {"sensor": None, "image": "meta", "audio": "random"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[fit]\nsteps = "ten"\n', "fit.steps is 'ten'; expected a valid integer"),
        ("fit = 3\n", "is 3; expected a table, [fit]"),
        ("modality = [1]\n", "is [1]; expected a table, [modality]"),
        ("kind = 7\n", "7"),
        ("seed = 1.5\n", "seed is 1.5; expected"),
        ("steps = = 3\n", "cannot be read"),
    ],
)
def test_a_field_of_the_wrong_type_is_one_line(
    functa: Functa, har: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    how = ("--store", tmp_path / "s.zarr", *ENCODE[:4], "--config", tmp_path / "c.toml")
    outcome = functa("encode", har, *how)
    assert outcome.code == 2
    assert message in outcome.error_line()


@pytest.mark.parametrize(
    "command", [("encode", "x", "--store", "s.zarr"), ("train", "x"), ("demo",), ("link", "a", "b")]
)
def test_a_seed_below_0_is_refused_in_one_line(functa: Functa, command: tuple[str, ...]) -> None:
    outcome = functa(*command, "--seed", "-1")
    assert outcome.code == 2
    assert "--seed" in outcome.error_line()


def test_all_samples_failed(functa: Functa, tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "w" / split / "a").mkdir(parents=True)
        np.save(tmp_path / "w" / split / "a" / "1.npy", np.ones((16, 2)))
    store = ("--store", tmp_path / "s.zarr", "--modality", "sensor", "--workers", "1", "--architecture", "paper-half")
    for path in (tmp_path / "w" / "test" / "a").iterdir():
        np.save(path, np.full((16, 2), np.nan))
    outcome = functa("encode", tmp_path / "w", *store, "--split", "test")
    assert outcome.code == 4
    assert re.search(r"mean PSNR +│ none ", outcome.out)


def test_an_ascii_terminal_shows_names_escaped(
    functa: Functa, functa_process: Functa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("é", "中"):
        for split in ("train", "test"):
            (tmp_path / "w" / split / name).mkdir(parents=True)
            np.save(tmp_path / "w" / split / name / "1.npy", np.random.default_rng(len(name)).normal(size=(16, 2)))
    options = ("--modality", "sensor", "--workers", "1", "--architecture", "paper-half")
    assert functa("encode", tmp_path / "w", "--store", tmp_path / "é.zarr", *options).code == 0
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    outcome = functa_process("store", "info", tmp_path / "é.zarr")
    assert (outcome.code, outcome.err) == (0, "")
    assert "\\u4e2d" in outcome.out
    assert json.loads(functa_process("store", "info", tmp_path / "é.zarr", "--json").out)["classes"] == {
        "é": 2,
        "中": 2,
    }


def test_debug_shows_where(functa_process: Functa, tmp_path: Path) -> None:
    outcome = functa_process("--debug", "store", "info", tmp_path / "no.zarr")
    assert outcome.code == 1
    assert "Traceback" in outcome.err
    assert "--debug" not in functa_process("--help").out


def test_completion_is_offered(functa: Functa) -> None:
    assert "--install-completion" in functa("--help").out


def test_a_picture_that_does_not_resemble_its_data_says_so(
    functa: Functa, har: Path, har_store: Path, tmp_path: Path
) -> None:
    command = ("decode", har_store, "test-00000", "--out", tmp_path / "o.csv")
    compare = ("--compare", tmp_path / "c.png", "--source", har)
    outcome = functa(*command, *compare)
    assert outcome.code == 0
    assert "PSNR of each channel against its own range" in outcome.out
    document = functa(*command, *compare, "--json").json
    assert set(document["psnr_channels"]) == set(document["psnr_channels"]) & {
        f"{a}_{b}" for a in ("body_acc", "body_gyro", "total_acc") for b in "xyz"
    }
    assert bool(outcome.err) == bool(document["notes"])
    if document["notes"]:
        assert "--steps 1000" in outcome.err
