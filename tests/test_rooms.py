from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
BELOW = {
    "store": {"store"},
    "fusion/inr": {"fusion.inr", "fusion.errors"},
    "fusion/modalities": {"fusion.modalities", "fusion.errors", "fusion.plugins"},
    "fusion/datasets": {"fusion.datasets", "fusion.modalities", "fusion.errors", "fusion.plugins"},
    "fusion/encoders": {
        "fusion.encoders",
        "fusion.datasets",
        "fusion.inr",
        "fusion.modalities",
        "fusion.errors",
        "store",
    },
    "fusion/linking": {"fusion.linking", "fusion.errors", "store"},
}


def imported(folder: Path) -> set[str]:
    """Rooms that the modules of a folder import, anywhere in them."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found |= {".".join(name.split(".")[: 2 if name.startswith("fusion") else 1]) for name in names}
    return {name for name in found if name.split(".")[0] in ("cli", "fusion", "store")}


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_what_is_below_it(room: str) -> None:
    assert imported(ROOT / room) <= BELOW[room]


def test_the_library_never_imports_the_command() -> None:
    assert "cli" not in imported(ROOT / "fusion")


def test_every_room_and_module_of_the_library_is_on_the_page() -> None:
    for path in sorted((ROOT / "fusion").iterdir()):
        if path.name.startswith(("_", ".")) or path.suffix not in ("", ".py"):
            continue
        assert path.name in PAGE, path.name
