"""``pseudonormal serve`` as a process: how it starts, says where it is, and ends with everything it started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from Testing.engine_process import SERVE, running_engine

PATIENCE_S = 120


def wait_for(condition, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def there(process):
    """Whether a process lives; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def serve(*arguments, **environment):
    """Runs the command until it ends by itself."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PSEUDONORMAL_TOKEN"}
    command = [*SERVE, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=surroundings | environment, timeout=PATIENCE_S
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "::"], "PSEUDONORMAL_TOKEN"),
        (["--host", "192.0.2.1"], "PSEUDONORMAL_TOKEN"),
        (["--port", "99999"], "--port"),
        (["--port", "x"], "--port"),
        (["--queue", "0"], "--queue"),
        (["--max-upload-mb", "0"], "--max-upload-mb"),
        (["--data", "/dev/null"], "--data"),
    ],
)
def test_wrong_usage_is_one_line(arguments, words):
    said = serve(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("pseudonormal: ") and said.stderr.count("\n") == 1
    assert words in said.stderr


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = serve("--port", taken.getsockname()[1], "--data", tmp_path)
    assert said.returncode == 2
    assert "choose another address or port" in said.stderr and said.stderr.count("\n") == 1


def test_an_address_of_another_machine_is_one_line_and_encryption_is_spoken_of(tmp_path):
    said = serve("--host", "192.0.2.1", "--data", tmp_path, PSEUDONORMAL_TOKEN="a-secret-of-mine")  # noqa: S106
    assert said.returncode == 2
    warning, error = said.stderr.splitlines()
    assert "not encrypted" in warning and "192.0.2.1" in error
    assert "a-secret-of-mine" not in said.stdout + said.stderr


def test_it_listens_before_the_slow_libraries_are_loaded(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from pseudonormal.server.app import create_app
        from pseudonormal.server.running import run
        from pseudonormal.server.settings import ServerSettings
        create_app(ServerSettings(token="t", data=Path(sys.argv[1])))
        slow = {"torch", "monai", "scipy", "skimage", "SimpleITK", "matplotlib", "numpy"} & set(sys.modules)
        assert not slow, slow
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def a_token_made_by_the_server(tmp_path, known_models):
    """What it prints without a token in its environment, and the process."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PSEUDONORMAL_TOKEN"}
    command = [*SERVE, "--json", "--data", str(tmp_path / "data"), "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=surroundings, text=True) as process:
        yield json.loads(process.stdout.readline()), process
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE_S)
        assert rest == ""


def test_without_a_token_it_makes_one_and_prints_it_once(a_token_made_by_the_server):
    facts, _ = a_token_made_by_the_server
    assert set(facts) == {"url", "token"} and len(facts["token"]) > 40
    headers = {"Authorization": f"Bearer {facts['token']}"}
    assert httpx.get(f"{facts['url']}/status", headers=headers).status_code == 200
    assert httpx.get(f"{facts['url']}/status").status_code == 401


@pytest.fixture
def an_engine(models_folder, tmp_path):
    with running_engine(models_folder, tmp_path / "data") as engine:
        yield engine


@pytest.mark.parametrize("polite", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_takes_its_worker_and_its_files_along(an_engine, polite):
    wait_for(lambda: an_engine.worker)
    worker = an_engine.worker
    answer = httpx.post(
        f"{an_engine.url}/volumes?name=a.nrrd", content=b"NRRD0004\ntype: uint8\n\n", headers=an_engine.headers
    )
    assert answer.status_code == 201
    an_engine.process.send_signal(polite)
    assert an_engine.process.wait(timeout=PATIENCE_S) == 0
    wait_for(lambda: not there(worker))
    assert list(an_engine.data.iterdir()) == []
    assert an_engine.log.read_text() == ""


def test_a_killed_server_leaves_no_worker(an_engine):
    wait_for(lambda: an_engine.worker)
    worker = an_engine.worker
    an_engine.process.kill()
    wait_for(lambda: not there(worker))


def test_it_ends_with_its_parent(models_folder, tmp_path):
    parent = subprocess.Popen(["sleep", "1000"])
    with running_engine(models_folder, tmp_path / "data", parent=parent.pid) as engine:
        wait_for(lambda: engine.worker)
        worker = engine.worker
        assert engine.status()["version"]
        parent.kill()
        parent.wait()
        assert engine.process.wait(timeout=PATIENCE_S) == 0
        wait_for(lambda: not there(worker))


def test_it_ends_with_a_parent_that_nobody_collects(models_folder, tmp_path):
    """As when the program that started it is killed and its own parent does not look after it."""
    middle = (
        "import json, subprocess, os, time\n"
        f"arguments = [*{SERVE!r}, '--json', '--parent', str(os.getpid()), '--data', {str(tmp_path / 'data')!r}]\n"
        "server = subprocess.Popen(arguments, stdout=subprocess.PIPE)\n"
        "url = json.loads(server.stdout.readline())['url']\n"
        "print(json.dumps([server.pid, url]), flush=True)\n"
        "time.sleep(1000)\n"
    )
    environment = {**os.environ, "PSEUDONORMAL_MODELS": str(models_folder)}
    with subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE, env=environment) as parent:
        server, url = json.loads(parent.stdout.readline())
        assert httpx.get(f"{url}/health").status_code == 200
        parent.kill()  # not waited for: its number stays taken
        wait_for(lambda: not there(server))


def test_it_ends_when_who_started_it_is_gone_before_it_listens(models_folder, tmp_path):
    """Its address can be told to nobody any more; once such an engine hung, unseen, for ever."""
    environment = {**os.environ, "PSEUDONORMAL_MODELS": str(models_folder)}
    gone = subprocess.Popen(["true"])
    gone.wait()
    arguments = ["--json", "--parent", str(gone.pid), "--data", str(tmp_path / "data")]
    server = subprocess.Popen([*SERVE, *arguments], stdout=subprocess.PIPE, env=environment)
    server.stdout.close()
    try:
        assert server.wait(timeout=PATIENCE_S) == 0
    finally:
        server.kill()


def test_two_servers_share_a_data_root(models_folder, tmp_path):
    with (
        running_engine(models_folder, tmp_path / "data") as one,
        running_engine(models_folder, tmp_path / "data") as two,
    ):
        sent = httpx.post(
            f"{one.url}/volumes?name=a.nrrd", content=b"NRRD0004\ntype: uint8\n\n", headers=one.headers
        ).json()
        two.stop()
        assert httpx.delete(f"{one.url}/volumes/{sent['id']}", headers=one.headers).status_code == 204


def test_a_default_model_that_is_not_there_leaves_the_rest_working(models_folder, tmp_path, a_head):
    with running_engine(models_folder, tmp_path / "data", model="magic") as engine:
        engine.wait_until_ready()
        with httpx.Client(base_url=engine.url, headers=engine.headers, timeout=60) as client:
            assert [model["default"] for model in client.get("/models").json()] == [False]
            volume = client.post("/volumes?name=a.nii.gz", content=a_head.scan.read_bytes()).json()["id"]
            job = client.post("/jobs", json={"volume": volume}).json()
            wait_for(lambda: client.get(f"/jobs/{job['id']}").json()["state"] == "failed")
            assert "'magic' is not known" in client.get(f"/jobs/{job['id']}").json()["error"]
        assert "magic" in engine.log.read_text()
