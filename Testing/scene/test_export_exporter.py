"""Exporting a case of the scene: each format once, through the class that the panel uses."""

import json
from dataclasses import replace

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.export.exporter import FORMATS, Exporter
from PseudoNormalLib.export.provenance import was_edited
from PseudoNormalLib.report import keep_page, kept_page
from PseudoNormalLib.scene.case_nodes import CaseNodes, report_of, set_report
from PseudoNormalLib.scene.findings import measure
from PseudoNormalLib.scene.lesions import set_mask
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras, new_volume
from Testing.dicom_source import write_source
from Testing.scene.conftest import GRIDS, make_case

FORMAT = {each.key: each for each in FORMATS}


@pytest.fixture(params=sorted(GRIDS))
def a_dicom_case(request, scene_host, a_scan_array, a_lesion_mask, tmp_path):
    """A host whose scan came from DICOM, the case, and the files."""
    matrix = GRIDS[request.param]
    files = write_source(tmp_path / "Übersicht", a_scan_array, matrix, falling=True)
    case = make_case(
        scene_host, new_volume(scene_host.scene, "scan", a_scan_array, matrix), a_scan_array, a_lesion_mask
    )
    findings, _ = measure(a_lesion_mask, matrix, case.difference_z, 0.0)
    model = {"name": "brain-mr", "version": "3"}
    report = {"software_version": "0.9", "model": model, "findings": [finding.__dict__ for finding in findings]}
    set_report(case.nodes, report)
    host = replace(scene_host, dicom_files=lambda node: files if node is case.nodes.image else [])
    return host, case, files


@pytest.fixture
def export(a_dicom_case):
    """Exports to the end; gives the path, or the error's line."""
    host, case, _ = a_dicom_case

    def run(key, path, nodes=case.nodes):
        said = []
        Exporter(host, Background(host.tick)).export(FORMAT[key], nodes, path, said.append, said.append)
        assert not said, "what is told is told later"
        assert host.tick.run_until(lambda: said, 60)
        return said[0] if said[0] == path else str(said[0])

    return run


def test_everything_as_a_folder(export, a_dicom_case, a_scan_array, tmp_path):
    host, case, _ = a_dicom_case
    page = keep_page(host, report_of(case.nodes), b"<html>")
    assert kept_page(host, case.nodes) == page
    out = tmp_path / "Patient Ü" / "case"
    assert export("folder", out) == out
    volumes = {"pseudo_normal.nii.gz", "difference.nii.gz", "difference_z.nii.gz", "lesion_mask.nii.gz"}
    assert {path.name for path in out.iterdir()} == volumes | {"lesion.seg.nrrd", "report.json", "report.html"}
    for name, array in {
        "pseudo_normal": array_of(case.nodes.pseudo_normal),
        "difference_z": case.difference_z,
        "lesion_mask": case.mask,
    }.items():
        image = nibabel.load(out / f"{name}.nii.gz")
        np.testing.assert_array_equal(np.asarray(image.dataobj).T, array)
        np.testing.assert_allclose(image.affine, ijk_to_ras(case.nodes.image), atol=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(out / "lesion.seg.nrrd"))), case.mask)
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["model"]["name"] == "brain-mr"
    assert "is there already" in export("folder", out)


def test_everything_holds_the_results_and_what_can_be_had_as_dicom(export, a_dicom_case, scene_host, tmp_path):
    host, case, files = a_dicom_case
    everything, exporter = FORMAT["everything"], Exporter(host, Background(host.tick))
    assert exporter.writes_dicom(everything, case.nodes)
    out = tmp_path / "Alles für Zoë"
    assert export("everything", out) == out
    names = {"results", "lesion mask.dcm", "pseudo-normal DICOM", "difference DICOM"}
    assert {path.name for path in out.iterdir()} == names
    assert (out / "results" / "pseudo_normal.nii.gz").is_file()
    assert pydicom.dcmread(out / "lesion mask.dcm").Modality == "SEG"
    assert len(list((out / "difference DICOM").iterdir())) == len(files)
    assert not Exporter(scene_host, Background(host.tick)).writes_dicom(everything, case.nodes)


def test_a_segmentation(export, a_dicom_case, tmp_path):
    assert export("segmentation", tmp_path / "lesion.seg.nrrd") == tmp_path / "lesion.seg.nrrd"
    back = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "lesion.seg.nrrd")))
    np.testing.assert_array_equal(back > 0, a_dicom_case[1].mask)


def test_dicom_series_of_pseudo_normal_and_difference(export, a_dicom_case, tmp_path):
    _, case, files = a_dicom_case
    for key in ("pseudo_normal", "difference"):
        assert export(key, tmp_path / key) == tmp_path / key
        instances = {int(ds.InstanceNumber): ds for ds in map(pydicom.dcmread, (tmp_path / key).iterdir())}
        back = np.stack([instances[int(pydicom.dcmread(path).InstanceNumber)].pixel_array for path in files])
        np.testing.assert_array_equal(back, array_of(getattr(case.nodes, key)))
        assert "model brain-mr 3" in instances[1].DerivationDescription


def test_dicom_seg_knows_whether_a_person_changed_the_mask(export, a_dicom_case, tmp_path):
    _, case, files = a_dicom_case
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in files]

    def exported():
        assert export("dicom_seg", tmp_path / "lesion.dcm") == tmp_path / "lesion.dcm"
        segmentation = highdicom.seg.segread(tmp_path / "lesion.dcm")
        mask = segmentation.get_pixels_by_source_instance(uids, combine_segments=True, relabel=True) > 0
        return mask, segmentation.get_segment_description(1).algorithm_type.value

    mask, maker = exported()
    np.testing.assert_array_equal(mask, case.mask)
    assert maker == "AUTOMATIC"
    corrected = case.mask.copy()
    corrected[12, 20, 31] ^= True
    set_mask(case.nodes.lesions, case.nodes.image, corrected)
    mask, maker = exported()
    np.testing.assert_array_equal(mask, corrected)
    assert maker == "SEMIAUTOMATIC"


def test_a_scan_from_elsewhere_has_no_dicom_formats(scene_host, a_case):
    exporter = Exporter(scene_host, Background(scene_host.tick))
    against = {each.key: exporter.obstacle(each, a_case.nodes) for each in FORMATS}
    assert {key for key, line in against.items() if line} == {"dicom_seg", "pseudo_normal", "difference"}
    assert "not loaded from DICOM" in against["dicom_seg"]


def test_without_results_there_is_nothing_to_export(scene_host, a_volume_node):
    exporter = Exporter(scene_host, Background(scene_host.tick))
    assert all("generate" in exporter.obstacle(each, CaseNodes(a_volume_node)) for each in FORMATS)
    assert all(exporter.obstacle(each, None) for each in FORMATS)
    said = []
    exporter.export(FORMAT["folder"], CaseNodes(a_volume_node), a_volume_node, said.append, said.append)
    assert scene_host.tick.run_until(lambda: said, 10)
    assert "generate" in str(said[0])


def test_a_page_belongs_to_its_report_alone(a_dicom_case):
    host, case, _ = a_dicom_case
    assert kept_page(host, case.nodes) is None
    keep_page(host, report_of(case.nodes), b"one")
    set_report(case.nodes, report_of(case.nodes) | {"created": "later"})
    assert kept_page(host, case.nodes) is None


def test_a_mask_is_edited_once_a_single_voxel_differs(a_dicom_case):
    _, case, _ = a_dicom_case
    report = report_of(case.nodes)
    assert not was_edited(case.mask, report)
    moved = np.roll(case.mask, 1, axis=2)
    assert was_edited(moved, report)
    assert was_edited(np.zeros_like(case.mask), report)
    hole = case.mask.copy()
    hole[12, 20, 27] = False
    assert was_edited(hole, report)
    assert not was_edited(np.zeros_like(case.mask), {"findings": []})
