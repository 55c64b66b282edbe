"""Read mutated copies of a sound file in a process of its own, so that a crash, a hang or a full memory is noticed."""

from __future__ import annotations

import faulthandler
import os
import resource
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from fusion.errors import SampleError
from fusion.modalities import modality_from_dict
from fusion.plugins import load_attribute

LONGEST_SECONDS = 10
MOST_BYTES = 6 << 30
MOST_RESIDENT_BYTES = 2 << 30
EXTREMES = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\0",
    b"\0\0\xc3\x50",
    b"\x50\xc3\0\0",
    b"%s%n",
]

_EXHAUSTIVE = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
places = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(1, 255)),
        st.tuples(st.just("write"), places, st.sampled_from(EXTREMES)),
        st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("delete"), places, st.integers(1, 64)),
        st.tuples(st.just("repeat"), places, st.integers(1, 64)),
        st.tuples(st.just("cut"), places, st.just(0)),
    ),
    min_size=1,
    max_size=6,
)


def mutated(content: bytes, changes: list[tuple[str, float, int | bytes]]) -> bytes:
    """Return a copy with a few changes, most of them near its beginning, where headers are."""
    found = bytearray(content)
    for kind, place, what in changes:
        at = int(place**2 * len(found))
        if kind == "flip" and found:
            found[at] ^= int(what)
        elif kind == "write":
            found[at : at + len(what)] = what
        elif kind == "insert":
            found[at:at] = what
        elif kind == "delete":
            del found[at : at + int(what)]
        elif kind == "repeat":
            found[at:at] = found[at : at + int(what)]
        elif kind == "cut":
            del found[int(place * len(found)) :]
    return bytes(found)


def with_checksums(content: bytes) -> bytes:
    """Return a PNG with right checksums, so that what was changed reaches the decoder; other files as they are."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    found, at = bytearray(content), 8
    while at + 12 <= len(found):
        (length,) = struct.unpack_from(">I", found, at)
        end = at + 8 + length
        if end + 4 > len(found):
            break
        struct.pack_into(">I", found, end, zlib.crc32(found[at + 4 : end]))
        at = end + 4
    return bytes(found)


def reading(how: str) -> Callable[[Path], None]:
    """Return what reads a file: a function, as ``module:function``, or all that the modality of that name does."""
    if ":" in how:
        found: Callable[[Path], None] = load_attribute(how)
        return found
    reader = modality_from_dict({"name": how})

    def read(path: Path) -> None:
        raw = reader.read(path)
        assert np.isfinite(reader.resolved(raw).prepare(raw)).all()

    return read


def read_mutants(how: str, source: Path, count: int) -> None:
    """Read `count` mutants; whatever is neither a sample nor a SampleError ends the process."""
    read_one, content = reading(how), source.read_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{source.suffix}"

        @settings(_EXHAUSTIVE, max_examples=count)
        @given(edits, st.booleans())
        def read(changes: list[tuple[str, float, int | bytes]], right: bool) -> None:
            mutant = mutated(content, changes)
            path.write_bytes(with_checksums(mutant) if right else mutant)
            faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
            try:
                read_one(path)
            except SampleError:
                event("refused")
            finally:
                faulthandler.cancel_dump_traceback_later()

        read()
    # Not `getrusage`, which counts what the parent held when this process began.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) << 10
    assert peak < MOST_RESIDENT_BYTES, f"{peak:,} bytes of memory"


def require_mutants_are_read(how: str, source: Path, count: int) -> None:
    """Read mutants in another process; fails with what it wrote when it crashes, hangs, fails or writes to stderr."""
    call = f"read_mutants({how!r}, pathlib.Path({str(source)!r}), {count})"
    code = f"import pathlib; from helpers.mutants import read_mutants; {call}"
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-W", "error", "-c", code]
    environment = os.environ | {"PYTHONPATH": str(tests)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tests.parents[1], env=environment)
    assert done.returncode == 0, f"{source.name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
