"""Parameters in the scene: kept, observed, saved and loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import slicer
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.parameters import ParameterNode, node_field


@dataclass(frozen=True)
class Parameters:
    volume: Any = node_field()
    opacity: float = 0.5
    model: str = ""
    visible: bool = True
    limit: float | None = None
    names: tuple[str, ...] = ()


@pytest.fixture
def a_scene():
    return headless().scene


@pytest.fixture
def parameters(a_scene):
    return ParameterNode(a_scene, "PseudoNormal", Parameters)


@pytest.fixture
def told(parameters):
    changes = []
    parameters.changed.connect(changes.append)
    return changes


def a_volume(scene):
    return scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")


def test_a_new_scene_has_the_defaults(parameters):
    assert parameters.values == Parameters()


@given(
    opacity=st.floats(allow_nan=False),
    model=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    limit=st.none() | st.floats(0, 10),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]))).map(tuple),
)
def test_any_values_come_back_exactly(opacity, model, limit, names):
    parameters = ParameterNode(SCENE, "PseudoNormal", Parameters)
    parameters.update(opacity=opacity, model=model, limit=limit, names=names)
    assert parameters.values == Parameters(None, opacity, model, True, limit, names)
    parameters.close()


SCENE = headless().scene


def test_listeners_are_told_once_of_several_changes(parameters, told):
    parameters.update(opacity=0.7, model="brain-mr", visible=False)
    assert told == [Parameters(None, 0.7, "brain-mr", False)]


def test_listeners_are_not_told_of_what_stays_as_it_is(parameters, told):
    parameters.update(opacity=0.5)
    parameters.update(opacity=0.5)
    assert told == []


def test_a_node_is_kept_until_it_leaves_the_scene(a_scene, parameters, told):
    volume = a_volume(a_scene)
    parameters.update(volume=volume)
    assert parameters.values.volume is volume
    a_scene.RemoveNode(volume)
    assert parameters.values.volume is None
    assert told == [Parameters(volume), Parameters()]


def test_a_node_can_be_taken_back(a_scene, parameters):
    parameters.update(volume=a_volume(a_scene))
    parameters.update(volume=None)
    assert parameters.values.volume is None


def test_a_second_look_at_the_same_module_shares_the_values(a_scene, parameters, told):
    ParameterNode(a_scene, "PseudoNormal", Parameters).update(opacity=0.1)
    ParameterNode(a_scene, "PseudoNormalReview", Parameters).update(opacity=0.2)
    assert told == [Parameters(None, 0.1)]


def test_a_closed_one_is_told_of_nothing(a_scene, parameters, told):
    parameters.close()
    ParameterNode(a_scene, "PseudoNormal", Parameters).update(opacity=0.1)
    assert told == []


def test_values_and_nodes_survive_saving_and_loading_the_scene(a_scene, parameters, tmp_path):
    parameters.update(volume=a_volume(a_scene), opacity=0.25, model="Größe „1“ & <2>\nx", names=("a;b", "c|d e"))
    saved = parameters.values
    path = tmp_path / "szene.mrml"
    a_scene.SetURL(str(path))
    assert a_scene.Commit()

    other = headless().scene
    loaded = ParameterNode(other, "PseudoNormal", Parameters)
    told = []
    loaded.changed.connect(told.append)
    other.SetURL(str(path))
    assert other.Import()

    assert loaded.values.volume.GetName() == "scan"
    assert (loaded.values.opacity, loaded.values.model, loaded.values.names) == (
        saved.opacity,
        saved.model,
        saved.names,
    )
    assert told and told[-1] == loaded.values


def test_after_closing_the_scene_the_defaults_are_back_and_changes_are_still_seen(a_scene, parameters, told):
    parameters.update(volume=a_volume(a_scene), opacity=0.25)
    a_scene.Clear(0)
    assert parameters.values == Parameters()
    parameters.update(opacity=0.3)
    assert told[-1] == Parameters(None, 0.3)


def test_an_unknown_name_changes_nothing(parameters, told):
    with pytest.raises(TypeError, match="opaque"):
        parameters.update(opacity=0.1, opaque=1)
    assert told == [] and parameters.values == Parameters()


def test_a_value_that_cannot_be_kept_changes_nothing(parameters):
    with pytest.raises(TypeError):
        parameters.update(opacity=0.1, model=slicer.vtkMRMLScalarVolumeNode())
    assert parameters.values == Parameters()


def test_what_somebody_wrote_wrongly_into_a_scene_counts_as_the_default(a_scene, parameters):
    a_scene.GetSingletonNode("PseudoNormal", "vtkMRMLScriptedModuleNode").SetParameter("opacity", "{half")
    assert parameters.values.opacity == 0.5
