"""The one value that says what a store holds, replaced as a whole at every commit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

from store.columns import NO_SPLIT, Column, Kind, extra_column
from store.documents import checksum, validated
from store.errors import IntegrityError
from store.header import now

MAX_ROWS = 2**48
MAX_COUNT = 2**53


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice")
    return names


# Strict reading would take no list for a tuple, and JSON has lists only.
Names = Annotated[tuple[str, ...], Strict(strict=False), AfterValidator(_distinct)]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$")]


class ExtraColumn(BaseModel):
    """A column that a user added: its kind, and its place under ``extra/``."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    kind: Kind
    path: ColumnName


class Commit(BaseModel):
    """What a store holds; fields of later versions are carried along.

    Parameters
    ----------
    n_rows : int
        Readers trust no row at or after this one.
    generation : int
        One more at every commit.
    epoch : int
        One more whenever the rows were written anew (compact, repair), so that open readers notice.
    extra : dict
        Columns that users added, by name.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    header_sha256: str
    n_rows: int = Field(default=0, ge=0, le=MAX_ROWS)
    generation: int = Field(default=0, ge=0, le=MAX_COUNT)
    epoch: int = Field(default=0, ge=0, le=MAX_COUNT)
    label_names: Names = ()
    split_names: Names = Field(default=(), max_length=NO_SPLIT)
    group_names: Names = ()
    extra: dict[ColumnName, ExtraColumn] = Field(default_factory=dict, max_length=1000)
    finished: bool = False
    utc: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the commit with a checksum over its other fields."""
        value = self.model_dump(mode="json")
        return value | {"crc32c": checksum(value)}

    @classmethod
    def from_json(cls, value: Any, path: object) -> Commit:
        """Check and read a commit; IntegrityError when its checksum does not hold or a field cannot be."""
        if not isinstance(value, dict):
            raise IntegrityError(f"{path} has no commit record. Run `functa store repair {path}`")
        body = {name: entry for name, entry in value.items() if name != "crc32c"}
        if value.get("crc32c") != checksum(body):
            raise IntegrityError(f"the commit record of {path} is damaged. Run `functa store repair {path}`")
        return validated(cls, body, f"the commit record of {path}")

    def next(self, **changes: Any) -> Commit:
        """Make the commit after this one."""
        following = min(self.generation + 1, MAX_COUNT)
        return self.model_copy(update={"generation": following, "utc": now(), **changes})

    @classmethod
    def before_rewriting(cls, header_sha256: str, old: Commit) -> Commit:
        """Make the first commit of a store that takes the place of an old one."""
        epoch = min(old.epoch + 1, MAX_COUNT)
        return cls(header_sha256=header_sha256, generation=old.generation, epoch=epoch, utc=now())

    def extra_columns(self) -> dict[str, Column]:
        """List the columns users added, by name."""
        return {name: extra_column(entry.path, entry.kind) for name, entry in self.extra.items()}
