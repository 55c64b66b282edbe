"""A Dask scheduler and workers on this machine fill a collection; the workers write its parts themselves.

Everything listens on 127.0.0.1 only. Run it with ``python examples/cluster/encode_on_loopback.py SOURCE STORE.functas
--workers 2 OPTION...``: what follows is passed on to `functa encode`. It says how many bytes the client exchanged with
the scheduler.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path


def start(stack: ExitStack, what: str, *options: str) -> None:
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options, "--host", "127.0.0.1", "--no-dashboard"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - Dask's own programs
    stack.callback(process.wait)
    stack.callback(process.terminate)


def address_in(file: Path) -> str:
    for _ in range(600):
        if file.exists() and file.stat().st_size:
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.1)
    raise SystemExit("the scheduler did not start")


async def through_meter(address: str, arguments: list[str]) -> tuple[int, int]:
    """Run `functa encode` behind a port that counts what passes; give its exit code and the bytes."""
    host, port = address.removeprefix("tcp://").split(":")
    passed = 0

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal passed
        while data := await reader.read(1 << 16):
            passed += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as meter:
        front = f"tcp://127.0.0.1:{meter.sockets[0].getsockname()[1]}"
        command = [
            sys.executable,
            "-c",
            "from cli.main import main; main()",
            "encode",
            *arguments,
            "--scheduler",
            front,
        ]
        process = await asyncio.create_subprocess_exec(*command)
        return await process.wait(), passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("store")
    parser.add_argument("--workers", type=int, default=2)
    options, more = parser.parse_known_args()
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "scheduler.json"
        start(stack, "scheduler", "--scheduler-file", str(file), "--port", "0")
        for _ in range(options.workers):
            start(stack, "worker", "--scheduler-file", str(file), "--nthreads", "1")
        started = time.perf_counter()
        code, passed = asyncio.run(through_meter(address_in(file), [options.source, "--store", options.store, *more]))
        seconds = time.perf_counter() - started
        print(f"{options.workers} workers: {seconds:.1f} s; {passed / 1e3:.0f} kB between client and scheduler")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
