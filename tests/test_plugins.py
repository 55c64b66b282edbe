"""Distributions that add a modality or a reader, made known by nothing but their metadata on the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "examples" / "plugin"


def installed(site: Path, name: str, entry_points: dict[str, dict[str, str]]) -> None:
    """Write what pip writes for a distribution."""
    folder = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in entry_points.items()
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines))


def functa(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "COLUMNS": "200"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    installed(tmp_path / "site", project["name"], project["entry-points"])
    shutil.copy(PLUGIN / "functa_spectra.py", tmp_path / "site")
    return tmp_path / "site"


def write_spectra(folder: Path) -> Path:
    folder.mkdir()
    rows = ["id,label,split,group"]
    for number in range(12):
        label, split = ("iron", "neon")[number % 2], "train" if number < 8 else "test"
        wavelengths = np.linspace(400, 700, 150 + number)
        line = np.exp(-(((wavelengths - (450, 620)[number % 2] - number) / 20) ** 2))
        np.savetxt(folder / f"lamp {number}.txt", np.column_stack([wavelengths, 100 * line + number]))
        rows.append(f"lamp {number},{label},{split},lamp-{number}")
    (folder / "lamp 11.txt").write_text("no numbers\n")
    (folder / "spectra.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_example_encodes_and_decodes(site: Path, tmp_path: Path) -> None:
    folder, store, how = write_spectra(tmp_path / "lamps"), tmp_path / "s.zarr", ("--modality", "spectrum")
    encoded = functa(
        site, "encode", folder, *how, "--dataset", "spectra", "--store", store, "--workers", 1, "--steps", 300
    )
    assert encoded.returncode == 4, encoded.stderr
    assert "lamp 11" in encoded.stdout
    assert "is not two columns of numbers" in encoded.stdout
    decode = ("decode", store, "lamp 9", "--scale", 2, "--compare", tmp_path / "c.png", "--source", folder)
    decoded = functa(site, *decode, "--out", tmp_path / "nine.txt")
    assert decoded.returncode == 0, decoded.stderr
    wavelengths, intensities = np.loadtxt(tmp_path / "nine.txt").T
    assert (len(wavelengths), wavelengths[0], wavelengths[-1]) == (512, 400.0, 700.0)
    assert abs(wavelengths[intensities.argmax()] - 629) < 10


def test_what_is_not_installed_is_not_known(tmp_path: Path) -> None:
    outcome = functa(tmp_path, "encode", tmp_path, "--modality", "spectrum", "--store", tmp_path / "s.zarr")
    assert outcome.returncode == 2
    assert "expected one of array, audio, columns, image, sensor, vectors, video" in outcome.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nothing_of_that_name", "the plug-in 'odd' of functa-odd cannot be loaded: ModuleNotFoundError"),
        (
            "raise SystemError('half written')",
            "cannot be loaded: SystemError: half written. Reinstall or remove functa-odd",
        ),
        ("Odd = 3", "modality 'odd' is 3; expected a subclass of fusion.modalities.Modality. Correct the plug-in."),
        ("class Other: pass", "cannot be loaded: AttributeError"),
    ],
)
def test_a_broken_modality_is_one_line_and_harms_nothing_else(tmp_path: Path, code: str, message: str) -> None:
    installed(tmp_path, "functa-odd", {"functa.modalities": {"odd": "odd:Odd"}})
    (tmp_path / "odd.py").write_text(code + "\n")
    outcome = functa(tmp_path, "encode", tmp_path, "--modality", "odd", "--store", tmp_path / "s.zarr")
    assert outcome.returncode == 2
    assert outcome.stderr.count("\n") == 1
    assert message in outcome.stderr
    assert functa(tmp_path, "datasets", "list").returncode == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def Odd(source): return [1, 2]", "data set 'odd' is read by a plug-in that gave a list"),
        ("def Odd(source): raise KeyError('no such thing')", "data set 'odd' cannot be read by its plug-in: KeyError"),
        ("def Odd(): return None", "data set 'odd' cannot be read by its plug-in: TypeError"),
    ],
)
def test_a_broken_reader_is_one_line(tmp_path: Path, code: str, message: str) -> None:
    installed(tmp_path, "functa-odd", {"functa.datasets": {"odd": "odd:Odd"}})
    (tmp_path / "odd.py").write_text(code + "\n")
    store = tmp_path / "s.zarr"
    outcome = functa(tmp_path, "encode", tmp_path, "--modality", "sensor", "--dataset", "odd", "--store", store)
    assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1)
    assert message in outcome.stderr
