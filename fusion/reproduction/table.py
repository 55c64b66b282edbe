"""What a reproduction finds: rows of measured beside claimed, and the checks that say whether to trust them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fusion.metrics import mean_accuracy_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Result:
    """One model on one data set.

    Parameters
    ----------
    model : str
        As the paper names it, or what it is.
    measured : float in [0, 1]
        Accuracy.
    interval : tuple of two floats or None
        95 %: over groups where the test rows have them, over folds in a cross-validation.
    paper : float or None
        What the paper claims.
    psnr, paper_psnr : float or None
        Mean over all rows in dB, measured and claimed.
    seconds : float
        Encoding and training.
    rows_train, rows_test : int
    note : str
        What a reader should know of this row.
    control : bool
        It stands beside functas and is none.
    stores : mapping of str to float
        Seconds of encoding by store, which other rows may share; a part of `seconds`.
    extra : mapping
        Further figures, such as the accuracy of each fold.
    """

    model: str
    measured: float
    interval: tuple[float, float] | None
    paper: float | None
    psnr: float | None
    seconds: float
    rows_train: int
    rows_test: int
    paper_psnr: float | None = None
    note: str = ""
    control: bool = False
    stores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] | None = None

    def noted(self, text: str) -> Self:
        """Return the same with more to know of it."""
        return replace(self, note=f"{self.note}; {text}" if self.note else text)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"interval": None if self.interval is None else list(self.interval)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        known = {item.name for item in fields(cls)}
        interval = values.get("interval")
        return cls(
            **{name: value for name, value in values.items() if name in known}
            | {"interval": None if interval is None else (interval[0], interval[1])}
        )


def mean_result(model: str, results: Sequence[Result], *, paper: float | None = None, **told: Any) -> Result:
    """Give the mean over splits or folds as one row, with Student's interval; `told` are fields of `Result`.

    Its seconds are those of all of them; its rows the mean of one.
    """
    accuracies = [result.measured for result in results]
    decibels = [result.psnr for result in results if result.psnr is not None]
    return Result(
        model=model,
        measured=float(np.mean(accuracies)),
        interval=mean_accuracy_interval(accuracies),
        paper=paper,
        psnr=float(np.mean(decibels)) if decibels else None,
        seconds=sum(result.seconds for result in results),
        rows_train=round(np.mean([result.rows_train for result in results])),
        rows_test=round(np.mean([result.rows_test for result in results])),
        stores={name: seconds for result in results for name, seconds in result.stores.items()},
        extra={"each": accuracies},
        **told,
    )


@dataclass(frozen=True)
class Check:
    """One question of the leakage audit.

    Parameters
    ----------
    question : str
    found : str
        The figure, in words.
    passed : bool or None
        None where the figure is for the reader to judge.
    values : mapping
        The figures.
    """

    question: str
    found: str
    passed: bool | None
    values: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**values)

    def about(self, name: str) -> Check:
        """Give the same answer with what the question is about before it, unless that is nothing."""
        return replace(self, question=f"{name}: {self.question}") if name else self


@dataclass(frozen=True)
class Table:
    """One of the paper's tables, measured.

    Parameters
    ----------
    name, title : str
    protocol : str
        Which rows are trained on and which are tested.
    differs : str
        What is not as in the paper: partial data, other settings.
    results : tuple of Result
    audit : tuple of Check
    command : str
        What makes this table.
    pictures : mapping of str to str
        Caption of each picture by its file's name.
    extra : mapping
        Further figures, such as a rank correlation.
    """

    name: str
    title: str
    protocol: str
    differs: str
    results: tuple[Result, ...]
    audit: tuple[Check, ...]
    command: str
    pictures: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ahead(self) -> tuple[Result, Result] | None:
        """The best control and the best row of functas, where the control is ahead of it."""
        controls = [result for result in self.results if result.control]
        functas = [result for result in self.results if not result.control]
        if not controls or not functas:
            return None
        control, functa = (max(rows, key=lambda result: result.measured) for rows in (controls, functas))
        return (control, functa) if control.measured > functa.measured else None

    @property
    def seconds(self) -> float:
        """Of all rows together, a store that several of them share counted once."""
        stores = {name: seconds for result in self.results for name, seconds in result.stores.items()}
        return sum(stores.values()) + sum(result.seconds - sum(result.stores.values()) for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; ``table`` holds the rows."""
        return {
            "name": self.name,
            "title": self.title,
            "protocol": self.protocol,
            "differs": self.differs,
            "table": [result.to_dict() for result in self.results],
            "audit": [check.to_dict() for check in self.audit],
            "command": self.command,
            "pictures": dict(self.pictures),
            "extra": dict(self.extra),
            "seconds": self.seconds,
        }
