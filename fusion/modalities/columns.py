"""Plain columns: one row of a table for each sample, numbers and categories side by side, without coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.base import Modality
from fusion.modalities.column_cells import numbers, texts
from fusion.modalities.column_choice import CategoryFacts, why_left_out
from fusion.modalities.column_facts import role_named_like
from fusion.modalities.scaling import Scaling
from fusion.modalities.tables import Part, open_table
from fusion.names import is_missing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SHOWN = 5
_NOT_ASKED = "not asked for"


@dataclass(frozen=True, eq=False)
class TableRow:
    """The cells of one row.

    Parameters
    ----------
    texts : dict of str to str or None
        By column; None where the cell is empty.
    numbers : dict of str to float
        By column; NaN where there is none.
    words : frozenset of str
        Columns whose cell holds something that is no number.
    """

    texts: dict[str, str | None]
    numbers: dict[str, float]
    words: frozenset[str]

    @classmethod
    def of(cls, raw: Any) -> TableRow:
        """Take a row as it is, a mapping of names to cells or a row of pandas; SampleError when it is none of them."""
        if isinstance(raw, TableRow):
            return raw
        if hasattr(raw, "to_dict") and hasattr(raw, "iloc"):
            raw = raw.to_dict()
        if not isinstance(raw, Mapping):
            raise SampleError("prepare", f"a row of type {type(raw).__name__}; expected a mapping of names to cells")
        import pyarrow as pa

        try:
            cells = {str(name): pa.array([None if is_missing(cell) else cell]) for name, cell in raw.items()}
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise SampleError("prepare", f"a cell is neither number nor text: {error}") from error
        several = next((name for name, cell in cells.items() if pa.types.is_nested(cell.type)), None)
        if several is not None:
            raise SampleError("prepare", f"column {several!r} holds {cells[several].type}; expected one number or text")
        found = {name: numbers(cell) for name, cell in cells.items()}
        return cls(
            {name: texts(cell)[0] for name, cell in cells.items()},
            {name: float(values[0]) for name, (values, _) in found.items()},
            frozenset(name for name, (_, words) in found.items() if words[0]),
        )


def table_rows(part: Part, names: Sequence[str], missing: Sequence[str] = ()) -> Iterator[TableRow]:
    """Give the rows of a part of a table.

    Parameters
    ----------
    part : Part
    names : sequence of str
        Columns to take.
    missing : sequence of str
        What stands for an empty cell.
    """
    cells = {name: part.text(name) for name in names}
    found = {name: part.numbers(name) for name in names}
    for row in range(part.rows):
        text = {name: None if column[row] in missing else column[row] for name, column in cells.items()}
        yield TableRow(
            text,
            {name: np.nan if text[name] is None else float(values[row]) for name, (values, _) in found.items()},
            frozenset(name for name, (_, words) in found.items() if words[row] and text[name] is not None),
        )


@dataclass(frozen=True)
class ColumnsModality(Modality):
    """Rows of a table: numbers as they are, a category as 1 at its own place and 0 at those of the others.

    A row is prepared as float64 of shape (d_out,): the numbers, then the places of each category. An empty cell is NaN,
    at every place of a category; a category that no training row has is 0 at every place.

    Parameters
    ----------
    numbers : tuple of str
        Columns of numbers; empty takes those of the training rows.
    categories : tuple of (str, tuple of str)
        Columns of categories, and the categories that training rows have.
    left_out : tuple of (str, str)
        Columns that are not taken, and why.
    asked : tuple of str
        Columns to take; empty takes all that `why_left_out` does not leave out.
    as_categories : tuple of str
        Columns whose numbers are names, such as a postcode.
    max_categories : int >= 2
        A column of more is left out, unless it is asked for.
    """

    name: ClassVar[str] = "columns"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".parquet")
    encoder: ClassVar[str] = "columns"
    looks_at_all: ClassVar[bool] = True
    numbers: tuple[str, ...] = ()
    categories: tuple[tuple[str, tuple[str, ...]], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    asked: tuple[str, ...] = ()
    as_categories: tuple[str, ...] = ()
    max_categories: int = 50

    def __post_init__(self) -> None:
        if self.max_categories < 2:
            raise ConfigError(f"max_categories is {self.max_categories}; expected 2 or more")
        strangers = [name for name in self.as_categories if self.asked and name not in self.asked]
        if strangers:
            raise ConfigError(f"column {strangers[0]!r} is to be a category, but is none of those asked for")

    @property
    def grid(self) -> tuple[int, ...]:
        return ()

    @property
    def d_out(self) -> int:
        if not self.channel_names:
            raise ConfigError("the columns are not known yet: fit the encoder on training rows")
        return len(self.numbers) + sum(len(levels) for _, levels in self.categories)

    @property
    def channel_names(self) -> tuple[str, ...]:
        return (*self.numbers, *(name for name, _ in self.categories))

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of the values of a row: of a number its column, of a category ``column=category``."""
        return (*self.numbers, *(f"{name}={level}" for name, levels in self.categories for level in levels))

    @property
    def columns_left_out(self) -> dict[str, str]:
        return dict(self.left_out)

    def resolved(self, raw: Any) -> Self:
        return self.resolved_from(iter([raw]))

    def resolved_from(self, raws: Iterable[Any]) -> Self:
        """Choose columns and categories from training rows; DataError when there is no column to take."""
        if self.channel_names:
            return self
        facts: dict[str, CategoryFacts] = {}
        refused = ""
        for raw in raws:
            try:
                row = TableRow.of(raw)
            except SampleError as error:  # encoding reports it, under its ID
                refused = refused or str(error)
                continue
            for name, text in row.texts.items():
                facts.setdefault(name, CategoryFacts(name)).add(text, row.numbers[name], word=name in row.words)
        if refused and not facts:
            raise DataError(f"no training row can be used; the first: {refused}")
        missing = [name for name in (*self.asked, *self.as_categories) if name not in facts]
        if missing:
            raise DataError(f"no column {missing[0]!r}; got {', '.join(facts) or 'no training row that can be read'}")
        reasons = {name: self._why_left_out(fact) for name, fact in facts.items()}
        self._refuse_unread(facts, reasons)
        taken = [fact for name, fact in facts.items() if not reasons[name]]
        if not taken:
            told = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:_SHOWN]) or "no training rows"
            raise DataError(f"no column can be taken ({told}); name them with --reader columns=a,b")
        words = [fact for fact in taken if not self._is_number(fact)]
        return replace(
            self,
            numbers=tuple(fact.name for fact in taken if self._is_number(fact)),
            categories=tuple((fact.name, tuple(sorted(fact.levels))) for fact in words),
            left_out=tuple((name, why) for name, why in reasons.items() if why),
        )

    def _refuse_unread(self, facts: Mapping[str, CategoryFacts], reasons: Mapping[str, str]) -> None:
        for name, fact in facts.items():
            ruled_out = name in self.as_categories or reasons[name] == _NOT_ASKED or role_named_like(name)
            if fact.means_numbers and not ruled_out:
                raise DataError(
                    f"column {name!r} holds numbers that are not read as they stand, such as "
                    f"{next(iter(fact.levels))!r}; write plain ones, say how they are written with --reader decimal=, "
                    f"or separator=; take them as names with --reader categories={name}, or name the columns to take "
                    "with --reader columns=a,b"
                )

    def _is_number(self, fact: CategoryFacts) -> bool:
        return fact.is_numeric and fact.name not in self.as_categories

    def _why_left_out(self, fact: CategoryFacts) -> str:
        if self.asked and fact.name not in self.asked:
            return _NOT_ASKED
        return why_left_out(
            fact,
            number=self._is_number(fact),
            asked=fact.name in (*self.asked, *self.as_categories),
            max_categories=self.max_categories,
        )

    def prepare(self, raw: Any) -> NDArray[Any]:
        row = TableRow.of(raw)
        missing = [name for name in self.channel_names if name not in row.texts]
        if missing:
            got, expected = ", ".join(row.texts), ", ".join(self.channel_names)
            raise SampleError("read", f"no column {missing[0]!r}; got {got}; expected {expected}")
        words = [name for name in self.numbers if name in row.words]
        if words:
            raise SampleError("prepare", f"{row.texts[words[0]]!r} in column {words[0]!r}; expected a number")
        parts = [np.array([row.numbers[name] for name in self.numbers], np.float64)]
        parts += [_places(row.texts[name], levels) for name, levels in self.categories]
        values = np.concatenate(parts)
        if np.isinf(values).any():
            name = self.value_names[int(np.argmax(np.isinf(values)))]
            raise SampleError("prepare", f"infinity in column {name!r}; expected a finite number, or an empty cell")
        if np.isnan(values).all():
            raise SampleError("prepare", f"all of {', '.join(self.channel_names)} are empty; expected one that is not")
        return values

    def fixed_scaling(self) -> Scaling:
        return Scaling(np.zeros(self.d_out, np.float32), np.ones(self.d_out, np.float32))

    def read(self, path: Path) -> TableRow:
        try:
            table = open_table(path)
            rows = [row for part in table.parts() for row in table_rows(part, table.names)]
        except DataError as error:
            raise SampleError("read", str(error).replace(str(path), path.name)) from error
        if len(rows) != 1:
            raise SampleError("read", f"{path.name} holds {len(rows)} rows; expected one, encode a table of several")
        return rows[0]

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        import csv

        if path.suffix.lower() != ".csv":
            raise DataError(f"cannot write columns as {path.suffix or 'a file without suffix'}; expected .csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.channel_names)
            writer.writerow(self.cells(prepared))

    def cells(self, prepared: NDArray[Any]) -> list[str]:
        """Give what `prepare` made, shape (d_out,), as text by column; empty where it is missing or not known."""
        numbers = ["" if np.isnan(value) else f"{value:.7g}" for value in prepared[: len(self.numbers)]]
        begin, words = len(self.numbers), []
        for _, levels in self.categories:
            places = prepared[begin : begin + len(levels)]
            words.append(levels[int(np.argmax(places))] if (places > 0.5).any() else "")
            begin += len(levels)
        return [*numbers, *words]

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:  # noqa: ARG002
        raise DataError("plain columns have no picture to compare; write them with --out row.csv")

    def measured(self, raw: Any) -> tuple[tuple[str, str], ...]:
        row = TableRow.of(raw)
        cells = ((name, row.texts.get(name), levels) for name, levels in self.categories)
        return tuple((name, text) for name, text, levels in cells if text is not None and text not in levels)

    def remarks(self, measured: Sequence[Any]) -> tuple[str, ...]:
        unseen = Counter(pair for found in measured for pair in found)
        if not unseen:
            return ()
        shown = ", ".join(f"{name}={text} ({count} rows)" for (name, text), count in unseen.most_common(_SHOWN))
        more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
        return (f"categories that no training row has are 0 at every place: {shown}{more}",)

    def remarks_on_new(self, measured: Sequence[Any]) -> tuple[str, ...]:
        return self.remarks(measured)


def _places(text: str | None, levels: Sequence[str]) -> NDArray[np.float64]:
    if text is None:
        return np.full(len(levels), np.nan)
    return np.array([float(text == level) for level in levels])
