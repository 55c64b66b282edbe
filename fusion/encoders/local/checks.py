"""What is checked of the settings of local functas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from fusion.encoders.local.windows import Pool
from fusion.errors import ConfigError

if TYPE_CHECKING:
    from fusion.modalities import Modality


def require_sound(config: Any) -> None:
    """Refuse settings that no sample could be coded with.

    Parameters
    ----------
    config : LocalConfig

    Raises
    ------
    ConfigError
        What is wrong, and what is expected.
    """
    least = {"centres": 2, "dimensions": 1, "samples": 1, "patches": 1, "iterations": 1}
    for name, smallest in least.items():
        if getattr(config, name) < smallest:
            raise ConfigError(f"{name} is {getattr(config, name)}; expected {smallest} or more")
    if len(config.windows) != len(config.strides):
        raise ConfigError(f"{len(config.windows)} windows and {len(config.strides)} strides; expected as many of both")
    if config.dilations and len(config.dilations) != len(config.windows):
        raise ConfigError(
            f"{len(config.windows)} windows and {len(config.dilations)} dilations; expected as many of both"
        )
    axes = {len(entry) for name in ("windows", "strides", "dilations", "cells") for entry in getattr(config, name)}
    if axes - {config.modality.d_in if _sized(config.modality) else next(iter(axes), 0)}:
        raise ConfigError(
            f"windows {config.windows}, strides {config.strides} and cells {config.cells}; expected one whole number "
            "for each axis of the modality"
        )
    numbers = [
        number
        for name in ("windows", "strides", "dilations", "cells")
        for entry in getattr(config, name)
        for number in entry
    ]
    if min([*numbers, *config.differences, 1]) < 1:
        raise ConfigError("windows, strides, dilations, cells and differences are whole numbers of 1 or more")
    if config.mirrored:
        _check_mirrored(config)
    if not config.pools or set(config.pools) - set(get_args(Pool)) or len(set(config.pools)) < len(config.pools):
        raise ConfigError(f"pools {config.pools}; expected some of {', '.join(get_args(Pool))}, each once")
    for name in ("regularisation", "compressed"):
        if not (np.isfinite(getattr(config, name)) and getattr(config, name) >= 0):
            raise ConfigError(f"{name} is {getattr(config, name)}; expected 0 or more")
    if config.fit.steps < 1:
        raise ConfigError("a local functa of 0 steps is the start; expected 1 step or more")
    if config.raw and not config.folds:
        raise ConfigError("raw windows are not fitted; expected no `fit`, or raw = false")
    if config.contrast and config.centred:
        raise ConfigError("contrast and centred both take off means; expected at most one of them")


def _check_mirrored(config: Any) -> None:
    axes = config.modality.d_in if _sized(config.modality) else 1 + max(config.mirrored)
    if len(set(config.mirrored)) < len(config.mirrored) or not set(config.mirrored) <= set(range(axes)):
        raise ConfigError(f"mirrored {config.mirrored}; expected axes of the modality, 0 to {axes - 1}, each once")


def _sized(modality: Modality) -> bool:
    try:
        return bool(modality.grid)
    except (ConfigError, TypeError):
        return False
