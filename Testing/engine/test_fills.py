"""Classical fills and the symmetry plane: what they promise whatever the mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pseudonormal.errors import InputError
from pseudonormal.fills.gaussian_ring import gaussian_ring_fill
from pseudonormal.fills.identity import identity_fill
from pseudonormal.fills.mirror import mirror_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.ring_mean import ring_mean_fill
from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane
from pseudonormal.fills.template import TISSUE_NAMES, template_fill, tissue_probabilities
from pseudonormal.fills.template_build import TISSUES, build_template, write_template
from pseudonormal.recipes.classical import CLASSICAL, Fill

Head = tuple[SymmetryPlane, np.ndarray, np.ndarray]
SMOOTH: list[Fill] = [ring_mean_fill, normalised_convolution_fill, mirror_fill, template_fill]
FILLS: list[Fill] = [*SMOOTH, gaussian_ring_fill]


def a_tilted_head(plane: SymmetryPlane) -> tuple[np.ndarray, np.ndarray]:
    """A head-sized phantom (bilateral structures, noise) that is symmetric about the plane, and its brain mask."""
    positions = np.stack(np.meshgrid(*map(np.arange, plane.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    centre = (np.asarray(plane.shape) - 1) / 2
    normal = plane.normal
    across = (positions - centre) @ normal - plane.offset_mm
    up = np.cross(normal, [0.0, 1.0, 0.0])
    up /= np.linalg.norm(up)
    front = np.cross(normal, up)
    u, v, w = np.abs(across), (positions - centre) @ up, (positions - centre) @ front
    brain = (u / 34) ** 2 + (v / 36) ** 2 + (w / 44) ** 2 < 1
    image = 100 + 15 * np.sin(u / 5) * np.cos(v / 7) + 10 * np.sin(w / 6)
    image[(u / 6) ** 2 + (v / 8) ** 2 + ((w - 5) / 15) ** 2 < 1] = 30
    image[((u - 18) / 7) ** 2 + (v / 8) ** 2 + ((w + 8) / 10) ** 2 < 1] = 150
    image += np.random.default_rng(0).normal(0, 3, image.shape)
    return np.where(brain, image, 0).reshape(plane.shape).astype(np.float32), brain.reshape(plane.shape)


@pytest.fixture(scope="module")
def a_head() -> Head:
    plane = SymmetryPlane(6.0, -4.0, 2.5, (84, 100, 88))
    return plane, *a_tilted_head(plane)


def a_ball(shape: tuple[int, ...], centre: tuple[int, ...], radius: float) -> np.ndarray:
    grid = np.indices(shape, dtype=np.float32)
    return ((grid - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


@st.composite
def masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A small image, a random mask (balls anywhere, borders included, up to nearly everything) and a foreground."""
    shape = tuple(draw(st.tuples(*[st.integers(1, 18)] * 3)))
    lesion = np.zeros(shape, bool)
    for _ in range(draw(st.integers(0, 4))):
        lesion |= a_ball(shape, tuple(draw(st.integers(-2, size + 1)) for size in shape), draw(st.integers(0, 9)))
    seed = draw(st.integers(0, 2**16))
    generator = np.random.default_rng(seed)
    foreground = lesion | (generator.random(shape) < draw(st.sampled_from([0.02, 0.5, 1.0])))
    return generator.uniform(-1, 2, shape).astype(np.float32), lesion, foreground


@pytest.mark.parametrize("fill", FILLS)
@given(masks())
@settings(deadline=None, max_examples=40)
def test_only_the_lesion_changes_and_never_from_lesion_values(
    fill: Fill, drawn: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    image, lesion, foreground = drawn
    if not (foreground & ~lesion).any() and lesion.any():
        with pytest.raises(InputError, match="no normal brain"):
            fill(image, lesion, foreground)
        return
    before = image.copy()
    filled = fill(image, lesion, foreground)
    np.testing.assert_array_equal(image, before)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[~lesion], image[~lesion])
    assert np.isfinite(filled).all()
    image[lesion] = 1e6
    np.testing.assert_array_equal(fill(image, lesion, foreground)[lesion], filled[lesion])


@pytest.mark.parametrize("fill", FILLS)
def test_lesion_values_do_not_leak_in_a_whole_head(fill: Fill, a_head: Head) -> None:
    plane, image, brain = a_head
    lesion = (
        a_ball(plane.shape, (42, 40, 60), 9)
        | a_ball(plane.shape, (42, 62, 60), 8)
        | a_ball(plane.shape, (40, 40, 28), 5)
    )
    lesion &= brain
    filled = fill(image, lesion, brain)
    bright = np.where(lesion, np.float32(1e6), image)
    np.testing.assert_array_equal(fill(bright, lesion, brain)[lesion], filled[lesion])
    np.testing.assert_array_equal(filled[~lesion], image[~lesion])


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_a_constant_stays_constant(fill: Fill, level: float, a_head: Head) -> None:
    plane, image, brain = a_head
    lesion = a_ball(plane.shape, (42, 45, 58), 10) & brain
    image = np.full_like(image, level)
    np.testing.assert_array_equal(fill(image, lesion, brain), image)


def test_identity_returns_a_copy() -> None:
    image = np.ones((3, 3, 3), np.float32)
    filled = identity_fill(image, image > 0, image > 0)
    assert filled is not image
    np.testing.assert_array_equal(filled, image)


def test_ring_mean_takes_each_lesions_own_surroundings() -> None:
    image = np.zeros((20, 20, 60), np.float32)
    image[..., 30:] = 8
    lesion = a_ball(image.shape, (10, 10, 12), 4) | a_ball(image.shape, (10, 10, 48), 4)
    filled = ring_mean_fill(image, lesion, np.ones_like(lesion))
    np.testing.assert_array_equal(filled, image)


def test_gaussian_ring_has_the_rings_spread_and_repeats_by_seed() -> None:
    image = np.random.default_rng(3).normal(5, 0.5, (40, 40, 40)).astype(np.float32)
    lesion = a_ball(image.shape, (20, 20, 20), 10)
    filled = gaussian_ring_fill(image, lesion, np.ones_like(lesion))
    assert filled[lesion].mean() == pytest.approx(5, abs=0.05)
    assert filled[lesion].std() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(gaussian_ring_fill(image, lesion, np.ones_like(lesion)), filled)
    assert (gaussian_ring_fill(image, lesion, np.ones_like(lesion), seed=1)[lesion] != filled[lesion]).any()


@pytest.mark.parametrize("radius", [3, 6, 14])
def test_normalised_convolution_continues_a_ramp(radius: float) -> None:
    image = np.broadcast_to(np.linspace(0, 1, 61, dtype=np.float32)[:, None, None], (61, 50, 50)).copy()
    lesion = a_ball(image.shape, (30, 25, 25), radius)
    error = np.abs(normalised_convolution_fill(image, lesion, np.ones_like(lesion)) - image)
    span = 2 * radius / 60
    assert error.max() < 0.3 * span
    assert error[30].max() < 0.01


def test_symmetry_plane_of_a_tilted_head_is_found_beside_a_large_lesion(a_head: Head) -> None:
    plane, image, brain = a_head
    lesion = a_ball(plane.shape, (45, 45, 62), 15) & brain
    image = np.where(lesion, np.float32(400), image)
    points = np.argwhere(brain)[::101]
    for mask in (lesion, None):
        found = symmetry_plane(image, brain, mask)
        distance = np.linalg.norm(found.mirror_points(points) - plane.mirror_points(points), axis=1)
        assert distance.max() < 1.0
    assert symmetry_plane(image, brain, lesion) == symmetry_plane(image, brain, lesion)


def test_symmetry_plane_without_a_brain_is_the_upright_middle() -> None:
    image = np.zeros((20, 30, 41), np.float32)
    assert symmetry_plane(image, image > 0) == SymmetryPlane(0.0, 0.0, 0.0, image.shape)
    speck = np.zeros(image.shape, bool)
    speck[10, 10, 30] = True
    assert symmetry_plane(image, speck) == SymmetryPlane(0.0, 0.0, 10.0, image.shape)


@given(yaw=st.floats(-25, 25), roll=st.floats(-25, 25), offset=st.floats(-6, 6))
@settings(deadline=None, max_examples=30)
def test_mirroring_twice_comes_back_and_reflect_agrees_with_it(yaw: float, roll: float, offset: float) -> None:
    plane = SymmetryPlane(yaw, roll, offset, (18, 22, 20))
    points = np.random.default_rng(0).uniform(0, 18, (40, 3))
    np.testing.assert_allclose(plane.mirror_points(plane.mirror_points(points)), points, atol=1e-9)
    # Linear interpolation of a linear image is exact wherever the mirror position is on the grid.
    slopes = np.array([0.3, -0.7, 1.1])
    grid = np.moveaxis(np.indices(plane.shape), 0, -1)
    image = (grid @ slopes).astype(np.float32)
    reflected = plane.reflect(image, outside=-99.0)
    mirrored = plane.mirror_points(grid.reshape(-1, 3)).reshape(grid.shape)
    inside = ((mirrored >= 0) & (mirrored <= np.asarray(plane.shape) - 1)).all(axis=-1)
    np.testing.assert_allclose(reflected[inside], (mirrored @ slopes)[inside], atol=1e-3)
    beyond = ((mirrored < -0.51) | (mirrored > np.asarray(plane.shape) - 0.49)).any(axis=-1)
    assert (reflected[beyond] == -99.0).all()
    box = (slice(3, 9), slice(0, 22), slice(12, 20))
    np.testing.assert_allclose(plane.reflect(image, box, outside=-99.0), reflected[box], atol=1e-4)


def test_an_upright_plane_is_the_plain_flip() -> None:
    image = np.random.default_rng(0).random((6, 7, 8)).astype(np.float32)
    plane = SymmetryPlane(0.0, 0.0, 0.0, (6, 7, 8))
    np.testing.assert_allclose(plane.reflect(image), image[..., ::-1], atol=1e-6)
    np.testing.assert_array_equal(plane.reflect_mask(image > 0.5), (image > 0.5)[..., ::-1])


def test_mirror_restores_what_the_other_side_shows(a_head: Head) -> None:
    plane, image, brain = a_head
    lesion = a_ball(plane.shape, (42, 45, 64), 9) & brain
    mirrored = mirror_fill(np.where(lesion, np.float32(300), image), lesion, brain)
    mean = ring_mean_fill(image, lesion, brain)
    assert np.abs(mirrored - image)[lesion].mean() < 0.5 * np.abs(mean - image)[lesion].mean()


def a_scan_like_the_template() -> tuple[np.ndarray, np.ndarray]:
    """A made-up contrast of the template's tissues at 1 mm, shifted, turned and enlarged."""
    tissues = tissue_probabilities()
    values = np.tensordot(np.array([10, 60, 90, 75], np.float32), tissues, axes=1)
    sources = [sitk.GetImageFromArray(np.ascontiguousarray(array)) for array in (values, tissues.sum(axis=0))]
    transform = sitk.Euler3DTransform()
    transform.SetCenter((80.0, 100.0, 80.0))
    transform.SetRotation(0.08, -0.05, 0.06)
    transform.SetTranslation((4.0, -3.0, 5.0))
    scan = []
    for source in sources:
        source.SetSpacing((2.1, 2.0, 1.9))
        scan.append(sitk.GetArrayFromImage(sitk.Resample(source, [160, 200, 160], transform)))
    return scan[0], scan[1] > 0.5


def test_template_restores_anatomy_that_the_ring_cannot_know() -> None:
    image, brain = a_scan_like_the_template()
    middle = tuple(int(axis.mean()) for axis in np.nonzero(brain))
    lesion = a_ball(image.shape, (middle[0] + 5, middle[1], middle[2] + 12), 16) & brain
    spoilt = np.where(lesion, np.float32(200), image)
    errors = [np.abs(fill(spoilt, lesion, brain) - image)[lesion].mean() for fill in (template_fill, ring_mean_fill)]
    assert errors[0] < 0.5 * errors[1]


def test_the_shipped_template_is_a_symmetric_brain() -> None:
    tissues = tissue_probabilities()
    assert tissues.shape[0] == len(TISSUES) == len(TISSUE_NAMES)
    assert tuple(TISSUES) == TISSUE_NAMES
    assert tissues.min() >= 0
    assert tissues.sum(axis=0).max() < 1.02
    np.testing.assert_array_equal(tissues, tissues[..., ::-1])
    brain_ml = tissues.sum() * 8 / 1000
    assert 1000 < brain_ml < 2000
    labels, _ = ndimage.label(tissues.sum(axis=0) > 0.5)
    assert np.bincount(labels.ravel())[1:].max() > 100_000


def test_a_template_is_built_from_label_maps_of_any_orientation(tmp_path: Path) -> None:
    labels = np.zeros((96, 96, 96), np.int16)
    for number, radius in ((24, 40), (42, 36), (41, 28), (49, 12)):
        labels[a_ball(labels.shape, (48, 44, 46), radius)] = number
    for number, orientation in enumerate(("RAS", "LIA")):
        image = sitk.GetImageFromArray(np.roll(labels, 2 * number, axis=1))
        sitk.WriteImage(sitk.DICOMOrient(image, orientation), str(tmp_path / f"map{number}.nii.gz"))
    probabilities = build_template(tmp_path)
    assert probabilities.shape[0] == len(TISSUES)
    centre = [size // 2 for size in probabilities.shape[1:]]
    assert probabilities[3, centre[0], centre[1], centre[2]] == 255
    sharp = (probabilities > 200).sum() / (probabilities > 20).sum()
    assert sharp > 0.5
    write_template(probabilities, tmp_path / "template.nii.gz")
    written = sitk.ReadImage(str(tmp_path / "template.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), probabilities)
    with pytest.raises(InputError, match="no label maps"):
        build_template(tmp_path / "nowhere")


def test_every_fill_is_a_recipe(a_head: Head) -> None:
    plane, image, brain = a_head
    lesion = a_ball(plane.shape, (42, 45, 62), 5)
    expected = {"identity", "ring_mean", "gaussian_ring", "normalised_convolution", "biharmonic", "mirror", "template"}
    assert set(CLASSICAL) == expected
    for name, recipe in CLASSICAL.items():
        assert recipe.name == name
        restoration = recipe.restore(image, lesion, brain)
        np.testing.assert_array_equal(restoration.normal[~lesion], image[~lesion])
        assert restoration.expected_error is None
