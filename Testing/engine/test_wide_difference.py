"""The wide difference: evidence a little beyond a mask that is too small."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from pseudonormal.generate.pipeline import Options, generate
from pseudonormal.generate.widening import widened
from pseudonormal.models.bundle import load_model
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image

REACH_MM = 4.0


@pytest.fixture(scope="module")
def a_small_mask(a_head, tmp_path_factory):
    """The lesion without its outer 2 mm: its file and its array."""
    mask = ndimage.distance_transform_edt(a_head.lesion) > 2
    path = tmp_path_factory.mktemp("seed") / "seed.nii.gz"
    write_image(mask, a_head.geometry, path)
    return path, mask


@pytest.fixture(scope="module")
def plain_and_wide(a_head, a_small_mask, models_folder):
    """Results for the small mask without and with the wide difference."""
    model = load_model(str(models_folder / "brain-mr"))
    options = Options(mask=a_small_mask[0], foreground=a_head.brain)
    return tuple(generate(a_head.scan, model, replace(options, reach_mm=reach)) for reach in (0.0, REACH_MM))


def test_it_shows_the_lesion_that_the_mask_has_missed(plain_and_wide, a_head, a_small_mask):
    plain, wide = plain_and_wide
    missed = a_head.lesion & ~a_small_mask[1]
    assert not plain.difference_z[missed].any(), "the difference map is 0 outside the mask, by its making"
    assert (wide.wide_difference_z[missed] > 3).mean() > 0.95
    near = (ndimage.distance_transform_edt(~a_small_mask[1]) <= REACH_MM) & ~a_head.lesion
    assert np.abs(wide.wide_difference_z[near]).mean() < 1


def test_it_is_nothing_beyond_its_reach_and_changes_nothing_else(plain_and_wide, a_small_mask):
    plain, wide = plain_and_wide
    far = ndimage.distance_transform_edt(~a_small_mask[1]) > REACH_MM
    assert not wide.wide_difference_z[far].any() and np.isfinite(wide.wide_difference_z).all()
    assert plain.wide_difference_z is None
    for name in ("pseudo_normal", "difference", "difference_z", "confidence", "lesion", "labels"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(wide, name))
    assert plain.findings == wide.findings


def test_where_it_would_leave_no_normal_brain_it_is_left_out_and_the_result_stays(a_head, models_folder, tmp_path):
    write_image(ndimage.binary_erosion(a_head.foreground, iterations=3), a_head.geometry, tmp_path / "mask.nii.gz")
    model = load_model(str(models_folder / "brain-mr"))
    options = Options(mask=tmp_path / "mask.nii.gz", foreground=a_head.brain, reach_mm=8.0)
    result = generate(a_head.scan, model, options)
    assert result.wide_difference_z is None and len(result.findings) == 1
    assert any("the wide difference is left out" in warning for warning in result.warnings)


def test_the_command_writes_it_when_asked(command, a_head, a_small_mask, tmp_path):
    given = ["--mask", a_small_mask[0], "--foreground", a_head.brain, "--recipe", "ring_mean"]
    said = command("generate", a_head.scan, "-o", tmp_path, *given, "--reach", REACH_MM)
    assert said.code == 0, said.err
    folder = tmp_path / "head"
    wide, inside = (read_scan(folder / f"{name}.nii.gz") for name in ("wide_difference_z", "difference_z"))
    assert wide.storage.dtype == np.float32 and wide.geometry == read_scan(a_head.scan).geometry
    assert np.count_nonzero(wide.array) > 2 * np.count_nonzero(inside.array)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert "wide_difference_z.nii.gz" in report["files"] and report["options"]["reach_mm"] == REACH_MM
    assert command("generate", a_head.scan, "-o", tmp_path, "--reach", 21).code == 2


def test_thick_slices_that_run_against_the_grid_get_it_on_their_own_voxels(command, a_head, a_small_mask, tmp_path):
    spacing, direction = (1.0, 1.0, 3.0), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    thick = slice(0, None, 3)
    array, mask, brain = (a[thick, ::-1, ::-1] for a in (a_head.array, a_small_mask[1], a_head.foreground))
    geometry = replace(a_head.geometry, size=array.shape[::-1], spacing=spacing, direction=direction)
    for name, voxels in (("scan", array), ("mask", mask), ("brain", brain)):
        write_image(voxels, geometry, tmp_path / f"{name}.nii.gz")
    given = ["--mask", tmp_path / "mask.nii.gz", "--foreground", tmp_path / "brain.nii.gz", "--reach", REACH_MM]
    said = command("generate", tmp_path / "scan.nii.gz", "-o", tmp_path / "out", *given, "--recipe", "biharmonic")
    assert said.code == 0, said.err
    wide = read_scan(tmp_path / "out" / "scan" / "wide_difference_z.nii.gz").array
    missed = a_head.lesion[thick, ::-1, ::-1] & ~mask
    assert (wide[missed] > 2).mean() > 0.8
    assert not wide[ndimage.distance_transform_edt(~mask, sampling=spacing[::-1]) > REACH_MM + 3].any()


@given(
    st.integers(0, 2**32 - 1), st.floats(0.1, 6), st.tuples(*[st.floats(0.5, 3)] * 3), st.sampled_from([0.0, 0.01, 0.3])
)
def test_a_widened_mask_is_the_foreground_within_reach_of_it(seed, reach, spacing, share):
    rng = np.random.default_rng(seed)
    lesion, foreground = rng.random((9, 8, 7)) < share, rng.random((9, 8, 7)) < 0.7
    wide = widened(lesion, foreground, reach, spacing)
    points = np.argwhere(np.ones(lesion.shape)) * spacing[::-1]
    if lesion.any():
        apart = np.linalg.norm(points[:, None] - points[lesion.ravel()][None], axis=-1).min(1).reshape(lesion.shape)
        clear = np.abs(apart - reach) > 1e-6
        assert (wide == (lesion | (foreground & (apart <= reach))))[clear].all()
    else:
        assert not wide.any()
