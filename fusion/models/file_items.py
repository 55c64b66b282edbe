"""Which raw files belong together, and to which modality of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fusion.errors import ConfigError

__all__ = ["FileItem", "grouped"]

FileItem = dict[str, Path]
"""Files of one item by branch name."""


def grouped(
    files: Sequence[str | Path | Mapping[str, str | Path]], suffixes: Mapping[str, Sequence[str]]
) -> list[FileItem]:
    """Put files to branches and to items.

    Parameters
    ----------
    files : sequence of path or mapping of str to path
        A mapping of branch name to path is an item as it stands. A path belongs to the one branch that reads its
        suffix; ``name=path`` says which, where several do. Of a model of one branch each path is an item. Of several
        branches the paths are one item if no branch gets two; else files of the same name without suffix (and without
        ``_name`` or ``-name`` of their branch at its end) are an item.
    suffixes : mapping of str to sequence of str
        Of the files that each branch reads.

    Raises
    ------
    ConfigError
        No branch or several read a file, or an item has two files of one branch.

    Examples
    --------
    >>> suffixes = {"sensor": [".csv"], "video": [".mp4"]}
    >>> for item in grouped(["one.csv", "one.mp4", "two.csv"], suffixes):
    ...     print({name: str(path) for name, path in item.items()})
    {'sensor': 'one.csv', 'video': 'one.mp4'}
    {'sensor': 'two.csv'}
    """
    items = [_checked(item, suffixes) for item in files if isinstance(item, Mapping)]
    pairs = [_branch_of(file, suffixes) for file in files if not isinstance(file, Mapping)]
    branches = [name for name, _ in pairs]
    if len(suffixes) == 1:
        return items + [{name: path} for name, path in pairs]
    if len(set(branches)) == len(branches):
        return items + ([dict(pairs)] if pairs else [])
    named: dict[str, FileItem] = {}
    for name, path in pairs:
        item = named.setdefault(_stem(name, path), {})
        if name in item:
            raise ConfigError(
                f"{item[name]} and {path} are both the {name!r} of item {_stem(name, path)!r}; expected one file of "
                "each modality. Name the files of an item alike, and those of others differently."
            )
        item[name] = path
    return items + list(named.values())


def _checked(item: Mapping[str, str | Path], suffixes: Mapping[str, Sequence[str]]) -> FileItem:
    unknown = sorted(set(item) - set(suffixes))
    if unknown or not item:
        raise ConfigError(
            f"an item names the modalities {', '.join(map(repr, unknown)) or 'none'}; the model has "
            f"{', '.join(map(repr, suffixes))}."
        )
    return {name: Path(path) for name, path in item.items()}


def _branch_of(file: str | Path, suffixes: Mapping[str, Sequence[str]]) -> tuple[str, Path]:
    name, separator, rest = str(file).partition("=")
    if separator and name in suffixes and isinstance(file, str):
        return name, Path(rest)
    path = Path(file)
    if len(suffixes) == 1:
        return next(iter(suffixes)), path
    able = [name for name, known in suffixes.items() if path.suffix.lower() in known]
    if len(able) == 1:
        return able[0], path
    reason = f"is read by {' and '.join(map(repr, able))}" if able else "is read by none of them"
    raise ConfigError(
        f"it cannot be told to which modality {path} belongs: the model has {', '.join(map(repr, suffixes))}, and "
        f"{path.suffix or 'no suffix'} {reason}. Write name=path, such as {next(iter(suffixes))}={path}."
    )


def _stem(name: str, path: Path) -> str:
    stem = path.stem
    for mark in "_-.":
        stem = stem.removesuffix(f"{mark}{name}")
    return stem
