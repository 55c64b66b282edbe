from __future__ import annotations

import numpy as np
import pytest

from fusion.errors import ConfigError
from fusion.estimators.presets import training_settings
from fusion.estimators.targets import class_weights, unknown_classes

CODES = np.array([0, 1, 1])


@pytest.mark.parametrize("key", [10, 10.0, "10", np.int64(10), np.float32(10)])
@pytest.mark.parametrize("classes", [["10", "9"], [10, 9], [10.0, 9.0]])
def test_weights_are_found_by_what_a_class_is_called(key, classes):
    assert class_weights({key: 5}, np.array(classes), CODES).tolist() == [5, 1, 1]
    assert unknown_classes({key: 5, 11: 1}, np.array(classes)) == ["11"]
    assert training_settings("fast", class_weight={key: 5}).parameters["class_weight"] == {"10": 5}


def test_two_weights_of_one_class_are_refused():
    with pytest.raises(ConfigError, match=r"expected one weight for class '1'\. Leave the others out"):
        class_weights({1: 2, "1": 3}, np.array(["1", "2"]), CODES)
