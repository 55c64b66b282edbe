"""What is published: built twice it is the same to the byte, holds what it needs, and its page can be shown."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers.running import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def built(folder: Path) -> dict[str, str]:
    """Build a clone in a folder of its own; give the digest of each archive."""
    source, out = folder / "source", folder / "out"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


@pytest.mark.slow
def test_two_builds_are_the_same_and_pass_the_checks_of_publishers(tmp_path: Path) -> None:
    for name in ("build", "hatchling", "twine", "check_wheel_contents"):
        pytest.importorskip(name)
    first, second = built(tmp_path / "1"), built(tmp_path / "2")
    assert first == second
    assert len(first) == 2
    wheel, archive = ((tmp_path / "1" / "out").glob(f"*{suffix}") for suffix in (".whl", ".tar.gz"))
    (wheel,), (archive,) = wheel, archive
    for checked in (
        [sys.executable, "-m", "twine", "check", "--strict", wheel, archive],
        [sys.executable, "-m", "check_wheel_contents", "--config", ROOT / "pyproject.toml", wheel],
    ):
        done = subprocess.run(checked, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = (path for room in ("fusion", "store", "cli") for path in (ROOT / room).rglob("*"))
    kinds = {".py", ".pyi", ".typed", ".html", ".css", ".toml", ".csv"}
    assert {path.relative_to(ROOT).as_posix() for path in shipped if path.suffix in kinds} <= held
    assert not any(name.startswith("tests") for name in held)


def test_the_version_is_told_in_one_place() -> None:
    written = [path for room in ("fusion", "store", "cli") for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in written if f'"{PROJECT["version"]}"' in path.read_text()]
    assert version("functa-fusion")


def test_every_dependency_has_a_floor_that_is_tested() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [line for lines in (PROJECT["dependencies"], *extras.values()) for line in lines]
    assert not [line for line in wanted if ">=" not in line and not line.startswith("functa-fusion[")]
