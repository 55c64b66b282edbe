from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers.browser import overflow_on_a_phone
from helpers.made_report import HOSTILE, made_report

from fusion.metrics import evaluate_predictions
from fusion.reporting.content import ModelFigures
from fusion.reporting.page import render


class Tags(HTMLParser):
    """Collects tags, what they point to, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html() -> str:
    return render(made_report())


@pytest.fixture(scope="module")
def page(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


def test_the_page_has_no_script_and_asks_nobody_for_anything(html: str, page: Tags) -> None:
    assert "script" not in page.tags
    assert all(link.startswith("data:") for link in page.links)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import", html)


def test_hostile_labels_are_text(page: Tags) -> None:
    for label in HOSTILE:
        assert label in page.text
    assert '"><img src=x onerror=alert(1)>' in page.text
    assert "a note </p><script>alert(2)</script>" in page.text


def test_the_page_says_what_was_measured(page: Tags) -> None:
    report = made_report()
    for model in report.models:
        assert f"{model.evaluation.accuracy:.1%}" in page.text
        assert model.name in page.text
    low, high = report.models[0].evaluation.accuracy_interval
    assert f"{low:.1%} to {high:.1%}" in page.text
    assert page.text.count("accuracy in each quarter of the PSNR") == 2


def test_a_report_of_one_modality_leaves_out_what_it_lacks() -> None:
    made = made_report()
    alone = type(made)(
        title="alone",
        models=made.models[1:2],
        facts=made.facts,
        branches=made.branches,
        parameters=made.parameters,
        versions=made.versions,
        created=made.created,
    )
    text = render(alone)
    assert "What each modality adds" not in text
    assert "How the modalities were joined" not in text
    assert "the original beside its reconstruction" not in text


def test_twenty_seven_classes_and_seven_models_stay_small() -> None:
    made = made_report(430, labels=tuple(f"action number {number}" for number in range(27)))
    many = type(made)(**vars(made) | {"models": list(made.models[:1]) * 7})
    assert len(render(many).encode()) < 1_500_000


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_shows_it_without_a_message(html: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "Report of &lt;b&gt;made&lt;/b&gt; figures" in shown.stdout
    assert "CONSOLE" not in shown.stderr


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_nothing_is_cut_off_on_a_phone(html: str, tmp_path: Path) -> None:
    """Only the confusion matrix may be wider than 390 pixels: it scrolls."""
    assert overflow_on_a_phone(html, tmp_path) == "page 0 wide 0."


def test_no_word_of_groups_where_there_are_none() -> None:
    made = made_report()
    truth = ["a", "b"] * 20
    alone = ModelFigures("sensor", evaluate_predictions(truth, truth))
    text = render(
        type(made)("alone", [alone], {"trained on": "9 rows"}, made.branches, "", made.versions, made.created)
    )
    assert "group" not in text.split("</style>")[1]
