"""What a script meets first: few names, old names with a warning, and packages that are really ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import fusion
from fusion import errors

ROOT = Path(__file__).parents[1]
OLD = sorted({*fusion._OLD_PLACES})


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script that lies in `folder`, with the project behind it on the path."""
    script = folder / "script.py"
    script.write_text(code)
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, env=environment)


@pytest.mark.parametrize("name", fusion.__all__)
def test_every_name_is_there_without_a_warning(name: str) -> None:
    assert getattr(fusion, name) is not None


@pytest.mark.parametrize("name", OLD)
def test_every_old_name_works_and_says_where_it_is_now(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"^fusion\.{name} is now ") as told:
        found = getattr(fusion, name)
    module, _, attribute = str(told[0].message).split(" is now ")[1].split(";")[0].rpartition(".")
    assert getattr(__import__(module, fromlist=[attribute]), attribute) is found


def test_all_75_names_of_the_first_version_are_there() -> None:
    kept = {*fusion.__all__} & {
        *(
            "ConfigError",
            "DataError",
            "FunctaClassifier",
            "FunctaEncoder",
            "FunctaFeatures",
            "FusionError",
            "ModelError",
        ),
        *("Sample", "SampleError", "decode", "encode", "evaluate", "link", "load_model", "open_dataset", "open_store"),
        "train",
    }
    assert len(kept) + len(OLD) == 75


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fusion' has no attribute 'encodes'"):
        fusion.encodes  # noqa: B018


@pytest.mark.parametrize("first", ["fusion.open_store('x.zarr')", "from fusion.encoders import encode"])
def test_a_file_beside_the_script_that_takes_the_name_of_a_package_is_told(tmp_path: Path, first: str) -> None:
    (tmp_path / "store.py").write_text("stock = 3\n")
    done = run(f"import fusion\n{first}\n", tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("fusion.errors.NameTakenError: functa-fusion needs its own package 'store' at ")
    assert str(tmp_path / "store.py") in last
    assert "rename or move that file" in last


def test_the_command_tells_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text("")
    done = run("from cli.main import main\nmain()\n", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("functa: functa-fusion needs its own package 'store' at ")
    assert len(done.stderr.splitlines()) == 1


def test_a_package_that_another_distribution_overwrote_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text('"""A shop."""\n')
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "fusion" / "errors.py"))
    monkeypatch.setitem(sys.modules, "cli", ModuleType("cli"))
    monkeypatch.setattr(sys.modules["cli"], "__file__", str(tmp_path / "cli" / "__init__.py"), raising=False)
    with pytest.raises(fusion.NameTakenError, match="another distribution named 'cli' was installed over it"):
        errors.require_ours("cli")


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, fusion; print(sorted({'numpy', 'store', 'pydantic', 'xgboost', 'tensorflow'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
