"""What columns add to a class."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.made_bursts import Bursts

import fusion
from fusion.explaining import explain
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
        logs = np.log(model.predict_proba({"sensor": functas})[0].astype(float))
        return float(logs[0] - logs.mean())

    # Of two classes near to 1/2 probabilities tell margins best.
    with fusion.open_store(bursts.store) as store:
        near = min((store.get(f"w{number}").functas for number in range(60, 90)), key=lambda r: abs(margin(r)))
    slopes = attributions(model, {"sensor": near}, model.classes[0])["sensor"].slopes
    column = int(np.argmax(np.abs(slopes) * near[0]))
    changed = near.copy()
    changed[0, column] *= 1.1
    expected = slopes[column] * float(changed[0, column] - near[0, column])
    assert margin(changed) - margin(near) == pytest.approx(expected, rel=0.02, abs=1e-4)
