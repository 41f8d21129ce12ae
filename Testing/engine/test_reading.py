"""Scans and masks come in as they stand on disk, in the place their headers say."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.scan.coding import decoded, encoded
from pseudonormal.scan.placing import same_grid
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Geometry, Scan, Storage
from pseudonormal.scan.writing import write_image, write_segmentation

OBLIQUE = (0.96, -0.28, 0.0, 0.28, 0.96, 0.0, 0.0, 0.0, 1.0)
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def an_array(dtype: str = "int16", shape: tuple[int, int, int] = (5, 6, 7)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)


def an_image(
    array: np.ndarray,
    spacing: tuple[float, ...] = (0.5, 0.75, 3.0),
    origin: tuple[float, ...] = (-10.0, 20.0, 5.0),
    direction: tuple[float, ...] = OBLIQUE,
) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".NII.GZ"])
def test_each_format_gives_the_same_voxels_and_place(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "Größe 頭部"
    folder.mkdir()
    array = an_array()
    sitk.WriteImage(an_image(array), str(folder / f"scan{ending.lower()}"))
    path = folder / f"scan{ending}"
    (folder / f"scan{ending.lower()}").rename(path)
    scan = read_scan(path)
    assert scan.array.dtype == np.int16
    np.testing.assert_array_equal(scan.array, array)
    assert scan.geometry.size == (7, 6, 5)
    np.testing.assert_allclose(scan.geometry.spacing, (0.5, 0.75, 3.0), rtol=1e-6)
    np.testing.assert_allclose(scan.geometry.origin, (-10, 20, 5), atol=1e-4)
    np.testing.assert_allclose(scan.geometry.direction, OBLIQUE, atol=1e-5)
    assert scan.source == path


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_number_types_are_kept(tmp_path: Path, dtype: str, ending: str) -> None:
    array = an_array(dtype)
    sitk.WriteImage(an_image(array), str(tmp_path / f"scan{ending}"))
    scan = read_scan(tmp_path / f"scan{ending}")
    assert scan.array.dtype == scan.storage.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(scan.array, array)


def test_a_link_is_followed(tmp_path: Path) -> None:
    sitk.WriteImage(an_image(an_array()), str(tmp_path / "scan.nii.gz"))
    link = tmp_path / "link.nii.gz"
    try:
        link.symlink_to(tmp_path / "scan.nii.gz")
    except OSError:
        pytest.skip("no right to make links here")
    np.testing.assert_array_equal(read_scan(link).array, an_array())


def test_a_gzipped_file_without_gz_in_its_name(tmp_path: Path) -> None:
    sitk.WriteImage(an_image(an_array()), str(tmp_path / "scan.nii"))
    (tmp_path / "packed.nii").write_bytes(gzip.compress((tmp_path / "scan.nii").read_bytes()))
    np.testing.assert_array_equal(read_scan(tmp_path / "packed.nii").array, an_array())


def test_big_endian_and_nifti2(tmp_path: Path) -> None:
    array = an_array()
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    big = nib.Nifti1Image(array.T, affine, nib.Nifti1Header(endianness=">"))
    nib.save(big, tmp_path / "big.nii.gz")
    nib.save(nib.Nifti2Image(array.T, affine), tmp_path / "two.nii.gz")
    for name in ("big", "two"):
        scan = read_scan(tmp_path / f"{name}.nii.gz")
        np.testing.assert_array_equal(scan.array, array)
        assert scan.array.dtype.isnative
        np.testing.assert_allclose(scan.geometry.affine_ras(), affine)


@pytest.mark.parametrize(("sform", "qform"), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (1, 2), (4, 2)])
def test_of_two_transforms_the_one_that_slicer_shows_is_taken(tmp_path: Path, sform: int, qform: int) -> None:
    image = nib.Nifti1Image(an_array().T, None)
    for setter, code, shift in ((image.set_sform, sform, 11.0), (image.set_qform, qform, 22.0)):
        affine = np.diag([1.0, 1.0, 2.0, 1.0])
        affine[:3, 3] = shift
        setter(affine, code)
    nib.save(image, tmp_path / "scan.nii")
    expected = sitk.ReadImage(str(tmp_path / "scan.nii")).GetOrigin()
    np.testing.assert_allclose(read_scan(tmp_path / "scan.nii").geometry.origin, expected, atol=1e-6)


def test_scaled_nifti_is_float32_in_scan_units(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(-1000, 3000, (5, 6, 7)).astype(np.int16)
    header = nib.Nifti1Header()
    header.set_data_shape((7, 6, 5))
    header.set_data_dtype(np.int16)
    header.set_sform(np.diag([2.0, 2.0, 2.0, 1.0]), 1)
    header["pixdim"][1:4] = 2
    header["scl_slope"], header["scl_inter"], header["vox_offset"] = 0.37, -5.0, 352
    (tmp_path / "scan.nii").write_bytes(header.binaryblock + bytes(4) + stored.tobytes())
    scan = read_scan(tmp_path / "scan.nii")
    assert scan.array.dtype == np.float32
    assert scan.storage.dtype == np.int16
    np.testing.assert_allclose(scan.array, stored * np.float32(0.37) - 5, rtol=1e-5)


@given(
    dtype=st.sampled_from([*INTEGERS, "float32"]),
    slope=st.floats(2**-20, 2**20, width=32) | st.floats(-(2**20), -(2**-20), width=32),
    intercept=st.floats(-(2**20), 2**20, width=32),
    seed=st.integers(0, 1000),
)
def test_scaled_numbers_come_back_bit_for_bit(dtype: str, slope: float, intercept: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        stored = rng.normal(0, 100, (2, 3, 4)).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        stored = rng.integers(limits.min, limits.max, (2, 3, 4), dtype=dtype, endpoint=True)
    values, storage = decoded(stored, Storage(np.dtype(dtype), slope, intercept))
    if storage.dtype == np.dtype(dtype):
        np.testing.assert_array_equal(encoded(values, storage), stored)
    else:  # nothing but the values themselves can be kept
        np.testing.assert_array_equal(encoded(values, storage), values)
    np.testing.assert_allclose(
        values, stored.astype(np.float64) * slope + intercept, rtol=1e-6, atol=1e-6 * (abs(slope) + abs(intercept))
    )


def test_a_volume_of_a_4d_image_is_chosen(tmp_path: Path) -> None:
    volumes = np.stack([an_array() + 200 * i for i in range(3)])
    nib.save(nib.Nifti1Image(volumes.T, np.diag([1.0, 1, 2, 1])), tmp_path / "scan.nii.gz")
    sitk.WriteImage(
        sitk.JoinSeries([an_image(v, direction=tuple(np.eye(3).flat)) for v in volumes]), str(tmp_path / "scan.mha")
    )
    sitk.WriteImage(
        sitk.JoinSeries([an_image(v, direction=tuple(np.eye(3).flat)) for v in volumes]), str(tmp_path / "scan.nrrd")
    )
    for name in ("scan.nii.gz", "scan.mha", "scan.nrrd"):
        scan = read_scan(tmp_path / name, volume=2)
        assert scan.geometry.shape == (5, 6, 7)
        np.testing.assert_array_equal(scan.array, volumes[2])


def test_4d_with_one_volume_needs_no_choice(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(an_array().T[..., None], np.eye(4)), tmp_path / "scan.nii.gz")
    np.testing.assert_array_equal(read_scan(tmp_path / "scan.nii.gz").array, an_array())


def test_negative_background_is_fine(tmp_path: Path) -> None:
    array = np.full((5, 6, 7), -3.5, np.float32)
    array[2, 3, 3] = 1
    sitk.WriteImage(an_image(array), str(tmp_path / "scan.nii.gz"))
    np.testing.assert_array_equal(read_scan(tmp_path / "scan.nii.gz").array, array)


# Masks


def a_geometry() -> Geometry:
    return Geometry((24, 22, 20), (1.0, 1.0, 2.0), (-12.0, 30.0, 7.0), OBLIQUE)


@pytest.fixture
def a_scan(tmp_path: Path) -> Scan:
    geometry = a_geometry()
    write_image(an_array("float32", geometry.shape), geometry, tmp_path / "scan.nii.gz")
    return read_scan(tmp_path / "scan.nii.gz")


@pytest.fixture
def a_lesion(a_scan: Scan) -> np.ndarray:
    lesion = np.zeros(a_scan.array.shape, bool)
    lesion[6:12, 8:15, 5:13] = True
    return lesion


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_any_value_above_zero_is_lesion(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray, dtype: str) -> None:
    labels = a_lesion.astype(dtype)
    labels[a_lesion] = np.arange(a_lesion.sum()) % 4 + 1
    write_image(labels, a_scan.geometry, tmp_path / "mask.nii.gz")
    mask, warnings = read_mask(tmp_path / "mask.nii.gz", a_scan)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, a_lesion)
    assert warnings == ()


def test_a_slicer_segmentation_is_a_mask(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    write_segmentation(a_lesion, a_scan.geometry, tmp_path / "mask.seg.nrrd")
    mask, warnings = read_mask(tmp_path / "mask.seg.nrrd", a_scan)
    np.testing.assert_array_equal(mask, a_lesion)
    assert warnings == ()


def test_a_segmentation_cut_to_its_extent_is_put_back(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    whole = an_image(a_lesion.astype(np.uint8), a_scan.geometry.spacing, a_scan.geometry.origin)
    sitk.WriteImage(whole[3:16, 7:20, 4:15], str(tmp_path / "mask.seg.nrrd"))
    mask, warnings = read_mask(tmp_path / "mask.seg.nrrd", a_scan)
    np.testing.assert_array_equal(mask, a_lesion)
    assert warnings == ()


def test_overlapping_segments_of_slicer_all_count(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    other = np.roll(a_lesion, 3, axis=2)
    layers = sitk.Compose(
        [an_image(m.astype(np.uint8), a_scan.geometry.spacing, a_scan.geometry.origin) for m in (a_lesion, other)]
    )
    sitk.WriteImage(layers, str(tmp_path / "mask.seg.nrrd"))
    text = (tmp_path / "mask.seg.nrrd").read_bytes().replace(b"kinds: vector", b"kinds: list")
    (tmp_path / "mask.seg.nrrd").write_bytes(text)
    mask, _ = read_mask(tmp_path / "mask.seg.nrrd", a_scan)
    np.testing.assert_array_equal(mask, a_lesion | other)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_mask_on_a_finer_rotated_grid_lands_where_it_lies(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("rotated")
    rng = np.random.default_rng(seed)
    geometry = a_geometry()
    write_image(an_array("float32", geometry.shape), geometry, tmp_path / "scan.nii.gz")
    scan = read_scan(tmp_path / "scan.nii.gz")
    middle = scan.geometry.to_ras(np.array([[9.5, 11.0, 12.0]]))[0]
    # A ball in patient space, drawn on a grid of its own.
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    spacing = rng.uniform(0.4, 0.9, 3)
    size = np.ceil(18 / spacing).astype(int)
    origin = middle * (-1, -1, 1) - rotation @ (spacing * (size - 1) / 2)
    fine = Geometry(tuple(int(n) for n in size), tuple(spacing), tuple(origin), tuple(rotation.flat))

    def distance(g: Geometry) -> np.ndarray:
        index = np.argwhere(np.ones(g.shape, bool))
        return np.linalg.norm(g.to_ras(index) - middle, axis=1).reshape(g.shape)

    write_image(distance(fine) < 7, fine, tmp_path / "mask.nii.gz")
    mask, warnings = read_mask(tmp_path / "mask.nii.gz", scan)
    half_a_diagonal = np.linalg.norm(spacing) / 2
    assert mask[distance(scan.geometry) < 7 - half_a_diagonal].all()
    assert not mask[distance(scan.geometry) > 7 + half_a_diagonal].any()
    assert len(warnings) == 1
    assert "mask.nii.gz" in warnings[0]
    assert "another grid" in warnings[0]


def test_rounded_headers_are_still_one_grid() -> None:
    geometry = a_geometry()
    moved = Geometry(geometry.size, geometry.spacing, (-12.0001, 30.0002, 7.0), geometry.direction)
    shifted = Geometry(geometry.size, geometry.spacing, (-11.5, 30.0, 7.0), geometry.direction)
    assert same_grid(geometry, moved)
    assert not same_grid(geometry, shifted)


def refusal(path: Path, scan: Scan) -> str:
    with pytest.raises(InputError) as caught:
        read_mask(path, scan)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_an_empty_mask_is_refused(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    write_image(a_lesion & False, a_scan.geometry, tmp_path / "mask.nii.gz")
    assert "mask is empty" in refusal(tmp_path / "mask.nii.gz", a_scan)


def test_a_mask_of_everything_is_refused(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    write_image(a_lesion | True, a_scan.geometry, tmp_path / "mask.nii.gz")
    assert "every voxel" in refusal(tmp_path / "mask.nii.gz", a_scan)


def test_a_mask_with_nan_is_refused(tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray) -> None:
    write_image(np.where(a_lesion, 1, np.nan).astype(np.float32), a_scan.geometry, tmp_path / "mask.nii.gz")
    assert "NaN" in refusal(tmp_path / "mask.nii.gz", a_scan)


def test_a_mask_of_another_size_without_a_place_is_refused(tmp_path: Path, a_scan: Scan) -> None:
    lesion = np.zeros((15, 15, 15), np.uint8)
    lesion[5:9, 5:9, 5:9] = 1
    nib.save(nib.Nifti1Image(lesion, np.eye(4)), tmp_path / "mask.nii.gz")
    message = refusal(tmp_path / "mask.nii.gz", a_scan)
    assert "another grid (15x15x15 against the scan's 24x22x20)" in message
    assert "scan.nii.gz" in message


@pytest.mark.parametrize(("shift", "words"), [(500.0, "nowhere overlaps"), (7.0, "outside")])
def test_a_mask_that_lies_beside_the_scan_is_refused(
    tmp_path: Path, a_scan: Scan, a_lesion: np.ndarray, shift: float, words: str
) -> None:
    geometry = a_scan.geometry
    beside = np.reshape(geometry.direction, (3, 3))[:, 1] * -(shift + 7.5) + geometry.origin
    moved = Geometry((24, 22, 20), geometry.spacing, tuple(beside), geometry.direction)
    write_image(a_lesion, moved, tmp_path / "mask.nii.gz")
    message = refusal(tmp_path / "mask.nii.gz", a_scan)
    assert words in message
    assert "another patient" in message
