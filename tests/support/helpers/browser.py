"""What a browser shows of a page."""

from __future__ import annotations

import re
import subprocess
from html import escape
from pathlib import Path

_MEASURE = (
    "const page = document.querySelector('iframe').contentDocument;"
    "const wide = [...page.querySelectorAll('.wide')].filter(box => !box.querySelector('.confusion'))"
    ".filter(box => box.scrollWidth > box.clientWidth + 1);"
    "const root = page.documentElement;"
    "document.body.append(`page ${root.scrollWidth - root.clientWidth} wide ${wide.length}.`)"
)


def overflow_on_a_phone(html: str, folder: Path) -> str:
    """Give by how many pixels a page is wider than 390, and how many boxes but the confusion matrix scroll."""
    outer = folder / "outer.html"
    frame = f'<iframe width=390 height=6000 srcdoc="{escape(html, quote=True)}" onload="{escape(_MEASURE)}"></iframe>'
    outer.write_text(f"<!DOCTYPE html><body>{frame}</body>", encoding="utf-8")
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000"]
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", outer.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.findall(r"page -?\d+ wide \d+\.", shown.stdout)
    return str(found[-1]) if found else "nothing measured"
