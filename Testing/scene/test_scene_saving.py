"""A case, saved with the scene and loaded into another application."""

from __future__ import annotations

import numpy as np
import pytest
from PseudoNormalLib.scene.case_nodes import cases_in, report_of, set_report
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.layout import Arrangement, composite_of, slice_nodes
from PseudoNormalLib.scene.lesions import lesion_segment_id, mask_of
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras, new_volume
from Testing.scene.conftest import make_case


def saved(host, folder):
    """The scene file, with everything it needs beside it."""
    folder.mkdir(parents=True)
    assert host.application_logic.SaveSceneToSlicerDataBundleDirectory(str(folder))
    (scene_file,) = folder.rglob("*.mrml")
    return scene_file


def loaded(scene_file, host):
    host.scene.SetURL(str(scene_file))
    assert host.scene.Import()
    return host


@pytest.mark.parametrize("name", ["plain", "Übung für Lékař 脳"])
def test_a_case_and_its_comparison_are_found_again(
    scene_host, another_host, tmp_path, a_scan_array, a_lesion_mask, a_grid, name
):
    image = new_volume(scene_host.scene, "scan", a_scan_array, a_grid)
    case = make_case(scene_host, image, a_scan_array, a_lesion_mask)
    set_report(case.nodes, {"case": name, "findings": []})
    before = Comparison(scene_host)
    before.show(case.nodes, Arrangement.GRID)
    before.set_overlay(threshold=2.5, opacity=0.4)

    host = loaded(saved(scene_host, tmp_path / name), another_host())

    (found,) = cases_in(host.scene)
    assert found.complete and found.image.GetName() == "scan"
    np.testing.assert_array_equal(array_of(found.image), a_scan_array)
    np.testing.assert_array_equal(array_of(found.difference_z), case.difference_z)
    np.testing.assert_allclose(ijk_to_ras(found.image), a_grid, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(mask_of(found.lesions, found.image), a_lesion_mask)
    assert lesion_segment_id(found.lesions) == "lesion"
    assert report_of(found) == {"case": name, "findings": []}
    after = Comparison(host)
    assert after.resume() == found
    assert (after.overlay, after.arrangement) == (before.overlay, Arrangement.GRID)
    views = slice_nodes(host.scene, "difference")
    assert {composite_of(view).GetForegroundVolumeID() for view in views} == {found.difference_z.GetID()}


def test_a_scene_loaded_into_one_that_has_a_case_keeps_them_apart(scene_host, tmp_path, a_case):
    scene_file = saved(scene_host, tmp_path / "saved")
    scene_host.scene.SetURL(str(scene_file))
    assert scene_host.scene.Import()
    first, second = cases_in(scene_host.scene)
    assert first == a_case.nodes
    assert second.complete and second.image is not first.image
    assert second.difference_z is not first.difference_z and second.lesions is not first.lesions
