"""Files that were uploaded become the volumes that desktop Slicer would show, or one line says why not."""

from __future__ import annotations

import gzip
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PseudoNormalLib.dicom_files import remembered_files
from PseudoNormalLib.export.source_series import read_source_series
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.subject import subject_of
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras
from PseudoNormalLib.workbench import Workbench
from Testing.dicom_source import axial_lps_matrix, oblique_matrix, write_source

from PseudoNormalWeb.parts.files.arrival import read_arrival
from PseudoNormalWeb.parts.files.opening import Opening

SHAPE = (9, 14, 12)
FLIPPED = np.diag([1.0, -1.0, 1.0, 1.0]) @ oblique_matrix()
"""Left-handed, which Slicer turns."""
GRIDS = {"oblique": oblique_matrix(), "lps": axial_lps_matrix(), "left-handed": FLIPPED, "ras": np.diag([1, 1, 2, 1.0])}


@pytest.fixture
def an_array():
    """(D, H, W) int16, no two rows alike."""
    return np.random.default_rng(3).normal(400, 80, SHAPE).astype(np.int16)


@pytest.fixture
def a_mask():
    """(D, H, W) uint8 with one lesion."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[3:6, 4:8, 2:7] = 1
    return mask


@pytest.fixture
def a_host(tmp_path):
    host = replace(headless(tmp_path / "data"), dicom_files=remembered_files)
    yield host
    host.scene.Clear(True)


@pytest.fixture
def bench(a_host):
    bench = Workbench(a_host)
    yield bench
    bench.close()


@pytest.fixture
def an_upload(tmp_path):
    """The folder of one upload."""
    folder = tmp_path / "files" / "u1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def opened(bench, a_host, tmp_path):
    """Opens an upload to the end; gives what was opened and what was refused."""
    opening = Opening(bench, tmp_path / "files")

    def run(upload="u1"):
        said = []
        opening.opened.connect(lambda *words: said.append(words))
        opening.take(upload)
        assert a_host.tick.run_until(lambda: said, 60)
        return said[0]

    return run


def write(path, array, ijk_to_ras):
    """An image file of any kind, by a library that had no part in reading it where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".nii" in path.name:
        nibabel.Nifti1Image(array.T, ijk_to_ras).to_filename(path)
        return
    image = sitk.GetImageFromArray(array)
    lps = np.diag([-1.0, -1, 1, 1]) @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    sitk.WriteImage(image, str(path), useCompression=path.suffix in (".nrrd", ".mha"))


def volumes(host):
    scene = host.scene
    kind = "vtkMRMLScalarVolumeNode"
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]


@pytest.mark.parametrize("grid", sorted(GRIDS))
@pytest.mark.parametrize("name", ["Schädel.nii.gz", "scan.nii", "скан.nrrd", "a b.mha", "scan.mhd"])
def test_a_file_becomes_the_volume_that_slicer_itself_loads(opened, bench, a_host, an_upload, an_array, name, grid):
    path = an_upload / name
    write(path, an_array, GRIDS[grid])
    theirs = a_host.volumes.AddArchetypeVolume(str(path), "theirs", 4, None)
    names, refused = opened()
    ours = bench.choices.values.image
    assert refused == "" and names == ours.GetName() == name.split(".")[0]
    np.testing.assert_array_equal(array_of(ours), array_of(theirs))
    assert array_of(ours).dtype == array_of(theirs).dtype
    np.testing.assert_allclose(ijk_to_ras(ours), ijk_to_ras(theirs), atol=1e-5)
    display, example = ours.GetDisplayNode(), theirs.GetDisplayNode()
    assert display.GetWindow() == pytest.approx(example.GetWindow(), rel=0.03)
    assert display.GetLevel() == pytest.approx(example.GetLevel(), rel=0.03)


def test_scaled_nifti_has_the_values_that_its_header_means(opened, bench, a_host, an_upload, an_array):
    image = nibabel.Nifti1Image(an_array.T, GRIDS["oblique"])
    image.header.set_slope_inter(0.5, -20)
    image.to_filename(an_upload / "scan.nii.gz")
    stored = nibabel.load(an_upload / "scan.nii.gz")
    theirs = a_host.volumes.AddArchetypeVolume(str(an_upload / "scan.nii.gz"), "theirs", 4, None)
    opened()
    ours = array_of(bench.choices.values.image)
    np.testing.assert_allclose(ours, stored.get_fdata().T, rtol=1e-5)
    assert ours.dtype == array_of(theirs).dtype


@pytest.mark.parametrize("slope", [1, 0.37])
@pytest.mark.parametrize("grid", ["oblique", "lps"])
def test_a_dicom_folder_becomes_the_volume_that_slicer_itself_loads(
    opened, bench, a_host, an_upload, an_array, grid, slope, tmp_path
):
    from trame_slicer.core.volumes_reader import VolumesReader

    source = {"slope": slope, "intercept": -7} if slope != 1 else {}
    files = write_source(an_upload / "Köpfe" / "Serie", an_array, GRIDS[grid], falling=True, **source)
    (an_upload / "DICOMDIR").write_bytes(b"x")
    desktop = headless(tmp_path / "desktop")
    theirs = VolumesReader.load_single_dcm_volume(desktop.scene, [str(file) for file in files])
    names, refused = opened()
    ours = bench.choices.values.image
    assert (names, refused) == ("4: FLAIR tra", "") and ours.GetName() == "4: FLAIR tra"
    np.testing.assert_allclose(array_of(ours), array_of(theirs), rtol=1e-6)
    np.testing.assert_allclose(ijk_to_ras(ours), ijk_to_ras(theirs), atol=1e-4)
    assert a_host.dicom_files(ours) == files
    assert bench.choices.values.contrast_of(a_host) == "flair"
    assert len(read_source_series(files, SHAPE, ijk_to_ras(ours))) == SHAPE[0]
    assert len(subject_of(ours)) == 32 and "P-17" not in subject_of(ours)
    desktop.scene.Clear(True)


def test_each_series_of_a_folder_is_opened_and_its_localizer_is_not_spoken_of(opened, a_host, an_upload, an_array):
    write_source(an_upload / "one", an_array, GRIDS["lps"])
    write_source(an_upload / "two", an_array[:5], GRIDS["oblique"], SeriesDescription="T1", SeriesNumber=5)
    write_source(an_upload / "localizer", an_array[:1], GRIDS["oblique"])
    names, refused = opened()
    assert sorted(names.split(", ")) == ["4: FLAIR tra", "5: T1"] and refused == ""


def test_a_slope_of_its_own_in_each_slice_counts(opened, bench, an_upload, an_array):
    files = write_source(an_upload, an_array, GRIDS["lps"], slope=1, intercept=1)
    for number, file in enumerate(files):
        dataset = pydicom.dcmread(file)
        dataset.RescaleSlope = 1 + number / 2
        dataset.save_as(file)
    opened()
    slopes = 1 + np.arange(SHAPE[0])[:, None, None] / 2
    np.testing.assert_allclose(array_of(bench.choices.values.image), an_array * slopes + 1, rtol=1e-6)


@pytest.mark.parametrize("name", ["lesion.nii.gz", "lesion.seg.nrrd", "lesion.mha"])
def test_a_mask_beside_its_scan_is_its_seed_mask(opened, bench, an_upload, an_array, a_mask, name):
    write(an_upload / "scan.nii.gz", an_array, GRIDS["oblique"])
    write(an_upload / name, a_mask, GRIDS["oblique"])
    assert opened() == ("scan, lesion", "")
    chosen = bench.choices.values
    assert chosen.image.GetName() == "scan"
    np.testing.assert_array_equal(mask_of(chosen.lesions, chosen.image), a_mask > 0)


def test_a_mask_that_comes_later_belongs_to_the_scan_in_view_on_whatever_grid(
    opened, bench, a_host, an_upload, an_array, a_mask, tmp_path
):
    write(an_upload / "scan.nii", an_array, GRIDS["lps"])
    opened()
    finer = GRIDS["lps"].copy()
    finer[:3, 0] /= 2
    write(tmp_path / "files" / "u2" / "mask.nii.gz", np.repeat(a_mask, 2, axis=2), finer)
    assert opened("u2") == ("mask", "")
    marked = mask_of(bench.choices.values.lesions, bench.choices.values.image)
    assert abs(int(marked.sum()) - int(a_mask.sum())) <= 12 * 2  # a column more or less, the grids being shifted
    assert len(volumes(a_host)) == 1


def test_a_phantom_of_a_few_grey_values_is_a_scan(opened, bench, an_upload, a_mask):
    write(
        an_upload / "phantom.nii.gz",
        np.where(a_mask, 900, 500).astype(np.int16) * (np.indices(SHAPE)[0] > 0),
        np.eye(4),
    )
    assert opened() == ("phantom", "") and bench.choices.values.image.GetName() == "phantom"


def test_another_scan_forgets_the_mask_of_the_one_before(opened, bench, an_upload, an_array, a_mask, tmp_path):
    write(an_upload / "scan.nii", an_array, GRIDS["lps"])
    write(an_upload / "mask.nii", a_mask, GRIDS["lps"])
    opened()
    bench.choices.update(contrast="t1")
    write(tmp_path / "files" / "u2" / "other.nii", an_array, GRIDS["lps"])
    opened("u2")
    assert bench.choices.values.image.GetName() == "other"
    assert bench.choices.values.lesions is None and bench.choices.values.contrast == ""


def cut_off(path, array):
    write(path, array, GRIDS["lps"])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def colour(path, array):
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([array] * 3, -1), isVector=True), str(path))


def elsewhere(path, array):
    header = "ObjectType = Image\nNDims = 3\nDimSize = 12 14 9\nElementType = MET_SHORT\nElementDataFile = {}\n"
    other = path.parent.parent / "secret.raw"
    other.write_bytes(array.tobytes())
    path.write_text(header.format(other))


def contours(path, _array):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = RTStructureSetStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.save_as(path, enforce_file_format=True)


WRONG = {
    "notes.txt": (lambda path, _: path.write_text("a letter"), "is no scan; only NIfTI, NRRD"),
    "paper.pdf": (lambda path, _: path.write_bytes(b"%PDF-1.7"), "is no scan; only NIfTI, NRRD"),
    "picture.png": (lambda path, _: path.write_bytes(b"\x89PNG"), "is no scan; only NIfTI, NRRD"),
    "cut.nii.gz": (cut_off, "cut off, damaged or no image"),
    "cut.nii": (cut_off, "cut off, damaged or no image"),
    "cut.nrrd": (cut_off, "cut off, damaged or no image"),
    "cut.mha": (cut_off, "cut off, damaged or no image"),
    "text.nii.gz": (lambda path, _: path.write_bytes(gzip.compress(b"hello")), "cut off, damaged or no image"),
    "empty.nrrd": (lambda path, _: path.write_bytes(b""), "cut off, damaged or no image"),
    "colour.mha": (colour, "has 3 numbers a voxel"),
    "flat.nii": (lambda path, array: write(path, array[:1], GRIDS["lps"]), "is 2D (12 x 14 x 1)"),
    "alone.mhd": (elsewhere, "which is not there; open both files together"),
    "RS.dcm": (contours, "is no scan (RT Structure Set Storage)"),
    "mask.nii.gz": (lambda path, array: write(path, (array > 500).astype(np.uint8), GRIDS["lps"]), "is a mask"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_file_is_told_in_one_line_and_changes_nothing(opened, bench, a_host, an_upload, an_array, name):
    make, words = WRONG[name]
    make(an_upload / name, an_array)
    before = a_host.scene.GetNumberOfNodes()
    names, refused = opened()
    assert names == "" and words in refused and name.split(".")[0] in refused and "\n" not in refused
    assert a_host.scene.GetNumberOfNodes() == before and bench.choices.values.image is None
    assert not an_upload.exists()


def test_four_dimensions_are_refused(opened, an_upload, an_array):
    nibabel.Nifti1Image(np.stack([an_array.T] * 3, -1), np.eye(4)).to_filename(an_upload / "bold.nii.gz")
    assert "4D with 3 volumes" in opened()[1]
    nibabel.Nifti1Image(an_array.T[..., None], np.eye(4)).to_filename(an_upload.parent / "one.nii.gz")
    assert read_arrival(an_upload.parent).scans[0].array.shape == SHAPE


@pytest.mark.parametrize("fault", ["gap", "twice", "short"])
def test_half_a_series_is_refused(opened, an_upload, an_array, fault):
    files = write_source(an_upload, an_array, GRIDS["oblique"])
    if fault == "gap":
        files[4].unlink()
    elif fault == "twice":
        write_source(an_upload / "again", an_array, GRIDS["oblique"], SeriesInstanceUID=uid_of(files[0]))
    else:
        files[2].write_bytes(files[2].read_bytes()[:-200])
    names, refused = opened()
    words = {"gap": "missing or not evenly spaced", "twice": "several slices lie at one place", "short": "cut off"}
    assert names == "" and words[fault] in refused


def uid_of(file):
    return pydicom.dcmread(file).SeriesInstanceUID


def test_good_files_are_opened_beside_wrong_ones(opened, an_upload, an_array):
    write(an_upload / "scan.nii.gz", an_array, GRIDS["lps"])
    for name in ("a.txt", "b.txt", ".DS_Store"):
        (an_upload / name).write_text("x")
    names, refused = opened()
    assert names == "scan" and refused.startswith("2 files are no scans (a.txt and others)")


def test_no_upload_leads_out_of_the_files_folder(bench, tmp_path):
    opening = Opening(bench, tmp_path / "files")
    for name in ("", "..", "../files", "a/b", ".hidden"):
        with pytest.raises(ValueError, match="There is no upload"):
            opening.take(name)
