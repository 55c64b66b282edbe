"""The options of `functa encode`, by what they are about, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fusion.datasets.base import Dataset
    from fusion.encoders.encoder import EncoderConfig
    from fusion.encoders.options import EncodeOptions


def named_option(panel: str, says: str, *names: str, metavar: str | None = None, least: float | None = None) -> Any:
    """Give an option of a group; what stands in brackets is its default."""
    # A bracket that Rich would take for markup is written with a backslash.
    return typer.Option(
        *names, help=says.replace("[", "\\["), metavar=metavar, min=least, rich_help_panel=panel, show_default=False
    )


_DATA, _ENCODER, _FIT, _RUN = "Data", "Encoder", "Fit", "Run"

Source = Annotated[Path, typer.Argument(help="Folder, file or archive of the data set.", metavar="SOURCE")]
Store = Annotated[str, named_option(_DATA, "Path or URL: .zarr, .h5, .functas.", metavar="PATH")]
ModalityName = Annotated[
    str, named_option(_DATA, "image, audio, video, sensor, array, columns, vectors.", metavar="NAME")
]
Layout = Annotated[str | None, named_option(_DATA, "Layout, such as uci-har [told]", metavar="NAME")]
Reader = Annotated[list[str] | None, named_option(_DATA, "Repeatable; --reader help lists them.", metavar="NAME=X")]
Split = Annotated[list[str] | None, named_option(_DATA, "Only this split; repeatable [all]", metavar="NAME")]
Limit = Annotated[int | None, named_option(_DATA, "So many samples, by a seeded hash [all]", metavar="N", least=1)]
Shard = Annotated[str | None, named_option(_DATA, "One part of many, such as 3/16 [all]", metavar="I/N")]
Transform = Annotated[str | None, named_option(_DATA, "mfcc, log-mel; video: grey, flow [none]", metavar="NAME")]
Size = Annotated[str | None, named_option(_DATA, "Image, video: such as 32x32 [first sample's]", metavar="HxW")]
Frames = Annotated[int | None, named_option(_DATA, "Video: resample to so many [first sample's]", metavar="N", least=1)]
Rate = Annotated[float | None, named_option(_DATA, "Audio: samples a second [first sample's]", metavar="HZ")]
Seconds = Annotated[float | None, named_option(_DATA, "Audio: pad or trim to [first sample's]", metavar="S")]
Kind = Annotated[str | None, named_option(_ENCODER, "functa, modulation or local [functa]", metavar="KIND")]
Augment = Annotated[str | None, named_option(_ENCODER, "Local: flip codes mirror images too [none]", metavar="NAME")]
ConfigFile = Annotated[Path | None, named_option(_ENCODER, "TOML file with encoder options [none]", metavar="FILE")]
ArchitectureName = Annotated[
    str | None, named_option(_ENCODER, "paper, siren, and each with -half [paper]", metavar="NAME")
]
Omegas = Annotated[str | None, named_option(_ENCODER, "Omegas [60,1; image 15,1; video 30,10]", metavar="A,B")]
Start = Annotated[
    str | None, named_option(_ENCODER, "class-average, random, meta [image meta; audio random]", metavar="NAME")
]
Initialiser = Annotated[str | None, named_option(_ENCODER, "Random start: keras, siren [video siren]", metavar="NAME")]
TrainSplit = Annotated[list[str] | None, named_option(_ENCODER, "To learn from; repeatable [train]", metavar="NAME")]
Like = Annotated[Path | None, named_option(_ENCODER, "Take this store's start and scaling [none]", metavar="STORE")]
Seed = Annotated[int | None, named_option(_ENCODER, "Of the start [42]", metavar="N", least=0)]
Steps = Annotated[int | None, named_option(_FIT, "Gradient steps [10; image, audio 3]", metavar="N", least=0)]
LearningRate = Annotated[float | None, named_option(_FIT, "Adam's; a meta start has its own [0.001]", metavar="X")]
Schedule = Annotated[str | None, named_option(_FIT, "constant or cosine [constant]", metavar="NAME")]
Target = Annotated[float | None, named_option(_FIT, "Stop a sample at this PSNR [never]", metavar="DB")]
Workers = Annotated[int | None, named_option(_RUN, "Processes [one per core]", metavar="N", least=1)]
Scheduler = Annotated[str | None, named_option(_RUN, "Dask cluster to work on [this machine]", metavar="ADDRESS")]
OnChange = Annotated[str, named_option(_RUN, "If changed: error, reencode, keep [error]", metavar="HOW")]
BlockRows = Annotated[int | None, named_option(_RUN, "Rows of a commit [told by their size]", metavar="N", least=1)]
PartRows = Annotated[int | None, named_option(_RUN, "Of .functas: rows of a part [65536]", metavar="N", least=1)]
Prune = Annotated[bool, named_option(_RUN, "Drop rows of samples gone from the source.", "--prune")]
RetryFailed = Annotated[bool, named_option(_RUN, "Only samples that failed.", "--retry-failed")]
DryRun = Annotated[bool, named_option(_RUN, "Tell what would be done; write nothing.", "--dry-run")]


def how_to_encode(asked: Mapping[str, Any]) -> EncodeOptions:
    """Give what a run is asked to do, of the options by name."""
    from fusion.encoders import EncodeOptions

    return EncodeOptions(
        workers=asked["workers"],
        splits=tuple(asked["split"] or ()),
        limit=asked["limit"],
        shard=_shard(asked["shard"]),
        train_splits=tuple(asked["train_split"] or ("train",)),
        retry_failed=asked["retry_failed"],
        prune=asked["prune"],
        on_change=asked["on_change"],
        block_rows=asked["block_rows"],
        part_rows=asked["part_rows"],
    )


def settings_of(asked: Mapping[str, Any], dataset: Dataset) -> EncoderConfig:
    """Give the encoder's settings for a data set, of the options by name."""
    from fusion.encoders import encoder_config

    named = {"kind": asked["encoder"], "omegas": _numbers(asked["omegas"])}
    modality = {"size": _size(asked["size"])} | _of(asked, "transform", "frames", "rate", "seconds")
    mirrored = {"mirrored": _mirrored(asked)}
    own = mirrored | _of(asked, "architecture", "initialisation", "initialiser", "seed")
    return encoder_config(
        dataset,
        config_file=asked["config"],
        options=_given(named | own | {"modality": _given(modality)}),
        fit=_given(_of(asked, "steps", "learning_rate", "schedule", "psnr_target")),
    )


def reader_options(given: Sequence[str] | None) -> dict[str, str]:
    """Give the reader's options by name, of texts such as ``window=2.5``."""
    options: dict[str, str] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"--reader {text}: expected an option and its value, such as window=2.5")
        name = key.strip().replace("-", "_")
        if name in options:
            raise typer.BadParameter(f"--reader {name} is given twice, as {options[name]} and {value}: expected one")
        options[name] = value
    return options


def _of(asked: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: asked[name] for name in names}


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _mirrored(asked: Mapping[str, Any]) -> tuple[int, ...] | None:
    from fusion.encoders.presets import FLIPPED

    augment, modality, kind = (asked[name] for name in ("augment", "modality", "encoder"))
    kind = kind or "functa"
    if augment is None:
        return None
    if augment != "flip" or modality not in FLIPPED or kind != "local":
        raise typer.BadParameter(
            f"--augment {augment} with --modality {modality} and --encoder {kind}: expected flip, from left to right, "
            f"of {' or '.join(FLIPPED)}, and --encoder local; mirrored = [AXIS] in a --config file mirrors other axes"
        )
    return (FLIPPED[modality],)


def _numbers(text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--omegas {text}: expected numbers with commas between them, such as 30,1") from None


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (_is_whole(height) and _is_whole(width)):
        raise typer.BadParameter(f"--size {text}: expected height x width in pixels, such as 32x32")
    return int(height), int(width)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    number, _, count = text.partition("/")
    if not (_is_whole(number) and _is_whole(count)):
        raise typer.BadParameter(f"--shard {text}: expected a number and a count, such as 3/16")
    return int(number), int(count)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
