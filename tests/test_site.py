"""The documentation site: every page has a place, every public name stands in the reference, and it builds."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from helpers.running import ROOT

NAV = [
    line.split(": ")[-1] for line in (ROOT / "mkdocs.yml").read_text().split("nav:")[1].splitlines() if ".md" in line
]


def test_every_page_of_docs_has_a_place_in_the_navigation() -> None:
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(NAV)


def test_the_settings_are_one_document_that_fails_on_warnings() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert settings["strict"] is True
    assert "offline" in settings["plugins"]


def test_every_public_name_stands_in_the_reference() -> None:
    hooks = pytest.importorskip("mkdocs") and _hooks()
    for _, rooms in hooks.ROOMS.values():
        for room in rooms:
            listed = {place.rpartition(".")[2] for place in hooks.public_places(room)}
            assert listed == set(import_module(room).__all__), room
            for place in hooks.public_places(room):
                module, _, name = place.rpartition(".")
                assert hasattr(import_module(module), name), place


def test_every_public_name_is_described_with_an_example_or_a_link_to_one() -> None:
    hooks = pytest.importorskip("mkdocs") and _hooks()
    places = [place for _, rooms in hooks.ROOMS.values() for room in rooms for place in hooks.public_places(room)]
    described = {
        place: getattr(import_module(place.rpartition(".")[0]), place.rpartition(".")[2]).__doc__ for place in places
    }
    assert not [place for place, text in described.items() if not text]
    for title, _ in hooks.ROOMS.values():
        assert (ROOT / "docs" / hooks.GUIDES[title]).exists(), title
    shown = {place for place, text in described.items() if ">>>" in text or hooks.example_of(place)}
    linked = {place for place, text in described.items() if re.search(r"See Also\n.*docs/[\w-]+\.md", text, re.DOTALL)}
    assert described.keys() == shown | linked
    assert len(shown) >= 180


def test_the_markup_of_the_terminal_is_not_shown() -> None:
    hooks = pytest.importorskip("mkdocs") and _hooks()
    assert "\\" not in hooks.command_pages().split("functa encode")[1].split("functa decode")[0].replace("\\|", "")


@pytest.mark.slow
def test_it_builds_without_a_warning_and_without_a_dead_link(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commands = (tmp_path / "site" / "commands.html").read_text()
    assert "functa store verify" in commands
    for page in set((tmp_path / "site").rglob("*.html")) - {tmp_path / "site" / "404.html"}:
        for target in re.findall(r'href="([^"#:?]+)["#?]', page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def _hooks() -> object:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return import_module("hooks")
    finally:
        sys.path.remove(str(ROOT / "docs"))
