"""What a study reads and paints from a list of cases, and how its command refuses what cannot be meant."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import typer
from scipy import ndimage
from typer.testing import CliRunner

from pseudonormal.cases import COLUMNS, read_cases
from pseudonormal.cli.study import study
from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.study.keeping import material_file
from pseudonormal.study.material import ROLES, study_material

SHAPE = (40, 64, 56)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
AT = np.indices(SHAPE) - np.array([20, 32, 28])[:, None, None, None]
DISTANCE = np.sqrt((AT[0] / 18) ** 2 + (AT[1] / 29) ** 2 + (AT[2] / 25) ** 2)
BRAIN = DISTANCE < 1


def labels_of_a_head() -> np.ndarray:
    """FreeSurfer's numbers: cortex around white matter around a ventricle, and bone around them."""
    labels = np.zeros(SHAPE, np.int16)
    for reach, number in ((1.1, 510), (1.0, 3), (0.85, 2), (0.2, 4)):
        labels[reach > DISTANCE] = number
    return labels


@pytest.fixture(scope="module")
def a_list(tmp_path_factory) -> Path:
    """Eight label maps, real scans of two contrasts, a shape."""
    folder = tmp_path_factory.mktemp("data")
    write_image(labels_of_a_head(), GEOMETRY, folder / "labels.nii.gz")
    write_image(BRAIN, GEOMETRY, folder / "brain.nii.gz")
    lesion = ((AT - np.array([0, 10, 0])[:, None, None, None]) ** 2).sum(axis=0) < 36
    write_image(lesion, GEOMETRY, folder / "mask.nii.gz")
    noise = np.random.default_rng(0).normal(100, 8, SHAPE)
    write_image((np.where(BRAIN, noise + 60 * lesion, 0)).astype(np.float32), GEOMETRY, folder / "flair.nii.gz")
    rows = [[*COLUMNS, "labels", "contrast"]]
    rows += [[f"head{n}", f"head{n}", "train", "", "", "", "", "labels.nii.gz", ""] for n in range(8)]
    for name, split, mask, contrast in (
        ("p", "train", "mask.nii.gz", "flair"),
        ("q", "test", "mask.nii.gz", "flair"),
        ("r", "train", "", "flair"),
        ("s", "train", "mask.nii.gz", "t1"),
        ("u", "test", "", "flair"),
    ):
        rows.append([name, name, split, "flair.nii.gz", mask, "", "brain.nii.gz", "", contrast])
    rows.append(["shape", "shape", "train", "", "mask.nii.gz", "", "brain.nii.gz", "", ""])
    path = folder / "cases.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def no_brain(_: np.ndarray) -> np.ndarray:
    raise AssertionError("every case names its foreground")


@pytest.fixture(scope="module")
def a_material(a_list):
    return study_material(read_cases(a_list), no_brain)


def test_no_subject_is_learnt_from_and_judged_on(a_material):
    learnt = {
        scan.reference.subject for name in ("labelled", "unlabelled", "normal") for scan in getattr(a_material, name)
    }
    judged = {scan.reference.subject for scan in a_material.test}
    choosing = {scan.reference.subject for scan in a_material.validation}
    assert not learnt & judged and not learnt & choosing and not judged & choosing
    assert judged == {"q", "head3", "head6"} and choosing == {"head1"}
    assert len(a_material.anatomies) == ROLES.count("train")


def test_real_scans_of_the_contrast_keep_their_split(a_material):
    real = {name: [s.reference.case for s in getattr(a_material, name) if s.kind == "real"] for name in
            ("labelled", "unlabelled", "validation", "test")}  # fmt: skip
    assert real == {"labelled": ["p"], "unlabelled": ["r"], "validation": [], "test": ["q"]}


def test_scans_are_at_two_millimetres(a_material):
    (scan,) = (scan.reference for scan in a_material.labelled if scan.reference.case == "p")
    assert scan.brain.sum() == pytest.approx(BRAIN.sum() / 8, rel=0.05)
    assert scan.lesion.sum() == pytest.approx(4 / 3 * np.pi * 6**3 / 8, rel=0.15)
    painted = a_material.labelled[-1].reference
    assert painted.brain.sum() == pytest.approx(BRAIN.sum() / 8, rel=0.15)
    assert len(a_material.masks) == 1 and a_material.masks[0].sum() == scan.lesion.sum()


def test_the_same_list_gives_the_same_scans_and_another_one_another_file(a_material, a_list, tmp_path):
    cases = read_cases(a_list)
    assert study_material(cases, no_brain).fingerprint == a_material.fingerprint
    assert material_file(tmp_path, cases, "flair") == material_file(tmp_path, read_cases(a_list), "flair")
    assert material_file(tmp_path, cases, "flair") != material_file(tmp_path, cases, "t1")
    assert material_file(tmp_path, cases, "flair") != material_file(tmp_path, cases[1:], "flair")


def test_too_little_to_learn_from_is_said(a_list):
    cases = [case for case in read_cases(a_list) if not case.extra.get("labels")]
    with pytest.raises(InputError, match="label maps"):
        study_material(cases, no_brain)


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/2/3"])
def test_a_part_that_cannot_be_meant_is_refused(a_list, tmp_path, part):
    app = typer.Typer()
    app.command()(study)
    result = CliRunner().invoke(app, ["labels", str(a_list), "-o", str(tmp_path), "--part", part])
    assert isinstance(result.exception, InputError) and f"--part {part}" in str(result.exception)


def test_a_case_in_two_lists_is_refused(a_list, tmp_path):
    app = typer.Typer()
    app.command()(study)
    result = CliRunner().invoke(app, ["loop", str(a_list), str(a_list), "-o", str(tmp_path)])
    assert isinstance(result.exception, InputError) and "head0" in str(result.exception)


def test_look_alikes_are_no_lesions(a_material):
    """Bright spots that nobody marks: a threshold alone does not find the lesions."""
    scan = a_material.normal[0]
    bright, count = ndimage.label(scan.reference.image > scan.reference.image[scan.reference.brain].mean() + 0.4)
    assert count >= 1 and not scan.reference.lesion.any() and bright.any()
