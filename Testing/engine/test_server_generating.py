"""One job in the worker: it leaves off when told to, and whatever fails becomes one line."""

from __future__ import annotations

import resource
import signal
import threading
from dataclasses import replace

import pytest
import torch

from pseudonormal.models.bundle import load_model
from pseudonormal.server.generating import Order, run
from pseudonormal.server.job import CASE
from pseudonormal.server.results import FILES


class News(list):
    """What a job told; may set the event of cancelling at a stage."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.cancelled = threading.Event()
        self._stop_at = stop_at

    def __call__(self, what, **facts):
        self.append((what, facts))
        if what == "stage" and facts["stage"] == self._stop_at:
            self.cancelled.set()

    @property
    def stages(self):
        return [facts["stage"] for what, facts in self if what == "stage"]


@pytest.fixture(scope="module")
def a_model(models_folder):
    return load_model(str(models_folder / "brain-mr"))


@pytest.fixture
def an_order(a_head, tmp_path):
    return Order({"volume": a_head.scan, "mask": a_head.mask}, tmp_path, "void", reach_mm=2.0)


def test_a_job_leaves_its_files_and_its_report(an_order, a_model):
    news = News()
    run(an_order, lambda: a_model, news, news.cancelled)
    what, facts = news[-1]
    assert what == "done" and facts["files"] == FILES
    assert sorted(path.name for path in (an_order.folder / CASE).iterdir()) == sorted(FILES.values())
    assert sorted(facts["report"]["files"]) == sorted(FILES.values())


def test_the_wide_difference_is_left_out_unless_asked_for(an_order, a_model):
    news = News()
    run(replace(an_order, reach_mm=0.0), lambda: a_model, news, news.cancelled)
    what, facts = news[-1]
    assert what == "done" and set(FILES) - set(facts["files"]) == {"wide_difference_z"}
    assert sorted(path.name for path in (an_order.folder / CASE).iterdir()) == sorted(facts["files"].values())


@pytest.mark.parametrize("stage", ["read", "foreground", "restore", "compare", "write"])
def test_a_cancelled_job_leaves_off_at_the_next_layer_or_stage(an_order, a_model, stage):
    news = News(stop_at=stage)
    run(an_order, lambda: a_model, news, news.cancelled)
    if stage == "write":  # nothing to be gained any more
        assert news[-1][0] == "done"
        return
    assert news[-1] == ("cancelled", {})
    assert news.stages[-1] == stage
    assert list(an_order.folder.iterdir()) == []
    again = News()
    run(an_order, lambda: a_model, again, again.cancelled)
    assert again[-1][0] == "done"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB\nGPU 0"), "not enough memory"),
        (ValueError("a\nb"), "a defect of PseudoNormal"),
    ],
)
def test_what_fails_becomes_one_line(an_order, error, words):
    def load():
        raise error

    news = News()
    run(an_order, load, news, news.cancelled)
    what, facts = news[-1]
    assert what == "failed" and words in facts["error"] and "\n" not in facts["error"]


def test_a_full_disk_is_said_and_nothing_stays(an_order, a_model):
    limit, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    news = News()
    try:
        run(an_order, lambda: a_model, news, news.cancelled)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, action)
    what, facts = news[-1]
    assert what == "failed" and "disk may be full" in facts["error"]
    assert str(an_order.folder) not in facts["error"]
    assert list(an_order.folder.iterdir()) == []
