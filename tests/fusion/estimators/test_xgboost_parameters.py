from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import ConfigError
from fusion.estimators.xgboost import FunctaClassifier
from fusion.estimators.xgboost_parameters import require_parameters

USED = {"objective": "multi:softprob", "num_class": 3, "tree_method": "hist", "max_depth": 6, "eta": 0.3}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nonsense": 3}, r"parameters name 'nonsense'; expected names that XGBoost [\d.]+ knows"),
        ({"nonsense": 3, "verbosity": 0, "lambda": 2}, "parameters name 'nonsense'; "),
        ({"n_estimators": 3}, "parameters name 'n_estimators'; "),
        ({"max_leaves": "x"}, "XGBoost refuses: Invalid Parameter format for max_leaves expect int but value='x'"),
        ({"eval_metric": "foo"}, "XGBoost refuses: Unknown metric function foo"),
    ],
)
def test_what_xgboost_refuses_or_does_not_know_is_refused_in_one_line(given, message):
    with pytest.raises(ConfigError, match=message) as refused:
        require_parameters(given, USED | given)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"lambda": 1, "reg_alpha": 1, "gamma": 1, "colsample_bynode": 0.1, "max_leaves": 3, "grow_policy": "lossguide"},
        {"booster": "dart", "rate_drop": 0.1},
        {"rate_drop": 0.1, "scale_pos_weight": 2, "huber_slope": 1, "tweedie_variance_power": 1.5},
        {"feature_selector": "cyclic", "top_k": 1, "updater": "grow_quantile_histmaker"},
        {"lambdarank_pair_method": "topk", "aft_loss_distribution": "normal", "quantile_alpha": 0.3},
        {"learning_rate": 0.1, "random_state": 1, "n_jobs": 1, "verbosity": 0, "monotone_constraints": "(1)"},
    ],
)
def test_every_name_that_xgboost_knows_is_left_to_it(given):
    require_parameters(given, USED | given)


def test_parameters_are_asked_for_before_training():
    with pytest.raises(ConfigError, match="parameters name 'nonsense'"):
        FunctaClassifier(parameters={"nonsense": 3}).fit(np.eye(4), [0, 1, 0, 1])
