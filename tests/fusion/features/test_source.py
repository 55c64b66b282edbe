from __future__ import annotations

import pytest
from helpers.made_functas import functa_rows
from helpers.made_pairs import linked

from fusion.errors import DataError
from fusion.features.source import opened_source


def test_a_store_its_path_and_its_text_are_the_same(make_store):
    store = make_store()
    for given in (store, store.path, str(store.path)):
        with opened_source(given) as source:
            assert list(source.stores) == list(source.items.rows) == ["sensor"]
            assert source.items.ids.tolist() == sorted(functa_rows().ids)
            assert source.link is None


def test_a_link_table_and_its_file_are_the_same(tmp_path):
    table = linked(tmp_path / "pair")
    for given in (table, table.save(tmp_path / "link.parquet"), table.save(tmp_path / "link.csv")):
        with opened_source(given) as source:
            assert {name: store.modality for name, store in source.stores.items()} == {
                "sensor": "sensor",
                "camera": "video",
            }
            assert len(source.items) == len(table)
            assert source.link is not None


def test_a_store_that_was_given_stays_open(make_store):
    store = make_store()
    open_and_close(store)
    assert store.get("0000").ids.tolist() == ["0000"]


def test_a_store_that_is_gone_or_changed_is_named(tmp_path):
    table = linked(tmp_path / "pair")
    path = table.save(tmp_path / "link.parquet")
    camera = tmp_path / "pair" / "camera.zarr"
    camera.rename(tmp_path / "elsewhere.zarr")
    with pytest.raises(DataError, match=r"store .*camera\.zarr of column 'camera' of the link table is not there"):
        open_and_close(path)
    linked(tmp_path / "other", third=True)
    (tmp_path / "other" / "sound.zarr").rename(camera)
    with pytest.raises(DataError, match=r"has fingerprint .*, the link table expects .*: another encoder filled it"):
        open_and_close(path)


def open_and_close(path):
    with opened_source(path):
        pass


def test_items_of_a_store_without_numbers_to_predict_have_no_targets(make_store):
    with opened_source(make_store()) as source:
        assert source.items.targets is None
