"""How long a start is learned, apart from the learning itself, which loads the compiled kernel."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from fusion.errors import ConfigError
from fusion.settings import STRICT


@dataclass(frozen=True)
class MetaSettings:
    """How long a start is learned.

    Parameters
    ----------
    steps : int >= 1
        Changes of the start. Fewer are made where a network is so large that they took more than about a minute.
    batch : int >= 1
        Training samples of each change.
    inner_steps : int >= 1
        Gradient steps that the start is learned for. The fit may take others: what was learned for three serves five
        and ten within a decibel of what takes longer to learn for them, or better.
    samples : int >= 1
        Training samples to draw from.
    """

    __pydantic_config__ = STRICT

    steps: int = 400
    batch: int = 8
    inner_steps: int = 3
    samples: int = 512

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise ConfigError(f"meta {name} is {value}; expected 1 or more")
