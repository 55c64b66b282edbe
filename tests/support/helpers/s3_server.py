"""An S3 server on loopback that loses connections, answers slowly, and kills who writes to it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BUCKET = "bucket"


class S3Server:
    """What happens to the requests; moto answers them."""

    def __init__(self) -> None:
        self.address = ""
        self.puts = 0
        self.before_put: Callable[[int], None] = lambda number: None
        self.lost: Callable[[int], bool] = lambda number: False
        self.slow = 0.0
        self.read: set[str] = set()
        self._requests = 0
        self._counting = threading.Lock()

    def __call__(self, environ: dict[str, Any], answer: Any) -> Any:
        with self._counting:
            self._requests += 1
            number = self._requests
            if environ["REQUEST_METHOD"] == "PUT":
                self.puts += 1
                self.before_put(self.puts)
            elif environ["REQUEST_METHOD"] == "GET":
                self.read.add(environ["PATH_INFO"])
        time.sleep(self.slow)
        if self.lost(2 * number):
            answer("500 Lost", [])
            return self._lose(environ)
        found = self._app(environ, answer)
        return self._lose(environ) if self.lost(2 * number + 1) else found

    @staticmethod
    def _lose(environ: dict[str, Any]) -> Any:
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return []

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def _app(self) -> Any:
        from moto.server import DomainDispatcherApplication, create_backend_app

        if not hasattr(self, "_made"):
            self._made = DomainDispatcherApplication(create_backend_app)
        return self._made


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Serve an empty bucket."""
    import logging

    import boto3
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    rules = S3Server()
    server = make_server("127.0.0.1", 0, rules, threaded=True)
    rules.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        boto3.client(
            "s3",
            endpoint_url=rules.address,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - there is nothing to protect
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)
        yield rules
    finally:
        server.shutdown()
        thread.join()


def killer(process: Any, at: int) -> Callable[[int], None]:
    """Kill a process with the PUT of a number."""

    def kill(number: int) -> None:
        if number == at:
            os.kill(process.pid, signal.SIGKILL)

    return kill
