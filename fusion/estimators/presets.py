"""Named parameters of training: the paper's, those that are faster at equal accuracy, and those that are better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fusion.errors import ConfigError
from fusion.estimators.xgboost import FunctaClassifier

__all__ = ["TRAINING_PRESETS", "Preset", "training_preset"]


@dataclass(frozen=True)
class Preset:
    """How to train.

    Attributes
    ----------
    max_columns
        Weights of each block that are kept, drawn at random; None = all that vary. See `FunctaFeatures`.
    parameters
        Of `FunctaClassifier`, where they differ from the paper's.
    """

    max_columns: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def classifier(self, **parameters: Any) -> FunctaClassifier:
        """Return an untrained classifier; `parameters` win over the preset's, None means the preset's."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return FunctaClassifier(**{**self.parameters, **given})


_SLOW: Mapping[str, Any] = {
    "max_depth": 4,
    "eta": 0.1,
    "early_stopping_rounds": 30,
    "parameters": {"colsample_bytree": 0.05, "subsample": 0.7},
}

TRAINING_PRESETS: Mapping[str, Preset] = {
    "paper": Preset(),
    "fast": Preset(
        max_columns=1500,
        parameters={"max_depth": 3, "max_bin": 16, "parameters": {"colsample_bytree": 0.3}},
    ),
    "slow": Preset(parameters=_SLOW),
    "linear": Preset(parameters={"booster": "gblinear"}),
    "stacked": Preset(parameters={**_SLOW, "booster": "stacked"}),
}
"""`fast` was chosen on the training subjects of UCI-HAR alone, in three folds of whole subjects with early stopping:

======================================================  ========  ===========
parameters                                              accuracy  CPU seconds
======================================================  ========  ===========
paper: 9,097 columns, depth 6, 32 bins                  0.884     40
9,097 columns, depth 3, 32 bins                         0.892     32
1,500 random columns, depth 3, 32 bins                  0.884     5.1
1,500 random columns, depth 3, 16 bins                  0.888     4.8
... and 0.3 of them for each tree (`fast`)              0.890     4.3
1,500 random columns, depth 4, 16 bins                  0.884     4.3
1,500 random columns, depth 2, 16 bins                  0.883     4.2
1,500 random columns, depth 3, 16 bins, eta 0.5         0.877     3.4
1,000 random columns, depth 3, 16 bins                  0.883     3.0
======================================================  ========  ===========

The weights of a functa are redundant: the 900 columns with the highest F statistic, copies of each other, did worse
than 900 random ones (0.851 and 0.864 in two of the folds, depth 6). XGBoost builds the histograms of all columns
however few it samples, so columns save time only where they are left out of the matrix; trees of all classes at once
(``multi_output_tree``) took longer at equal accuracy. On the test subjects, once, in one run of ``functa bench train``:
0.911 (`fast`) and 0.912 (`paper`) in a tenth of the time.

`slow`, `linear` and `stacked` are for wide dense columns such as the pooled codes of local functas, where trees of few
rows find too little. Mean accuracy over four folds of whole training groups of 1,200 such codes, the linear booster
with two penalties (0.1 and 0.3) and at most three rounds to choose from:

====================================================  ===========  =====================
preset                                                UCI-HAR      UTD-MHAD, inertial
====================================================  ===========  =====================
`slow`: depth 4, eta 0.1, 5 % of columns, 70 % rows   0.922        0.801
`linear`                                              0.931        0.828
`stacked`: trees from half the linear margins         0.925        0.840
... from a quarter                                                 0.835
... from whole ones                                                0.826
====================================================  ===========  =====================

None of them is the best on every data set: ``tune`` tries them on the training groups at hand. A signed square root of
the codes was worth a point on one set and cost half a point on the other, so columns are only standardised.
"""


def training_preset(name: str) -> Preset:
    """Return a preset by name.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    if name not in TRAINING_PRESETS:
        raise ConfigError(f"preset is {name!r}; expected one of {', '.join(TRAINING_PRESETS)}.")
    return TRAINING_PRESETS[name]
