"""How groups of commands show their help."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class CommandList(TyperGroup):
    """A command a line, without boxes: to load what draws them takes as long as all else that ``--help`` does."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"rich_markup_mode": None})
