from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fusion.errors import ConfigError
from fusion.settings import STRICT, at_least, or_none, plain_values, read_settings, read_toml, require


@dataclass(frozen=True)
class Inner:
    __pydantic_config__ = STRICT
    rate: float = 0.5


@dataclass(frozen=True)
class Made:
    """Settings as an encoder's are."""

    __pydantic_config__ = STRICT
    steps: int
    sizes: tuple[int, ...] | None = None
    inner: Inner = Inner()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"steps is {self.steps}; expected 1 or more")


def read(**values: object) -> Made:
    return read_settings(Made, values, what="made")


def test_settings_come_back_from_plain_values() -> None:
    for made in (Made(3), Made(3, (4, 5), Inner(0.25))):
        assert read_settings(Made, plain_values(made), what="made") == made
    assert plain_values(Made(3, (4, 5))) == {"steps": 3, "sizes": [4, 5], "inner": {"rate": 0.5}}


def test_a_part_is_enough_and_numbers_of_numpy_are_numbers() -> None:
    assert read(steps=np.int64(2), inner={"rate": np.float32(0.5)}) == Made(2)
    assert read(steps=2, inner={"rate": 1}) == Made(2, inner=Inner(1.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "made lacks steps; expected it"),
        ({"steps": 1, "stepz": 2}, "unknown made option stepz; expected some of steps, sizes, inner"),
        ({"steps": "3"}, "made option steps is '3'; expected a valid integer"),
        ({"steps": 1.5}, "made option steps is 1.5; expected a valid integer"),
        ({"steps": True}, "made option steps is True; expected a valid integer"),
        ({"steps": 1, "sizes": [1, "2"]}, "made option sizes.1 is '2'; expected a valid integer"),
        ({"steps": 1, "inner": {"rate": "fast"}}, "made option inner.rate is 'fast'; expected a valid number"),
        ({"steps": 0}, "steps is 0; expected 1 or more"),
        ({"steps": object()}, "cannot be read: .* is no plain value"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(**values)


@pytest.mark.parametrize("content", [b"steps = ", b"\xff\xfe", b"[a]\n[a]\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"configuration file .*s\.toml cannot be read"):
        read_toml(tmp_path / "s.toml")
    with pytest.raises(ConfigError, match=r"configuration file .*none\.toml does not exist"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "s.toml").write_text("steps = 3\n[inner]\nrate = 0.25\n")
    assert read(**read_toml(tmp_path / "s.toml")) == Made(3, inner=Inner(0.25))


@pytest.mark.parametrize("value", [0, 1.5, "x", None, [1]])
def test_what_does_not_hold_or_cannot_be_asked_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^seeds is {re.escape(repr(value))}; expected 1 or more\.$"):
        require("seeds", value, at_least(1), "1 or more")


def test_whole_numbers_of_every_type_hold() -> None:
    for value in (1, np.int64(3), np.uint8(1), None):
        require("seeds", value, or_none(at_least(1)), "1 or more")
