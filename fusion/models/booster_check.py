"""Keeps a booster that XGBoost's parser dies of from taking this process with it.

XGBoost trusts the files it reads: of mutated ones some end the process. So a booster that was not written on this
machine is first parsed in a process of its own. Which ones passed is remembered by their checksums, so that this second
is spent once.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

__all__ = ["remember", "why_not"]

_PATIENCE_SECONDS = 120


def why_not(content: bytes) -> str:
    """Say why a booster must not be loaded here; nothing when it may be.

    Parameters
    ----------
    content : bytes
        Of the booster's file.
    """
    if _mark(content).exists():
        return ""
    reason = _tried_apart(content)
    if not reason:
        remember(content)
    return reason


def remember(content: bytes) -> None:
    """Note that a booster does no harm: it was made here, or parsed before."""
    with suppress(OSError):
        _mark(content).parent.mkdir(parents=True, exist_ok=True)
        _mark(content).touch()


def _mark(content: bytes) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    parser = f"xgboost-{version('xgboost')}"
    return Path(cache, "functa-fusion", "boosters", parser, hashlib.sha256(content).hexdigest())


def _tried_apart(content: bytes) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "fusion.models.booster_child"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=content, capture_output=True, env=environment, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"XGBoost did not come to an end with it in {_PATIENCE_SECONDS} s"
    if done.returncode < 0:
        return f"it ends the process that reads it ({signal.Signals(-done.returncode).name})"
    if done.returncode:
        said = (done.stdout or done.stderr).decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else f"exit code {done.returncode}"
    return ""
