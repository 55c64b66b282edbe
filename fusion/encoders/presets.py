"""Settings that work for each modality, where the user gives none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.encoders.config import FunctaConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.modalities import Modality

PRESETS: dict[str, dict[str, Any]] = {
    # Few steps at a small rate: functas stay near the shared start, where trees tell them apart best.
    "sensor": {"omegas": (30.0, 1.0), "fit": {"steps": 10, "learning_rate": 1e-3}},
}


def config_for(modality: Modality, options: Mapping[str, Any] | None = None) -> FunctaConfig:
    """Build the configuration of a modality: its preset, overridden by `options`.

    Parameters
    ----------
    modality : Modality
    options : mapping, optional
        Fields of `FunctaConfig`; ``fit`` holds fields of `FitSettings`, ``modality`` fields of the modality.
        The preset's omegas go with the architecture ``paper`` and its half only.

    Raises
    ------
    ConfigError
        When an option is unknown or out of range.
    """
    options = dict(options or {})
    preset = dict(PRESETS.get(modality.name, {}))
    if not str(options.get("architecture", "paper")).startswith("paper"):
        preset.pop("omegas", None)
    merged = preset | options
    merged["modality"] = modality.to_dict() | dict(options.get("modality", {}))
    merged["fit"] = dict(preset.get("fit", {})) | dict(options.get("fit", {}))
    return FunctaConfig.from_dict(merged)
