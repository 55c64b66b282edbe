from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import zarr

from store import Rows, StoreError, export, list_rows, open_store, rows_equal
from store.testing import LAYOUT, K, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 9))


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
        store.append(Rows.failed("broken", "fit", "NaN", K))
        store.add_column("age", {"sample-3": 30})
    return path


def test_npz(filled: Path, tmp_path: Path) -> None:
    assert export(filled, tmp_path / "out.npz") == 9
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        assert np.array_equal(found["functas"], ROWS.functas)
        assert found["ids"].tolist() == ROWS.ids.tolist()
        assert found["splits"].tolist() == [split or "" for split in ROWS.splits]
        assert np.array_equal(found["state_start"], np.arange(K))
        assert found["age"][3] == 30
        assert json.loads(str(found["header"]))["modality"] == "sensor"


def test_parquet(filled: Path, tmp_path: Path) -> None:
    export(filled, tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert np.array_equal(np.stack(table["functa"].to_numpy()), ROWS.functas)
    assert table["label"].to_pylist() == ROWS.labels.tolist()
    assert table["group"].to_pylist() == ROWS.groups.tolist()
    assert json.loads(table.schema.metadata[b"functa_header"])["k"] == K


def test_h5ad(filled: Path, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    assert export(filled, tmp_path / "out.h5ad") == 9
    found = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert np.array_equal(found.X, ROWS.functas)
    assert found.obs_names.tolist() == ROWS.ids.tolist()
    assert found.obs["label"].tolist() == ROWS.labels.tolist()
    assert found.var["array"].tolist() == ["w"] * 6 + ["b"] * 2
    assert json.loads(found.uns["functa_header"])["k"] == K


def test_fit_a_nef(filled: Path, tmp_path: Path) -> None:
    export(filled, tmp_path / "out.hdf5", "fit-a-nef")
    with h5py.File(tmp_path / "out.hdf5") as file:
        assert np.array_equal(file["params"][:], ROWS.functas)
        config = json.loads(file["param_config"][0].decode("utf-8"))
        assert config == [["w", [2, 3]], ["b", [2]]]
        names = json.loads(file["label_names"][()])
        assert [names[code] for code in file["labels"][:, 0]] == ROWS.labels.tolist()


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_the_other_format(filled: Path, tmp_path: Path, suffix: str) -> None:
    export(filled, tmp_path / f"out{suffix}")
    assert rows_equal(open_store(tmp_path / f"out{suffix}").read(), open_store(filled).read())


def test_export_refuses_what_it_does_not_know(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"format None is not one of npz, parquet, h5ad, fit-a-nef, hdf5, zarr"):
        export(filled, tmp_path / "out.csv")
    (tmp_path / "out.npz").write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        export(filled, tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_text() == "mine"


def test_to_pandas(filled: Path) -> None:
    frame = open_store(filled).to_pandas(split="train")
    wanted = ROWS.splits == "train"
    assert frame.index.tolist() == ROWS.ids[wanted].tolist()
    assert np.allclose(frame["psnr"], ROWS.psnr[wanted])
    assert "functa_0" not in frame
    functas = open_store(filled).to_pandas(functas=True).filter(like="functa_")
    assert isinstance(functas, pd.DataFrame)
    assert np.array_equal(functas.to_numpy(), ROWS.functas)


def test_to_numpy(filled: Path) -> None:
    found = open_store(filled).to_numpy(split=["test"])
    wanted = ROWS.splits == "test"
    assert np.array_equal(found["functas"], ROWS.functas[wanted])
    assert found["labels"].tolist() == ROWS.labels[wanted].tolist()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, range(9)),
        ({"split": "train"}, [0, 3, 6]),
        ({"label": ["class-1", "class-2"], "limit": 2}, [1, 2]),
        ({"group": "subject-1"}, [1, 3, 7]),
        ({"pattern": "*-[78]"}, [7, 8]),
        ({"min_psnr": 0.0, "max_psnr": 1.0}, []),
    ],
)
def test_listing(filled: Path, filters: dict[str, object], expected: list[int]) -> None:
    found = list_rows(open_store(filled), **filters)
    assert [row["id"] for row in found] == [f"sample-{i}" for i in expected]
    assert all(row["status"] == "ok" for row in found)
    json.dumps(found, allow_nan=False)


def test_plain_zarr_reads_the_same_numbers(filled: Path, tmp_path: Path) -> None:
    export(filled, tmp_path / "plain.zarr")
    group = zarr.open_group(tmp_path / "plain.zarr", mode="r")
    commit = group.attrs["commit"]
    n = commit["n_rows"]
    assert np.array_equal(group["functas"][: n - 1], ROWS.functas)
    assert group["id"][: n - 1].tolist() == ROWS.ids.tolist()
    assert [commit["label_names"][code] for code in group["label"][: n - 1]] == ROWS.labels.tolist()
    assert np.array_equal(group["state/start"][:], np.arange(K))
    assert [entry[0] for entry in group.attrs["header"]["layout"]] == [name for name, _, _ in LAYOUT]
    assert {name for name, _ in group.members()} >= {"functas", "id", "label", "row_crc", "extra", "state"}


def test_the_axes_of_a_zarr_store_have_names(filled: Path, tmp_path: Path) -> None:
    export(filled, tmp_path / "plain.zarr")
    group = zarr.open_group(tmp_path / "plain.zarr", mode="r")
    names = {name: array.metadata.dimension_names for name, array in group.arrays()}
    assert names == dict.fromkeys(names, ("id",)) | {"functas": ("id", "weight"), "source_hash": ("id", "byte")}
    assert group["extra/age"].metadata.dimension_names == ("id",)
    assert group["state/start"].metadata.dimension_names == ("start_0",)


def test_xarray_opens_a_zarr_store_with_rows_by_id(filled: Path, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    export(filled, tmp_path / "plain.zarr")
    found = xarray.open_zarr(tmp_path / "plain.zarr", consolidated=False, chunks=None)
    assert np.array_equal(found.functas.sel(id="sample-3"), ROWS.functas[3])
    assert found.psnr.sel(id="sample-8") == ROWS.psnr[8]
    assert found.functas.dims == ("id", "weight")


def test_plain_h5py_reads_the_same_numbers(filled: Path, tmp_path: Path) -> None:
    export(filled, tmp_path / "plain.h5")
    with h5py.File(tmp_path / "plain.h5") as file:
        commit = json.loads(file["commit"][:].tobytes())
        n = commit["n_rows"]
        assert np.array_equal(file["functas"][: n - 1], ROWS.functas)
        assert file["id"].asstr()[: n - 1].tolist() == ROWS.ids.tolist()
        assert [commit["label_names"][code] for code in file["label"][: n - 1]] == ROWS.labels.tolist()
        assert np.array_equal(file["state/start"][:], np.arange(K))
        assert json.loads(file["header"][:].tobytes())["k"] == K
