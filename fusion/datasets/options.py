"""What readers take besides their source, and typed values of options that were written as text."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import partial
from json import loads
from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
_HEADING = re.compile(r"(\w+(?:, \w+)*)(?: :.*)?")


@dataclass(frozen=True)
class ReaderOption:
    """One option of a reader.

    Parameters
    ----------
    name : str
    kinds : tuple of str
        Names of the types that it takes; none where its reader does not say.
    default : object
    says : str
        What it is for.
    """

    name: str
    kinds: tuple[str, ...]
    default: Any
    says: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"kinds": list(self.kinds)}

    def typed(self, text: str) -> Any:
        """Turn text into a value.

        Raises
        ------
        ConfigError
            When it is none of the option's kinds.
        """
        if not self.kinds:
            return _json(text)
        if "None" in self.kinds and text.lower() in ("none", "null"):
            return None
        if "bool" in self.kinds:
            return self._flag(text)
        if "float" in self.kinds or "int" in self.kinds:
            return self._number(text)
        return _json(text) if text.startswith("[") else text

    def _flag(self, text: str) -> bool:
        if text.lower() not in (*_YES, *_NO):
            raise ConfigError(f"reader option {self.name} is {text!r}; expected yes or no")
        return text.lower() in _YES

    def _number(self, text: str) -> int | float:
        if re.fullmatch(r"[+-]?\d+", text.strip()):
            return int(text)
        try:
            number = float(text) if "float" in self.kinds else None
        except ValueError:
            number = None
        if number is None:
            expected = "a number" if "float" in self.kinds else "a whole number"
            raise ConfigError(f"reader option {self.name} is {text!r}; expected {expected}")
        return number


def options_of(reader: Callable[..., Any]) -> dict[str, ReaderOption]:
    """Give the options of a reader by name, in the order of its signature."""
    cls = reader.func if isinstance(reader, partial) else reader
    given = set(reader.keywords) if isinstance(reader, partial) else set()
    said = _described(inspect.getdoc(cls) or "")
    return {
        name: ReaderOption(name, _kinds(parameter.annotation), parameter.default, said.get(name, ""))
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in given
    }


def typed_options(layout: str, reader: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the names of options, and turn values that are text into what their reader takes.

    Raises
    ------
    ConfigError
        When there is no such option, with those that there are, or a value is of another kind.
    """
    known = options_of(reader)
    open_ended = _takes_any(reader)
    typed = {}
    for name, value in options.items():
        if name not in known and not open_ended:
            close = get_close_matches(name, known, n=1)
            meant = f"; did you mean {close[0]}?" if close else "."
            listed = ", ".join(known) or "none"
            raise ConfigError(f"the reader {layout!r} has no option {name!r}{meant} It takes {listed}")
        option = known.get(name, ReaderOption(name, (), None, ""))
        typed[name] = option.typed(value) if isinstance(value, str) else value
    return typed


def _takes_any(reader: Callable[..., Any]) -> bool:
    cls = reader.func if isinstance(reader, partial) else reader
    return any(item.kind is inspect.Parameter.VAR_KEYWORD for item in inspect.signature(cls).parameters.values())


def _kinds(annotation: Any) -> tuple[str, ...]:
    if annotation is inspect.Parameter.empty:
        return ()
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return tuple(part.split("[")[0].strip() for part in text.split("|"))


def _json(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def _described(doc: str) -> dict[str, str]:
    """Read what a numpydoc section of parameters says of each."""
    section = re.search(r"Parameters\n-+\n(.*?)(?=\n\n\w[^\n]*\n-+\n|\Z)", doc, re.DOTALL)
    said: dict[str, str] = {}
    names: list[str] = []
    for line in section[1].split("\n") if section else ():
        heading = _HEADING.fullmatch(line)
        if heading and not line.startswith(" "):
            names = heading[1].split(", ")
        else:
            said |= {name: f"{said.get(name, '')} {line.strip()}".strip() for name in names}
    return said
