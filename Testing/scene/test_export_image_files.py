"""NIfTI and .seg.nrrd files, read back by SimpleITK, nibabel and Slicer's own reader."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.image_files import write_lesion_mask, write_nifti
from PseudoNormalLib.export.segmentation import write_segmentation
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.scene.lesions import TERMINOLOGY, add_distrusted, distrusted_of, mask_of, new_lesions
from PseudoNormalLib.scene.volumes import new_volume
from Testing.dicom_source import axial_lps_matrix, oblique_matrix

GRIDS = {"oblique": oblique_matrix(), "axial, LPS": axial_lps_matrix(), "left-handed": np.diag([-1.0, 1.5, 2.0, 1.0])}
TYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]
MASK = np.zeros((5, 8, 9), bool)
MASK[1:3, 2:6, 4:7] = True
MASK[4, 7, 0] = True


@pytest.fixture(scope="module")
def a_host():
    return headless()


@pytest.fixture
def a_folder(tmp_path):
    folder = tmp_path / "Lékař 頭"
    folder.mkdir()
    return folder


def load_segmentation(host, path):
    """As Slicer opens it."""
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(path))
    host.scene.AddNode(storage)
    assert storage.ReadData(node)
    return node


@pytest.mark.parametrize("dtype", TYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("matrix", GRIDS.values(), ids=GRIDS)
def test_nifti_has_the_voxels_their_type_and_the_grid(matrix, dtype, a_folder):
    array = np.arange(360).reshape(5, 8, 9).astype(dtype)
    write_nifti(a_folder / "volume.nii.gz", Volume(array, matrix))
    back = nibabel.load(a_folder / "volume.nii.gz")
    assert back.get_data_dtype() == array.dtype
    np.testing.assert_array_equal(np.asarray(back.dataobj), array.T)
    np.testing.assert_allclose(back.affine, matrix, atol=1e-4)
    np.testing.assert_allclose(back.get_qform(), matrix, atol=1e-4)
    assert [path.name for path in a_folder.iterdir()] == ["volume.nii.gz"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    array=arrays.arrays(st.sampled_from(TYPES), arrays.array_shapes(min_dims=3, max_dims=3, max_side=4)),
    turn=st.tuples(*[st.floats(-3, 3)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 8)] * 3),
    origin=st.tuples(*[st.floats(-300, 300)] * 3),
)
def test_any_volume_on_any_grid(array, turn, spacing, origin, tmp_path):
    matrix = np.eye(4)
    for axis, angle in enumerate(turn):
        a, b = [at for at in range(3) if at != axis]
        rotation = np.eye(4)
        rotation[a, a] = rotation[b, b] = np.cos(angle)
        rotation[a, b], rotation[b, a] = -np.sin(angle), np.sin(angle)
        matrix = rotation @ matrix
    matrix[:3, :3] *= spacing
    matrix[:3, 3] = origin
    write_nifti(tmp_path / "volume.nii", Volume(array, matrix))
    back = nibabel.load(tmp_path / "volume.nii")
    np.testing.assert_array_equal(np.asarray(back.dataobj), array.T)
    np.testing.assert_allclose(back.affine, matrix, atol=1e-3)


@pytest.mark.parametrize("matrix", GRIDS.values(), ids=GRIDS)
def test_a_lesion_mask_opens_in_slicer_voxel_for_voxel(a_host, matrix, a_folder):
    path = a_folder / "lesion.seg.nrrd"
    write_lesion_mask(path, Volume(MASK, matrix))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), MASK)
    lesions = load_segmentation(a_host, path)
    image = new_volume(a_host.scene, "scan", np.zeros(MASK.shape, np.int16), matrix)
    np.testing.assert_array_equal(mask_of(lesions, image), MASK)
    segment = lesions.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "Lesion"
    assert lesions.GetSegmentation().GetNumberOfSegments() == 1
    assert tag_of(segment, slicer.vtkSegment.GetTerminologyEntryTagName()) == TERMINOLOGY


def tag_of(segment, name):
    text = vtk.reference("")
    assert segment.GetTag(name, text)
    return str(text)


def test_an_empty_lesion_mask_can_be_written(a_host, a_folder):
    write_lesion_mask(a_folder / "lesion.seg.nrrd", Volume(np.zeros((2, 3, 4), bool), np.eye(4)))
    assert not sitk.GetArrayFromImage(sitk.ReadImage(str(a_folder / "lesion.seg.nrrd"))).any()


@pytest.mark.parametrize("matrix", GRIDS.values(), ids=GRIDS)
def test_a_segmentation_keeps_all_its_segments_on_the_scans_grid(a_host, matrix, a_folder):
    image = new_volume(a_host.scene, "scan", np.zeros(MASK.shape, np.int16), matrix)
    lesions = new_lesions(a_host, image, MASK, "lesions")
    second = slicer.vtkSegment()
    second.SetName("Schädel 頭")
    lesions.GetSegmentation().AddSegment(second, "other")
    write_segmentation(a_folder / "all.seg.nrrd", lesions, image)
    back = load_segmentation(a_host, a_folder / "all.seg.nrrd")
    np.testing.assert_array_equal(mask_of(back, image), MASK)
    names = [back.GetSegmentation().GetNthSegment(n).GetName() for n in range(2)]
    assert names == ["Lesion", "Schädel 頭"]
    # Its file is the scan's size, not that of the lesion's box.
    image_back = sitk.ReadImage(str(a_folder / "all.seg.nrrd"))
    assert image_back.GetSize()[:3] == MASK.shape[::-1]
    assert lesions.GetStorageNode() is None
    assert [path.name for path in a_folder.iterdir()] == ["all.seg.nrrd"]


def test_what_is_not_to_be_trusted_is_no_lesion_to_whoever_reads_the_file(a_host, a_folder):
    image = new_volume(a_host.scene, "scan", np.zeros(MASK.shape, np.int16), np.eye(4))
    lesions = new_lesions(a_host, image, MASK, "lesions")
    add_distrusted(lesions, image, ~MASK)
    write_segmentation(a_folder / "all.seg.nrrd", lesions, image)
    assert ((sitk.GetArrayFromImage(sitk.ReadImage(str(a_folder / "all.seg.nrrd"))) > 0) == MASK).all()
    assert load_segmentation(a_host, a_folder / "all.seg.nrrd").GetSegmentation().GetNumberOfSegments() == 1
    assert (distrusted_of(lesions, image) == ~MASK).all(), "the scene keeps it"


def test_a_segmentation_without_segments_is_refused(a_host, a_folder):
    image = new_volume(a_host.scene, "scan", np.zeros(MASK.shape, np.int16), np.eye(4))
    empty = a_host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")
    with pytest.raises(ExportError, match="nothing: has no segment"):
        write_segmentation(a_folder / "x.seg.nrrd", empty, image)
    assert not list(a_folder.iterdir())


def test_a_place_that_cannot_be_written_is_said_in_one_line(a_folder):
    (a_folder / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written") as caught:
        write_nifti(a_folder / "file" / "volume.nii.gz", Volume(MASK, np.eye(4)))
    assert "\n" not in str(caught.value)


def test_an_unknown_ending_is_said_in_one_line_and_an_earlier_file_stays(a_folder):
    (a_folder / "volume.xyz").write_text("mine")
    with pytest.raises(ExportError, match="cannot be written") as caught:
        write_nifti(a_folder / "volume.xyz", Volume(MASK, np.eye(4)))
    assert "\n" not in str(caught.value)
    assert [path.read_text() for path in a_folder.iterdir()] == ["mine"]
