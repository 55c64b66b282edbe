"""Plain columns beside windows of the same people: linked by group, fused, and told apart by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.made_people import people, write_people, write_windows

from fusion.datasets import ColumnTable, SensorTable
from fusion.encoders import EncodeOptions, encode
from fusion.encoders.encoder import restored
from fusion.estimators.xgboost import FunctaClassifier
from fusion.linking import LinkTable, link
from fusion.models import column_shares, load_model, train
from store import Rows, create_store, open_store

ONE = EncodeOptions(workers=1)
QUICK = FunctaClassifier(n_estimators=10, n_jobs=1)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> LinkTable:
    folder = tmp_path_factory.mktemp("people")
    frame = people().astype({"age": object})
    frame.loc[2, "age"] = None
    encode(ColumnTable(write_people(folder / "people.csv", frame)), folder / "people.zarr", options=ONE)
    windows = SensorTable(write_windows(folder / "windows.csv"), window=2.0)
    encode(windows, folder / "windows.zarr", options=ONE)
    return link([folder / "windows.zarr", folder / "people.zarr"], on="group")


@pytest.mark.parametrize("fusion", ["early", pytest.param("late", marks=pytest.mark.slow)])
def test_windows_and_people_are_fused_by_group(linked: LinkTable, tmp_path: Path, fusion: str) -> None:
    result = train(linked, tmp_path / "model", cv="group", fusion=fusion, classifier=QUICK)
    assert result.accuracy >= 0.9
    assert any("categories, means and deviations" in note for note in result.warnings)
    model = load_model(tmp_path / "model")
    rows = {
        name: open_store(linked.stores[name].path).read(list(linked.column(name))).functas for name in linked.stores
    }
    shares = column_shares(model, rows)
    assert set(shares["people"]) == {"age", "sex"}
    totals = [sum(found.values()) for found in shares.values()]
    # Everybody walks fast and slowly, so the classifier of people alone has nothing to go by.
    assert totals == pytest.approx([1.0, 0.0], abs=0.1)


def test_members_never_see_a_person_of_another_fold(linked: LinkTable) -> None:
    """A person's row has no group of its own: it is in the group of the windows that it is linked to."""
    from fusion.features.source import opened_source

    with opened_source(linked) as source:
        assert source.items.having("people").groups.tolist() == source.items.groups.tolist()


def labelled(folder: Path) -> Path:
    """Many people: the colour tells the class, the height does not, and some cells are empty."""
    random = np.random.default_rng(0)
    count = 200
    colour, height = random.choice(["red", "green", "blue"], count), random.normal(170, 10, count)
    frame = pd.DataFrame({"id": [f"p{place:03d}" for place in range(count)], "colour": colour, "height": height})
    frame["label"] = np.where(frame["colour"] == "red", "ill", "well")
    frame.loc[random.random(count) < 0.2, "height"] = np.nan
    encode(ColumnTable(write_people(folder / "p.csv", frame)), folder / "p.zarr", options=ONE)
    return folder / "p.zarr"


def test_columns_alone_with_missing_cells_and_the_share_of_each_by_name(tmp_path: Path) -> None:
    store = open_store(labelled(tmp_path))
    result = train(store, tmp_path / "model", classifier=QUICK)
    assert result.accuracy == 1.0
    assert result.warnings == ()
    model = load_model(tmp_path / "model")
    shares = column_shares(model, store.read().functas)["columns"]
    assert list(shares) == ["height", "colour"]
    assert shares["colour"] > 0.8
    assert sum(shares.values()) == pytest.approx(1.0)
    branch = model.branches[0]
    encoder = restored(branch.header["encoder"], branch.state)
    row = encoder.config.modality.prepare({"colour": "red", "height": None})
    assert model.predict(encoder.rows(row[None])).tolist() == ["ill"]


def test_missing_reaches_xgboost_as_missing(tmp_path: Path) -> None:
    """Whether a cell is filled in is all that tells these classes apart."""
    random = np.random.default_rng(1)
    values = random.normal(size=(400, 2)).astype(np.float32)
    labels = np.where(np.arange(400) % 2, "seen", "lost")
    values[labels == "lost", 0] = np.nan
    layout = [("a", (1,), 0), ("b", (1,), 1)]
    made = create_store(
        tmp_path / "m.zarr",
        modality="columns",
        layout=layout,
        encoder={"kind": "columns"},
        state={},
        missing_values=True,
    )
    names = [f"{place}" for place in range(400)]
    made.append(Rows.build(names, values, labels=labels, splits=["train", "train", "test", "test"] * 100))
    made.close()
    assert train(open_store(tmp_path / "m.zarr"), classifier=QUICK).accuracy == 1.0
