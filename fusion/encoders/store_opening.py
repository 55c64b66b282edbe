"""The store that a run writes to: opened, or made with what the encoder learns."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.encoders.encoder import Encoder, EncoderConfig, encoder_of
from fusion.encoders.learning import learn_encoder
from fusion.encoders.options import EncodeOptions, told_of
from fusion.encoders.survey import training_samples
from fusion.errors import DataError
from store import FunctaStore, create_store, open_store
from store.collection.collection import exists
from store.columns import block_rows_for
from store.errors import StoreExistsError
from store.opening import reserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from fusion.datasets.base import Dataset
    from fusion.encoders.pool import Mapper

_ID_WIDTH = 128


def learned(dataset: Dataset, config: EncoderConfig, options: EncodeOptions, mapper: Mapper) -> Encoder:
    """Learn what a new store begins with from the training samples."""
    return learn_encoder(config, training_samples(dataset, options, config), mapper)


def taken_over(like: str | Path, config: EncoderConfig) -> Encoder:
    """Give the encoder of another store, which must have this configuration."""
    with open_store(like) as other:
        other.require_same(encoder=_with_sizes_of(config, other).to_dict())
        return encoder_of(other)


def open_to_encode(
    path: str | Path,
    config: EncoderConfig,
    options: EncodeOptions,
    create: Callable[[], FunctaStore],
    longest_id: int,
) -> FunctaStore:
    """Open a store to write to, or make it; of several that want to make it one does, and the others wait.

    Raises
    ------
    StoreMismatchError
        It was made with another configuration.
    DataError
        It does not take IDs so long, or has parts of another size.
    """
    if not exists(path):
        with reserved(path) as free, suppress(StoreExistsError):
            if free:
                return create()
    return _opened(path, config, options, longest_id)


def _opened(path: str | Path, config: EncoderConfig, options: EncodeOptions, longest_id: int) -> FunctaStore:
    opened = open_store(path, "a")
    try:
        opened.require_same(encoder=_with_sizes_of(config, opened).to_dict())
        _require_room(opened, longest_id)
        _require_part_rows(opened, options.part_rows)
    except BaseException:
        opened.close()
        raise
    return opened


def created(
    dataset: Dataset,
    path: str | Path,
    options: EncodeOptions,
    learn: Callable[[], Encoder],
    longest_id: int,
    part: int | None,
) -> FunctaStore:
    """Make a store with what is learned; `part` is how many rows a part will have, where workers write parts."""
    encoder = learn()
    config = encoder.config
    blocks = options.block_rows
    if part is not None and blocks is None:
        blocks = block_rows_for(config.k, part)
    told = told_of(dataset)
    return create_store(
        path,
        modality=config.modality.name,
        layout=config.layout,
        encoder=config.to_dict(),
        state=encoder.arrays(),
        conventions={
            "coordinates": "regular grid in [-1, 1], first axis slowest, both ends included",
            "values": "(raw - state/low) / (state/high - state/low), clipped to [0, 1]",
            **config.conventions(),
            **getattr(dataset, "provenance", {}),
            "train_splits": list(options.train_splits) if config.learns else [],
            "reader": dict(getattr(dataset, "options", {})),
            **({} if told["reading"] is None else {"reading": told["reading"]}),
        },
        dataset=dataset.name,
        seed=config.seed,
        block_rows=blocks,
        id_width=max(_ID_WIDTH, longest_id),
        missing_values=config.missing_values,
        part_rows=options.part_rows,
    )


def _require_room(opened: FunctaStore, longest_id: int) -> None:
    if longest_id > opened.longest_id:
        raise DataError(
            f"an ID has {longest_id} bytes of UTF-8, but {opened.path} keeps IDs of at most {opened.longest_id}. "
            "Nothing was encoded. Go on with a copy of it as .zarr, which keeps IDs of any length: functa store convert"
        )


def _require_part_rows(opened: FunctaStore, asked: int | None) -> None:
    there = getattr(opened, "part_rows", None)
    if asked not in (None, there):
        how = "is not written in parts" if there is None else f"is written in parts of {there} rows"
        raise DataError(
            f"{opened.path} {how}, so part-rows {asked} does not fit. Leave it out, or use a new store path"
        )


def _with_sizes_of(config: EncoderConfig, opened: FunctaStore) -> EncoderConfig:
    """Take sizes that the configuration leaves open from the store, where the first run filled them in."""
    config = config.with_sizes_of(opened.header.encoder)
    stored = opened.header.encoder.get("modality", {})
    if stored.get("name") != config.modality.name:
        return config
    blank = {
        item.name: stored[item.name]
        for item in fields(config.modality)  # type: ignore[arg-type]
        if getattr(config.modality, item.name) in (None, ()) and item.name in stored
    }
    return config.with_modality(replace(config.modality, **blank))  # type: ignore[type-var]
