"""The lesion mask as DICOM SEG, read back with highdicom and with pydicom alone."""

import sys

import highdicom
import numpy as np
import pydicom
import pytest
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.dicom_seg import write_dicom_seg
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.provenance import Provenance
from Testing.dicom_source import TO_LPS, axial_lps_matrix, oblique_matrix, write_source

MADE_BY = Provenance("1.2", "brain-mr", "7")
SCAN = np.random.default_rng(0).integers(0, 2000, (7, 12, 15)).astype(np.int16)
MASK = np.zeros(SCAN.shape, bool)
MASK[1:4, 2:7, 3:9] = True  # the larger: finding 1
MASK[2, 4, 5] = False
MASK[5:7, 9:11, 11:14] = True
GRIDS = {"oblique": oblique_matrix(), "axial, LPS": axial_lps_matrix()}


def write(folder, matrix, mask=MASK, files=None, *, edited=False, made_by=MADE_BY, **options):
    source = write_source(folder / "in", SCAN, matrix, **options) if files is None else files
    write_dicom_seg(folder / "seg.dcm", Volume(mask, matrix), source, made_by, edited=edited)
    return highdicom.seg.segread(folder / "seg.dcm"), source


@pytest.mark.parametrize("falling", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize("matrix", GRIDS.values(), ids=GRIDS)
def test_the_mask_comes_back_voxel_for_voxel(matrix, falling, tmp_path):
    segmentation, source = write(tmp_path, matrix, falling=falling)
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in source]
    by_file = segmentation.get_pixels_by_source_instance(uids, combine_segments=True, relabel=True)
    np.testing.assert_array_equal(by_file > 0, MASK)
    np.testing.assert_array_equal(by_file[1:4] == 1, MASK[1:4])
    # And by its own geometry, without the source files.
    volume = segmentation.get_volume(combine_segments=True)
    to_index = np.linalg.inv(volume.affine) @ TO_LPS @ matrix
    found = np.zeros_like(MASK)
    for k, j, i in np.argwhere(np.ones_like(MASK)):
        index = np.rint((to_index @ [i, j, k, 1])[:3]).astype(int)
        if (index >= 0).all() and (index < volume.spatial_shape).all():
            found[k, j, i] = volume.array[tuple(index)] > 0
    np.testing.assert_array_equal(found, MASK)


def test_frames_read_with_pydicom_alone_are_the_findings(tmp_path):
    _, source = write(tmp_path, oblique_matrix())
    order = {pydicom.dcmread(path).SOPInstanceUID: k for k, path in enumerate(source)}
    ds = pydicom.dcmread(tmp_path / "seg.dcm")
    back = np.zeros(MASK.shape, int)
    for frame, groups in zip(np.atleast_3d(ds.pixel_array), ds.PerFrameFunctionalGroupsSequence, strict=True):
        image = groups.DerivationImageSequence[0].SourceImageSequence[0]
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        back[order[image.ReferencedSOPInstanceUID]] += number * frame
    np.testing.assert_array_equal(back > 0, MASK)
    assert set(np.unique(back[5:])) == {0, 2}


def test_what_it_says_of_itself(tmp_path):
    segmentation, source = write(tmp_path, oblique_matrix())
    original = pydicom.dcmread(source[0])
    kept = ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber")
    for name in kept:
        assert segmentation[name].value == original[name].value
    assert segmentation.SegmentationType == "BINARY"
    assert segmentation.SeriesDescription == "Lesion mask (research, not for diagnosis)"
    assert segmentation.SeriesNumber == 403
    assert "brain-mr 7" in segmentation.ImageComments
    assert segmentation.number_of_segments == 2
    lesions = [segmentation.get_segment_description(n) for n in (1, 2)]
    assert len({lesion.tracking_uid for lesion in lesions}) == 2
    for number, lesion in enumerate(lesions, start=1):
        assert lesion.tracking_id == f"PseudoNormal lesion {number}"
        assert lesion.segmented_property_type.value == "52988006"
        assert lesion.segmented_property_category.value == "49755003"
        assert lesion.anatomic_regions[0].value == "12738006"
        assert lesion.algorithm_type.value == "AUTOMATIC"
        assert (lesion.algorithm_identification.name, lesion.algorithm_identification.version) == ("brain-mr", "7")
    assert len(segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == len(source)


def test_an_edited_mask_is_semiautomatic_and_one_drawn_without_a_model_manual(tmp_path):
    edited, source = write(tmp_path, oblique_matrix(), edited=True)
    assert edited.get_segment_description(1).algorithm_type.value == "SEMIAUTOMATIC"
    drawn, _ = write(tmp_path, oblique_matrix(), files=source, edited=True, made_by=Provenance.of(None))
    assert drawn.get_segment_description(1).algorithm_type.value == "MANUAL"
    assert drawn.get_segment_description(1).algorithm_identification is None


def test_two_hundred_findings_keep_their_numbers(tmp_path):
    mask = np.zeros(SCAN.shape, bool)
    mask[::2, ::2, ::2] = True
    segmentation, source = write(tmp_path, oblique_matrix(), mask)
    assert segmentation.number_of_segments == mask.sum() == 192
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in source]
    back = segmentation.get_pixels_by_source_instance(uids, combine_segments=True, relabel=True)
    np.testing.assert_array_equal(back > 0, mask)
    assert len(np.unique(back)) == 193


def test_an_empty_mask_is_refused_and_an_earlier_file_stays(tmp_path):
    _, source = write(tmp_path, oblique_matrix())
    before = (tmp_path / "seg.dcm").read_bytes()
    with pytest.raises(ExportError, match="0 findings"):
        write(tmp_path, oblique_matrix(), np.zeros_like(MASK), source)
    assert (tmp_path / "seg.dcm").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_without_highdicom_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom.seg", None)
    with pytest.raises(ExportError, match="highdicom; let the export install it"):
        write_dicom_seg(tmp_path / "seg.dcm", Volume(MASK, oblique_matrix()), [], MADE_BY, edited=False)
    assert not list(tmp_path.iterdir())
