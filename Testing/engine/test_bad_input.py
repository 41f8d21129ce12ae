"""Each faulty scan gets one line that says what is wrong with it, and nothing from the libraries below."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.scan.reading import read_scan

ARRAY = np.random.default_rng(0).integers(0, 100, (12, 11, 10)).astype(np.int16)
PIXDIM, DATATYPE, SFORM = 76, 70, 280


def refusal(path: Path, volume: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_scan(path, volume)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert "; " in message or ", " in message  # what is wrong, then what to do
    return message


def a_nifti(path: Path, array: np.ndarray = ARRAY, affine: np.ndarray | None = None) -> Path:
    nib.save(nib.Nifti1Image(array.T, np.diag([1.0, 1, 2, 1]) if affine is None else affine), path)
    return path


def an_itk(path: Path, image: sitk.Image | None = None, compress: bool = False) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ARRAY) if image is None else image, str(path), compress)
    return path


def patched(path: Path, offset: int, kind: str, *values: float) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}{kind}", content, offset, *values)
    path.write_bytes(content)
    return path


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.fixture
def quiet_libraries(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    out, err = capfd.readouterr()
    assert out == err == ""


pytestmark = pytest.mark.usefixtures("quiet_libraries")


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "scan.nii.gz")
    (tmp_path / "dangling.nii").symlink_to(tmp_path / "nowhere.nii")
    assert "no such file" in refusal(tmp_path / "dangling.nii")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_empty_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scan{ending}"
    path.touch()
    assert "the file is empty" in refusal(path)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_text_with_the_name_of_a_scan(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scan{ending}"
    path.write_text("subject,age\n" + "s01,44\n" * 200)
    assert "this is not a" in refusal(path)


def test_gzipped_text(tmp_path: Path) -> None:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(b"hello " * 200))
    assert "not a NIfTI file" in refusal(path)


@pytest.mark.parametrize("ending", ["scan.png", "scan", "scan.hdr"])
def test_unknown_kind(tmp_path: Path, ending: str) -> None:
    (tmp_path / ending).write_bytes(b"\x89PNG" + bytes(500))
    message = refusal(tmp_path / ending)
    assert "unknown kind" in message
    assert ".nrrd" in message


@pytest.mark.parametrize("kept", [3, 100, 348, 600, -1])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_truncated_nifti(tmp_path: Path, ending: str, kept: int) -> None:
    path = a_nifti(tmp_path / f"scan{ending}")
    path.write_bytes(path.read_bytes()[:kept])
    message = refusal(path)
    assert "truncated" in message or (kept == 3 and "not a NIfTI" in message)


def test_nifti_cut_before_it_was_compressed(tmp_path: Path) -> None:
    path = a_nifti(tmp_path / "scan.nii.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-7]))
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kept", [30, 150, -10])
@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_truncated_nrrd_and_metaimage(tmp_path: Path, ending: str, kept: int, compress: bool) -> None:
    path = an_itk(tmp_path / f"scan{ending}", compress=compress)
    path.write_bytes(path.read_bytes()[:kept])
    message = refusal(path)
    assert "truncated" in message or "cut off" in message


@pytest.mark.parametrize("ending", [".nhdr", ".mhd"])
def test_header_whose_data_file_is_missing(tmp_path: Path, ending: str) -> None:
    path = an_itk(tmp_path / f"scan{ending}")
    (tmp_path / "scan.raw").unlink()
    message = refusal(path)
    assert "data file is missing" in message


def test_damaged_bytes_inside_gzip(tmp_path: Path) -> None:
    path = a_nifti(tmp_path / "scan.nii.gz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refusal(path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_damage_never_gives_anything_but_a_scan_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ending = data.draw(st.sampled_from([".nii", ".nrrd", ".mha"]))
    path = tmp_path_factory.mktemp("damage") / f"scan{ending}"
    (a_nifti if ending == ".nii" else an_itk)(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 400) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        read_scan(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - that it need not be raised is the point


@pytest.mark.parametrize(("value", "word"), [(0, "zero"), (7, "same value (7)"), (-1, "same value (-1)")])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_nothing_to_see(tmp_path: Path, ending: str, value: int, word: str) -> None:
    image = sitk.GetImageFromArray(np.full((5, 6, 7), value, np.int16))
    assert word in refusal(an_itk(tmp_path / f"scan{ending}", image))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_not_a_number(tmp_path: Path, ending: str, value: float) -> None:
    array = ARRAY.astype(np.float32)
    array[3, 4, 5] = value
    message = refusal(an_itk(tmp_path / f"scan{ending}", sitk.GetImageFromArray(array)))
    assert "1 of 1320 voxels are NaN or infinite" in message


def test_numbers_beyond_float32(tmp_path: Path) -> None:
    assert "too large" in refusal(a_nifti(tmp_path / "scan.nii", ARRAY * 1e300))


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("shape", [(11, 10), (1, 11, 10), (12, 11, 1)])
def test_2d(tmp_path: Path, ending: str, shape: tuple[int, ...]) -> None:
    image = sitk.GetImageFromArray(ARRAY.ravel()[: np.prod(shape)].reshape(shape))
    assert "the image is 2D" in refusal(an_itk(tmp_path / f"scan{ending}", image))


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_4d_says_how_to_choose(tmp_path: Path, ending: str) -> None:
    image = sitk.JoinSeries([sitk.GetImageFromArray(ARRAY)] * 3)
    path = an_itk(tmp_path / f"scan{ending}", image)
    assert "4D with 3 volumes; choose one with --volume N (0 to 2)" in refusal(path)
    assert "there is no volume 3" in refusal(path, volume=3)
    assert "there is no volume -1" in refusal(path, volume=-1)


def test_a_3d_image_has_no_second_volume(tmp_path: Path) -> None:
    assert "holds one volume" in refusal(a_nifti(tmp_path / "scan.nii"), volume=1)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("components", [2, 3, 4])
def test_colours_and_vectors(tmp_path: Path, ending: str, components: int) -> None:
    image = sitk.Compose([sitk.GetImageFromArray((ARRAY % 200).astype(np.uint8))] * components)
    message = refusal(an_itk(tmp_path / f"scan{ending}", image))
    assert "vector" in message or "colour" in message


@pytest.mark.parametrize("code", [128, 2304])
def test_rgb_nifti(tmp_path: Path, code: int) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), DATATYPE, "h", code)
    assert "RGB" in refusal(path)


def test_complex_nifti(tmp_path: Path) -> None:
    assert "complex numbers; give the magnitude" in refusal(a_nifti(tmp_path / "scan.nii", ARRAY.astype(np.complex64)))


def test_unsupported_voxel_type(tmp_path: Path) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), DATATYPE, "h", 1536)
    assert "voxel type 1536 is not supported" in refusal(path)


def test_zero_size(tmp_path: Path) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), 40, "h", 3, 10, 0, 12)
    assert "the image is empty" in refusal(path)
    path = replaced(an_itk(tmp_path / "scan.nrrd"), b"sizes: 10 11 12", b"sizes: 10 0 12")
    assert "the image is empty" in refusal(path)
    path = replaced(an_itk(tmp_path / "scan.mha"), b"DimSize = 10 11 12", b"DimSize = 10 0 12")
    assert "the image is empty" in refusal(path)


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, "is zero"), (-1.5, "is negative"), (np.nan, "not a number"), (1e9, "longer than 3 m")]
)
def test_nifti_spacing(tmp_path: Path, value: float, word: str) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), PIXDIM + 8, "f", value)
    message = refusal(path)
    assert "voxel spacing" in message
    assert word in message


@pytest.mark.parametrize(("value", "word"), [(b"0", "is zero"), (b"-1", "is negative"), (b"nan", "not a number")])
def test_metaimage_spacing(tmp_path: Path, value: bytes, word: str) -> None:
    path = replaced(an_itk(tmp_path / "scan.mha"), b"Spacing = 1 1 1", b"Spacing = 1 " + value + b" 1")
    assert word in refusal(path)


def test_nrrd_spacing(tmp_path: Path) -> None:
    path = replaced(an_itk(tmp_path / "scan.nrrd"), b"(0,1,0)", b"(0,0,0)")
    assert "spacing (1, 0, 1) mm is zero" in refusal(path)
    plain = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 10 11 12\nspacings: 1 -2 1\nencoding: raw\nendian: little\n\n"
    (tmp_path / "plain.nrrd").write_bytes(plain + ARRAY.tobytes())
    assert "is negative" in refusal(tmp_path / "plain.nrrd")


SINGULAR = np.array([[1.0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
SHEARED = np.array([[1.0, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(("affine", "word"), [(SINGULAR, "singular"), (SHEARED, "not perpendicular")])
def test_direction(tmp_path: Path, affine: np.ndarray, word: str) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), SFORM, "f", *affine[:3].ravel())
    assert word in refusal(path)
    vectors = " ".join("(" + ",".join(f"{v:g}" for v in affine[:3, i]) + ")" for i in range(3)).encode()
    path = replaced(an_itk(tmp_path / "scan.nrrd"), b"(1,0,0) (0,1,0) (0,0,1)", vectors)
    assert word in refusal(path)
    numbers = " ".join(f"{v:g}" for v in affine[:3, :3].T.ravel()).encode()
    path = replaced(an_itk(tmp_path / "scan.mha"), b"1 0 0 0 1 0 0 0 1", numbers)
    assert word in refusal(path)


def test_transform_that_is_no_number(tmp_path: Path) -> None:
    path = patched(a_nifti(tmp_path / "scan.nii"), SFORM, "f", np.nan)
    assert "singular" in refusal(path)
    path = patched(a_nifti(tmp_path / "other.nii"), SFORM + 12, "f", np.inf)
    assert "origin is not a number" in refusal(path)


def test_half_of_a_two_file_nifti(tmp_path: Path) -> None:
    path = a_nifti(tmp_path / "scan.nii")
    path.write_bytes(path.read_bytes().replace(b"n+1\0", b"ni1\0", 1))
    assert "two-file" in refusal(path)


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "scan.nii.gz").mkdir()
    assert "no DICOM images" in refusal(tmp_path / "scan.nii.gz")
