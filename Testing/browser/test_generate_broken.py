"""What goes wrong while a pseudo-normal is generated: clear words on the page, and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from Testing.browser.conftest import looked_at
from Testing.browser.windows import running_window
from Testing.engine_process import SERVE, running_engine


@pytest.fixture
def its_engine(models_folder, tmp_path):
    """An engine of the test's own, to be killed."""
    with running_engine(models_folder, tmp_path / "engine") as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def its_page(its_engine, a_chromium, tmp_path):
    """A window on that engine with the project's sample, a whole brain, which takes a while."""
    with (
        running_window(its_engine.url, its_engine.token, tmp_path) as window,
        looked_at(a_chromium, window.url, (1280, 720)) as page,
    ):
        yield page


@pytest.fixture
def start_again(its_engine, models_folder, tmp_path):
    """Starts the engine anew on its port, as the gateway does."""
    processes = []

    def start():
        port = its_engine.url.rpartition(":")[2]
        environment = {
            **os.environ,
            "PSEUDONORMAL_TOKEN": its_engine.token,
            "PSEUDONORMAL_MODELS": str(models_folder),
            "XDG_DATA_HOME": str(tmp_path / "user"),
            "OMP_NUM_THREADS": "1",
        }
        command = [*SERVE, "--json", "--port", port, "--data", str(its_engine.data), "--device", "cpu"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        processes.append(process)
        assert json.loads(process.stdout.readline())["url"] == its_engine.url

    yield start
    for process in processes:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_a_cancelled_job_leaves_everything_as_it_was_and_the_next_one_can_begin(its_page):
    its_page.generate()
    its_page.button("Cancel").click()
    its_page.read("Cancelled; nothing in the scene was changed")
    its_page.read("No findings yet")
    its_page.generate()
    its_page.button("Cancel").wait_for()


def test_an_engine_killed_in_mid_job_is_named_and_works_again_when_it_is_back(its_page, its_engine, start_again):
    its_page.generate()
    its_page.read("finding the brain")
    for process in (its_engine.worker, its_engine.process.pid):
        os.kill(process, signal.SIGKILL)
    its_page.read("The engine stopped in the middle of the work; nothing in the scene was changed.")
    its_page.page.locator(".pn-dot.bg-error").wait_for()
    its_page.read("Sample brain T1")
    its_page.generate()
    its_page.read("cannot be reached: there is no connection")
    start_again()
    its_page.page.locator(".pn-dot.bg-success").wait_for()
    its_page.generate()
    its_page.read("finding the brain")  # the new engine is at work
