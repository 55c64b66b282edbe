"""How one functa per sample is fitted, as one frozen, hashable value; the store keeps it whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

from fusion.encoders.encoder import EncoderConfig, ModalityField
from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, Initialiser, LayoutEntry, named_architecture
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings

Initialisation = Literal["class-average", "random", "meta"]


@dataclass(frozen=True)
class FunctaConfig(EncoderConfig):
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

    modality: ModalityField
    architecture: str = "paper"
    omegas: tuple[float, ...] | None = None
    fit: FitSettings = field(default_factory=FitSettings)
    initialisation: Initialisation = "class-average"
    samples_per_class: int = 2
    psnr_floor: float | None = None
    seed: int = 42
    meta: MetaSettings | None = None
    initialiser: Initialiser | None = None

    kind: ClassVar[str] = "functa"

    def __post_init__(self) -> None:
        super().__post_init__()
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
    def learns_start(self) -> bool:
        """Whether the start is averaged or learned, not drawn."""
        return self.initialisation != "random"

    def fits_to_learn(self, classes: int) -> int:
        """Count the samples that the averaged start is made of."""
        return self.samples_per_class * classes if self.initialisation == "class-average" else 0

    def without_learning(self) -> FunctaConfig:
        """Give the same fits from a random start, which take as long as from a learned one."""
        return replace(self, initialisation="random", meta=None)

    def in_learning_steps(self, steps: int) -> FunctaConfig | None:
        """Give the same configuration with so many changes of the meta start."""
        return None if self.meta is None else replace(self, meta=replace(self.meta, steps=steps))

    def learning_steps(self) -> int:
        """Count the changes of the meta start that its time allows."""
        from fusion.inr.meta import affordable_changes

        return 0 if self.meta is None else affordable_changes(self.network(), self.modality.coordinates(), self.meta)

    @property
    def learning_samples(self) -> int:
        """How many samples the meta start is learned from at most."""
        return 0 if self.meta is None else self.meta.samples

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside a functa."""
        return self.network().layout

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, which network a functa is."""
        return {"architecture": self.network().to_dict()}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; options that older stores lack are left out where they are not used."""
        unused = {name for name in ("meta", "initialiser") if getattr(self, name) is None}
        return {name: value for name, value in super().to_dict().items() if name not in unused}
