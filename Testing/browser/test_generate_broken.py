"""What goes wrong while the engine is at work or wanted: clear words on the page, and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.review.submitting import read_mask
from Testing.browser.conftest import looked_at
from Testing.browser.review_page import LEFT, MATRIX, RIGHT, ReviewPage, two_lesions, written
from Testing.browser.windows import running_window
from Testing.drawn_heads import add_drawn_head
from Testing.engine_process import SERVE, running_engine

from pseudonormal.store.store import Store


@pytest.fixture
def its_engine(models_folder, tmp_path):
    """An engine of the test's own, to be killed."""
    with running_engine(models_folder, tmp_path / "engine", tmp_path / "store") as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def its_window(its_engine, a_head, tmp_path):
    """A window on that engine whose sample is the small head."""
    with running_window(its_engine.url, its_engine.token, tmp_path, sample=a_head.scan) as window:
        yield window


@pytest.fixture
def its_page(its_window, a_chromium):
    with looked_at(a_chromium, its_window.url, (1280, 720)) as page:
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
        places = ["--data", str(its_engine.data), "--store", str(tmp_path / "store")]
        command = [*SERVE, "--json", "--port", port, *places, "--device", "cpu"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        processes.append(process)
        assert json.loads(process.stdout.readline())["url"] == its_engine.url

    yield start
    for process in processes:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_a_cancelled_job_changes_nothing_and_an_engine_killed_in_the_next_is_named_and_works_again_when_it_is_back(
    its_page, its_engine, start_again
):
    its_page.generate()
    its_page.button("Cancel").click()
    its_page.read("Cancelled; nothing in the scene was changed")
    its_page.read("No findings yet")
    its_page.generate()
    its_page.read("finding the brain")
    kill(its_engine)
    its_page.read("The engine stopped in the middle of the work; nothing in the scene was changed.")
    its_page.page.locator(".pn-dot.bg-error").wait_for()
    its_page.read("No findings yet")
    its_page.generate()
    its_page.read("cannot be reached: there is no connection")
    start_again()
    its_page.page.locator(".pn-dot.bg-success").wait_for()
    its_page.generate()
    its_page.read("Done")
    its_page.read("1 found")


def test_an_engine_killed_while_a_mask_is_drawn_loses_nothing_and_takes_it_when_it_is_back(
    its_engine, its_window, a_chromium, start_again, tmp_path
):
    store = Store.open(tmp_path / "store")
    case = add_drawn_head(store, tmp_path, two_lesions(), MATRIX, centre=(15, 32, 28), radii=(14, 30, 26))
    store.close()
    page = ReviewPage(a_chromium.new_page(viewport={"width": 1280, "height": 720}), its_window.url)
    page.sign("Ada")
    page.take(case)
    untouched = page.volume()
    kill(its_engine)
    page.press("Paint")
    page.drag(LEFT, RIGHT)
    painted = page.volume(untouched)
    mine = written(its_window.data, lambda mask: (mask & ~two_lesions()).any())
    page.press("Save a draft")
    page.said("cannot be reached")
    assert page.volume() == painted, "what was drawn stays on the screen"
    start_again()
    page.page.locator(".pn-dot.bg-success").wait_for()
    page.press("Save a draft")
    page.said("(Draft) saved")
    client = EngineClient(its_engine.url, its_engine.token)
    head = client.case(case).history[-1]
    assert head.state == "draft" and (read_mask(client, case, head.id).array == mine).all()
    page.page.close()


def kill(engine):
    """As the operating system does when memory is short."""
    for process in (engine.worker, engine.process.pid):
        os.kill(process, signal.SIGKILL)
