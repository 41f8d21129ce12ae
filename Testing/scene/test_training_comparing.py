"""Two models side by side on a scan, with a real engine that has two."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.scene.case_nodes import case_of
from PseudoNormalLib.scene.layout import composite_of
from PseudoNormalLib.scene.model_comparison import LAYOUT, VIEWS
from PseudoNormalLib.scene.volumes import array_of, new_volume
from PseudoNormalLib.training.comparing import ModelComparing, outcome_in_words
from Testing.engine_process import running_engine

PATIENCE_S = 240


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """A real engine with the small model under two names."""
    folder = tmp_path_factory.mktemp("two models")
    for name in ("brain-mr", "other"):
        shutil.copytree(models_folder / "brain-mr", folder / "models" / name)
    with running_engine(folder / "models", folder / "data") as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def a_comparison(scene_host, an_engine):
    client = EngineClient(an_engine.url, an_engine.token)
    comparing = ModelComparing(scene_host, EngineJobs(Background(scene_host.tick), lambda: client))
    yield comparing
    comparing.close()


@pytest.fixture
def a_scan(scene_host, a_head):
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    return new_volume(scene_host.scene, "head", a_head.array, matrix)


def outcome(comparing, scene_host):
    """What a comparison that was begun ends with."""
    ends = []
    for signal in (comparing.finished, comparing.failed):
        signal.connect(lambda *what: ends.append(what))
    comparing.cancelled.connect(lambda: ends.append("cancelled"))
    assert scene_host.tick.run_until(lambda: ends, PATIENCE_S)
    return ends[0]


def shown(comparing, scene_host):
    """Background and foreground of each view, by name."""
    found = {}
    for name in VIEWS:
        composite = composite_of(comparing.views.view(name))
        ids = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
        found[name] = tuple(scene_host.scene.GetNodeByID(each) if each else None for each in ids)
    return found


def test_both_models_results_stand_beside_the_scan(a_comparison, a_scan, scene_host, a_head):
    told = []
    a_comparison.progress.connect(lambda fraction, message, _left: told.append((fraction, message)))
    a_comparison.start(a_scan, ("brain-mr", "other"))
    assert a_comparison.running
    a, b = outcome(a_comparison, scene_host)
    assert not a_comparison.running
    views = shown(a_comparison, scene_host)
    assert views["model_input"] == (a_scan, None)
    for name, each in (("a", a), ("b", b)):
        assert views[f"normal_{name}"] == (each.case.pseudo_normal, None)
        assert views[f"difference_{name}"] == (a_scan, each.case.difference_z)
        assert each.findings == 1 and each.volume_ml == pytest.approx(a_head.lesion.sum() / 1000, rel=0.3)
    np.testing.assert_array_equal(array_of(a.case.pseudo_normal), array_of(b.case.pseudo_normal))
    assert a.case.pseudo_normal is not b.case.pseudo_normal
    layout = scene_host.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == LAYOUT
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and {message.split(":")[0] for _, message in told} == {"brain-mr", "other"}
    assert outcome_in_words("A", a).startswith("A (brain-mr): 1 finding, 0.")
    windows = [node.GetDisplayNode() for node in (a_scan, a.case.pseudo_normal, b.case.pseudo_normal)]
    windows[2].SetWindowLevel(123.0, 45.0)
    assert {display.GetWindow() for display in windows} == {123.0}
    limits = {each.case.difference_z.GetDisplayNode().GetWindow() for each in (a, b)}
    assert len(limits) == 1


def test_the_scans_own_case_is_left_alone_and_the_next_comparison_takes_the_place_of_the_last(
    a_comparison, a_scan, scene_host
):
    a_comparison.start(a_scan, ("brain-mr", "other"))
    outcome(a_comparison, scene_host)
    count = scene_host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    a_comparison.start(a_scan, ("other", "brain-mr"))
    again = outcome(a_comparison, scene_host)
    assert [each.model for each in again] == ["other", "brain-mr"]
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count == 5
    assert not case_of(a_scan).complete


def test_a_comparison_can_be_cancelled_and_leaves_nothing(a_comparison, a_scan, scene_host):
    a_comparison.start(a_scan, ("brain-mr", "other"))
    with pytest.raises(ValueError, match="being compared"):
        a_comparison.start(a_scan, ("brain-mr", "other"))
    a_comparison.cancel()
    assert outcome(a_comparison, scene_host) == "cancelled"
    assert not a_comparison.running
    assert scene_host.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_a_model_that_is_not_there_is_told(a_comparison, a_scan, scene_host):
    a_comparison.start(a_scan, ("brain-mr", "nonsense"))
    assert "no such model" in outcome(a_comparison, scene_host)[0]


def test_a_scan_that_was_closed_meanwhile_is_told(a_comparison, a_scan, scene_host):
    a_comparison.start(a_scan, ("brain-mr", "other"))
    scene_host.scene.RemoveNode(a_scan)
    assert "closed while" in outcome(a_comparison, scene_host)[0]


def test_removing_what_is_shown_lets_go_of_it(a_comparison, a_scan, scene_host):
    a_comparison.start(a_scan, ("brain-mr", "other"))
    a, _ = outcome(a_comparison, scene_host)
    scene_host.scene.RemoveNode(a.case.pseudo_normal)
    a_scan.GetDisplayNode().SetWindowLevel(7.0, 3.0)
