from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from helpers.model_files import Hostile, sign

from fusion.errors import ModelError
from fusion.models.branch_files import branch_card, pack_arrays, restore_branch, unpack_arrays
from fusion.models.folder import load_model


def test_a_branch_comes_back_as_it_was(model, rows, tmp_path):
    (branch,) = model.branches
    card, arrays = branch_card(branch), unpack_arrays(tmp_path, pack_arrays([branch]))
    again = restore_branch(tmp_path, 0, card, arrays)
    np.testing.assert_array_equal(again.features.transform(rows.functas), branch.features.transform(rows.functas))
    assert (again.name, again.fingerprint, again.header) == (branch.name, branch.fingerprint, branch.header)


def test_the_arrays_of_several_branches_stand_apart(model, tmp_path):
    (branch,) = model.branches
    moved = replace(branch, name="second", state={"start": np.ones(12, np.float32)})
    arrays = unpack_arrays(tmp_path, pack_arrays([branch, moved]))
    assert {"0/keep", "0/state/low", "1/keep", "1/state/start"} <= set(arrays)
    assert "1/state/low" not in arrays
    np.testing.assert_array_equal(restore_branch(tmp_path, 1, branch_card(moved), arrays).state["start"], 1)


def test_the_folder_carries_what_encoding_needs(model, folder):
    branch = load_model(folder).branches[0]
    assert branch.header["encoder"] == {"kind": "functa", "steps": 10}
    assert branch.header["layout"] == [["dense/kernel", [12], 0]]
    assert (branch.modality, branch.k, branch.fingerprint) == ("sensor", 12, model.branches[0].fingerprint)
    for name, array in model.branches[0].state.items():
        np.testing.assert_array_equal(branch.state[name], array)
        assert branch.state[name].dtype == array.dtype


def test_a_pickle_in_the_arrays_is_not_executed(folder, tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, **{"0/keep": np.array([Hostile(tmp_path / "owned")], dtype=object)})
    sign(folder, "arrays.npz", buffer.getvalue())
    with pytest.raises(ModelError, match="is not an archive of plain arrays"):
        load_model(folder)
    assert not (tmp_path / "owned").exists()


def test_arrays_of_another_model_are_noticed(folder):
    buffer = io.BytesIO()
    np.savez(buffer, **{"0/keep": np.ones(7, bool), "0/mean": np.zeros(7), "0/scale": np.ones(7)})
    sign(folder, "arrays.npz", buffer.getvalue())
    with pytest.raises(
        ModelError, match=r"keep of branch 'sensor' .* is bool of shape \(7,\); expected bool of shape \(12,\)"
    ):
        load_model(folder)
