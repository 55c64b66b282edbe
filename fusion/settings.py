"""Frozen settings and their plain values: the one way in which a configuration is written, read and refused."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, fields
from functools import cache
from operator import index
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SettingsT = TypeVar("SettingsT")

_reader: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
"""What a settings dataclass sets as `__pydantic_config__`: unknown fields are refused."""


def plain_values(settings: Any) -> dict[str, Any]:
    """Give the fields of a settings dataclass as plain JSON values; tuples become lists."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return values


def read_settings(cls: type[SettingsT], values: Mapping[str, Any], *, what: str) -> SettingsT:
    """Read what `plain_values` gave, or a user's part of it; fields left out take their defaults.

    Parameters
    ----------
    cls : type
        Dataclass with `STRICT`; what its ``__post_init__`` refuses is passed on.
    values : mapping of str to object
        Plain JSON values by field.
    what : str
        What is being read, for messages.

    Raises
    ------
    ConfigError
        A field is unknown, missing, of another type or out of range.

    Examples
    --------
    >>> from fusion.inr import FitSettings
    >>> read_settings(FitSettings, {"steps": 20}, what="fit").steps
    20
    >>> read_settings(FitSettings, {"steps": "20"}, what="fit")
    Traceback (most recent call last):
    fusion.errors.ConfigError: fit option steps is '20'; expected a valid integer
    """
    try:
        read: SettingsT = _reader(cls).validate_json(json.dumps(dict(values), default=_plain), strict=True)
    except ValidationError as error:
        raise _refused(cls, error, what) from error
    except TypeError as error:
        raise ConfigError(f"{what} options cannot be read: {error}; expected numbers, text and lists") from error
    return read


def require(name: str, value: Any, holds: Callable[[Any], object], expected: str) -> None:
    """Refuse a setting that does not hold, or of whose type that cannot be asked.

    Raises
    ------
    ConfigError
        Saying what was got and what was expected.

    Examples
    --------
    >>> require("seeds", 1.5, at_least(1), "how often to train, 1 or more")
    Traceback (most recent call last):
    fusion.errors.ConfigError: seeds is 1.5; expected how often to train, 1 or more.
    """
    try:
        good = bool(holds(value))
    except (TypeError, ValueError, AttributeError):
        good = False
    if not good:
        raise ConfigError(f"{name} is {value!r}; expected {expected}.")


def at_least(least: int) -> Callable[[Any], bool]:
    """Give what asks of a value whether it is a whole number of any type, `least` or more; for `require`."""
    return lambda value: index(value) >= least


def or_none(holds: Callable[[Any], object]) -> Callable[[Any], object]:
    """Give what also lets None through; for `require`."""
    return lambda value: value is None or holds(value)


def digest_of(values: Any) -> str:
    """Give a short name that plain values share only with equal ones: 16 hexadecimal digits.

    Examples
    --------
    >>> digest_of({"a": 1, "b": None}) == digest_of({"b": None, "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def read_toml(path: Path) -> dict[str, Any]:
    """Read settings from a TOML file; ConfigError when it is missing or is not TOML."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"configuration file {path} does not exist") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path} cannot be read: {error}") from error


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} is no plain value")


def _refused(cls: type[Any], error: ValidationError, what: str) -> ConfigError:
    first = error.errors()[0]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, ConfigError):
        return own
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "unexpected_keyword_argument":
        known = ", ".join(item.name for item in fields(cls) if item.init)
        return ConfigError(f"unknown {what} option {place}; expected some of {known}")
    if first["type"] in ("missing", "missing_argument"):
        return ConfigError(f"{what} lacks {place}; expected it")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return ConfigError(f"{what} option {place} is {first['input']!r}; expected {expected}")
