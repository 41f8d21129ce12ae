"""From a volume node to its case, with the real engine in a process of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import slicer
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.generate import GenerateLogic, GenerateRequest
from PseudoNormalLib.scene.case_nodes import CaseNodes, case_of, report_of
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.findings import findings_from_report
from PseudoNormalLib.scene.layout import Arrangement, slice_nodes
from PseudoNormalLib.scene.lesions import mask_of, new_lesions, set_mask
from PseudoNormalLib.scene.rendering import blend_slice
from PseudoNormalLib.scene.results import Sent, place_results
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras, new_volume, same_grid
from Testing.engine_process import running_engine
from Testing.scene.conftest import tilted

LONGEST_S = 240


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    with running_engine(models_folder, tmp_path_factory.mktemp("engine")) as engine:
        yield engine


class Outcome:
    """Drives a generate logic and keeps what it said."""

    def __init__(self, host, url, token):
        self.host = host
        self.logic = GenerateLogic(host, EngineJobs(Background(host.tick), lambda: EngineClient(url, token)))
        self.fractions, self.lines, self.case, self.failure, self.cancelled = [], [], None, None, False
        self.logic.progress.connect(lambda fraction, message, left: self.fractions.append(fraction))
        self.logic.log.connect(self.lines.append)
        self.logic.finished.connect(lambda case: setattr(self, "case", case))
        self.logic.failed.connect(lambda line: setattr(self, "failure", line))
        self.logic.cancelled.connect(lambda: setattr(self, "cancelled", True))

    def of(self, request):
        self.logic.start(request)
        return self.wait()

    def wait(self):
        assert self.host.tick.run_until(lambda: not self.logic.running, LONGEST_S)
        return self


@pytest.fixture
def outcome(scene_host, an_engine):
    return Outcome(scene_host, an_engine.url, an_engine.token)


@pytest.fixture
def a_head_node(scene_host, a_head, tmp_path):
    """The small head, loaded by Slicer from a folder with a name of the world (LPS axes on disk)."""
    folder = tmp_path / "Lékař 脳"
    folder.mkdir()
    path = shutil.copy(a_head.scan, folder / "Kopf.nii.gz")
    return scene_host.volumes.AddArchetypeScalarVolume(str(path), "head", 0, None)


@pytest.fixture
def drawn_lesions(scene_host, a_head_node, a_head):
    """The head's lesion, drawn by hand; with it the engine has less to do."""
    return new_lesions(scene_host, a_head_node, a_head.lesion, "drawn")


def nodes_and_ages(scene):
    """Every node of a scene with the time of its last change."""
    nodes = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    return {node.GetID(): node.GetMTime() for node in nodes}


def assert_result_fits(case, array):
    """The promises of a result, whatever the lesion."""
    normal, mask = array_of(case.pseudo_normal), mask_of(case.lesions, case.image)
    assert normal.dtype == array.dtype
    np.testing.assert_array_equal(normal[~mask], array[~mask])
    np.testing.assert_array_equal(array_of(case.difference), array.astype(np.float32) - normal)
    for node in (case.pseudo_normal, case.difference, case.difference_z):
        assert same_grid(node, case.image)
        np.testing.assert_array_equal(ijk_to_ras(node), ijk_to_ras(case.image))


def test_a_scan_becomes_a_case_with_findings(outcome, a_head_node, a_head):
    case = outcome.of(GenerateRequest(a_head_node)).case
    assert outcome.failure is None
    assert_result_fits(case, a_head.array)
    assert case_of(a_head_node) == case
    assert case.pseudo_normal.GetName() == "head pseudo-normal"
    mask = mask_of(case.lesions, case.image)
    assert 2 * (mask & a_head.lesion).sum() / (mask.sum() + a_head.lesion.sum()) > 0.5
    finding = findings_from_report(report_of(case))[0]
    centre = a_head.geometry.to_ras(np.argwhere(a_head.lesion)).mean(axis=0)
    assert np.linalg.norm(np.array(finding.centroid_ras) - centre) < 3
    assert finding.volume_ml == pytest.approx(mask.sum() / 1000, rel=0.2)
    assert outcome.logic.generated.job and "report_html" in outcome.logic.generated.documents
    assert outcome.fractions == sorted(outcome.fractions) and outcome.fractions[-1] > 0.9
    assert outcome.lines


def test_on_a_tilted_grid_with_ones_own_mask_the_mask_stays_as_it_was_drawn(outcome, scene_host, a_head):
    grid = tilted(12, -25, (1.0, 1.1, 0.9), (31.0, 20.0, 10.0))
    image = new_volume(scene_host.scene, "tilted head", a_head.array, grid)
    lesions = new_lesions(scene_host, image, a_head.lesion, "drawn")
    case = outcome.of(GenerateRequest(image, lesions)).case
    assert outcome.failure is None
    assert case.lesions is lesions
    np.testing.assert_array_equal(mask_of(lesions, image), a_head.lesion)
    assert_result_fits(case, a_head.array)
    assert (array_of(case.difference)[a_head.lesion] != 0).mean() > 0.9


def test_generating_again_with_the_edited_mask_fills_the_same_nodes(outcome, a_head_node, drawn_lesions, a_head):
    first = outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case
    normal = array_of(first.pseudo_normal).copy()
    edited = a_head.lesion.copy()
    edited[20:24, 30:34, 20:24] = True
    set_mask(drawn_lesions, a_head_node, edited)
    second = outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case
    assert second == first
    np.testing.assert_array_equal(mask_of(second.lesions, second.image), edited)
    assert_result_fits(second, a_head.array)
    assert (array_of(second.pseudo_normal) != normal)[edited & ~a_head.lesion].any()


def test_a_new_mask_of_the_engines_never_overwrites_an_edited_one(outcome, scene_host, a_head_node, drawn_lesions):
    first = outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case
    sent = Sent.of(a_head_node)
    again = place_results(scene_host, a_head_node, sent, outcome.logic.generated)
    assert again.lesions is drawn_lesions  # the very same mask needs no second segmentation
    edited = mask_of(first.lesions, first.image)
    edited[20:24, 30:34, 20:24] = True
    set_mask(drawn_lesions, a_head_node, edited)
    third = place_results(scene_host, a_head_node, sent, outcome.logic.generated)
    assert third.lesions is not drawn_lesions and case_of(a_head_node) == third
    np.testing.assert_array_equal(mask_of(drawn_lesions, a_head_node), edited)
    assert not drawn_lesions.GetDisplayNode().GetVisibility()


def test_results_that_do_not_fit_are_refused_before_anything_changes(outcome, scene_host, a_head_node, drawn_lesions):
    outcome.of(GenerateRequest(a_head_node, drawn_lesions))
    good = outcome.logic.generated
    sent = Sent.of(a_head_node)
    before = nodes_and_ages(scene_host.scene)
    shifted = {name: replace(volume, ijk_to_ras=volume.ijk_to_ras + 1) for name, volume in good.volumes.items()}
    without = {name: volume for name, volume in good.volumes.items() if name != "difference_z"}
    for bad in (replace(good, volumes=shifted), replace(good, volumes=without), replace(good, report={"case": "x"})):
        with pytest.raises(ValueError, match="engine"):
            place_results(scene_host, a_head_node, sent, bad)
    assert nodes_and_ages(scene_host.scene) == before


def test_a_refused_job_says_why_and_leaves_the_scene_alone(outcome, scene_host, a_head_node):
    before = nodes_and_ages(scene_host.scene)
    outcome.of(GenerateRequest(a_head_node, model="no-such-model"))
    assert "no such model" in outcome.failure and "\n" not in outcome.failure
    assert nodes_and_ages(scene_host.scene) == before
    assert outcome.case is None and not outcome.logic.running


def test_a_cancelled_job_leaves_the_scene_alone_and_another_may_follow(outcome, scene_host, a_head_node, drawn_lesions):
    before = nodes_and_ages(scene_host.scene)
    outcome.logic.start(GenerateRequest(a_head_node))
    assert scene_host.tick.run_until(lambda: outcome.fractions, LONGEST_S)
    outcome.logic.cancel()
    outcome.wait()
    assert outcome.cancelled and outcome.failure is None and outcome.case is None
    assert nodes_and_ages(scene_host.scene) == before
    assert outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case is not None


def test_an_engine_that_is_not_there_is_said_in_one_line(scene_host, a_head_node):
    gone = Outcome(scene_host, "http://127.0.0.1:9", "token")
    before = nodes_and_ages(scene_host.scene)
    gone.of(GenerateRequest(a_head_node))
    assert gone.failure and "\n" not in gone.failure
    assert nodes_and_ages(scene_host.scene) == before


@pytest.mark.parametrize("change", ["removed", "edited", "moved"])
def test_a_scan_that_changes_meanwhile_gets_no_result_of_its_former_self(
    outcome, scene_host, a_head_node, drawn_lesions, change
):
    outcome.logic.start(GenerateRequest(a_head_node, drawn_lesions))
    if change == "removed":
        scene_host.scene.RemoveNode(a_head_node)
    elif change == "edited":
        array_of(a_head_node)[0, 0, 0] += 1
        a_head_node.GetImageData().GetPointData().GetScalars().Modified()  # as slicer.util.arrayFromVolumeModified does
    else:
        a_head_node.SetOrigin(1, 2, 3)
    before = nodes_and_ages(scene_host.scene)
    outcome.wait()
    assert "generate again" in outcome.failure
    assert nodes_and_ages(scene_host.scene) == before


def test_looking_at_a_scan_does_not_count_as_changing_it(scene_host, a_head_node, a_head):
    sent = Sent.of(a_head_node)
    comparison = Comparison(scene_host)
    comparison.show(CaseNodes(a_head_node), Arrangement.GRID)
    for view in slice_nodes(scene_host.scene):
        blend_slice(scene_host, view, (64, 64), fit=True)
    a_head_node.GetDisplayNode().SetAutoWindowLevel(False)
    a_head_node.GetDisplayNode().SetWindowLevel(10, 20)
    mask_of(new_lesions(scene_host, a_head_node, a_head.lesion, "drawn"), a_head_node)
    a_head_node.SetName("another name")
    assert sent.still_is(a_head_node)


def test_what_cannot_begin_says_so_at_once(outcome, scene_host, a_head_node, a_head):
    with pytest.raises(ValueError, match="empty: holds no image"):
        outcome.logic.start(GenerateRequest(scene_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")))
    nothing = new_lesions(scene_host, a_head_node, np.zeros_like(a_head.lesion), "nothing")
    with pytest.raises(ValueError, match="nothing: holds no lesion"):
        outcome.logic.start(GenerateRequest(a_head_node, nothing))
    outcome.logic.start(GenerateRequest(a_head_node))
    with pytest.raises(ValueError, match="wait for it or cancel it"):
        outcome.logic.start(GenerateRequest(a_head_node))
    outcome.logic.cancel()
    outcome.wait()


def test_results_take_the_scans_place_in_the_patient_and_study(outcome, scene_host, a_head_node, drawn_lesions):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene_host.scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, a_head_node)
    case = outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case
    for node in (case.pseudo_normal, case.difference, case.difference_z, case.lesions):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_the_wide_difference_comes_when_asked_for_and_goes_with_the_mask_it_was_made_for(
    outcome, a_head_node, drawn_lesions, scene_host
):
    case = outcome.of(GenerateRequest(a_head_node, drawn_lesions, wide=True)).case
    wide, inside = array_of(case.wide_difference_z), array_of(case.difference_z)
    assert same_grid(case.wide_difference_z, case.image) and case_of(case.wide_difference_z) == case
    assert np.count_nonzero(wide) > 2 * np.count_nonzero(inside)
    assert case.wide_difference_z.GetName() == "head wide difference (z)"
    again = outcome.of(GenerateRequest(a_head_node, drawn_lesions)).case
    assert again.wide_difference_z is None and again.difference_z is case.difference_z
    assert not scene_host.scene.IsNodePresent(case.wide_difference_z)
