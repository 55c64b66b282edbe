"""What columns add to a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost
from helpers.made_bursts import LENGTH, Bursts
from sklearn.linear_model import LogisticRegression

import fusion
from fusion.datasets import ArrayDataset
from fusion.encoders import EncodeOptions
from fusion.encoders.encoder import encoder_of
from fusion.errors import ConfigError, ModelError
from fusion.explaining import check_deletion, explain
from fusion.explaining.attribution import attributions


def test_contributions_of_all_columns_are_the_margin(bursts: Bursts) -> None:
    model = fusion.load_model(bursts.model)
    found = explain(model, "w61", sources={"": bursts.data})
    (branch,) = found.branches
    assert branch.total == pytest.approx(sum(branch.parts.values()), abs=1e-6)
    with fusion.open_store(bursts.store) as store:
        row = store.get("w61").functas
    features = model.branches[0].features.transform(row)
    added = model.classifier.contributions(features)[0]
    code = model.classes.index(found.label)
    assert branch.total == pytest.approx(float((added - added.mean(axis=0))[code, :-1].sum()), rel=1e-4)
    assert found.label == max(found.probabilities, key=found.probabilities.__getitem__)
    assert found.truth == "plain"


def test_a_slope_of_the_linear_booster_is_what_a_change_does(bursts: Bursts) -> None:
    model = fusion.load_model(bursts.model)

    def margin(functas: np.ndarray) -> float:
        rows = xgboost.DMatrix(model.branches[0].features.transform(functas))
        margins = model.classifier.booster_.predict(rows, output_margin=True)[0].astype(float)
        return float(margins[0] - margins.mean())

    with fusion.open_store(bursts.store) as store:
        near = min((store.get(f"w{number}").functas for number in range(60, 90)), key=lambda r: abs(margin(r)))
    slopes = attributions(model, {"sensor": near}, model.classes[0])["sensor"].slopes
    column = int(np.argmax(np.abs(slopes) * near[0]))
    changed = near.copy()
    changed[0, column] *= 1.1
    expected = slopes[column] * float(changed[0, column] - near[0, column])
    assert margin(changed) - margin(near) == pytest.approx(expected, rel=0.02, abs=1e-4)


@pytest.mark.parametrize("preset", ["linear", "fast"])
def test_of_a_number_contributions_add_up_to_it(bursts: Bursts, preset: str, tmp_path: Path) -> None:
    """How many readings the burst lasts is told by what the windows under it add."""
    random = np.random.default_rng(1)
    arrays, lengths = [], []
    for number in range(90):
        window = random.normal(0, 0.02, (LENGTH, 2)).astype(np.float32)
        lengths.append(10.0 + 5 * (number % 9))
        here = slice(20, 20 + int(lengths[-1]))
        window[here] += np.sin(np.arange(int(lengths[-1])) * 2.0)[:, None].astype(np.float32)
        arrays.append(window)
    splits = ["train" if number < 60 else "test" for number in range(90)]
    data = ArrayDataset(arrays, targets=lengths, ids=[f"n{number}" for number in range(90)], splits=splits)
    with fusion.open_store(bursts.store) as store:
        config = encoder_of(store).config
    fusion.encode(data, tmp_path / "n.zarr", config, EncodeOptions(workers=1))
    model = fusion.train(tmp_path / "n.zarr", tmp_path / "m", task="regression", preset=preset).model
    found = explain(model, "n80", sources={"": data})
    (branch,) = found.branches
    assert (found.label, found.probabilities) == (None, {})
    with fusion.open_store(tmp_path / "n.zarr") as store:
        row = store.get("n80").functas
    bias = float(model.classifier.contributions(model.branches[0].features.transform(row))[0, 0, -1])
    assert branch.total + bias == pytest.approx(found.predicted, rel=1e-3)
    assert found.draw(tmp_path / "why.png").exists()
    with pytest.raises(ConfigError, match="as it predicts a number"):
        explain(model, "n80", label="long", sources={"": data})
    with pytest.raises(ConfigError, match="an object of type int is no data set"):
        explain(model, "n80", sources={"": 5})
    (check,) = check_deletion(tmp_path / "m", items=20, sources={"": data})
    assert check.passed


def test_another_estimator_than_xgboost_s_tells_no_contributions(bursts: Bursts) -> None:
    model = fusion.train(bursts.store, estimator=LogisticRegression()).model
    with pytest.raises(ModelError, match=r"LogisticRegression\(\)\)?, which tells no contributions"):
        explain(model, "w60", sources={"": bursts.data}, stores={"sensor": bursts.store})
