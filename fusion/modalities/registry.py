"""Modalities by name: those of the toolkit, and those of other distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError
from fusion.modalities.base import Modality
from fusion.plugins import MODALITIES_GROUP, listed, load_attribute, load_plugin, plugins
from fusion.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

MODALITIES = {
    "array": "fusion.modalities.gridded:ArrayModality",
    "audio": "fusion.modalities.audio:AudioModality",
    "columns": "fusion.modalities.columns:ColumnsModality",
    "image": "fusion.modalities.image:ImageModality",
    "sensor": "fusion.modalities.sensor:SensorModality",
    "vectors": "fusion.modalities.vectors:VectorsModality",
    "video": "fusion.modalities.video:VideoModality",
}


def modality_names() -> list[str]:
    """Names of all modalities, those of plug-ins too."""
    return sorted(MODALITIES.keys() | plugins(MODALITIES_GROUP).keys())


def modality_class(name: str) -> type[Modality]:
    """Look up a modality; ConfigError when there is none of that name."""
    if name in MODALITIES:
        found: Any = load_attribute(MODALITIES[name])
    elif name in plugins(MODALITIES_GROUP):
        found = load_plugin(MODALITIES_GROUP, name)
    else:
        raise ConfigError(f"modality {name!r} is not known; expected one of {listed(modality_names())}")
    if not (isinstance(found, type) and issubclass(found, Modality)):
        raise ConfigError(
            f"modality {name!r} is {found!r}; expected a subclass of fusion.modalities.Modality. Correct the plug-in."
        )
    return found


def modality_from_dict(fields: Mapping[str, Any]) -> Modality:
    """Build a modality from its name and options.

    Parameters
    ----------
    fields : mapping
        ``name`` and any of that modality's fields, as its `to_dict` writes them.

    Raises
    ------
    ConfigError
        When the name or an option is not known.
    """
    options = dict(fields)
    name = options.pop("name", None)
    return read_settings(modality_class(name), options, what=f"modality {name!r}")
