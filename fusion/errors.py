"""The errors of the toolkit: one root, one class per thing that a caller can do about it.

``FusionError`` is defined in ``store.errors``, because the store imports nothing from here; every error of either
package descends from it and carries the exit code that the command line ends with.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


class NameTakenError(ImportError):
    """Another file or package stands under the name of one of ours, `store` or `cli`."""


def require_ours(*names: str) -> None:
    """Refuse to go on where a file or another distribution took the name of a package of this one.

    Raises
    ------
    NameTakenError
        Naming the file that stands in the way.
    """
    for name in names:
        ours = Path(__file__).parents[1] / name / "__init__.py"
        loaded = getattr(sys.modules.get(name), "__file__", None)
        spec = None if loaded else find_spec(name)
        found = loaded or (spec.origin if spec is not None else None)
        if found is None or Path(found).resolve() != ours.resolve():
            raise NameTakenError(
                f"functa-fusion needs its own package {name!r} at {ours.parent}, but Python finds "
                f"{found or 'none'} under that name; rename or move that file, or reinstall functa-fusion."
            )
        if b"functa-fusion" not in ours.read_bytes():
            raise NameTakenError(
                f"{ours} is not functa-fusion's: another distribution named {name!r} was installed over it; "
                f"uninstall that one, then reinstall functa-fusion."
            )


require_ours("store")  # what is imported next would fail in a way that does not say why

from store.errors import (  # noqa: E402
    FusionError,
    IntegrityError,
    StoreError,
    StoreFormatError,
    StoreLockedError,
    StoreMismatchError,
    UnknownIDError,
)

__all__ = [
    "ConfigError",
    "DataError",
    "EngineWarning",
    "FusionError",
    "IntegrityError",
    "ModelError",
    "NameTakenError",
    "OtherSourceError",
    "SampleError",
    "StoreError",
    "StoreFormatError",
    "StoreLockedError",
    "StoreMismatchError",
    "UnknownIDError",
    "require_ours",
]


class ConfigError(FusionError, ValueError):
    """A setting is unknown, out of range, or contradicts another one.

    Also a ``ValueError``, which is what scikit-learn's tools expect of an estimator.
    """

    exit_code = 2


class DataError(FusionError, ValueError):
    """A source of samples, or what was stored of it, cannot be used for what was asked.

    Also a ``ValueError``, which is what scikit-learn's tools expect of an estimator.
    """


class OtherSourceError(DataError):
    """A worker on another machine cannot read the source, or finds other samples in it."""


class EngineWarning(UserWarning):
    """Fits run elsewhere than one may expect, and why."""


class ModelError(FusionError):
    """A model folder is damaged, foreign or newer, or does not fit the data given to it."""


class SampleError(FusionError):
    """One sample cannot be used; the run goes on and keeps the reason with the sample's ID.

    Parameters
    ----------
    stage : str
        Where it failed: "read", "prepare", "fit".
    reason : str
        What was found and what was expected, in one line.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(stage, reason)
        self.stage = stage
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.stage}: {self.reason}"
