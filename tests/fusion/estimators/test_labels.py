from __future__ import annotations

import pytest

from fusion.errors import DataError
from fusion.estimators.labels import require_classes


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([f"{number + 0.25:.2f}" for number in range(48)], r"numbers \(48 distinct of 48, such as "),
        (["0.5", "0.6", "0.7", "0.8", "0.9"] * 9, r"\(5 distinct of 45, such as 0.7\)"),
        ([str(age) for age in range(20, 40)] * 1, r"\(20 distinct of 20"),
        ([f"{number}.5" for number in range(20)] + ["none"], r"such as 18.5, but for 'none': correct"),
        ([str(age) for age in range(70)] + ["1,234", "NA"], r"such as 40, but for '1,234', 'NA'"),
    ],
)
def test_numbers_that_are_no_classes(labels, message):
    with pytest.raises(DataError, match=message):
        require_classes(labels)


@pytest.mark.parametrize(
    "labels",
    [
        [str(digit) for digit in range(10)] * 5,
        ["1.0", "2.0"] * 30,
        ["0.5", "1.5"],
        [f"{number}.5" for number in range(20)] + ["none"] * 3,
        [str(digit) for digit in range(10)] * 50 + ["none"],
        ["walk", "sit"],
        [],
    ],
)
def test_classes(labels):
    require_classes(labels)
