"""The command line that encodes a data set into a store like the one that there is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from fusion.encoders.presets import FLIPPED, config_for
from fusion.modalities import modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fusion.encoders.encoder import EncoderConfig

_TOLD_FROM_SOURCE = ("files", "folder", "table", "columns", "vectors")
_OWN = ("architecture", "omegas", "initialisation", "initialiser", "seed")
_FIT = ("steps", "learning_rate", "schedule", "psnr_target")
_CHOSEN = {"image": ("size",), "video": ("transform", "size", "frames"), "audio": ("transform", "rate", "seconds")}


def encode_command(header: Mapping[str, Any], source: str | Path, store: str | Path) -> str | None:
    """Write the command line of an encode run; None where options say only a part of it.

    That is where a TOML file said more, or no encoder of this package filled the store.

    Parameters
    ----------
    header : mapping
        Of the store: ``modality``, ``dataset``, ``encoder`` and ``conventions``.
    source, store : path

    Examples
    --------
    >>> from fusion.encoders.presets import config_for
    >>> from fusion.modalities import SensorModality
    >>> config = config_for(SensorModality(50, ("ax",)), {"fit": {"steps": 5}})
    >>> told = {"reader": {"window": 1}, "train_splits": ["train"]}
    >>> header = {"modality": "sensor", "dataset": "table", "encoder": config.to_dict(), "conventions": told}
    >>> encode_command(header, "walks.csv", "walks.zarr")
    'functa encode walks.csv --modality sensor --store walks.zarr --reader window=1 --steps 5'
    """
    encoder, conventions = dict(header["encoder"]), header.get("conventions", {})
    if "modality" not in encoder:  # of a store that another program filled
        return None
    modality = dict(encoder["modality"])
    kind = encoder["kind"]
    encoder.pop("fewer_centres", None)
    sizes = modality_from_dict(modality)
    usual = _settled(config_for(sizes, {"kind": kind}), encoder).to_dict()
    changed = {name: encoder[name] for name in _OWN if encoder.get(name) != usual.get(name)}
    flip = [FLIPPED.get(str(header["modality"]), -1)]
    flipped = {"mirrored": flip} if encoder.get("mirrored") == flip else {}
    fit = {name: value for name, value in encoder.get("fit", {}).items() if value != usual.get("fit", {}).get(name)}
    again = _settled(config_for(sizes, {"kind": kind, **changed, **flipped, "fit": fit}), encoder)
    if again.to_dict() != encoder or set(fit) - set(_FIT):
        return None
    words = ["functa", "encode", str(source), "--modality", str(header["modality"]), "--store", str(store)]
    if header["dataset"] not in _TOLD_FROM_SOURCE:
        words += ["--dataset", str(header["dataset"])]
    words += [word for name, value in conventions.get("reader", {}).items() for word in _reader(name, value)]
    words += ["--encoder", kind] if kind != usual_kind(modality) else []
    words += ["--augment", "flip"] if flipped else []
    chosen = {name: modality[name] for name in _CHOSEN.get(str(header["modality"]), ()) if modality.get(name)}
    words += [word for name, value in {**chosen, **changed, **fit}.items() for word in _option(name, value)]
    splits = conventions.get("train_splits") or ["train"]
    words += [word for split in splits if splits != ["train"] for word in ("--train-split", split)]
    return shlex.join(words)


def _settled(config: EncoderConfig, stored: Mapping[str, Any]) -> EncoderConfig:
    """Give the configuration as it is once the sizes of the data are known."""
    return config.with_modality(config.modality).with_sizes_of(stored)


def usual_kind(modality: Mapping[str, Any]) -> str:
    """Give the kind of encoder that a modality takes by itself."""
    return config_for(modality_from_dict(dict(modality))).kind


def _reader(name: str, value: Any) -> Iterator[str]:
    yield "--reader"
    yield f"{name}={_text(value, ',')}"


def _option(name: str, value: Any) -> Iterator[str]:
    yield f"--{name.replace('_', '-')}"
    yield _text(value, "x" if name == "size" else ",")


def _text(value: Any, between: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return between.join(_text(part, between) for part in value)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
