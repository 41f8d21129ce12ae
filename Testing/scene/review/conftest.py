"""What the review's tests share: a real engine with its real store, cases in it, and annotators' windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.engine.transfer import Volume, encode
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.review.desk import ReviewDesk
from PseudoNormalLib.review.journal import Journal
from Testing.scene.conftest import GRIDS, SHAPE

PATIENCE_S = 60
LIBRARY = Path(__file__).resolve().parents[3] / "SlicerPseudoNormal" / "PseudoNormal"


@pytest.fixture
def add_case(a_store, tmp_path, a_scan_array, a_lesion_mask):
    """Adds a case of its own to the store: the scan with two lesions, its pseudo-normal and difference map."""

    def add(grid="oblique", *, mask=a_lesion_mask, results=True, priority=None):
        number = a_store.cases()[1] + 1
        folder = tmp_path / f"case {number}"
        folder.mkdir()
        array = a_scan_array.copy()
        array[-1, -1, -1] += number  # the store takes the same scan once
        normal = np.where(a_lesion_mask, 500, array).astype(np.int16)
        difference = array.astype(np.float32) - normal
        volumes = {"image": array, "mask": mask}
        if results:
            volumes |= {"pseudo_normal": normal, "difference": difference, "difference_z": difference / 50}
        paths = {}
        for name, voxels in volumes.items():
            if voxels is not None:
                paths[name] = folder / f"{name}.nrrd"
                paths[name].write_bytes(encode(Volume(voxels, GRIDS[grid])))
        image, seed = paths.pop("image"), paths.pop("mask", None)
        return a_store.add_case(image, mask=seed, volumes=paths, model="brain-mr", priority=priority).id

    return add


class Window:
    """One annotator's Slicer: a scene, a desk, and what it was told."""

    def __init__(self, engine, folder, name="Ada", **seconds):
        self.name = name
        self.host = headless(folder)
        self.url = engine.url
        self.client = EngineClient(engine.url, engine.token, timeout=5)
        self.background = Background(self.host.tick)
        self.jobs = EngineJobs(self.background, lambda: self.client)
        self.journal = Journal(folder / "journal")
        self.desk = ReviewDesk(self.host, self.background, self.jobs, self.journal, **seconds)
        self.told = []
        self.desk.failed.connect(self.told.append)
        self.desk.empty.connect(lambda: self.told.append("empty"))
        self.desk.recovered.connect(lambda cases: self.told.append(("recovered", cases)))

    def until(self, condition):
        assert self.host.tick.run_until(condition, PATIENCE_S), self.told

    def open(self, case=None):
        if case is None:
            self.desk.open_next(self.name)
        else:
            self.desk.open(case, self.name)
        self.until(lambda: not self.desk.opening)
        session = self.desk.session
        if session is not None:
            session.trouble.connect(self.told.append)
            session.lost.connect(lambda line: self.told.append(("lost", line)))
        return session

    def save(self):
        """A draft, and wait for it."""
        session = self.desk.session
        session.drafts.save()
        self.until(lambda: not session.drafts.unsaved)

    def finish(self, state, comment=""):
        away = []
        self.desk.finish(state, comment, lambda: away.append(True))
        self.until(lambda: away)

    def close(self):
        away = []
        self.desk.close(lambda: away.append(True))
        self.until(lambda: away)


@pytest.fixture
def a_window(an_engine, tmp_path):
    """Makes windows that share one computer, and thus one journal."""

    def open_window(name="Ada", **seconds):
        return Window(an_engine, tmp_path / "Lékař", name, **seconds)

    return open_window


def lease_of(session):
    """The token, which a session tells nobody."""
    return session.lease._token


def block(*corner, size=4):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(start, start + size) for start in corner)] = True
    return mask
