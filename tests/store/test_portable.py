"""Nothing that only POSIX has is needed to import the packages or to keep a store."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.running import ROOT

from store import portable

OWN = sorted(path for room in ("fusion", "store", "cli") for path in (ROOT / room).rglob("*.py"))
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog"}
NAMES = {
    "os": {
        *("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "O_SYNC", "preadv", "pread", "pwrite", "pwritev"),
        *("fork", "getuid", "geteuid", "fchmod", "mkfifo", "sched_getaffinity", "posix_fadvise", "killpg", "setsid"),
    },
    "signal": {"SIGHUP", "SIGKILL", "SIGALRM", "pthread_sigmask", "SIG_BLOCK", "SIG_SETMASK", "setitimer"},
}


def posix_only(tree: ast.Module) -> Iterator[str]:
    """Names of modules that a module imports when it is imported, and of attributes that it needs then."""
    for node in _run_on_import(tree):
        if isinstance(node, ast.Import):
            yield from MODULES & {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from {f"{node.value.id}.{node.attr}"} if node.attr in NAMES.get(node.value.id, ()) else ()


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over all but the bodies of functions, whose defaults belong to it, and what a failed import is told by."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from ast.walk(child.args)
            continue
        if isinstance(child, ast.Try) and any("ImportError" in ast.dump(handler) for handler in child.handlers):
            continue
        yield child
        yield from _run_on_import(child)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_importing_a_module_needs_nothing_that_only_posix_has(path: Path) -> None:
    assert not [*posix_only(ast.parse(path.read_text()))]


def test_what_is_looked_for_is_found() -> None:
    told = "import fcntl\nFLAGS = os.O_NOFOLLOW\ndef f(flags=os.O_CLOEXEC):\n    os.fork()\n"
    assert [*posix_only(ast.parse(told))] == ["fcntl", "os.O_NOFOLLOW", "os.O_CLOEXEC"]
    assert not [*posix_only(ast.parse("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n"))]


def on_a_system_without(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests" / "support")))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=200)


def test_every_module_is_imported_where_posix_is_not() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in OWN if path.name != "__init__.py"]
    wanted = [name for name in names if not name.startswith(("fusion.cluster", "fusion.inr.cuda", "store.testing"))]
    code = f"import helpers.posixless, importlib\nfor name in {wanted}: importlib.import_module(name)\nprint('done')"
    done = on_a_system_without("-c", code)
    assert done.stdout.strip() == "done", done.stderr


def test_the_contract_of_stores_is_kept_where_posix_is_not() -> None:
    done = on_a_system_without(
        *("-m", "pytest", "-p", "helpers.posixless", "-p", "no:cacheprovider", "-n", "0", "-q"),
        "tests/store/test_contract.py",
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert " passed" in done.stdout


def test_reading_and_writing_at_an_offset_without_the_calls_of_posix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("preadv", "pwrite"):
        monkeypatch.delattr(os, name, raising=False)
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        assert portable.write_from(descriptor, memoryview(b"abcdef"), 2) == 6
        view = memoryview(bytearray(4))
        assert portable.read_into(descriptor, view, 3) == 4
        assert bytes(view) == b"bcde"
        assert portable.read_into(descriptor, view, 8) == 0
    finally:
        os.close(descriptor)
