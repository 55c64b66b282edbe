"""Libraries that every start compiles again are named: what they cost is measured as if it were the machine's."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from fusion.bench import doctor
from fusion.bench.bytecode import IMPORTED, compiled_anew
from fusion.bench.doctor import examine


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that was installed without being compiled."""
    name = "functa_uncompiled"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_what_the_next_run_compiles_and_keeps_is_not_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert compiled_anew([package]) == []


def test_bytecode_that_is_not_to_be_written_is_missed_until_it_is_there(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert compiled_anew(["no_such_package", package]) == [package]
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert import_module(package).ANSWER == 42
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert compiled_anew([package]) == []


def test_a_folder_that_cannot_be_written_is_as_bad(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert compiled_anew([package]) == [package]


def test_the_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "compiled_anew", lambda: ["numpy", "scipy"])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = {one.name: one for one in examine(tmp_path)}["Python's bytecode"]
    assert not found.ok
    assert "numpy, scipy" in found.value
    assert "compileall" in found.advice
    assert "PYTHONDONTWRITEBYTECODE" in found.advice


def test_what_is_looked_at_is_what_commands_import() -> None:
    assert {"fusion", "numpy", "xgboost", "numba"} <= set(IMPORTED)
