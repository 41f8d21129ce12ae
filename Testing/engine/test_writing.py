"""What is written is the scan's own, and opens elsewhere."""

import gzip
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.scan.placing import same_grid
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Geometry, Scan, Storage
from pseudonormal.scan.writing import write_image, write_like, write_segmentation

OBLIQUE = (0.96, -0.28, 0.0, 0.28, 0.96, 0.0, 0.0, 0.0, 1.0)
GEOMETRY = Geometry((7, 6, 5), (0.5, 0.75, 3.0), (-10.0, 20.0, 5.0), OBLIQUE)
TRANSFORMS = ["srow_x", "srow_y", "srow_z", "sform_code", "qform_code", "pixdim", "xyzt_units"]
TRANSFORMS += ["quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"]


def an_array(dtype: str = "int16") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, GEOMETRY.shape).astype(dtype)


def a_raw_nifti(path: Path, stored: np.ndarray, slope: float, intercept: float, endianness: str = "<") -> Path:
    """A NIfTI with different qform and sform and everything else that must survive, written byte by byte."""
    header = nib.Nifti1Header(endianness=endianness)
    header.set_data_shape(stored.shape[::-1])
    header.set_data_dtype(stored.dtype)
    affine = GEOMETRY.affine_ras()
    header.set_sform(affine, 1)
    affine[:3, 3] += 3
    header.set_qform(affine, 2)
    header.set_xyzt_units("mm", "sec")
    header["scl_slope"], header["scl_inter"], header["vox_offset"] = slope, intercept, 352
    header["descrip"] = b"made for a test"
    content = header.binaryblock + bytes(4) + stored.astype(stored.dtype.newbyteorder(endianness)).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32"]),
    scaling=st.sampled_from([(1.0, 0.0), (np.nan, np.nan), (0.0, 0.0), (0.37, -5.0), (-2.5, 1024.0), (1.0, -1024.0)]),
    endianness=st.sampled_from(["<", ">"]),
    ending=st.sampled_from([".nii", ".nii.gz"]),
    seed=st.integers(0, 100),
)
def test_an_unchanged_nifti_is_the_same_file(
    tmp_path_factory: pytest.TempPathFactory,
    dtype: str,
    scaling: tuple[float, float],
    endianness: str,
    ending: str,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("same")
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        stored = rng.integers(-100, 100, GEOMETRY.shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        stored = rng.integers(limits.min, limits.max, GEOMETRY.shape, dtype=dtype, endpoint=True)
    source = a_raw_nifti(folder / f"scan{ending}", stored, *scaling, endianness)
    scan = read_scan(source)
    write_like(scan, scan.array, folder / f"out{ending}")
    if scan.storage.dtype == np.dtype(dtype):
        assert content(folder / f"out{ending}") == content(source)
    else:  # 64-bit integers so large that, scaled, no float tells them apart: the values are kept
        assert dtype in ("int64", "uint64")
        np.testing.assert_array_equal(read_scan(folder / f"out{ending}").array, scan.array)


@pytest.mark.parametrize("scaling", [(1.0, 0.0), (0.37, -5.0)])
@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_only_the_changed_voxels_change(tmp_path: Path, dtype: str, scaling: tuple[float, float]) -> None:
    stored = an_array(dtype)
    scan = read_scan(a_raw_nifti(tmp_path / "scan.nii", stored, *scaling))
    changed = scan.array.astype(np.float32)
    changed[2, 2:4, 3:5] = [[-1e9, 1e9], [30.2, 30.4]]
    write_like(scan, changed.astype(np.float32), tmp_path / "out.nii")
    raw = np.frombuffer(content(tmp_path / "out.nii")[352:], dtype).reshape(stored.shape)
    inside = np.zeros(stored.shape, bool)
    inside[2, 2:4, 3:5] = True
    np.testing.assert_array_equal(raw[~inside], stored[~inside])
    limits = np.iinfo(dtype)
    rounded = np.rint((np.array([30.2, 30.4]) - scaling[1]) / scaling[0])
    np.testing.assert_array_equal(raw[inside], [limits.min, limits.max, *rounded])


def test_header_fields_survive(tmp_path: Path) -> None:
    scan = read_scan(a_raw_nifti(tmp_path / "scan.nii.gz", an_array(), 1, 0))
    write_like(scan, scan.array, tmp_path / "out.nii.gz")
    before, after = (nib.load(tmp_path / name).header for name in ("scan.nii.gz", "out.nii.gz"))
    for field in TRANSFORMS:
        np.testing.assert_array_equal(before[field], after[field])


def test_a_chosen_volume_of_4d_becomes_3d(tmp_path: Path) -> None:
    volumes = np.stack([an_array(), an_array() + 7])
    nib.save(nib.Nifti1Image(volumes.T, GEOMETRY.affine_ras()), tmp_path / "scan.nii.gz")
    scan = read_scan(tmp_path / "scan.nii.gz", 1)
    write_like(scan, scan.array, tmp_path / "out.nii.gz")
    written = read_scan(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(written.array, volumes[1])
    assert written.geometry == scan.geometry
    assert nib.load(tmp_path / "out.nii.gz").shape == (7, 6, 5)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_other_formats_become_nifti_of_the_same_type_and_place(tmp_path: Path, ending: str, dtype: str) -> None:
    image = sitk.GetImageFromArray(an_array(dtype))
    image.SetSpacing(GEOMETRY.spacing)
    image.SetOrigin(GEOMETRY.origin)
    image.SetDirection(GEOMETRY.direction)
    sitk.WriteImage(image, str(tmp_path / f"scan{ending}"))
    scan = read_scan(tmp_path / f"scan{ending}")
    write_like(scan, scan.array, tmp_path / "out.nii.gz")
    written = read_scan(tmp_path / "out.nii.gz")
    assert written.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(written.array, scan.array)
    assert same_grid(written.geometry, scan.geometry)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_a_defect(tmp_path: Path, bad: float) -> None:
    scan = Scan(an_array(), GEOMETRY, tmp_path / "scan.nrrd", Storage(np.dtype("i2")))
    with pytest.raises(ValueError, match="NaN"):
        write_like(scan, np.full(GEOMETRY.shape, bad, np.float32), tmp_path / "out.nii.gz")
    with pytest.raises(ValueError, match="shape"):
        write_like(scan, np.zeros((2, 2, 2), np.float32), tmp_path / "out.nii.gz")
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    spacing=st.tuples(*[st.floats(0.3, 7.0)] * 3),
    origin=st.tuples(*[st.floats(-300.0, 300.0)] * 3),
)
def test_other_programs_see_the_image_in_its_place(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    spacing: tuple[float, float, float],
    origin: tuple[float, float, float],
) -> None:
    path = tmp_path_factory.mktemp("place") / "Bild é.nii.gz"
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    geometry = Geometry((7, 6, 5), spacing, origin, tuple(float(v) for v in rotation.flat))
    array = an_array("float32")
    write_image(array, geometry, path)
    by_itk = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(by_itk), array)
    np.testing.assert_allclose(by_itk.GetSpacing(), spacing, rtol=1e-5)
    np.testing.assert_allclose(by_itk.GetOrigin(), origin, atol=1e-4)
    np.testing.assert_allclose(by_itk.GetDirection(), rotation.ravel(), atol=1e-5)
    by_nibabel = nib.load(path)
    np.testing.assert_array_equal(np.asarray(by_nibabel.dataobj), array.T)
    np.testing.assert_allclose(by_nibabel.affine, geometry.affine_ras(), atol=1e-4)
    assert same_grid(read_scan(path).geometry, geometry)


def test_a_mask_is_uint8(tmp_path: Path) -> None:
    write_image(an_array() > 50, GEOMETRY, tmp_path / "mask.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "mask.nii.gz"))
    assert image.GetPixelIDTypeAsString() == "8-bit unsigned integer"
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), an_array() > 50)


def test_equal_images_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_image(an_array(), GEOMETRY, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_segmentation_as_slicer_keeps_it(tmp_path: Path) -> None:
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[1:4, 2:5, 3:6] = True
    path = tmp_path / "läsion.seg.nrrd"
    write_segmentation(mask, GEOMETRY, path, name="Läsion\n1")
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), mask)
    np.testing.assert_allclose(image.GetSpacing(), GEOMETRY.spacing)
    np.testing.assert_allclose(image.GetOrigin(), GEOMETRY.origin)
    np.testing.assert_allclose(image.GetDirection(), GEOMETRY.direction)
    expected = {
        "Segment0_ID": "Segment_1",
        "Segment0_Name": "Läsion 1",
        "Segment0_Extent": "3 5 2 4 1 3",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    assert {key: image.GetMetaData(key) for key in expected} == expected
    assert image.GetMetaData("NRRD_space") == "left-posterior-superior"
    assert len(image.GetMetaData("Segment0_Color").split()) == 3


def test_an_empty_segmentation_can_be_written(tmp_path: Path) -> None:
    write_segmentation(np.zeros(GEOMETRY.shape, bool), GEOMETRY, tmp_path / "empty.seg.nrrd")
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "empty.seg.nrrd"))).sum() == 0


def test_the_segmentation_reads_back_as_a_mask(tmp_path: Path) -> None:
    write_image(an_array("float32"), GEOMETRY, tmp_path / "scan.nii.gz")
    write_segmentation(an_array() > 50, GEOMETRY, tmp_path / "mask.seg.nrrd")
    mask, warnings = read_mask(tmp_path / "mask.seg.nrrd", read_scan(tmp_path / "scan.nii.gz"))
    np.testing.assert_array_equal(mask, an_array() > 50)
    assert warnings == ()


def test_a_head_is_written_in_a_second(tmp_path: Path) -> None:
    shape = (180, 256, 256)
    z, y, x = np.ogrid[-1:1:180j, -1:1:256j, -1:1:256j]
    head = np.random.default_rng(0).normal(600, 40, shape) * (z**2 + y**2 + x**2 < 0.8)
    start = time.perf_counter()
    write_image(head.astype(np.int16), Geometry(shape[::-1], (1, 1, 1), (0, 0, 0), OBLIQUE), tmp_path / "head.nii.gz")
    # Twice the target: other work may be running on the machine.
    assert time.perf_counter() - start < 2
