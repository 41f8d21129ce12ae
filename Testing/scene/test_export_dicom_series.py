"""The derived DICOM series, read back with pydicom and with GDCM."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.derived_header import DIFFERENCE, PSEUDO_NORMAL
from PseudoNormalLib.export.dicom_series import write_dicom_series
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.provenance import Provenance
from PseudoNormalLib.export.stored_values import choose_stored_values
from Testing.dicom_source import TO_LPS, axial_lps_matrix, oblique_matrix, write_source

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientPosition", "ReferringPhysicianName")
STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber")
IMAGE = ("Modality", "SOPClassUID", "EchoTime", "ScanningSequence", "AcquisitionTime", "WindowCenter", "WindowWidth")
MADE_BY = Provenance("1.2", "brain-mr", "7")
RNG = np.random.default_rng(0)
SCAN = RNG.integers(-20, 2000, (6, 9, 11)).astype(np.int16)
PSEUDO = np.where(RNG.random(SCAN.shape) < 0.2, SCAN - 300, SCAN).astype(np.int16)


def read_back(folder):
    """Files by instance number, and the volume as GDCM sees it."""
    files = sorted(folder.iterdir())
    headers = {int(ds.InstanceNumber): ds for ds in map(pydicom.dcmread, files)}
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return headers, reader.Execute()


def lps_of(image):
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def at(image, ras):
    """Values at positions of the patient, however the reader orders its axes."""
    return image.GetPixel(*[round(v) for v in np.linalg.solve(lps_of(image), TO_LPS @ [*ras, 1.0])[:3].tolist()])


GRIDS = {"oblique": oblique_matrix(), "axial, LPS": axial_lps_matrix()}


@pytest.mark.parametrize("falling", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize("matrix", GRIDS.values(), ids=GRIDS)
def test_values_and_places_are_those_of_the_scan(matrix, falling, tmp_path):
    source = write_source(tmp_path / "Jürgen 頭", SCAN, matrix, falling=falling)
    write_dicom_series(tmp_path / "häuser" / "out", Volume(PSEUDO, matrix), source, PSEUDO_NORMAL, MADE_BY)
    headers, image = read_back(tmp_path / "häuser" / "out")
    originals = {int(ds.InstanceNumber): ds for ds in map(pydicom.dcmread, source)}
    assert headers.keys() == originals.keys()
    for number, original in originals.items():
        derived = headers[number]
        k = len(SCAN) - number if falling else number - 1
        np.testing.assert_array_equal(derived.pixel_array, PSEUDO[k])
        assert derived.SourceImageSequence[0].ReferencedSOPInstanceUID == original.SOPInstanceUID
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameOfReferenceUID"):
            assert derived[name] == original[name]
    for k, j, i in RNG.integers(0, SCAN.shape, (50, 3)):
        assert at(image, (matrix @ [i, j, k, 1])[:3]) == PSEUDO[k, j, i]


def test_the_series_stands_in_the_patients_study_and_says_what_it_is(tmp_path):
    source = write_source(tmp_path / "in", SCAN, oblique_matrix())
    write_dicom_series(tmp_path / "out", Volume(PSEUDO, oblique_matrix()), source, PSEUDO_NORMAL, MADE_BY)
    original = pydicom.dcmread(source[0])
    derived = [pydicom.dcmread(path) for path in sorted((tmp_path / "out").iterdir())]
    for name in (*PATIENT, *STUDY, *IMAGE):
        assert {str(ds[name].value) for ds in derived} == {str(original[name].value)}, name
    first = derived[0]
    assert str(first.PatientName) == "Köpf^Jürgen"
    assert len({ds.SeriesInstanceUID for ds in derived}) == 1 and first.SeriesInstanceUID != original.SeriesInstanceUID
    uids = [ds.SOPInstanceUID for ds in derived]
    assert len({*uids, *(pydicom.dcmread(path).SOPInstanceUID for path in source)}) == 2 * len(SCAN)
    assert first.SeriesDescription == "Pseudo-normal (research, not for diagnosis)"
    assert list(first.ImageType) == ["DERIVED", "SECONDARY", "OTHER", "PSEUDO_NORMAL"]
    assert first.ContentQualification == "RESEARCH"
    assert "PseudoNormal 1.2, model brain-mr 7" in first.DerivationDescription
    assert first.Manufacturer == "PseudoNormal" and first.SoftwareVersions == "1.2"
    assert first.ContributingEquipmentSequence[0].Manufacturer == "Maker"
    assert first.SeriesNumber == 401
    assert not any(element.tag.is_private for element in first)


def test_a_difference_of_whole_numbers_is_exact_and_signed(tmp_path):
    source = write_source(tmp_path / "in", SCAN, oblique_matrix())
    difference = SCAN.astype(np.float32) - PSEUDO
    write_dicom_series(tmp_path / "out", Volume(-difference, oblique_matrix()), source, DIFFERENCE, MADE_BY)
    headers, _ = read_back(tmp_path / "out")
    np.testing.assert_array_equal(np.stack([headers[n + 1].pixel_array for n in range(6)]), -difference)
    assert headers[1].WindowCenter == 0 and headers[1].WindowWidth == 600
    assert headers[1].DerivationCodeSequence[0].CodeMeaning == "Pixel by pixel subtraction"


def test_a_scan_with_a_slope_is_stored_as_finely_as_its_source(tmp_path):
    source = write_source(tmp_path / "in", SCAN, axial_lps_matrix(), slope=0.25, intercept=-3.5)
    scan = SCAN * 0.25 - 3.5
    pseudo = np.where(PSEUDO != SCAN, scan - 20.07, scan).astype(np.float32)
    write_dicom_series(tmp_path / "out", Volume(pseudo, axial_lps_matrix()), source, PSEUDO_NORMAL, MADE_BY)
    headers, _ = read_back(tmp_path / "out")
    back = np.stack([headers[n + 1].pixel_array * 0.25 - 3.5 for n in range(6)])
    np.testing.assert_array_equal(back[PSEUDO == SCAN], scan[PSEUDO == SCAN])
    assert np.abs(back - pseudo).max() <= 0.125
    assert float(headers[1].RescaleSlope) == 0.25 and float(headers[1].RescaleIntercept) == -3.5


def test_a_ct_series_stays_one(tmp_path):
    source = write_source(tmp_path / "in", SCAN, oblique_matrix(), scanner="CT", intercept=-1024, RescaleType="HU")
    write_dicom_series(tmp_path / "out", Volume(PSEUDO - 1024, oblique_matrix()), source, PSEUDO_NORMAL, MADE_BY)
    headers, _ = read_back(tmp_path / "out")
    assert headers[1].RescaleType == "HU" and headers[1].ImageType[2] == "AXIAL" and headers[1].KVP == 120
    values = headers[1].pixel_array * float(headers[1].RescaleSlope) + float(headers[1].RescaleIntercept)
    np.testing.assert_array_equal(values, PSEUDO[0] - 1024)


def test_a_volume_whose_axes_are_turned_against_the_files_is_written_the_right_way_round(tmp_path):
    """A scene may hold the same voxels under other axes, for instance after loading through NIfTI."""
    matrix = oblique_matrix()
    source = write_source(tmp_path / "in", SCAN, matrix)
    turned = matrix @ np.array([[0, 0, -1, 10], [1, 0, 0, 0], [0, -1, 0, 5], [0, 0, 0, 1.0]])
    # New index (a, b, c) is old index (10 - c, a, 5 - b).
    a, b, c = np.indices((9, 6, 11))
    array = np.transpose(PSEUDO[5 - b, a, 10 - c], (2, 1, 0))
    write_dicom_series(tmp_path / "out", Volume(array, turned), source, PSEUDO_NORMAL, MADE_BY)
    headers, _ = read_back(tmp_path / "out")
    np.testing.assert_array_equal(np.stack([headers[n + 1].pixel_array for n in range(6)]), PSEUDO)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=20))
def test_any_finite_values_come_back_within_half_a_step_and_zero_exactly(numbers):
    array = np.array([0.0, *numbers], np.float32).reshape(1, 1, -1)
    kind = choose_stored_values(array, None)
    stored = kind.stored(array)
    assert stored.dtype.itemsize == 2
    back = stored.astype(np.float64) * kind.slope + kind.intercept
    assert back[0, 0, 0] == 0
    assert np.abs(back - array).max() <= kind.slope / 2 * (1 + 1e-9)


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=20), st.sampled_from([np.uint16, np.float32, np.int32]))
def test_whole_numbers_of_sixteen_bits_come_back_exactly(numbers, dtype):
    array = np.array(numbers).astype(dtype).reshape(1, 1, -1)
    kind = choose_stored_values(array, (0.5, 3.0))
    np.testing.assert_array_equal(kind.stored(array) * kind.slope + kind.intercept, array)


def refused(tmp_path, array=PSEUDO, matrix=None, files=None, **tags):
    matrix = oblique_matrix() if matrix is None else matrix
    source = write_source(tmp_path / "in", SCAN, oblique_matrix(), **tags) if files is None else files
    with pytest.raises(ExportError) as caught:
        write_dicom_series(tmp_path / "out", Volume(array, matrix), source, PSEUDO_NORMAL, MADE_BY)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_volume_without_dicom_files_is_refused(tmp_path):
    assert "not loaded from DICOM" in refused(tmp_path, files=[])


def test_a_volume_that_was_moved_is_refused(tmp_path):
    moved = oblique_matrix()
    moved[:3, 3] += moved[:3, 0] * 0.4
    assert "does not lie on the grid" in refused(tmp_path, matrix=moved)


def test_a_cropped_volume_is_refused(tmp_path):
    assert "does not lie on the grid" in refused(tmp_path, array=PSEUDO[:5])


def test_a_missing_file_is_refused(tmp_path):
    files = write_source(tmp_path / "in", SCAN, oblique_matrix())
    assert "do not fill" in refused(tmp_path, files=files[:-1])


def test_a_file_of_another_series_is_refused(tmp_path):
    files = write_source(tmp_path / "in", SCAN, oblique_matrix())
    other = write_source(tmp_path / "other", SCAN, oblique_matrix())
    assert "SeriesInstanceUID" in refused(tmp_path, files=[*files[:-1], other[-1]])


def test_two_files_of_one_place_are_refused(tmp_path):
    files = write_source(tmp_path / "in", SCAN, oblique_matrix())
    assert "do not fill" in refused(tmp_path, files=[*files[:-1], files[0]])


def test_multi_frame_files_are_refused(tmp_path):
    assert "multi-frame" in refused(tmp_path, NumberOfFrames=2)


def test_what_is_no_mr_and_no_ct_is_refused(tmp_path):
    assert "neither an MR nor a CT" in refused(tmp_path, SOPClassUID="1.2.840.10008.5.1.4.1.1.128")


def test_files_that_are_no_dicom_are_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    assert "cannot be read" in refused(tmp_path, files=[tmp_path / "text"])


def test_voxels_that_are_not_finite_are_refused(tmp_path):
    array = PSEUDO.astype(np.float32)
    array[1, 2, 3] = np.nan
    assert "not finite" in refused(tmp_path, array=array)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    source = write_source(tmp_path / "in", SCAN, oblique_matrix())
    (tmp_path / "out").mkdir()
    write_dicom_series(tmp_path / "out", Volume(PSEUDO, oblique_matrix()), source, PSEUDO_NORMAL, MADE_BY)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(ExportError, match="is there already"):
        write_dicom_series(tmp_path / "out", Volume(PSEUDO, oblique_matrix()), source, PSEUDO_NORMAL, MADE_BY)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
