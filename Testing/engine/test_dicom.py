"""DICOM series folders, made on the fly."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from pseudonormal.errors import InputError
from pseudonormal.scan.conform import conform, to_native
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_like

ROW, COLUMN = np.array([0.0, 0.96, -0.28]), np.array([0.0, -0.28, -0.96])  # sagittal, oblique
NORMAL = np.cross(ROW, COLUMN)
VOXELS = np.random.default_rng(0).integers(0, 2000, (6, 8, 10)).astype(np.int16)


def a_slice(
    pixels: np.ndarray, place: float, number: int, series: str, spacing: tuple[float, float] = (0.8, 0.9)
) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.Modality, ds.PatientName, ds.PatientID = "MR", "Test^Köpf", "1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SeriesDescription = "1.2.3", series, f"FLAIR {series}"
    ds.InstanceNumber = number
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.PixelSpacing = [str(s) for s in spacing]
    ds.ImageOrientationPatient = [f"{v:.6f}" for v in (*ROW, *COLUMN)]
    ds.ImagePositionPatient = [f"{v:.6f}" for v in np.array([-60.0, 40.0, 90.0]) + place * NORMAL]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = pixels.astype("<i2").tobytes()
    return ds


def a_series(folder: Path, places: list[float] | None = None, series: str = "1.2.3.4", **tags: object) -> Path:
    """Slices in files whose names are not in spatial order."""
    folder.mkdir(exist_ok=True, parents=True)
    for number, place in enumerate([3.0 * i for i in range(len(VOXELS))] if places is None else places):
        ds = a_slice(VOXELS[number % len(VOXELS)], place, number + 1, series)
        for name, value in tags.items():
            setattr(ds, name, value)
        ds.save_as(folder / f"IM{(number * 7) % 97:03d}_{series}.dcm", enforce_file_format=True)
    return folder


def refusal(path: Path, volume: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_scan(path, volume)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_series_in_any_file_order(tmp_path: Path) -> None:
    scan = read_scan(a_series(tmp_path / "Jürgen 頭"))
    np.testing.assert_array_equal(scan.array, VOXELS)
    assert scan.array.dtype == np.int16
    geometry = scan.geometry
    assert geometry.size == (10, 8, 6)
    np.testing.assert_allclose(geometry.spacing, (0.9, 0.8, 3.0), atol=1e-5)
    np.testing.assert_allclose(geometry.origin, (-60, 40, 90), atol=1e-5)
    np.testing.assert_allclose(np.reshape(geometry.direction, (3, 3)), np.stack([ROW, COLUMN, NORMAL], 1), atol=1e-5)


def test_slices_in_falling_order_are_turned_round(tmp_path: Path) -> None:
    scan = read_scan(a_series(tmp_path / "series", [-3.0 * i for i in range(6)]))
    np.testing.assert_array_equal(scan.array, VOXELS[::-1])
    np.testing.assert_allclose(scan.geometry.origin, np.array([-60, 40, 90]) - 15 * NORMAL, atol=1e-4)


def test_the_sagittal_series_stands_upright_on_the_model_grid(tmp_path: Path) -> None:
    scan = read_scan(a_series(tmp_path / "series"))
    conformed = conform(scan)
    assert conformed.order == (1, 2, 0)
    assert to_native(conformed.image, conformed).shape == VOXELS.shape


def test_the_result_is_nifti_with_the_same_voxels_and_place(tmp_path: Path) -> None:
    scan = read_scan(a_series(tmp_path / "series"))
    write_like(scan, scan.array, tmp_path / "out.nii.gz")
    written = read_scan(tmp_path / "out.nii.gz")
    assert written.array.dtype == np.int16
    np.testing.assert_array_equal(written.array, scan.array)
    np.testing.assert_allclose(written.geometry.affine_ras(), scan.geometry.affine_ras(), atol=1e-4)


def test_rescaled_values(tmp_path: Path) -> None:
    whole = read_scan(a_series(tmp_path / "whole", RescaleSlope="1", RescaleIntercept="-1024"))
    assert whole.array.dtype.kind == "i"
    np.testing.assert_array_equal(whole.array, VOXELS.astype(int) - 1024)
    parts = read_scan(a_series(tmp_path / "parts", RescaleSlope="0.5", RescaleIntercept="3"))
    assert parts.array.dtype == np.float32
    np.testing.assert_allclose(parts.array, VOXELS * 0.5 + 3)


def test_other_files_and_reports_in_the_folder_do_not_matter(tmp_path: Path) -> None:
    folder = a_series(tmp_path / "series")
    (folder / "README.txt").write_text("made for a test")
    (folder / "DICOMDIR").write_bytes(bytes(200))
    report = a_slice(VOXELS[0], 0, 1, "9.9.9")
    del report.Rows, report.Columns, report.PixelData
    report.save_as(folder / "report.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read_scan(folder).array, VOXELS)


def test_a_series_in_a_folder_below(tmp_path: Path) -> None:
    a_series(tmp_path / "cd" / "study" / "series")
    np.testing.assert_array_equal(read_scan(tmp_path / "cd").array, VOXELS)


def test_two_series_are_listed(tmp_path: Path) -> None:
    folder = a_series(tmp_path / "series")
    a_series(folder, [0.0, 3.0, 6.0], series="1.2.3.5")
    message = refusal(folder)
    assert "2 DICOM series" in message
    assert "'FLAIR 1.2.3.4': 6 files" in message
    assert "'FLAIR 1.2.3.5': 3 files" in message


def test_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    assert "no DICOM images" in refusal(tmp_path)


def test_a_single_file_asks_for_its_folder(tmp_path: Path) -> None:
    a_slice(VOXELS[0], 0, 1, "1").save_as(tmp_path / "one.dcm", enforce_file_format=True)
    assert "give the folder" in refusal(tmp_path / "one.dcm")


def test_missing_slices_are_counted(tmp_path: Path) -> None:
    message = refusal(a_series(tmp_path / "series", [0.0, 3.0, 12.0, 15.0, 18.0, 24.0]))
    assert "3 of 9 slices missing" in message
    assert "9.00 mm instead of 3.00 mm" in message


def test_uneven_slices(tmp_path: Path) -> None:
    assert "not evenly spaced" in refusal(a_series(tmp_path / "series", [0.0, 3.0, 6.0, 10.0, 13.0, 16.0]))


def test_a_doubled_slice(tmp_path: Path) -> None:
    assert "missing or doubled" in refusal(a_series(tmp_path / "series", [0.0, 3.0, 6.0, 6.0, 9.0, 12.0]))


def test_rounded_positions_are_even(tmp_path: Path) -> None:
    scan = read_scan(a_series(tmp_path / "series", [0.0, 3.01, 5.99, 9.0, 12.02, 15.0]))
    assert scan.geometry.spacing[2] == pytest.approx(3, abs=0.02)


def test_several_volumes_in_one_series(tmp_path: Path) -> None:
    folder = a_series(tmp_path / "series", [0.0, 3.0, 6.0, 0.0, 3.0, 6.0])
    assert "4D with 2 volumes; choose one with --volume N" in refusal(folder)
    np.testing.assert_array_equal(read_scan(folder, 0).array, VOXELS[:3])
    np.testing.assert_array_equal(read_scan(folder, 1).array, VOXELS[3:])


def test_slices_of_another_size_or_orientation(tmp_path: Path) -> None:
    folder = a_series(tmp_path / "series")
    a_slice(VOXELS[0, :4, :5], 18.0, 7, "1.2.3.4").save_as(folder / "other.dcm", enforce_file_format=True)
    assert "mixes slices of 2 sizes" in refusal(folder)


def test_sheared_slices(tmp_path: Path) -> None:
    folder = tmp_path / "tilted"
    folder.mkdir()
    for i in range(6):
        ds = a_slice(VOXELS[i], 3.0 * i, i + 1, "1")
        ds.ImagePositionPatient = [float(p) + o for p, o in zip(ds.ImagePositionPatient, i * ROW, strict=True)]
        ds.save_as(folder / f"{i}.dcm", enforce_file_format=True)
    assert "gantry tilt" in refusal(folder)


def test_one_slice_is_2d(tmp_path: Path) -> None:
    assert "2D" in refusal(a_series(tmp_path / "series", [0.0]))


def test_colours_and_frames(tmp_path: Path) -> None:
    assert "RGB" in str(_error(a_series(tmp_path / "rgb", SamplesPerPixel=3)))
    assert "multi-frame" in str(_error(a_series(tmp_path / "frames", NumberOfFrames=5)))


@pytest.mark.parametrize("name", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slices_without_a_place(tmp_path: Path, name: str) -> None:
    assert f"has no {name}" in str(_error(a_series(tmp_path / "series", **{name: None})))


@pytest.mark.parametrize("spacing", [["0", "0.9"], ["-0.8", "0.9"]])
def test_spacing(tmp_path: Path, spacing: list[str]) -> None:
    assert "voxel spacing" in refusal(a_series(tmp_path / "series", PixelSpacing=spacing))


@pytest.mark.parametrize("kept", [-20, 400])
def test_a_truncated_slice(tmp_path: Path, kept: int, capfd: pytest.CaptureFixture[str]) -> None:
    folder = a_series(tmp_path / "series")
    path = sorted(folder.iterdir())[2]
    path.write_bytes(path.read_bytes()[:kept])
    error = _error(folder)
    assert path.name in str(error) or "missing" in str(error)
    assert capfd.readouterr().err == ""


def test_all_zero(tmp_path: Path) -> None:
    assert "all voxels are zero" in refusal(a_series(tmp_path / "series", PixelData=bytes(160)))


def _error(folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_scan(folder)
    assert "\n" not in str(caught.value)
    return caught.value
