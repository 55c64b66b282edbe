"""Settings that work for each modality, where the user gives none."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from fusion.encoders.encoder import EncoderConfig, encoder_config_from_dict
from fusion.errors import ConfigError
from fusion.modalities import Modality, modality_from_dict
from fusion.settings import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fusion.datasets.base import Dataset

_CUBOIDS: dict[str, Any] = {
    "windows": [[4, 8, 8], [8, 8, 8], [4, 16, 16]],
    "strides": [[2, 4, 4]] * 3,
    "centres": 300,
    "pools": ["mean", "max", "std"],
}
_FILMS = _CUBOIDS | {"cells": [[1, 1, 1], [2, 2, 2]], "differences": [1]}
FLIPPED = {"image": 1, "video": 2}
"""Axis along which the samples of a modality are mirrored from left to right."""
ENCODER_PRESETS: dict[tuple[str, str], dict[str, Any]] = {
    # Few steps at a small rate keep functas near the shared start, where trees tell them apart best. Twice the paper's
    # frequency was worth a point on training subjects held out.
    ("functa", "sensor"): {"omegas": (60.0, 1.0), "fit": {"steps": 10, "learning_rate": 1e-3}},
    # A random start and a fixed scaling learn nothing from data, so one store serves every fold of a cross-validation.
    # Chosen on folds 1 to 3 of ESC-10: 3 steps told clips apart as well as 5 or 10, and better than 30 or 100; a start
    # averaged over classes did as well as the random one (0.60 both, log-mel).
    # The samples themselves: no frequency from 30 to 300,000 told them apart much better than chance (0.10 to 0.18, the
    # most at 30,000), as the paper found; each step sees some of the hundred thousand coordinates.
    ("functa", "audio"): {
        "initialisation": "random",
        "omegas": (30_000.0, 1.0),
        "fit": {"steps": 3, "learning_rate": 1e-3, "coordinates_per_step": 8192},
    },
    ("functa", "audio-log-mel"): {"initialisation": "random", "fit": {"steps": 3, "learning_rate": 1e-3}},
    ("functa", "audio-mfcc"): {"initialisation": "random", "fit": {"steps": 3, "learning_rate": 1e-3}},
    # Chosen on 2,000 training images of CIFAR-10, tested on 2,000 other ones, where a point is about the chance error.
    # The learned start at frequencies 10, 15, 20, 30, 60: 0.42, 0.41, 0.40, 0.40, 0.28; at 15 with 2 steps 0.40, at 30
    # with 1 and 5 steps 0.40 and 0.37. The averaged start, Adam, 10 steps: 0.40 from a SIREN's weights, 0.36 (on 1,000
    # others) from Keras'. Modulations of 256 and 512 numbers: 0.37.
    ("functa", "image"): {"initialisation": "meta", "omegas": (15.0, 1.0), "fit": {"steps": 3}},
    # Chosen on training groups held out (a ridge on functas of UTD-MHAD's depth: 0.62; from Keras' weights at 30 and 1:
    # 0.58, at 10 and 1: 0.33, 3 steps: 0.53; on JHMDB's flow 0.23, 0.22). Each step sees an eighth of 16 x 32 x 32.
    ("functa", "video"): {
        "omegas": (30.0, 10.0),
        "initialiser": "siren",
        "fit": {"steps": 10, "learning_rate": 1e-3, "coordinates_per_step": 2048},
    },
    # Chosen on training groups held out; docs/local-functas.md has what was tried.
    ("local", "sensor"): {
        "windows": [[8], [16], [32]],
        "strides": [[2]] * 3,
        "cells": [[1], [3]],
        "centres": 300,
        "compressed": 0.001,
        "compressed_apart": True,
        "pools": ["mean", "std"],
    },
    ("local", "image"): {
        "windows": [[4, 4], [6, 6], [8, 8]],
        "strides": [[1, 1]] * 3,
        "cells": [[1, 1], [2, 2]],
        "centres": 480,
    },
    ("local", "audio"): {"windows": [[256]], "strides": [[64]], "centres": 600, "contrast": True},
    ("local", "audio-log-mel"): {
        "modality": {"bands": 64, "hop_seconds": 0.02},
        "windows": [[4, 4], [8, 8], [16, 16]],
        "strides": [[1, 1], [2, 2], [2, 2]],
        "cells": [[1, 3]],
        "centres": 400,
        "pools": ["mean", "max", "std"],
    },
    ("local", "audio-mfcc"): {"windows": [[16, 20]], "strides": [[1, 1]], "centres": 600},
    ("local", "video"): _FILMS,
    ("local", "video-grey"): _FILMS,
    ("local", "video-flow"): _CUBOIDS
    | {
        "modality": {"size": (60, 80), "frames": 24},
        "cells": [[1, 1, 1], [2, 1, 1], [1, 2, 2]],
        "dimensions": 64,
        "compressed": 0.01,
        "compressed_apart": True,
    },
}


def config_for(modality: Modality, options: Mapping[str, Any] | None = None) -> EncoderConfig:
    """Build the configuration of a modality from its preset and `options`; see `with_preset`."""
    return encoder_config_from_dict(with_preset(modality, options))


def with_preset(modality: Modality, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the options of a configuration: the preset of kind and modality, overridden by `options`.

    Parameters
    ----------
    modality : Modality
    options : mapping, optional
        ``kind`` and fields of its configuration; ``fit`` holds fields of `FitSettings`, ``modality`` fields of the
        modality. The preset's omegas go with the architecture ``paper`` and its half only, its steps from a learned
        start with that start only. A preset's centres are at most so many, given ones are as given.
    """
    options = dict(options or {})
    kind = options.setdefault("kind", modality.encoder or "functa")
    preset = _preset(kind, modality, options.get("modality", {}))
    if not str(options.get("architecture", "paper")).startswith("paper"):
        preset.pop("omegas", None)
    if preset.get("initialisation") == "meta" != options.get("initialisation", "meta"):
        preset.pop("fit", None)
    if "centres" in preset and "centres" not in options:
        preset["fewer_centres"] = True
    merged = preset | options
    merged["modality"] = modality.to_dict() | _of_default(preset, modality) | dict(options.get("modality", {}))
    merged["fit"] = dict(preset.get("fit", {})) | dict(options.get("fit", {}))
    return merged


def _of_default(preset: Mapping[str, Any], modality: Modality) -> dict[str, Any]:
    """Give the preset's options of the modality, less those that the data set's own has changed."""
    usual = {item.name: item.default for item in fields(modality)}  # type: ignore[arg-type]
    wanted = preset.get("modality", {})
    return {name: value for name, value in wanted.items() if getattr(modality, name) == usual[name]}


def _preset(kind: str, modality: Modality, changes: Mapping[str, Any]) -> dict[str, Any]:
    changed = modality_from_dict(modality.to_dict() | dict(changes))
    return dict(ENCODER_PRESETS.get((kind, changed.preset), ENCODER_PRESETS.get((kind, changed.name), {})))


def encoder_config(
    dataset: Dataset,
    *,
    config_file: Path | None = None,
    options: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
) -> EncoderConfig:
    """Build the configuration for a data set: preset, then file, then options, the later the stronger.

    Parameters
    ----------
    dataset : Dataset
        A data set that knows its modality's sizes says so in ``default_modality()``.
    config_file : Path, optional
        TOML with ``kind``, fields of its configuration and tables ``fit`` and ``modality``.
    options, fit : mapping, optional
        Fields of the configuration and of `FitSettings`.

    Raises
    ------
    ConfigError
        When the file cannot be read, or an option is unknown or out of range.
    """
    stored = {} if config_file is None else read_toml(config_file)
    for name in ("fit", "modality"):
        if not isinstance(stored.get(name, {}), dict):
            raise ConfigError(f"{name} in {config_file} is {stored[name]!r}; expected a table, [{name}]")
    merged = stored | dict(options or {})
    merged["fit"] = dict(stored.get("fit", {})) | dict(fit or {})
    merged["modality"] = dict(stored.get("modality", {})) | dict(merged.get("modality", {}))
    return config_for(modality_of(dataset), merged)


def modality_of(dataset: Dataset) -> Modality:
    """Give the modality that a data set's samples belong to, with the sizes the data set knows."""
    known = getattr(dataset, "default_modality", None)
    return known() if known is not None else modality_from_dict({"name": dataset.modality})
