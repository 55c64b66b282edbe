"""How tests run the real command, and what they all pass to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENCODE = ("--modality", "sensor", "--dataset", "uci-har", "--architecture", "paper-half", "--workers", "1")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def error_line(self) -> str:
        """Return the one line on stderr that a user sees."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


Functa = Callable[..., Outcome]


def flip_a_byte(store: Path) -> None:
    """Damage one byte in the middle of a Zarr store's functas."""
    chunks = (path for path in (store / "functas").rglob("*") if path.is_file())
    chunk = max(chunks, key=lambda path: path.stat().st_size)
    content = bytearray(chunk.read_bytes())
    content[2000] ^= 1
    chunk.write_bytes(content)
