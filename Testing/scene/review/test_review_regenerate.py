"""The pseudo-normal once more, for the mask as it was edited: a real engine, its small model, a real scene."""

from __future__ import annotations

import numpy as np
import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.generate import GenerateLogic
from PseudoNormalLib.review.desk import ReviewDesk
from PseudoNormalLib.review.journal import Journal
from PseudoNormalLib.review.regenerating import Regeneration
from PseudoNormalLib.scene.volumes import array_of
from Testing.engine_process import running_engine

from pseudonormal.store.store import Store

PATIENCE_S = 200


@pytest.fixture
def an_open_case(models_folder, a_head, scene_host, tmp_path):
    """A case without results on the desk, as a ``(session, jobs)``."""
    case = Store.open(tmp_path / "store").add_case(a_head.scan, mask=a_head.mask).id
    with running_engine(models_folder, tmp_path / "data", tmp_path / "store") as engine:
        background = Background(scene_host.tick)
        jobs = EngineJobs(background, lambda: EngineClient(engine.url, engine.token))
        desk = ReviewDesk(scene_host, background, jobs, Journal(tmp_path / "journal"))
        desk.open(case, "Ada")
        assert scene_host.tick.run_until(lambda: desk.session, PATIENCE_S)
        yield desk.session, jobs
        desk.close()
        assert scene_host.tick.run_until(lambda: scene_host.scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0, 60)


def test_regenerating_for_the_edited_mask_renews_the_difference_and_keeps_the_mask(an_open_case, a_head, scene_host):
    session, jobs = an_open_case
    generate = GenerateLogic(scene_host, jobs)
    told = []
    generate.failed.connect(told.append)
    regeneration = Regeneration(generate)
    edited = a_head.lesion | np.roll(a_head.lesion, 4, axis=2)
    session.editor.replace(edited)
    assert not session.walk.can_follow_difference
    regeneration.start(session)
    with pytest.raises(ValueError, match="wait"):
        regeneration.start(session)
    assert scene_host.tick.run_until(lambda: not generate.running, PATIENCE_S)
    assert told == [] and session.case.complete and session.walk.can_follow_difference
    assert (session.editor.mask == edited).all()
    image, made = array_of(session.case.image), array_of(session.case.pseudo_normal)
    assert (image[~edited] == made[~edited]).all() and (image[a_head.lesion] != made[a_head.lesion]).mean() > 0.9
    assert session.walk.findings[0].peak_z > 2
    before = session.editor.mask
    session.walk.shrink(session.walk.findings[0].centroid_ras, radius_mm=20, threshold=2)
    assert session.editor.mask.sum() < before.sum() and session.editor.mask[a_head.lesion].mean() > 0.9
