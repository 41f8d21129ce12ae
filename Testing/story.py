"""Who acts in the whole story: somebody at 3D Slicer, and an annotator who is killed in the middle of a review.

The annotator is a process of its own: ``python -m Testing.story``, see :func:`review_until_killed`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PseudoNormalLib.engine.connection import REMOTE, Choice
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.review.bench import ReviewBench
from PseudoNormalLib.review.place import from_comment
from PseudoNormalLib.scene.case_nodes import stored_as
from PseudoNormalLib.scene.navigation import place
from PseudoNormalLib.workbench import Workbench
from Testing.strokes import stroke

PATIENCE_S = 400
HURRY = 10
"""Time goes faster for whoever ticks: the journal is written every 0.2 s, a draft saved every 2 s."""


class Sitting:
    """One start of 3D Slicer without its windows: a scene, and the logics of both modules.

    :param folder: of this user on this computer: journal, engine's log.
    :param choice: which engine.
    :ivar told: every line that the user was told because something is wrong.
    """

    def __init__(self, folder: Path, choice: Choice, name: str = "Ada") -> None:
        host = headless(folder)
        self._ticks = host.tick
        self.host = replace(host, tick=lambda callback, seconds: self._ticks(callback, seconds / HURRY))
        self.bench = Workbench(self.host)
        self.bench.connection.choose(choice)
        self.review = ReviewBench(self.bench)
        self.review.sign(name)
        self.told: list[str] = []
        self.recovered: list[str] = []
        troubles = (
            self.bench.generate.failed,
            self.bench.handover.failed,
            self.bench.connection.died,
            self.bench.connection.failed,
        )
        for trouble in (*troubles, self.review.desk.failed, self.review.worklist.failed):
            trouble.connect(self.told.append)
        self.review.desk.recovered.connect(self.recovered.extend)

    @property
    def ages(self) -> dict[str, int]:
        """Every node of the scene with the time of its last change."""
        nodes = [self.host.scene.GetNthNode(number) for number in range(self.host.scene.GetNumberOfNodes())]
        return {node.GetID(): node.GetMTime() for node in nodes}

    def until(self, condition) -> None:
        assert self._ticks.run_until(condition, PATIENCE_S), self.told

    def load(self, path: Path):
        """As from Slicer's Add Data: the volume is in view afterwards, and the module offers it."""
        image = self.host.volumes.AddArchetypeScalarVolume(str(path), path.name.partition(".")[0], 0, None)
        self.host.application_logic.GetSelectionNode().SetActiveVolumeID(image.GetID())
        self.bench.wake()
        assert self.bench.choices.values.image is image
        return image

    def generate(self, model: str = ""):
        """Press Generate and wait; the case, or None when it failed."""
        finished = []
        self.bench.generate.finished.connect(finished.append)
        self.bench.choices.update(model=model)
        self.bench.start()
        self.until(lambda: not self.bench.generate.running)
        self.bench.generate.finished.disconnect(finished.append)
        return finished[0] if finished else None

    def hand_over(self) -> str:
        """Put what was generated into the case store; the case's id."""
        case = self.bench.comparison.case
        self.bench.handover.send(case)
        self.until(lambda: stored_as(case) or self.told)
        return stored_as(case)

    def open(self, case: str):
        """Open a case for review and wait."""
        self.review.desk.open(case, self.review.annotator)
        self.until(lambda: not self.review.desk.opening)
        session = self.review.session
        assert session is not None, self.told
        session.trouble.connect(self.told.append)
        session.lost.connect(self.told.append)
        return session

    def paint(self, voxels: np.ndarray) -> None:
        """One stroke of the Segment Editor's brush, and wait until the review has noticed it.

        :param voxels: (D, H, W) bool.
        """
        editor = self.review.session.editor
        before = editor.mask
        stroke(self.host, editor.lesions, voxels)
        self.until(lambda: editor.mask is not before)

    def autosaved(self) -> None:
        """Wait until the store has what was done, without asking for it."""
        self.until(lambda: not self.review.session.drafts.unsaved)

    def finish(self, state: str, comment: str) -> None:
        """Say the last word about the open case and wait until the store has it."""
        away = []
        self.review.desk.finish(state, comment, lambda: away.append(True))
        self.until(lambda: away)

    def close(self) -> None:
        """Close Slicer, whatever is open."""
        session = self.review.session
        if session is not None:
            away = []
            self.review.desk.close(lambda: away.append(True))
            self.until(lambda: away)
        self.bench.close()
        self.host.scene.Clear(True)


def beside(session) -> np.ndarray:
    """The rim of voxels around the current finding that are not in the mask yet, (D, H, W) bool."""
    (z, y, x) = session.walk.findings[session.walk.current - 1].bounding_box
    box = np.zeros(session.editor.mask.shape, bool)
    box[tuple(slice(start - 1, stop + 1) for start, stop in (z, y, x))] = True
    return box & ~session.editor.mask


def review_until_killed(folder: Path, url: str, key: str, case: str) -> None:
    """Review a case, tell how it stands, and wait for the end.

    The steps' masks are left in ``steps.npz``; where one stands is printed as one line of JSON. By then the store has
    a draft, and this computer's journal what was done since.

    :param folder: see :class:`Sitting`.
    """
    ada = Sitting(folder, Choice(kind=REMOTE, url=url, key=key))
    ada.review.wake()
    session = ada.open(case)
    steps = {"opened": session.editor.mask}
    session.walk.go_to(1)
    session.walk.accept()
    ada.paint(beside(session))
    steps["drawn"] = session.editor.mask
    session.editor.undo()
    steps["undone"] = session.editor.mask
    session.editor.redo()
    steps["redone"] = session.editor.mask
    ada.autosaved()
    drafts = len(session.revisions)
    corner = np.zeros(steps["opened"].shape, bool)
    corner[2:5, 3:7, 4:6] = True
    ada.paint(corner)
    session.walk.next()
    steps["last"] = session.editor.mask
    ada.until(lambda: _in_journal(folder / "journal", session) or _in_store(session, drafts))
    np.savez(folder / "steps.npz", **steps)
    here = {
        "finding": session.walk.current,
        "findings": len(session.walk.findings),
        "decisions": [session.walk.decision(finding.index).value for finding in session.walk.findings],
        "place": place(ada.host.scene),
        "told": ada.told,
    }
    sys.stdout.write(json.dumps(here) + "\n")
    sys.stdout.flush()
    sys.stdin.read()  # nothing ticks any more: what is not on disk or in the store by now is lost


def _in_journal(journal: Path, session) -> bool:
    """Whether the journal has the mask and the finding that are on the screen."""
    for path in journal.glob("[!.]*.npz"):
        with suppress(FileNotFoundError), np.load(path) as entry:  # the store may just have got what is in it
            kept = from_comment(json.loads(entry["header"].tobytes())["comment"])
            voxels = np.unpackbits(entry["mask"]).sum()
            if kept.finding == session.walk.current and voxels == session.editor.mask.sum():
                return True
    return False


def _in_store(session, drafts: int) -> bool:
    """Whether a draft beyond the first ones has the finding that is on the screen."""
    return (
        len(session.revisions) > drafts and from_comment(session.revisions[-1].comment).finding == session.walk.current
    )


def kill_in_mid_review(folder: Path, url: str, key: str, case: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Have :func:`review_until_killed` run in a process of its own, and ``kill -9`` it when it has done its work.

    :returns: where the annotator stood, and the masks of the steps.
    """
    command = [sys.executable, "-m", "Testing.story", str(folder), url, key, case]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as annotator:
        line = annotator.stdout.readline()
        annotator.send_signal(signal.SIGKILL)
    assert line and annotator.returncode == -signal.SIGKILL, "it ended by itself; its stderr says why"
    with np.load(folder / "steps.npz") as steps:
        return json.loads(line), dict(steps)


if __name__ == "__main__":
    review_until_killed(Path(sys.argv[1]), *sys.argv[2:])
