"""What is compared: for each encoder one source, a store or several that are linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusion.datasets.base import Dataset
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions, Progress
from fusion.encoders.presets import encoder_config
from fusion.errors import ConfigError
from fusion.features.source import SourceLike
from fusion.linking.files import is_link
from fusion.linking.linker import link
from fusion.linking.table import LinkTable
from fusion.settings import digest_of
from store import FunctaStore, open_store

__all__ = ["Encoders", "encoded_sides", "named_encoders", "sides_of", "sources_of"]

Encoders = Sequence[str] | Mapping[str, str | Path | Mapping[str, Any]]
"""Kinds of encoders, or by names of one's own TOML files or options, as `fusion.encoders.encoder_config` takes them."""
Sides = dict[str, dict[str, Path | str]]
"""Stores by modality, then by encoder."""


@dataclass(frozen=True)
class _Store:
    path: Path | str
    label: str | None
    kind: str
    side: tuple[str, str]

    @classmethod
    def of(cls, given: str | Path | FunctaStore) -> _Store:
        label, path = (None, given) if isinstance(given, FunctaStore) else _named(given)
        with ExitStack() as stack:
            store = path if isinstance(path, FunctaStore) else stack.enter_context(open_store(path))
            kind = str(store.header.encoder.get("kind", "functa"))
            return cls(store.path, label, kind, (store.modality, store.header.dataset))


def named_encoders(encoders: Encoders) -> dict[str, Mapping[str, Any]]:
    """Give what `encoder_config` takes, by the name of each encoder."""
    if not isinstance(encoders, Mapping):
        return {kind: {"options": {"kind": kind}} for kind in encoders}
    return {
        name: {"options": dict(given)} if isinstance(given, Mapping) else {"config_file": Path(given)}
        for name, given in encoders.items()
    }


def encoded_sides(
    datasets: Mapping[str, Dataset],
    encoders: Encoders,
    folder: Path,
    options: EncodeOptions,
    progress: Progress,
) -> Sides:
    """Encode every data set with every encoder, or go on with it; give the stores by data set, then encoder."""
    sides: Sides = {}
    for side, dataset in datasets.items():
        for encoder, how in named_encoders(encoders).items():
            config = encoder_config(dataset, **how)
            asked = {"config": config.to_dict(), "limit": options.limit, "train_splits": options.train_splits}
            path = folder / "stores" / f"{side}-{encoder}-{digest_of(asked)}.zarr"
            path.parent.mkdir(parents=True, exist_ok=True)

            def told(what: str, done: int, most: int, name: str = f"{side}, {encoder}") -> None:
                progress(f"{name}: {what}", done, most)

            encode(dataset, path, config, options, progress=told)
            sides.setdefault(side, {})[encoder] = path
    return sides


def sides_of(stores: Sequence[str | Path | FunctaStore]) -> Sides:
    """Sort stores by what they were made from, and by encoder.

    Stores of one modality and data set are alternatives, called after their encoders or, where two have the same, after
    their files; ``name=path`` names one. Stores of other data sets are other modalities of the same items.

    Raises
    ------
    ConfigError
        Two alternatives of one name.
    """
    read = [_Store.of(given) for given in stores]
    modalities = {store.side[0]: {other.side for other in read if other.side[0] == store.side[0]} for store in read}
    sides: Sides = {}
    for store in read:
        modality, dataset = store.side
        others = [other.kind for other in read if other.side == store.side]
        kind = store.kind if others.count(store.kind) == 1 else Path(str(store.path)).stem
        side = modality if len(modalities[modality]) == 1 else dataset or modality
        name = store.label or kind
        if name in sides.setdefault(side, {}):
            raise ConfigError(
                f"two stores of {side} are called {name!r}: {sides[side][name]} and {store.path}; expected a name for "
                "each. Write name=path to name a store."
            )
        sides[side][name] = store.path
    return sides


def sources_of(sides: Sides, folder: Path) -> dict[str, SourceLike]:
    """Give what is trained on, by encoder: stores of several modalities are linked by ID.

    Raises
    ------
    ConfigError
        The modalities have other encoders; one that has a single store goes with every encoder.
    """
    if len(sides) == 1:
        return dict(next(iter(sides.values())))
    several = {side: stores for side, stores in sides.items() if len(stores) > 1} or sides
    names = list(next(iter(several.values())))
    if any(set(stores) != set(names) for stores in several.values() if len(stores) > 1):
        told = "; ".join(f"{side}: {', '.join(stores)}" for side, stores in sides.items())
        raise ConfigError(
            f"the modalities have other encoders ({told}); expected the same of each, or one store. Write name=path to "
            "name those that belong together, or give link tables."
        )
    if all(len(stores) == 1 for stores in sides.values()):
        kinds = dict.fromkeys(name for stores in sides.values() for name in stores)
        return {"+".join(kinds): _linked({side: next(iter(stores.values())) for side, stores in sides.items()}, folder)}
    return {
        name: _linked({side: stores.get(name, next(iter(stores.values()))) for side, stores in sides.items()}, folder)
        for name in names
    }


def named_sources(given: Sequence[SourceLike] | Mapping[str, SourceLike], folder: Path) -> dict[str, SourceLike]:
    """Give what is trained on, by encoder, of stores or link tables; link tables are alternatives of each other.

    Raises
    ------
    ConfigError
        Nothing, stores beside link tables, or two link tables of one name.
    """
    if isinstance(given, Mapping):
        return dict(given)
    tables = [source for source in given if _is_table(source)]
    if not tables and given:
        return sources_of(sides_of([source for source in given if not isinstance(source, LinkTable)]), folder)
    named = [_table_name(source) for source in tables]
    if len(tables) != len(given) or len(dict(named)) != len(named):
        raise ConfigError(
            f"got {len(given)} sources, {len(tables)} of them link tables called {[name for name, _ in named]}; "
            "expected stores, or link tables of different names. Write name=path to name one."
        )
    return dict(named)


def _is_table(source: SourceLike) -> bool:
    if isinstance(source, (LinkTable, FunctaStore)):
        return isinstance(source, LinkTable)
    return is_link(_named(source)[1])


def _table_name(source: Any) -> tuple[str, SourceLike]:
    if isinstance(source, LinkTable):
        return "linked", source
    label, path = _named(source)
    return label or Path(path).stem, path


def _named(text: str | Path) -> tuple[str | None, str | Path]:
    name, equals, path = str(text).partition("=")
    return (name, path) if equals and not Path(str(text)).exists() else (None, text)


def _linked(stores: Mapping[str, Path | str], folder: Path) -> SourceLike:
    target = folder / "links" / f"{digest_of({name: str(path) for name, path in stores.items()})}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    return link(stores, on="id").save(target)
