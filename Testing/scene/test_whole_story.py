"""The whole story of the extension on a real scan: generate, look, correct, be killed, resume, accept.

Nothing stands in for anything: the engine is a real process with a real store, the annotator who is killed is another,
the scan is the brain that nilearn ships, and the logics are those of the panels.

A small model that knows what is bright does the work, on the part of the brain around the lesions, so that this is
quick. ``PSEUDONORMAL_STORY_MODEL=brain-mr`` takes the shipped model of that name and the whole brain instead.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PseudoNormalLib.engine.connection import LOCAL, REMOTE, Choice
from PseudoNormalLib.review.journal import Journal
from PseudoNormalLib.scene.case_nodes import report_of
from PseudoNormalLib.scene.findings import findings_from_report
from PseudoNormalLib.scene.layout import slice_nodes
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.navigation import jump_to_finding, place
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras
from scipy import ndimage
from Testing.engine_process import running_engine
from Testing.scene.conftest import tilted
from Testing.sick_brain import LESIONS, sick_brain
from Testing.story import Sitting, kill_in_mid_review

MODEL = os.environ.get("PSEUDONORMAL_STORY_MODEL", "")
SHIPPED_MODELS = Path(__file__).resolve().parents[2] / "Resources" / "models"
BRIGHTNESS = 1.0 if MODEL else 2.5  # the template's brightest voxel is 1; the small model sees the glaring alone
CENTRE_RAS, SIZE_MM = ((0, -18, 8), (150, 188, 156)) if MODEL else ((-1, -7, 30), (84, 84, 64))
GRIDS = {
    "RAS": ("Données de Zoë", np.diag([2.0, 2.0, 2.0, 1.0])),
    "oblique": ("Größe – schräg", tilted(17, -31, (2.2, 2.0, 3.0), (0, 0, 0))),
    "LPS": ("Lékař 脳", np.diag([-2.0, -2.0, 2.0, 1.0])),
}
"""A folder's name, and the matrix from voxel index to RAS mm but for the origin."""

pytestmark = pytest.mark.timeout(900)  # machines may be busy; on an idle one the file takes under a minute


@pytest.fixture(scope="module")
def a_sick_brain():
    """MNI152 T1 with two bright lesions: array (D, H, W) and its matrix from (i, j, k, 1) to RAS mm, 1 mm."""
    return sick_brain(BRIGHTNESS)


@pytest.fixture
def write_scan(a_sick_brain, tmp_path):
    """Writes the brain as it would lie on another scanner's grid; the path of the file."""

    def write(grid):
        name, matrix = GRIDS[grid]
        brain, affine = a_sick_brain
        shape = [round(mm / edge) for mm, edge in zip(SIZE_MM, np.linalg.norm(matrix[:3, :3], axis=0), strict=True)]
        matrix = matrix.copy()
        matrix[:3, 3] = CENTRE_RAS - matrix[:3, :3] @ (np.array(shape) - 1) / 2
        to_brain = np.linalg.inv(affine) @ matrix
        voxels = ndimage.affine_transform(brain.T, to_brain[:3, :3], to_brain[:3, 3], output_shape=shape, order=1)
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "Schädel-MRT.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.rint(400 * voxels).astype(np.int16), matrix), path)
        return path

    return write


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """The real engine with a case store."""
    folder = tmp_path_factory.mktemp("Ärztezentrum")
    models = SHIPPED_MODELS if MODEL else models_folder
    with running_engine(models, folder / "data", folder / "store") as engine:
        yield engine


@pytest.fixture
def sit_down():
    """Starts Slicers without windows; all are closed with the test."""
    sittings = []

    def begin(*given):
        sittings.append(Sitting(*given))
        return sittings[-1]

    yield begin
    for sitting in sittings:
        sitting.close()


def look_at_findings(sitting, case, voxels):
    """What was generated is right, and the views go to a finding; the engine's mask and how many findings it has."""
    seed, normal = mask_of(case.lesions, case.image), array_of(case.pseudo_normal)
    np.testing.assert_array_equal(normal[~seed], voxels[~seed])
    assert (normal[seed] < voxels[seed]).mean() > 0.9, "what glared is gone"
    findings = findings_from_report(report_of(case))
    for centre in LESIONS:
        distance, nearest = min((np.linalg.norm(np.subtract(one.centroid_ras, centre)), one) for one in findings)
        assert distance < 15 and nearest.peak_z > 5 and nearest.side == ("left" if centre[0] < 0 else "right")
    there = findings[1].centroid_ras
    jump_to_finding(case.image, findings[1])
    assert place(sitting.host.scene) == pytest.approx(there)
    views = slice_nodes(sitting.host.scene)
    assert len(views) >= 3
    for view in views:
        x, y, z, _ = view.GetSliceToRAS().MultiplyPoint((0, 0, 0, 1))
        normal = [view.GetSliceToRAS().GetElement(row, 2) for row in range(3)]
        assert np.subtract(there, (x, y, z)) @ normal == pytest.approx(0, abs=1e-3)
    return seed, len(findings)


@pytest.fixture
def read_back(tmp_path):
    """Reads a file of the store with a library that did not write it: voxels (D, H, W), matrix to RAS mm."""

    def read(content):
        path = tmp_path / "stored.nii.gz"
        path.write_bytes(content)
        stored = nibabel.load(path)
        return np.asarray(stored.dataobj).T, stored.affine

    return read


@pytest.mark.parametrize("grid", GRIDS)
def test_the_whole_story(an_engine, write_scan, sit_down, read_back, command, grid):
    scan = write_scan(grid)
    on_disk = nibabel.load(scan)
    voxels = np.asarray(on_disk.dataobj).T
    engine = Choice(kind=REMOTE, url=an_engine.url, key=an_engine.token)

    # A radiologist imports the scan, generates, goes to a finding, and puts the case into the store.
    grace = sit_down(scan.parent / "Grace", engine, "Grace")
    image = grace.load(scan)
    np.testing.assert_array_equal(array_of(image), voxels)
    np.testing.assert_allclose(ijk_to_ras(image), on_disk.affine, atol=1e-4)
    case = grace.generate(MODEL)
    assert case is not None, grace.told
    seed, found = look_at_findings(grace, case, voxels)
    identity = grace.hand_over()

    # Ada opens it, draws, undoes, redoes, is saved without asking, draws on, and is killed.
    there, steps = kill_in_mid_review(scan.parent, an_engine.url, an_engine.token, identity)
    np.testing.assert_array_equal(steps["opened"], seed)
    assert (steps["drawn"] >= seed).all() and steps["drawn"].sum() > seed.sum()
    np.testing.assert_array_equal(steps["undone"], seed)
    np.testing.assert_array_equal(steps["redone"], steps["drawn"])
    assert (steps["last"] & ~steps["drawn"]).any()
    assert there["told"] == [] and there["findings"] > found

    # She starts again. What only her computer knew is brought in, all is as it was, and she accepts.
    ada = sit_down(scan.parent, engine)
    store = ada.bench.connection.client()
    in_store = [revision.state for revision in store.case(identity).history]
    assert in_store[:2] == ["seed", "draft"]
    left_behind = Journal(scan.parent / "journal").owners()
    ada.review.wake()
    ada.until(lambda: len(ada.recovered) == len(left_behind))
    session = ada.open(identity)
    np.testing.assert_array_equal(session.editor.mask, steps["last"])
    assert (session.walk.current, len(session.walk.findings)) == (there["finding"], there["findings"])
    assert [session.walk.decision(number + 1).value for number in range(there["findings"])] == there["decisions"]
    assert place(ada.host.scene) == pytest.approx(there["place"], abs=0.01)
    ada.finish("accepted", "klar begrenzt; größer als gedacht")
    assert ada.told == grace.told == []

    # The store has it voxel for voxel with its whole history, and is in order.
    history = store.case(identity).history
    assert [revision.state for revision in history] == [*in_store, *["draft"] * len(left_behind), "accepted"]
    assert {revision.author for revision in history[1:]} == {"Ada"}
    assert [revision.parent for revision in history[1:]] == [revision.id for revision in history[:-1]]
    assert history[-1].comment == "klar begrenzt; größer als gedacht"
    for content, expected in (
        (store.revision_mask(identity, history[-1].id), steps["last"]),
        (store.revision_mask(identity, history[0].id), seed),
        (store.case_volume(identity, "image"), voxels),
    ):
        stored, matrix = read_back(content)
        np.testing.assert_array_equal(stored, expected)
        np.testing.assert_allclose(matrix, on_disk.affine, atol=1e-4)
    checked = command("cases", "check", "--store", an_engine.data.parent / "store", "--json")
    assert checked.code == 0 and json.loads(checked.out)["problems"] == []


@pytest.fixture
def a_local_engine(known_models, monkeypatch, tmp_path):
    """The engine that Slicer starts itself, with a case store."""
    if MODEL:
        monkeypatch.setenv("PSEUDONORMAL_MODELS", str(SHIPPED_MODELS))
    return Choice(kind=LOCAL, python=sys.executable, device="cpu", store=str(tmp_path / "Zoës Kartei"))


def number_of_the_engine():
    """Of the process that a Slicer of this test started; the shared engine has another store."""
    command = ["pgrep", "-P", str(os.getpid()), "-f", "--", "--store .*Kartei"]
    (number,) = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(number)


def test_kill_9_of_the_engine_in_mid_job_loses_nothing_else(
    a_local_engine, write_scan, sit_down, read_back, command, tmp_path
):
    scan = write_scan("oblique")
    added = command("cases", "add", scan, "--store", a_local_engine.store, "--json")
    ada = sit_down(tmp_path / "Ada", a_local_engine)
    ada.load(scan)
    ada.review.wake()
    session = ada.open(json.loads(added.out)["id"])
    fractions, lost = [], []
    ada.bench.generate.progress.connect(lambda fraction, _message, _left: fractions.append(fraction))
    ada.bench.jobs.engine_lost.connect(lost.append)
    ada.bench.choices.update(model=MODEL)
    ada.bench.start()
    ada.until(lambda: fractions and fractions[-1] > 0.1)
    drawn = np.zeros(session.editor.mask.shape, bool)
    drawn[3:9, 4:12, 5:10] = True
    ada.paint(drawn)
    before = ada.ages
    os.kill(number_of_the_engine(), signal.SIGKILL)

    ada.until(lambda: not ada.bench.generate.running and ada.bench.connection.state == "running")
    assert lost and lost[0].startswith("The engine stopped in the middle of the work") and lost[0] in ada.told
    assert "The engine ended unexpectedly (signal 9); it is being started again." in ada.told
    assert not any("\n" in line for line in ada.told)
    assert ada.ages == before
    np.testing.assert_array_equal(session.editor.mask, drawn)

    case = ada.generate(MODEL)
    assert case is not None and case.complete and len(findings_from_report(report_of(case))) >= len(LESIONS)
    ada.finish("accepted", "")
    store = ada.bench.connection.client()
    head = store.case(session.id).history[-1]
    assert head.state == "accepted"
    np.testing.assert_array_equal(read_back(store.revision_mask(session.id, head.id))[0], drawn)
    assert command("cases", "check", "--store", a_local_engine.store).code == 0
