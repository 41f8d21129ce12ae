"""What recipe lesion puts its lesions into."""

from __future__ import annotations

import numpy as np
import pytest

from pseudonormal.lesions.in_place import BrainFrame, InPlace
from pseudonormal.painting.contrast import WITH_AGENT
from pseudonormal.recipes.lesion_scenes import PATCH, LesionScenes
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.references import Reference

EDGE = 104
WHITE, LEFT_WHITE, RIGHT_WHITE = 1, 2, 41


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    found = np.zeros((EDGE,) * 3, np.int16)
    found[12:92, 10:94, 10:50] = RIGHT_WHITE
    found[12:92, 10:94, 54:94] = LEFT_WHITE
    return found


@pytest.fixture(scope="module")
def anatomy(labels: np.ndarray) -> Anatomy:
    brain = np.zeros(labels.shape, bool)
    brain[12:92, 10:94, 10:94] = True
    return Anatomy(np.where(labels > 0, WHITE, 0).astype(np.uint8), brain, labels)


@pytest.fixture(scope="module")
def spots(anatomy: Anatomy) -> InPlace:
    mask = np.zeros(anatomy.brain.shape, bool)
    mask[40:60:6, 30:70:6, 30:40] = True
    return InPlace([(mask, BrainFrame.of(anatomy.brain))])


def scan(labels: np.ndarray, contrast: str, *, parcels: bool = False) -> Reference:
    noise = np.random.default_rng(0).standard_normal(labels.shape, dtype=np.float32)
    brain = np.zeros(labels.shape, bool)
    brain[12:92, 10:94, 10:94] = True
    nothing = np.zeros(labels.shape, bool)
    return Reference(
        "case", noise, brain, nothing, nothing, contrast, "person", None, labels.astype(np.int16) if parcels else None
    )


def drawn(scenes: LesionScenes, count: int = 24) -> list:
    rng = np.random.default_rng(4)
    return [scenes.draw(rng) for _ in range(count)]


def test_agent_may_shine_where_labels_tell_the_veins_and_in_t1_alone(
    labels: np.ndarray, anatomy: Anatomy, spots: InPlace
) -> None:
    scenes = drawn(LesionScenes([anatomy], [scan(labels, "t1", parcels=True), scan(labels, "flair")], spots))
    shining = [one for one in scenes if one.shines is not None]
    assert 0 < len(shining) < len(scenes)
    assert all(one.sequence == WITH_AGENT for one in shining)
    assert any(one.shines.any() for one in shining)
    assert {one.image.shape for one in scenes} == {(PATCH,) * 3}


def test_no_agent_shines_in_a_head_without_labels(labels: np.ndarray, anatomy: Anatomy, spots: InPlace) -> None:
    plain = Anatomy(anatomy.groups, anatomy.brain)
    assert all(one.shines is None for one in drawn(LesionScenes([plain], [scan(labels, "t1")], spots), 8))


def test_lesions_keep_their_places_in_real_flair_alone(labels: np.ndarray, anatomy: Anatomy, spots: InPlace) -> None:
    scenes = drawn(LesionScenes([anatomy], [scan(labels, "t1"), scan(labels, "flair")], spots), 32)
    carried = [one for one in scenes if one.carried is not None]
    assert carried and all(one.sequence == "flair" for one in carried)
    assert any(one.carried.any() for one in carried)
    for one in carried:
        assert one.carried.min() >= 0 and one.carried.max() <= 1
