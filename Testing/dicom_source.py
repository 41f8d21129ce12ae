"""A small DICOM series for tests: what a scanner would have sent."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def oblique_matrix(spacing=(0.9, 0.8, 3.0), origin=(-60.0, 40.0, 90.0)):
    """IJK to RAS of a series that is tilted about all three axes."""
    a, b = np.deg2rad([20.0, -15.0])
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * spacing
    matrix[:3, 3] = origin
    return matrix


def axial_lps_matrix(spacing=(1.0, 1.0, 2.0), origin=(30.0, 40.0, -20.0)):
    """IJK to RAS of an ordinary axial series, whose axes are LPS."""
    matrix = TO_LPS @ np.diag([*spacing, 1.0])
    matrix[:3, 3] = origin
    return matrix


def write_source(folder, array, ijk_to_ras, *, falling=False, scanner="MR", slope=1, intercept=0, **tags):
    """Write one file a slice, under names that say nothing of their order.

    :param array: (D, H, W) int16, as stored.
    :param falling: instance numbers count from the last slice to the first.
    :returns: the files, from the first slice to the last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lps = TO_LPS @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    series, study, frame = (generate_uid() for _ in range(3))
    files = []
    for k, pixels in enumerate(array):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID = {"MR": MRImageStorage, "CT": CTImageStorage}[scanner]
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Köpf^Jürgen", "P-17", "19600102", "M"
        ds.StudyInstanceUID, ds.StudyDate, ds.StudyTime, ds.StudyID = study, "20260102", "101500", "S1"
        ds.StudyDescription, ds.AccessionNumber, ds.ReferringPhysicianName = "Head", "A-99", "Roe^Jane"
        ds.SeriesInstanceUID, ds.SeriesNumber, ds.SeriesDescription, ds.Modality = series, 4, "FLAIR tra", scanner
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator, ds.PatientPosition = frame, "", "HFS"
        ds.Manufacturer, ds.ManufacturerModelName, ds.InstitutionName = "Maker", "Three T", "Clinic"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
        ds.InstanceNumber = len(array) - k if falling else k + 1
        ds.AcquisitionDate, ds.AcquisitionTime, ds.ContentDate, ds.ContentTime = (
            "20260102",
            "102000",
            "20260102",
            "1021",
        )
        if scanner == "MR":
            ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "SK", "", "2D"
            ds.EchoTime, ds.RepetitionTime, ds.EchoTrainLength, ds.MagneticFieldStrength = 90, 9000, 16, 3
        else:
            ds.KVP = 120
        ds.Rows, ds.Columns = pixels.shape
        ds.PixelSpacing = [f"{spacing[1]:.6f}", f"{spacing[0]:.6f}"]
        ds.SliceThickness = f"{spacing[2]:.6f}"
        ds.ImageOrientationPatient = [f"{v:.8f}" for v in (lps[:3, :2] / spacing[:2]).T.ravel()]
        ds.ImagePositionPatient = [f"{v:.6f}" for v in lps[:3, 2] * k + lps[:3, 3]]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.WindowCenter, ds.WindowWidth = 300, 800
        if (slope, intercept) != (1, 0) or scanner == "CT":
            ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
        ds.add_new((0x0029, 0x0010), "LO", "MAKER PRIVATE")
        ds.add_new((0x0029, 0x1001), "LO", "private words")
        ds.PixelData = pixels.astype("<i2").tobytes()
        for name, value in tags.items():
            setattr(ds, name, value)
        path = folder / f"IM{(k * 37) % 997:03d}"
        ds.save_as(path, enforce_file_format=True)
        files.append(path)
    return files
