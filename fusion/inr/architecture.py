"""Architectures as data: layer sizes, frequencies, activation, and the layout of the flat weight vector."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fusion.errors import ConfigError
from fusion.settings import STRICT, plain_values, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OutputActivation = Literal["sigmoid", "linear"]
Initialiser = Literal["keras", "siren"]
LayoutEntry = tuple[str, tuple[int, ...], int]

_MAX_WIDTH = 1 << 16


@dataclass(frozen=True)
class Architecture:
    """A fully connected INR: sine hidden layers and one output layer.

    Layer `l` computes ``sin(omega_l * (x @ kernel_l + bias_l))``; the output layer is a sigmoid or linear.

    Parameters
    ----------
    d_in : int >= 1
        Number of coordinates: 1 for sound and sensors, 2 for images, 3 for video (paper, Table 6).
    d_out : int >= 1
        Number of values at each coordinate.
    hidden : tuple of int
        Units of each hidden layer.
    omegas : tuple of float > 0
        Frequency of each hidden layer, as many as `hidden`.
    output : {"sigmoid", "linear"}
        Activation of the output layer.
    initialiser : {"keras", "siren"}
        Distribution of the random start, see `fusion.inr.initialisation.random_start`.

    Examples
    --------
    >>> network = Architecture(d_in=1, d_out=2, hidden=(4, 3), omegas=(30.0, 1.0))
    >>> network.size
    31
    >>> network.layout[:2]
    (('dense_0/kernel', (1, 4), 0), ('dense_0/bias', (4,), 4))
    """

    __pydantic_config__ = STRICT

    d_in: int
    d_out: int
    hidden: tuple[int, ...]
    omegas: tuple[float, ...]
    output: OutputActivation = "sigmoid"
    initialiser: Initialiser = "keras"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        object.__setattr__(self, "omegas", tuple(float(omega) for omega in self.omegas))
        _check(self)

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of every layer, input and output included."""
        return (self.d_in, *self.hidden, self.d_out)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(fan in, fan out) of every layer."""
        return tuple(zip(self.widths[:-1], self.widths[1:], strict=True))

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside the flat vector.

        A kernel is followed by its bias, so that both together read as one matrix of shape (fan_in + 1, fan_out).
        """
        entries: list[LayoutEntry] = []
        offset = 0
        for index, (fan_in, fan_out) in enumerate(self.layers):
            entries.append((f"dense_{index}/kernel", (fan_in, fan_out), offset))
            entries.append((f"dense_{index}/bias", (fan_out,), offset + fan_in * fan_out))
            offset += (fan_in + 1) * fan_out
        return tuple(entries)

    @property
    def size(self) -> int:
        """Length k of the weight vector."""
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in self.layers)

    @property
    def flops_per_coordinate(self) -> int:
        """Multiplications and additions of the matrix products in one training step, for one coordinate.

        Forward, gradient of the weights, and gradient of the activations (not needed for the first layer).
        """
        products = [2 * fan_in * fan_out for fan_in, fan_out in self.layers]
        return 3 * sum(products) - products[0]

    def half(self) -> Architecture:
        """Give the same architecture with every hidden layer halved (paper, Section 7 and Table 5)."""
        fields = asdict(self) | {"hidden": tuple(max(1, width // 2) for width in self.hidden)}
        return Architecture(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Fields as plain JSON values; `from_dict` reads them back."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Architecture:
        """Read what `to_dict` wrote; ConfigError when a field is missing, unknown or out of range."""
        return read_settings(cls, values, what="architecture")


def _check(architecture: Architecture) -> None:
    if not architecture.hidden or any(not 1 <= width <= _MAX_WIDTH for width in architecture.widths):
        raise ConfigError(
            f"layer widths {architecture.widths}: expected a hidden layer or more and widths between 1 and {_MAX_WIDTH}"
        )
    if len(architecture.omegas) != len(architecture.hidden):
        raise ConfigError(
            f"{len(architecture.omegas)} omegas for {len(architecture.hidden)} hidden layers: expected one for each"
        )
    if not all(np.isfinite(omega) and omega > 0 for omega in architecture.omegas):
        raise ConfigError(f"omegas {architecture.omegas}: expected finite numbers above 0")
    if architecture.output not in ("sigmoid", "linear"):
        raise ConfigError(f"output activation {architecture.output!r}: expected 'sigmoid' or 'linear'")
    if architecture.initialiser not in ("keras", "siren"):
        raise ConfigError(f"initialiser {architecture.initialiser!r}: expected 'keras' or 'siren'")


def paper(d_in: int, d_out: int, *, omegas: tuple[float, float] = (30.0, 1.0)) -> Architecture:
    """Build the paper's best network: Dense 128 sine, Dense 64 sine, sigmoid output (Section 10.1).

    The paper gives a frequency of 30 for the first layer and none for the second; the default keeps the second at 1.
    """
    return Architecture(d_in=d_in, d_out=d_out, hidden=(128, 64), omegas=omegas)


def siren(d_in: int, d_out: int) -> Architecture:
    """Build the paper's SIREN baseline: five Dense 64 sine (30, 1, 1, 1, 1) and a linear output (Section 10.2)."""
    return Architecture(
        d_in=d_in,
        d_out=d_out,
        hidden=(64,) * 5,
        omegas=(30.0, 1.0, 1.0, 1.0, 1.0),
        output="linear",
        initialiser="siren",
    )


def sines(d_in: int, d_out: int, hidden: tuple[int, ...], omega: float) -> Architecture:
    """Build a SIREN of any hidden widths with one frequency in all of its layers and a linear output."""
    return Architecture(d_in, d_out, hidden, (omega,) * len(hidden), output="linear", initialiser="siren")


def named_architecture(name: str, d_in: int, d_out: int, omegas: tuple[float, ...] | None = None) -> Architecture:
    """Build `paper`, `siren`, `paper-half` or `siren-half` for given input and output sizes.

    Raises
    ------
    ConfigError
        When the name is not one of these.
    """
    builders = {"paper": paper, "siren": siren}
    base, _, variant = name.partition("-")
    if base not in builders or variant not in ("", "half"):
        known = ", ".join(sorted([*builders, *(f"{known}-half" for known in builders)]))
        raise ConfigError(f"architecture {name!r} is not known; expected one of {known}")
    architecture = builders[base](d_in, d_out)
    if omegas is not None:
        architecture = Architecture(**asdict(architecture) | {"omegas": omegas})
    return architecture.half() if variant else architecture


def flatten(arrays: Mapping[str, NDArray[Any]], layout: tuple[LayoutEntry, ...]) -> NDArray[np.float32]:
    """Join named arrays into vectors.

    Parameters
    ----------
    arrays : mapping of name to array, shape=(..., *shape)
        One array for each entry of the layout, all with the same leading dimensions.
    layout : tuple of (name, shape, offset)

    Returns
    -------
    NDArray, shape=(..., k)

    Raises
    ------
    ConfigError
        When an array is missing or has another shape than the layout says.

    Examples
    --------
    >>> layout = (("kernel", (2, 1), 0), ("bias", (1,), 2))
    >>> flatten({"kernel": [[1], [2]], "bias": [3]}, layout)
    array([1., 2., 3.], dtype=float32)
    """
    parts = []
    for name, shape, _ in layout:
        if name not in arrays:
            raise ConfigError(f"no array named {name!r}; got {sorted(arrays)}")
        array = np.asarray(arrays[name], dtype=np.float32)
        if array.shape[array.ndim - len(shape) :] != tuple(shape):
            raise ConfigError(f"array {name!r} has shape {array.shape}; expected it to end in {tuple(shape)}")
        parts.append(array.reshape(*array.shape[: array.ndim - len(shape)], -1))
    return np.concatenate(parts, axis=-1)


def unflatten(vector: NDArray[Any], layout: tuple[LayoutEntry, ...]) -> dict[str, NDArray[Any]]:
    """Split vectors of shape (..., k) into named arrays of shape (..., *shape), without copying.

    Raises
    ------
    ConfigError
        When the last dimension is not the layout's length.

    Examples
    --------
    >>> layout = (("kernel", (2, 1), 0), ("bias", (1,), 2))
    >>> unflatten(np.array([1, 2, 3]), layout)
    {'kernel': array([[1],
           [2]]), 'bias': array([3])}
    """
    name, shape, offset = layout[-1]
    size = offset + int(np.prod(shape))
    if vector.shape[-1] != size:
        raise ConfigError(f"weight vector of length {vector.shape[-1]}: the layout ending in {name!r} needs {size}")
    return {
        name: vector[..., offset : offset + int(np.prod(shape))].reshape(*vector.shape[:-1], *shape)
        for name, shape, offset in layout
    }
