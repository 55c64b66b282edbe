"""Change the files of a model folder, as damage or somebody who means harm would."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the card of a model folder."""
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(card))


def sign(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its checksum."""
    (folder / name).write_bytes(content)
    rewrite(folder, lambda card: card["sha256"].update({name: hashlib.sha256(content).hexdigest()}))
