"""What functas are compared with: conventional models on raw values, plain controls, and the paper's Keras loop."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.baselines.lstm import LstmSettings
    from fusion.baselines.models import BASELINES, BaselineResult, baseline, measure_baseline
    from fusion.baselines.prepared import Prepared, raw_matrix

__all__ = ["BASELINES", "BaselineResult", "LstmSettings", "Prepared", "baseline", "measure_baseline", "raw_matrix"]

_HOME = {"LstmSettings": "lstm", "Prepared": "prepared", "raw_matrix": "prepared"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fusion.baselines' has no attribute {name!r}")
    return getattr(import_module(f"fusion.baselines.{_HOME.get(name, 'models')}"), name)
