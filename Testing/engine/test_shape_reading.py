"""From a list of cases to the material of recipe ``shape``; what cannot be used is told in one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Testing.shape_scans import HEADER, geometry_of, write_cases, write_scan

from pseudonormal.cases import read_cases
from pseudonormal.errors import InputError
from pseudonormal.recipes.shape.masks import some_of
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import opened, shape_material, sized_source
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image
from pseudonormal.seeding.material import seeding_material
from pseudonormal.training.streams import load_streams

OPTIONS = ShapeOptions(dimensions=2, edge=32, voxel_mm=3.0)


def never(_):
    raise AssertionError("every case names its brain")


def streams_of(path, foreground_of=never):
    return load_streams(read_cases(path), foreground_of=foreground_of)


@pytest.fixture(scope="module")
def a_list(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("Schädel"))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_scans_and_masks_are_brought_into_the_frame(a_list, dimensions):
    options = replace(OPTIONS, dimensions=dimensions)
    material = shape_material(streams_of(a_list), options)
    assert [scan.case for scan in material.scans] == ["s0", "s1", "s2", "s3"]
    assert [scan.case for scan in material.held_out] == ["s4"]
    for scan in (*material.scans, *material.held_out):
        assert scan.image.shape == (32, 32, 32)
        assert scan.truth is None
        assert 0 <= scan.image.min() < scan.image.max() <= 1.2
        assert (scan.image[~scan.region] < 0.5).mean() > 0.99
    mask = material.masks.draw(options.shape, np.random.default_rng(0))
    assert mask.shape == options.shape
    assert 0.003 < mask.mean() < 0.2


def test_what_is_found_in_the_frame_lies_at_its_place_in_the_scan(a_list):
    case = next(case for case in read_cases(a_list) if case.case == "s1")
    truth = read_scan(a_list.parent / "truth" / "s1.nii.gz").array > 0
    scan = opened(replace(case, mask=a_list.parent / "truth" / "s1.nii.gz"), OPTIONS, never)
    shown = scan.in_frame(scan.frame)
    assert shown.truth is not None
    back = scan.on_own_grid(scan.frame.back(shown.truth.astype(np.float32), scan.image.shape)) >= 0.5
    assert back.shape == truth.shape
    assert 2 * (back & truth).sum() / (back.sum() + truth.sum()) > 0.88
    bright = scan.image > 0.75
    inside = scan.frame.mask(bright)
    assert 2 * (inside & shown.truth).sum() / (inside.sum() + shown.truth.sum()) > 0.8


def spoil(folder, array, geometry=None):
    """A list whose last mask is this one."""
    path = write_cases(folder, scans=1, masks=3)
    write_image(array, geometry or geometry_of(array.shape), folder / "s3_mask.nii.gz")
    return path


BALL = (np.indices((36, 40, 38)) - np.reshape([18, 20, 19], (3, 1, 1, 1))).__pow__(2).sum(0) <= 36


@pytest.mark.parametrize(
    ("array", "changed", "said"),
    [
        (np.zeros((36, 40, 38), np.uint8), {}, "all voxels are zero"),
        (-BALL.astype(np.int16), {}, "marks nothing"),
        (np.ones((36, 40, 38), np.uint8), {}, "all voxels have the same value"),
        (np.pad(np.ones((1, 9, 9), np.uint8), ((0, 0), (9, 9), (9, 9))), {}, "is 2D .* give the whole volume"),
        (BALL.astype(np.uint8), {"voxel_mm": 16.0}, "lower voxel_mm"),
        (BALL.astype(np.uint8), {"voxel_mm": 0.5}, "raise voxel_mm"),
    ],
)
def test_a_mask_that_cannot_be_used_is_named(tmp_path, array, changed, said):
    path = spoil(tmp_path, array)
    rows = [line for line in path.read_text().splitlines() if not line.startswith(("s1", "s2"))]
    path.write_text("\n".join(rows).replace("s3_brain.nii.gz", "") + "\n")
    with pytest.raises(InputError, match=said) as refused:
        shape_material(streams_of(path), replace(OPTIONS, **changed))
    assert "s3_mask.nii.gz" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_masks_of_unlike_size_are_told(tmp_path):
    small = np.zeros((36, 40, 38), np.uint8)
    small[18:20, 18:22, 18:22] = 1
    path = spoil(tmp_path, small)
    with pytest.raises(InputError, match=r"s3_mask.*marks 0\.\d+ ml where the other masks mark about"):
        shape_material(streams_of(path), replace(OPTIONS, voxel_mm=2.0))


def test_lists_without_scans_or_masks_are_refused(tmp_path):
    path = write_cases(tmp_path / "one", scans=2, masks=0)
    with pytest.raises(InputError, match="source=ellipses"):
        shape_material(streams_of(path), OPTIONS)
    path = write_cases(tmp_path / "two", scans=0, masks=2)
    with pytest.raises(InputError, match="has an image"):
        shape_material(streams_of(path), OPTIONS)


def test_a_scan_whose_brain_has_no_contrast_is_named(tmp_path):
    path = write_cases(tmp_path, scans=2, masks=1)
    flat = np.full((36, 40, 38), 7, np.int16)
    flat[0] = 900
    write_image(flat, geometry_of(flat.shape), tmp_path / "s0.nii.gz")
    with pytest.raises(InputError, match=r"s0\.nii\.gz.*no contrast"):
        shape_material(streams_of(path), OPTIONS)


def test_lesions_can_be_simulated_where_there_are_no_masks(tmp_path):
    path = write_cases(tmp_path, scans=2, masks=0)
    material = shape_material(streams_of(path), replace(OPTIONS, source="lesions", lesion_ml=2.0, lesion_ml_high=10.0))
    assert any(material.masks.draw((32, 32), np.random.default_rng(n)).any() for n in range(3))


def test_ellipses_say_how_large_objects_are():
    ellipses = [replace(OPTIONS, source="ellipses", radius_low=r, radius_high=r) for r in (0.2, 0.3)]
    low, high = (np.mean([m.sum() for m in some_of(sized_source(one), one.shape, 400)]) for one in ellipses)
    assert high / low == pytest.approx((0.3 / 0.2) ** 2, rel=0.05)
    assert all(sized_source(replace(OPTIONS, source=source)) is None for source in ("masks", "lesions"))


def test_the_finder_is_asked_for_brains_that_no_case_names(tmp_path):
    write_scan(tmp_path, "x", np.random.default_rng(0))
    path = tmp_path / "cases.csv"
    path.write_text(f"{HEADER}\nx,x,train,x.nii.gz,,,,\ny,y,train,x.nii.gz,,,,\n")
    asked = []

    def finder(image):
        asked.append(image.shape)
        return image > 200

    shape_material(streams_of(path, finder), replace(OPTIONS, source="ellipses"))
    assert len(asked) == 2


def test_masks_of_other_subjects_in_a_list_to_seed_say_where_objects_lie(a_list):
    options = replace(OPTIONS, dimensions=3)
    material, cases = seeding_material(streams_of(a_list), options, fine_mm=3.0)
    assert [case.case for case in cases] == ["s0", "s1", "s2", "s3", "s4"]
    assert material.placed is not None
    mean = np.mean(some_of(material.placed, options.shape, 20), axis=0)
    assert np.linalg.norm(np.array(np.nonzero(mean > mean.max() / 2)).mean(1) - 15.5) < 4
