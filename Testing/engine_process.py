"""A real engine for tests: ``pseudonormal serve`` in a process of its own, on a free loopback port."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 240  # a busy machine takes its time to load torch
SERVE = (sys.executable, "-m", "pseudonormal", "serve")


@dataclass(frozen=True)
class RunningEngine:
    """An engine that listens.

    :param url: for instance "http://127.0.0.1:40123", without a slash at the end.
    :param data: its data root.
    :param log: what it printed on stderr.
    """

    url: str
    token: str
    process: subprocess.Popen
    data: Path
    log: Path

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def worker(self):
        """The process number of the worker; None between two of them."""
        answer = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return int(answer.stdout.split()[0]) if answer.stdout.split() else None

    def status(self):
        request = urllib.request.Request(f"{self.url}/status", headers=self.headers)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def wait_until_ready(self):
        """Wait until the model is loaded; jobs may be sent before."""
        until = time.monotonic() + PATIENCE_S
        while self.status()["worker"] != "ready":
            assert time.monotonic() < until, f"the engine was never ready:\n{self.log.read_text()}"
            time.sleep(0.05)
        return self

    def stop(self):
        """End it politely, as an operator does."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_engine(
    models_folder: Path, data: Path, store: Path | None = None, *, program: Sequence[str] = SERVE, **options
) -> Iterator[RunningEngine]:
    """An engine that listens while the block runs; its model may still be loading.

    :param models_folder: holds the bundles that it knows; ``brain-mr`` is the one it loads.
    :param data: its data root, made if missing.
    :param store: its case store, made if missing; None: it serves none.
    :param program: what serves; Python modules in it are looked for from where the tests run.
    :param options: of ``pseudonormal serve``, for instance ``max_upload_mb=1`` or ``queue=2``.
    """
    data.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    given = {"port": 0, "data": data, "device": "cpu", "parent": os.getpid()}  # a killed test takes its engine with it
    given |= ({"store": store} if store else {}) | options
    arguments = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    environment = {
        **os.environ,
        "PSEUDONORMAL_TOKEN": token,
        "PSEUDONORMAL_MODELS": str(models_folder),
        "XDG_DATA_HOME": str(data.parent / "user"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    log = data.parent / f"{data.name}.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [*program, "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
        )
    first = process.stdout.readline()
    assert first, f"the engine did not start:\n{log.read_text()}"
    engine = RunningEngine(json.loads(first)["url"], token, process, data, log)
    try:
        yield engine
    finally:
        engine.stop()
        process.stdout.close()
