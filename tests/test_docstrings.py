"""One dialect of docstrings: numpydoc, in which every parameter and attribute has its type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "fusion").rglob("*.py"))
SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", flags=re.DOTALL | re.MULTILINE)


def entries(path: Path) -> Iterator[str]:
    """Names of parameters and attributes in a module's docstrings, with what stands beside them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for section in SECTION.findall(ast.get_docstring(node) or ""):
                yield from re.findall(r"^\S.*$", section, flags=re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_every_parameter_has_its_type(module: str) -> None:
    untyped = [entry for entry in entries(ROOT / module) if " : " not in entry and not entry.startswith("**")]
    assert not untyped


def test_entries_are_found_at_all() -> None:
    assert sum(1 for module in MODULES for _ in entries(ROOT / module)) > 500
