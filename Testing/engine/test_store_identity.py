"""Whoever reads the store's files, every byte of them, learns no patient's name."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.nifti1 import Nifti1Extension
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from Testing.store_clients import GRID, mask_number, write_scan

from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image, write_segmentation
from pseudonormal.store.store import Store

NAME, NUMBER, BORN = "Zaphodbeeble", "MRN4711232", "19331109"
VOXELS = np.random.default_rng(0).integers(0, 900, GRID.shape).astype(np.int16)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is named after the patient, too."""
    (tmp_path / NAME).mkdir()
    return tmp_path / NAME


def named_nifti(path: Path, array: np.ndarray = VOXELS) -> Path:
    """A NIfTI file whose header says the name wherever text fits."""
    image = nib.Nifti1Image(array.T, GRID.affine_ras())
    for field, most in (("descrip", 80), ("aux_file", 24), ("intent_name", 16), ("db_name", 18), ("data_type", 10)):
        image.header[field] = NAME[: most - 1].encode()
    image.header.extensions.append(Nifti1Extension("comment", f"{NAME} {NUMBER} {BORN}".encode()))
    nib.save(image, path)
    assert NAME.encode() in content(path)
    return path


def named_nrrd(path: Path) -> Path:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetSpacing(GRID.spacing)
    for key in ("PatientName", "DICOM_0010_0020", NAME):
        image.SetMetaData(key, f"{NAME} {NUMBER} {BORN}")
    sitk.WriteImage(image, str(path))
    assert NAME.encode() in content(path)
    return path


def named_meta(path: Path) -> Path:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetMetaData("Comment", f"{NAME} {NUMBER}")
    sitk.WriteImage(image, str(path))
    return path


def named_dicom(folder: Path) -> Path:
    folder.mkdir()
    for number, pixels in enumerate(VOXELS):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = MRImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"1.2.3.4.{number}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        ds.Modality, ds.PatientName, ds.PatientID, ds.PatientBirthDate = "MR", NAME, NUMBER, BORN
        ds.InstitutionName = ds.ReferringPhysicianName = ds.SeriesDescription = ds.AccessionNumber = NAME
        private = ds.private_block(0x0029, NAME, create=True)
        private.add_new(0x01, "LO", f"{NAME} {NUMBER}")
        ds.InstanceNumber, ds.Rows, ds.Columns = number, *pixels.shape
        ds.PixelSpacing, ds.SliceThickness = ["1.5", "1"], "2"
        ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        ds.ImagePositionPatient = ["-30", "20", str(5 + 2 * number)]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = pixels.astype("<i2").tobytes()
        ds.save_as(folder / f"{NAME}{number}.dcm", enforce_file_format=True)
    return folder


def content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """All files with their names, as they stand and decompressed, in small letters."""
    for path in folder.rglob("*"):
        if path.is_file():
            inner = str(path.relative_to(folder)).encode() + b" " + path.read_bytes() + b" " + content(path)
            yield path, inner.lower()


def nothing_names_anyone(folder: Path) -> None:
    files = list(everything(folder))
    assert len(files) >= 3
    for path, text in files:
        for word in (NAME, NUMBER, BORN):
            for spelt in (word.lower().encode(), word.lower().encode("utf-16-le"), word.lower().encode("utf-16-be")):
                assert spelt not in text, f"{word} stands in {path}"


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (named_nifti, f"{NAME}.nii"),
        (named_nifti, f"{NAME}.nii.gz"),
        (named_nrrd, f"{NAME}.nrrd"),
        (named_meta, f"{NAME}.mha"),
        (named_dicom, f"{NUMBER}_{NAME}"),
    ],
)
def test_no_name_enters_by_a_scan_of_any_format(store: Store, outside: Path, write, name) -> None:
    path = write(outside / name)
    case = store.add_case(path)
    kept = read_scan(store.volume_path(case.id, "image"))
    np.testing.assert_array_equal(kept.array, read_scan(path).array)
    nothing_names_anyone(store.folder)


def test_no_name_enters_by_masks_volumes_report_or_subject(store: Store, outside: Path) -> None:
    case = store.add_case(
        named_nifti(outside / f"{NAME}.nii.gz"),
        mask=named_nifti(outside / "mask.nii.gz", mask_number(0).astype(np.uint8)),
        volumes={"pseudo_normal": named_nifti(outside / "pn.nii"), "difference": named_nrrd_like(outside / "d.nrrd")},
        model="brain-mr",
        subject=f"{NAME} {NUMBER} {BORN}",
        report={
            "case": NAME,
            "input": {"name": f"{NAME}.nii.gz", "size": [14, 12, 10], "dtype": "int16"},
            "options": {"mask": f"{NAME}_mask.nii.gz", "texture": False},
            "warnings": [f"/scans/{NAME}/mask.nii.gz: the mask is on another grid"],
            "files": [f"{NAME}.nii.gz"],
            "model": {"name": "brain-mr", "version": "1", "path": f"/home/{NAME}"},
            "findings": [{"index": 1, "volume_ml": 3.5, "position": "left, frontal", "note": NAME}],
        },
    )
    assert store.report(case.id) == {
        "input": {"size": [14, 12, 10], "dtype": "int16"},
        "model": {"name": "brain-mr", "version": "1"},
        "findings": [{"index": 1, "volume_ml": 3.5, "position": "left, frontal"}],
    }
    write_segmentation(mask_number(1), GRID, outside / "s.seg.nrrd", name=NAME)
    lease = store.lease(case.id, "Ann")
    lesion = store.read_mask(case.id, outside / "s.seg.nrrd")
    store.add_revision(case.id, lesion, lease=lease.token, state="accepted", parent=case.head)
    store.find_case(outside / f"{NAME}.nii.gz")
    nothing_names_anyone(store.folder)


def named_nrrd_like(path: Path) -> Path:
    """On the grid of the scan, with the name in a key and a value."""
    write_image(VOXELS, GRID, path.with_suffix(".nii"))
    image = sitk.ReadImage(str(path.with_suffix(".nii")))
    image.SetMetaData(NAME, NUMBER)
    sitk.WriteImage(image, str(path))
    return path


def test_what_is_looked_for_would_be_found(store: Store, outside: Path) -> None:
    """The search itself can fail: a name that a user types into a comment is there to be found."""
    case = store.add_case(named_nifti(outside / "a.nii"))
    lease = store.lease(case.id, "Ann")
    store.add_revision(case.id, mask_number(0), lease=lease.token, state="draft", parent=None, comment=f"ask {NAME}")
    with pytest.raises(AssertionError, match=NAME):
        nothing_names_anyone(store.folder)


def test_a_persons_scans_share_a_pseudonym_that_only_this_store_can_make(store: Store, tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.nii.gz")
    one, two, other = (store.add_case(tmp_path / "scan.nii.gz", subject=key) for key in (NAME, f" {NAME} ", "other"))
    assert one.subject == two.subject != other.subject
    again = Store.open(store.folder).add_case(tmp_path / "scan.nii.gz", subject=NAME)
    assert again.subject == one.subject
    elsewhere = Store.open(tmp_path / "elsewhere").add_case(tmp_path / "scan.nii.gz", subject=NAME)
    assert elsewhere.subject != one.subject
    assert stat.S_IMODE((store.folder / "secret").stat().st_mode) == 0o600


def test_case_ids_are_random(store: Store, tmp_path: Path) -> None:
    write_scan(tmp_path / "scan.nii.gz")
    ids = [store.add_case(tmp_path / "scan.nii.gz").id for _ in range(5)]
    assert len(set(ids)) == 5
    assert all(len(case) == len("case-7f3k9q2m") and case.startswith("case-") for case in ids)
