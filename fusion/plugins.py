"""Classes that other distributions add: looked up by entry point, loaded when they are first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

MODALITIES_GROUP = "functa.modalities"
DATASETS_GROUP = "functa.datasets"


@cache
def plugins(group: str) -> dict[str, EntryPoint]:
    """Give the entry points of a group by name, none of them loaded yet."""
    return {point.name: point for point in entry_points(group=group)}


def load_plugin(group: str, name: str) -> Any:
    """Load what an entry point names; ConfigError when that fails, naming its distribution."""
    point = plugins(group)[name]
    try:
        return point.load()
    except Exception as error:
        owner = point.dist.name if point.dist is not None else "an unknown distribution"
        raise ConfigError(
            f"the plug-in {name!r} of {owner} cannot be loaded: {type(error).__name__}: {error}. "
            f"Reinstall or remove {owner}."
        ) from error


def load_attribute(reference: str) -> Any:
    """Load ``module:attribute``."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def listed(names: Iterable[str]) -> str:
    """Join names for a message."""
    return ", ".join(sorted(names))
