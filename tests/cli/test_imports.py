"""What each command loads: libraries that others need cost seconds and hundreds of megabytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.running import ENCODE, ROOT

from fusion.errors import ConfigError
from fusion.inr.tensorflow_engine import load_tensorflow

NEVER = ("tensorflow", "keras", "librosa", "cv2", "torch")
LEARNING = ("sklearn", "xgboost", "pandas", "scipy.stats", "matplotlib")
CODE = """
import sys
from cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write("loaded: " + " ".join(name for name in {names!r} if name in sys.modules))
"""


def loaded(names: tuple[str, ...], *arguments: object, cwd: Path) -> list[str]:
    """Return which of these modules a command has loaded when it ends."""
    line = [sys.executable, "-c", CODE.format(names=names), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr.rpartition("loaded: ")[2].split()


def test_help_loads_neither_arrays_nor_models(tmp_path: Path) -> None:
    assert loaded((*NEVER, *LEARNING, "numba", "numpy", "zarr", "h5py"), "--help", cwd=tmp_path) == []


def test_encoding_loads_nothing_that_learns(har: Path, tmp_path: Path) -> None:
    assert loaded((*NEVER, *LEARNING), "encode", har, "--store", tmp_path / "s.zarr", *ENCODE, cwd=tmp_path) == []


def test_predicting_loads_nothing_that_learns(har: Path, har_model: Path, tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("\n".join([",".join(["0.5"] * 9)] * 128))
    assert loaded((*NEVER, *LEARNING), "predict", har_model, tmp_path / "w.csv", cwd=tmp_path) == []


def test_linking_loads_no_models_and_draws_nothing(har_store: Path, tmp_path: Path) -> None:
    line = ("link", f"a={har_store}", f"b={har_store}", "--on", "id", "--out", tmp_path / "link.parquet")
    assert loaded((*NEVER, "sklearn", "xgboost", "matplotlib", "numba"), *line, cwd=tmp_path) == []


def test_training_and_reporting_load_no_tensorflow(har: Path, har_store: Path, tmp_path: Path) -> None:
    assert loaded(NEVER, "train", har_store, "--model", "m", "--preset", "linear", cwd=tmp_path) == []
    assert loaded(NEVER, "report", "m", "--source", har, cwd=tmp_path) == []


def test_without_tensorflow_what_needs_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr("fusion.inr.tensorflow_engine.import_module", _missing)
    with pytest.raises(ConfigError, match=r"need TensorFlow.* pip install tensorflow; encode, train and predict do"):
        load_tensorflow()


def _missing(name: str) -> None:
    raise ModuleNotFoundError(f"No module named {name!r}")
