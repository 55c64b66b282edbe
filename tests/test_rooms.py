"""Imports go one way: each room imports only rooms that stand before it in one order of all rooms."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()

ORDER = [
    "store",
    "fusion",
    "fusion.errors",
    "fusion.names",
    "fusion.plugins",
    "fusion.settings",
    "fusion.progress",
    "fusion.splits",
    "fusion.metrics",
    "fusion.inr",
    "fusion.modalities",
    "fusion.datasets",
    "fusion.encoders",
    "fusion.linking",
    "fusion.features",
    "fusion.estimators",
    "fusion.models",
    "fusion.comparing",
    "fusion.cluster",
    "fusion.baselines",
    "fusion.explaining",
    "fusion.reporting",
    "fusion.reproduction",
    "fusion.bench",
    "fusion.demo",
    "cli",
]
"""From the lowest to the highest."""
MOST_FLOORS = 12
LOOSE = 7


def room_of(module: str) -> str:
    """Room of a dotted module: a package or a loose module of `fusion`, or a whole top-level package."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "fusion" else parts[0]


def imports(path: Path) -> set[str]:
    """Modules of this project that a file imports, anywhere in it; names that `fusion` itself loads lazily count."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {alias.name for alias in node.names if any((ROOT / "fusion").glob(f"{alias.name}*"))}
            whole = {f"fusion.{name}" for name in names} if node.module == "fusion" else set()
            found |= whole or {node.module or ""}
    return {name for name in found if name.split(".")[0] in ("cli", "fusion", "store")}


def arrows() -> dict[str, set[str]]:
    """What each room imports of other rooms."""
    found: dict[str, set[str]] = {}
    for top in ("store", "fusion", "cli"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if parts == ("fusion", "__init__"):
                continue  # the front door: it names what it loads when it is asked for, in the order of use
            room = room_of(".".join(parts).removesuffix(".__init__"))
            found.setdefault(room, set()).update({room_of(name) for name in imports(path)} - {room})
    return found


ARROWS = arrows()


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    assert room in ORDER
    upward = {other for other in ARROWS[room] if ORDER.index(other) >= ORDER.index(room)}
    assert not upward


def modules() -> dict[str, set[str]]:
    """What each module imports of the project's modules."""
    paths = [path for top in ("store", "fusion", "cli") for path in (ROOT / top).rglob("*.py")]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    found = {name: {other for other in imports(path) if other in names} for name, path in names.items()}
    for name, path in names.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                found[name] |= {f"{node.module}.{alias.name}" for alias in node.names} & names.keys()
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    packages = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in ROOT.glob("*/**/__init__.py")}
    graph = {name: found - packages for name, found in modules().items() if name not in packages}
    TopologicalSorter(graph).prepare()  # packages load what they name when it is asked for


def test_every_room_of_the_order_is_there() -> None:
    assert set(ORDER) - {"fusion"} == set(ARROWS)


def test_there_are_few_floors_and_few_loose_modules() -> None:
    floor: dict[str, int] = {}
    for room in ORDER:
        below = [floor[other] for other in ARROWS.get(room, set()) if other.startswith("fusion.")]
        floor[room] = 1 + max(below, default=0)
    assert max(floor[room] for room in ORDER if room.startswith("fusion.")) <= MOST_FLOORS
    assert len([path for path in (ROOT / "fusion").glob("*.py") if path.name != "__init__.py"]) <= LOOSE


def test_every_room_and_module_of_the_library_is_on_the_page() -> None:
    for path in sorted((ROOT / "fusion").iterdir()):
        if path.name.startswith(("__init__", "__pycache__", ".")) or path.suffix not in ("", ".py"):
            continue
        assert path.name in PAGE, path.name
