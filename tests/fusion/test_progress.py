from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fusion.progress import progress_bar


class ZMQInteractiveShell:
    """What a kernel's shell is called."""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a notebook around the test; gives what its cell showed, one after the other."""
    texts: list[str] = []
    handle = SimpleNamespace(update=texts.append)

    def display(text: str, display_id: bool) -> Any:
        texts.append(text)
        return handle

    ipython, pages = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    pages.HTML, pages.display = str, display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", pages)
    return texts


def test_a_notebook_has_one_place_that_changes(shown: list[str]) -> None:
    with progress_bar() as progress:
        progress("encoding <b>", 0, 12)
        for done in range(13):
            progress("encoding <b>", done, 12)
    assert shown[0] == "starting"
    assert 'value="12" max="12"' in shown[-1]
    assert "encoding &lt;b&gt;" in shown[-1]
    assert len(shown) < 6


def test_nothing_to_do_is_told(shown: list[str]) -> None:
    with progress_bar():
        pass
    assert shown == ["starting", "nothing to do"]


def test_a_terminal_has_rich_s_bar_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as progress:
        progress("train", 1, 3)
        progress("evaluate", 0, 0)
    told = capsys.readouterr()
    assert told.out == ""
