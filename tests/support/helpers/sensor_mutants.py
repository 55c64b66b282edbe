"""What reads a mutated file of sensor readings, all the way to windows; an error of the toolkit is an answer too."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import savemat

from fusion.datasets.sensor_table import SensorTable
from fusion.errors import FusionError, SampleError
from fusion.modalities.arrays import read_mat, read_npz


def read_table(path: Path) -> None:
    with suppress(FusionError):
        dataset = SensorTable(path, window=0.4)
        modality = dataset.default_modality()
        for sample in dataset:
            with suppress(SampleError):
                assert np.isfinite(modality.prepare(sample.raw)).all()


def read_mat_array(path: Path) -> None:
    assert read_mat(path, "d_iner").dtype.kind in "biuf"


def read_npz_array(path: Path) -> None:
    assert read_npz(path, "a1_s1_t1").dtype.kind in "biuf"


def write_readings(path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)
    table = pd.DataFrame(values, columns=["ax", "ay", "az"]).assign(time=np.arange(120) / 50)
    table["id"] = np.where(np.arange(120) < 60, "a", "b")
    if path.name == "window.csv":
        np.savetxt(path, values, delimiter=",", header="ax,ay,az", comments="", fmt="%.4f")
    elif path.name == "trials.npz":
        np.savez_compressed(path, a1_s1_t1=values)
    elif path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".npz":
        np.savez(path, **{name: np.array(table[name].tolist()) for name in table})
    elif path.suffix == ".npy":
        np.save(path, values)
    else:
        savemat(path, {"d_iner": values.astype(np.float64)}, do_compression=path.stem == "packed")
    return path
