"""The pseudo-normal once more, for the mask as it was edited: a real engine, its small model, a real scene."""

from __future__ import annotations

import numpy as np
import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.generate import GenerateLogic
from PseudoNormalLib.review.regenerating import Regeneration
from PseudoNormalLib.scene.volumes import array_of
from scipy import ndimage

from pseudonormal.scan.writing import write_image

PATIENCE_S = 200


class Reviewing:
    """An annotator's window with a case of the small head open, and what regenerates it."""

    def __init__(self, window, case):
        self.window = window
        self.session = window.open(case)
        self.generate = GenerateLogic(window.host, window.jobs)
        self.generate.failed.connect(window.told.append)
        self.regeneration = Regeneration(self.generate)
        self.kept = []
        self.session.results.kept.connect(self.kept.append)

    def regenerate(self):
        self.regeneration.start(self.session)
        self.until(lambda: not self.generate.running)

    def until(self, condition):
        assert self.window.host.tick.run_until(condition, PATIENCE_S), self.window.told


@pytest.fixture
def review(a_window, a_store, a_head, tmp_path):
    """Opens a new case of the head, without results, with a seed mask."""
    reviews = []

    def open_case(seed):
        write_image(seed, a_head.geometry, tmp_path / "seed.nii.gz")
        case = a_store.add_case(a_head.scan, mask=tmp_path / "seed.nii.gz").id
        reviews.append(Reviewing(a_window(), case))
        return reviews[-1]

    yield open_case
    for one in reviews:
        one.window.close()


@pytest.fixture
def a_small_seed(a_head):
    """The lesion without its outer 2 mm."""
    return ndimage.distance_transform_edt(a_head.lesion) > 2


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_regenerating_for_the_edited_mask_renews_the_difference_and_keeps_the_mask(review, a_head):
    here = review(a_head.lesion)
    session = here.session
    edited = a_head.lesion | np.roll(a_head.lesion, 4, axis=2)
    session.editor.replace(edited)
    assert not session.walk.can_follow_difference
    here.regeneration.start(session)
    with pytest.raises(ValueError, match="wait"):
        here.regeneration.start(session)
    here.until(lambda: not here.generate.running)
    assert here.window.told == [] and session.case.complete and session.walk.can_follow_difference
    assert (session.editor.mask == edited).all()
    image, made = array_of(session.case.image), array_of(session.case.pseudo_normal)
    assert (image[~edited] == made[~edited]).all() and (image[a_head.lesion] != made[a_head.lesion]).mean() > 0.9
    assert session.walk.findings[0].peak_z > 2
    before = session.editor.mask
    session.walk.shrink(session.walk.findings[0].centroid_ras, radius_mm=20, threshold=2)
    assert session.editor.mask.sum() < before.sum() and session.editor.mask[a_head.lesion].mean() > 0.9


def test_a_mask_that_is_too_small_grows_to_the_lesion_beyond_where_it_was_drawn(review, a_head, a_small_seed):
    here = review(a_small_seed)
    here.regenerate()
    session = here.session
    assert dice(session.editor.mask, a_head.lesion) < 0.6
    assert not array_of(session.case.difference_z)[~a_small_seed].any()
    session.walk.grow(session.walk.findings[0].centroid_ras, radius_mm=12, threshold=2)
    grown = session.editor.mask
    assert (grown & ~a_small_seed).any() and (grown >= a_small_seed).all()
    assert dice(grown, a_head.lesion) > 0.9
    session.editor.undo()
    assert (session.editor.mask == a_small_seed).all()


def test_what_was_regenerated_is_there_when_the_case_is_opened_again(review, a_window, a_store, a_head, a_small_seed):
    here = review(a_small_seed)
    here.session.editor.replace(a_head.lesion)
    here.regenerate()
    here.until(lambda: here.kept)
    case, shown = here.session.id, here.session.case
    arrays = {role: array_of(getattr(shown, role)).copy() for role in ("pseudo_normal", "wide_difference_z")}
    draft = a_store.history(case)[-1]
    assert (draft.state, here.kept[0].revision_id, here.kept[0].author) == ("draft", draft.id, "Ada")
    here.window.close()
    assert here.window.told == []

    again = a_window("Grace")
    session = again.open(case)
    for role, array in arrays.items():
        np.testing.assert_array_equal(array_of(getattr(session.case, role)), array)
    assert session.walk.can_follow_difference and (session.editor.mask == a_head.lesion).all()
    again.finish("accepted")
    assert again.client.case(case).volumes == (
        "image",
        "difference",
        "difference_z",
        "pseudo_normal",
        "wide_difference_z",
    )
    assert not [problem for problem in a_store.check() if problem.severity == "error"]


def test_a_case_that_is_closed_at_once_has_its_new_results_all_the_same(review, a_store, a_head):
    here = review(a_head.lesion)
    here.generate.finished.connect(lambda _case: here.window.desk.close())
    here.regenerate()
    here.until(lambda: a_store.case(here.session.id).leased_by is None)
    assert "pseudo_normal" in a_store.volumes(here.session.id) and here.window.told == []
    assert len(a_store.history(here.session.id)) == 1, "the mask was the seed's: there was nothing to save"


def test_results_that_the_store_cannot_take_stay_on_the_screen_and_that_is_said(review, a_store, a_head):
    here = review(a_head.lesion)
    reachable, begun = here.window.client, []
    here.generate.progress.connect(lambda *_: begun.append(True))
    here.regeneration.start(here.session)
    here.until(lambda: begun)  # the job goes on with the engine that it began with
    here.window.client = EngineClient("http://127.0.0.1:9", "nobody", timeout=1)
    here.until(lambda: here.window.told)
    assert "on the screen only" in here.window.told[0] and "\n" not in here.window.told[0]
    assert here.session.case.complete and a_store.volumes(here.session.id) == ("image",)
    here.window.client = reachable
