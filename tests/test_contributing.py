"""The pages for whoever changes the project: what they point to is there, and they agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
CHANGES = (ROOT / "CHANGELOG.md").read_text()
TOLD = ("README.md", "docs/public-data.md", "docs/predicting.md")
WHERE = re.findall(r'^\| "(.+)" \| `(.+)` \|$', PAGE, flags=re.MULTILINE)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("sentence", "module"), WHERE)
def test_each_sentence_that_users_read_leads_to_one_module(sentence: str, module: str) -> None:
    assert sum(one_line((ROOT / name).read_text()).count(sentence) for name in TOLD) == 1
    assert (ROOT / module).is_file()


def test_fifteen_sentences_lead_to_as_many_modules() -> None:
    assert len(WHERE) == len({module for _, module in WHERE}) == 15


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"])
def test_every_file_a_page_names_exists(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(((?!http|#)[^)]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", re.findall(r"`((?:tests|fusion|cli|\.ci)/[^`]*)`", PAGE))
def test_every_path_contributing_names_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_changes_are_told_newest_first_and_up_to_this_version() -> None:
    versions = re.findall(r"^## (\S+)", CHANGES, flags=re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert versions[1] == VERSION
    kinds = set(re.findall(r"^### (\w+)", CHANGES, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_what_is_to_be_cited_is_this_version_and_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == VERSION
    assert f"## {VERSION} - {citation['date-released']}" in CHANGES
    (paper,) = citation["references"]
    assert one_line(paper["title"]) in one_line((ROOT / "README.md").read_text()).replace("*", "")


def test_hooks_check_what_the_last_check_does() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook["entry"].replace(" --force-exclude", "") for hook in local["hooks"]]
    last = (ROOT / ".ci" / "run").read_text().splitlines()[-3:]
    assert hooks == [line.removesuffix(" .") for line in last]
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_every_module_of_the_table_of_libraries_exists() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().partition("## Hand-written or library")[2]
    modules = re.findall(r"`((?:fusion|store|cli)/[^`]+\.py)`", table)
    assert len(modules) >= 10
    for module in modules:
        assert (ROOT / module).is_file(), module
