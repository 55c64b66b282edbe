"""What an encoder does, as one frozen, hashable value; the store keeps it whole."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, Initialiser, LayoutEntry, named_architecture
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities import Modality, modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Initialisation = Literal["class-average", "random", "meta"]


@dataclass(frozen=True)
class FunctaConfig:
    """How one functa per sample is fitted.

    Parameters
    ----------
    modality : Modality
        Its sizes may be open until `resolved`.
    architecture : str
        ``paper``, ``siren``, ``paper-half`` or ``siren-half``.
    omegas : tuple of float or None
        Frequency of each hidden layer; None keeps the architecture's own.
    fit : FitSettings
    initialisation : {"class-average", "random", "meta"}
        The shared start: ``class-average`` is the paper's (Section 5.1.2), ``random`` its starting point; ``meta`` is
        learned together with a step size for each weight, which take the place of Adam and of the fit's learning rate.
    samples_per_class : int >= 1
        Training samples of each class that the averaged start is made of.
    psnr_floor : float or None
        A functa below this many dB is kept with status "below the PSNR floor".
    seed : int
        Seed of the random start and of the choice of samples to learn from.
    meta : MetaSettings or None
        How the ``meta`` start is learned; None for the others.
    initialiser : {"keras", "siren"} or None
        Distribution of the random start; None keeps the architecture's own, which is ``keras`` for ``paper``. With
        ``siren`` many steps reach twice the decibels: see `fusion.inr.initialisation.random_start`. The ``meta`` start
        is learned from a SIREN's in any case.
    """

    modality: Modality
    architecture: str = "paper"
    omegas: tuple[float, ...] | None = None
    fit: FitSettings = field(default_factory=FitSettings)
    initialisation: Initialisation = "class-average"
    samples_per_class: int = 2
    psnr_floor: float | None = None
    seed: int = 42
    meta: MetaSettings | None = None
    initialiser: Initialiser | None = None

    kind = "functa"

    def __post_init__(self) -> None:
        if self.omegas is not None:
            object.__setattr__(self, "omegas", tuple(float(omega) for omega in self.omegas))
        if self.initialisation not in get_args(Initialisation):
            raise ConfigError(
                f"initialisation {self.initialisation!r}; expected one of {', '.join(get_args(Initialisation))}"
            )
        if self.samples_per_class < 1:
            raise ConfigError(f"samples_per_class is {self.samples_per_class}; expected 1 or more")
        if self.initialisation == "meta" and self.meta is None:
            object.__setattr__(self, "meta", MetaSettings())
        if self.initialisation != "meta" and self.meta is not None:
            raise ConfigError(
                f"meta settings for the initialisation {self.initialisation!r}; expected them with 'meta'"
            )
        self._architecture(1, 1)

    def network(self) -> Architecture:
        """Give the architecture with the modality's input and output sizes."""
        return self._architecture(self.modality.d_in, self.modality.d_out)

    def _architecture(self, d_in: int, d_out: int) -> Architecture:
        named = named_architecture(self.architecture, d_in, d_out, self.omegas)
        return named if self.initialiser is None else replace(named, initialiser=self.initialiser)

    @property
    def learns(self) -> bool:
        """Whether anything but sizes is learned from training samples: the scaling or the start."""
        return self.initialisation != "random" or self.modality.fixed_scaling() is None

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside a functa."""
        return self.network().layout

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, which network a functa is."""
        return {"architecture": self.network().to_dict()}

    def with_modality(self, modality: Modality) -> FunctaConfig:
        """Give the same configuration for a modality whose sizes are known."""
        return replace(self, modality=modality)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        plain = asdict(self) | {"modality": self.modality.to_dict(), "fit": self.fit.to_dict()}
        for name in ("meta", "initialiser"):
            if plain[name] is None:
                del plain[name]
        return {"kind": self.kind, **plain, "omegas": None if self.omegas is None else list(self.omegas)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FunctaConfig:
        """Read what `to_dict` wrote, or a user's subset of it.

        Raises
        ------
        ConfigError
            When an option is unknown, missing or out of range.
        """
        options = checked_options(cls, values)
        if options.get("meta") is not None:
            options["meta"] = MetaSettings.from_dict(options["meta"])
        if options.get("omegas") is not None:
            options["omegas"] = tuple(options["omegas"])
        return cls(**options)

    def sha256(self) -> str:
        """Hash of the whole configuration, in hex."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def checked_options(cls: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options that every kind of encoder has, and refuse those that `cls`, a configuration, has not."""
    options = dict(values)
    kind = options.pop("kind", cls.kind)
    if kind != cls.kind:
        raise ConfigError(f"encoder {kind!r} is not known; expected {cls.kind!r}")
    known = [item.name for item in fields(cls)]
    unknown = sorted(options.keys() - set(known))
    if unknown:
        raise ConfigError(f"unknown encoder option {', '.join(unknown)}; expected some of {', '.join(known)}")
    if "modality" not in options:
        raise ConfigError("the encoder configuration names no modality")
    options["modality"] = modality_from_dict(options["modality"])
    if "fit" in options:
        options["fit"] = FitSettings.from_dict(options["fit"])
    return options


def read_config_file(path: Path) -> dict[str, Any]:
    """Read encoder options from a TOML file: the fields of a configuration, with tables ``modality`` and ``fit``.

    Raises
    ------
    ConfigError
        When the file is missing or is not TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"configuration file {path} does not exist") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path} cannot be read: {error}") from error
