"""One generated case goes from the scene into the store of a real engine, by what the button calls."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from PseudoNormalLib.engine.connection import REMOTE, Choice
from PseudoNormalLib.scene.case_nodes import set_job, stored_as
from PseudoNormalLib.scene.lesions import mask_of, new_lesions, set_mask
from PseudoNormalLib.scene.volumes import array_of, new_volume
from PseudoNormalLib.workbench import Workbench

PATIENCE_S = 240
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def a_bench(scene_host, an_engine):
    bench = Workbench(scene_host)
    bench.connection.choose(Choice(kind=REMOTE, url=an_engine.url, key=an_engine.token))
    bench.told = []
    bench.handover.failed.connect(bench.told.append)
    bench.handover.served = True
    yield bench
    bench.close()


@pytest.fixture
def generate(a_bench, a_head):
    """Generates a pseudo-normal for the head with its lesion drawn; the case."""

    def run(name="sub-07_FLAIR"):
        matrix = np.eye(4)
        matrix[:3, 3] = a_head.geometry.origin
        image = new_volume(a_bench.host.scene, name, a_head.array, LPS @ matrix)
        lesions = new_lesions(a_bench.host, image, a_head.lesion, "drawn")
        a_bench.choices.update(image=image, lesions=lesions, mode="void")
        failed = []
        a_bench.generate.failed.connect(failed.append)
        a_bench.start()
        assert a_bench.host.tick.run_until(lambda: not a_bench.generate.running, PATIENCE_S)
        assert failed == []
        return a_bench.comparison.case

    return run


@pytest.fixture
def send(a_bench):
    """Sends a case and waits."""

    def run(case):
        a_bench.handover.send(case)
        assert a_bench.handover.obstacle(case) == "The case is being sent"
        assert a_bench.host.tick.run_until(lambda: stored_as(case) or a_bench.told, PATIENCE_S)
        return stored_as(case)

    return run


def test_a_case_goes_into_the_store_with_the_mask_as_it_is_now(a_bench, generate, send, a_store, a_head, tmp_path):
    case = generate()
    assert a_bench.handover.obstacle(case) == ""
    edited = a_head.lesion.copy()
    edited[20:24, 30:34, 20:24] = True
    set_mask(case.lesions, case.image, edited)
    name = send(case)
    assert a_bench.told == [] and name in a_bench.handover.obstacle(case)

    client = a_bench.connection.client()
    kept = client.case(name)
    assert (kept.info.contrast, kept.info.status, kept.history[0].model) == ("flair", "new", "brain-mr")
    for content, expected in (
        (client.revision_mask(name, kept.history[0].id), edited),
        (client.case_volume(name, "image"), a_head.array),
        (client.case_volume(name, "pseudo_normal"), array_of(case.pseudo_normal)),
    ):
        (tmp_path / "stored.nii.gz").write_bytes(content)
        np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "stored.nii.gz").dataobj).T, expected)
    np.testing.assert_array_equal(mask_of(case.lesions, case.image), edited)
    subject = a_store.case(name).subject
    assert subject and a_store.check() == []

    again = generate("sub-07_T1w")
    assert a_bench.handover.obstacle(again) == ""
    assert a_store.case(send(again)).subject == subject


def test_a_result_that_the_engine_has_forgotten_is_to_be_generated_again(a_bench, a_case, send):
    set_job(a_case.nodes, "0" * 32)  # a scene of yesterday
    assert send(a_case.nodes) == ""
    assert len(a_bench.told) == 1 and a_bench.told[0].endswith(". Generate again, then send it")
    assert "\n" not in a_bench.told[0]
    assert a_bench.handover.obstacle(a_case.nodes) == ""


def test_a_case_without_a_result_or_an_engine_without_a_store_is_said_beforehand(a_bench, a_case):
    assert a_bench.handover.obstacle(None) == "There is no result yet: press Generate"
    assert a_bench.handover.obstacle(a_case.nodes) == "There is no result yet: press Generate"
