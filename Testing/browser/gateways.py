"""A real gateway for tests, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT, ROOT / "SlicerPseudoNormal" / "PseudoNormal", ROOT / "SlicerPseudoNormal" / "Web")
PATIENCE_S = 100  # a busy machine takes its time
HTML = {"Accept": "text/html"}


@dataclass
class RunningGateway:
    """A gateway that listens.

    :param address: what it printed, with the token where there is one.
    :param data: the user's data folder.
    """

    address: str
    process: subprocess.Popen
    data: Path
    log: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self):
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False)

    @property
    def url(self):
        """Without the token, and without a slash at the end."""
        return self.address.partition("/?")[0].rstrip("/")

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    def open(self):
        """Open a window, and wait until it serves; its path, such as ``/w/abc/``."""
        answer = self.client.get("/")
        assert answer.status_code == 302, answer.text
        path = answer.headers["Location"]
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return path

    def state(self, path):
        return self.client.get(f"/state/{path.split('/')[2]}").json()

    def children(self, of):
        """The numbers of its windows, or of its engine."""
        word = {"window": "--files", "engine": "--parent"}[of]
        return [number for number in below(self.process.pid) if word in command_line(number)]

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_S)


@contextmanager
def running_gateway(folder, *options, module="Testing.browser.echo_gateway", environment=None, **settings):
    """A gateway that listens while the block runs.

    :param folder: becomes the user's.
    :param options: of the command.
    :param module: ``PseudoNormalWeb.gateway`` for windows that do not only echo.
    :param settings: for windows that echo, see :class:`PseudoNormalWeb.gateway.settings.Settings`.
    """
    arguments = [json.dumps({"spare_after_s": 0.1} | settings)] if module == "Testing.browser.echo_gateway" else []
    log = folder / "gateway.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--port", "0", "--json", "--no-open", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=surroundings(folder) | (environment or {}),
        )
    first = process.stdout.readline()
    assert first, f"the gateway did not start:\n{log.read_text()}"
    gateway = RunningGateway(json.loads(first)["url"], process, folder / "PseudoNormal", log)
    try:
        yield gateway
    finally:
        gateway.client.close()
        if process.poll() is None:
            gateway.end()
        process.stdout.close()


def surroundings(folder):
    """The environment of somebody whose folder this is, and who has no model; Python finds the sources."""
    sources = os.pathsep.join(map(str, SOURCES))
    ours = {"XDG_DATA_HOME": str(folder), "PSEUDONORMAL_MODELS": str(folder), "PYTHONPATH": sources}
    return os.environ | ours | {"OMP_NUM_THREADS": "1"}


def below(number):
    """The numbers of all processes that another has started, and those that they have."""
    answer = subprocess.run(["pgrep", "-P", str(number)], capture_output=True, text=True, check=False)
    children = [int(child) for child in answer.stdout.split()]
    return children + [one for child in children for one in below(child)]


def command_line(number):
    command = ["ps", "-ww", "-o", "args=", "-p", str(number)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False).stdout


def alive(number):
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False)
    return bool(answer.stdout.strip()) and not answer.stdout.startswith("Z")


def wait_for(condition, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
    return found
