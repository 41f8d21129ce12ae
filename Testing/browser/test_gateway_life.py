"""The gateway from its start to its end: the engine that it keeps, what is left when it is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from Testing.browser.gateways import (
    HTML,
    PATIENCE_S,
    alive,
    below,
    command_line,
    running_gateway,
    surroundings,
    wait_for,
)

ENGINE = [sys.executable, "-m", "pseudonormal"]


def option(number, name):
    words = command_line(number).split()
    return words[words.index(name) + 1]


def answers(number):
    """Whether an engine answers, to the token in its windows' environment too."""
    try:
        return httpx.get(f"http://127.0.0.1:{option(number, '--port')}/health", trust_env=False).status_code == 200
    except (httpx.HTTPError, ValueError):
        return False


def environment_of(number, name):
    entries = Path(f"/proc/{number}/environ").read_text(encoding="utf-8").split("\0")
    return next(entry.partition("=")[2] for entry in entries if entry.startswith(f"{name}="))


def test_an_engine_that_was_killed_is_started_again_at_the_same_address_with_the_same_token(tmp_path):
    with running_gateway(tmp_path, "--device", "cpu", "--store", str(tmp_path / "store"), engine=ENGINE) as gateway:
        engine = wait_for(lambda: [one for one in gateway.children("engine") if answers(one)])[0]
        window = gateway.open()
        number = gateway.client.get(window).json()["pid"]
        address, token = option(number, "--engine"), environment_of(number, "PSEUDONORMAL_TOKEN")
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{address}/status", headers=headers, trust_env=False).json()["store"] is True
        os.kill(engine, signal.SIGKILL)
        again = wait_for(lambda: [one for one in gateway.children("engine") if one != engine and answers(one)])[0]
        assert again != engine
        assert httpx.get(f"{address}/status", headers=headers, trust_env=False).status_code == 200
        assert "ended unexpectedly (signal 9); it is being started again" in gateway.log.read_text()
        assert gateway.client.get(window).json()["pid"] == number
        for answer in (gateway.client.get("/"), gateway.client.get(window), gateway.client.get(window, headers=HTML)):
            assert token not in str(answer.headers) + answer.text  # no browser ever sees it
        everybody = below(gateway.process.pid)
        assert gateway.end() == 0
        wait_for(lambda: not any(alive(one) for one in everybody))
        assert token not in gateway.log.read_text()


def test_killed_it_leaves_no_process_behind(tmp_path):
    with running_gateway(tmp_path, engine=ENGINE) as gateway:
        gateway.open()
        wait_for(lambda: gateway.children("engine") and len(gateway.children("window")) == 2)  # and the spare one
        everybody = below(gateway.process.pid)
        gateway.process.kill()
        gateway.process.wait()
        wait_for(lambda: not any(alive(one) for one in everybody))
        assert (gateway.data / "saved.txt").exists()
    left = set((tmp_path / "PseudoNormal" / "web" / "files").iterdir())
    assert left
    with running_gateway(tmp_path):
        assert not left & set((tmp_path / "PseudoNormal" / "web" / "files").iterdir())  # somebody's scans


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_has_its_windows_save_and_ends_well(tmp_path, number):
    with running_gateway(tmp_path) as gateway:
        window = gateway.client.get(gateway.open()).json()["pid"]
        everybody = below(gateway.process.pid)
        gateway.process.send_signal(number)
        assert gateway.process.wait(timeout=PATIENCE_S) == 0
        assert not any(alive(one) for one in everybody)
        assert str(window) in (gateway.data / "saved.txt").read_text().split()
        assert gateway.log.read_text() == ""
        assert list((gateway.data / "web" / "files").iterdir()) == []


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = command(tmp_path, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "choose another --port" in done.stderr


def test_an_address_that_is_not_ours_is_told_in_one_line(tmp_path):
    done = command(tmp_path, "--host", "192.0.2.1", "--port", "0")
    assert done.returncode == 2
    assert "--host 192.0.2.1 --port 0: cannot be listened on" in done.stderr


def test_too_short_a_token_is_told_in_one_line(tmp_path):
    done = command(tmp_path, "--port", "0", PSEUDONORMAL_WEB_TOKEN="short")  # noqa: S106
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "at least 16" in done.stderr


def command(folder, *options, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pseudonormal", "web", "--no-open", *options],
        env=surroundings(folder) | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_without_the_browsers_libraries_what_to_install_is_told(tmp_path):
    """As after ``pip install pseudonormal``."""
    without = (
        "import sys, importlib.util; find = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name: None if name == 'trame_slicer' else find(name); "
        "from pseudonormal.cli.main import main; sys.exit(main(['web']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without],
        env=surroundings(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and 'pip install "pseudonormal[web]"' in done.stderr


def test_what_it_starts_with_is_quick_to_load():
    loaded = subprocess.run(
        [sys.executable, "-c", "import json, sys, PseudoNormalWeb.gateway.command; print(json.dumps([*sys.modules]))"],
        env=surroundings(os.devnull), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"slicer", "vtk", "trame", "torch", "numpy", "pseudonormal"} & set(json.loads(loaded.stdout))
