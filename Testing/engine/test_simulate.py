"""``pseudonormal simulate``: lesions of known truth on the scans' own grids."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from pseudonormal.cases import read_cases
from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.scan.conform import conform
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.simulate.native import normal_tissue, simulate_lesion

HEADER = "case,subject,split,image,mask,normal,foreground\n"
CUBE = Geometry((42, 42, 42), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
FILES = {"image.nii.gz", "mask.nii.gz", "normal.nii.gz", "foreground.nii.gz", "record.json"}


@pytest.fixture
def a_list(a_head, tmp_path: Path) -> Path:
    """A case with a real lesion, one without mask, and a shape."""
    for path in (a_head.scan, a_head.mask, a_head.brain):
        shutil.copy(path, tmp_path)
    rows = "p1,anna,test,head.nii.gz,mask.nii.gz,,brain.nii.gz\np2,bert,test,head.nii.gz,,,\ns1,,,,mask.nii.gz,,\n"
    (tmp_path / "cases.csv").write_text(HEADER + rows)
    return tmp_path / "cases.csv"


def test_the_truth_is_kept(command, a_list, a_head):
    out = a_list.parent / "out"
    said = command("simulate", a_list, "-o", out, "--count", 2, "--volume-ml", 0.5, 2, "--json")
    assert said.code == 0, said.err
    assert {path.name for path in out.iterdir()} == {"p1_1", "p1_2", "cases.csv"}
    for name in ("p1_1", "p1_2"):
        assert {path.name for path in (out / name).iterdir()} == FILES
        image, normal, mask = (read_scan(out / name / f"{part}.nii.gz") for part in ("image", "normal", "mask"))
        lesion = mask.array > 0
        assert image.storage.dtype == normal.storage.dtype == np.int16
        np.testing.assert_array_equal(normal.array, a_head.array)
        np.testing.assert_array_equal(image.array[~lesion], a_head.array[~lesion])
        assert (image.array != a_head.array)[lesion].mean() > 0.5
        assert 0.4 <= lesion.sum() / 1000 <= 2
        assert a_head.foreground[lesion].all()
        assert ndimage.distance_transform_edt(~a_head.lesion)[lesion].min() > 5  # away from the real one
        record = json.loads((out / name / "record.json").read_text())
        assert record["family"] in FAMILIES
        assert record["volume_ml"] == pytest.approx(lesion.sum() / 1000)
    assert (out / "p1_1" / "mask.nii.gz").read_bytes() != (out / "p1_2" / "mask.nii.gz").read_bytes()
    results = [json.loads(line) for line in said.out.splitlines() if '"result"' in line]
    assert [line["case"] for line in results] == ["p1_1", "p1_2"]


def test_the_list_reads_back_as_cases_of_known_truth(command, a_list):
    out = a_list.parent / "out"
    command("simulate", a_list, "-o", out, "--volume-ml", 0.5, 2, "--family", "rim")
    (case,) = read_cases(out / "cases.csv")
    assert case.has_truth
    assert (case.subject, case.split, case.extra["family"]) == ("anna", "test", "rim")
    assert case.foreground is not None


def test_the_same_seed_gives_the_same_files(command, a_list):
    folders = [a_list.parent / name for name in "abc"]
    for folder, seed in zip(folders, (4, 4, 5), strict=True):
        assert command("simulate", a_list, "-o", folder, "--seed", seed, "--volume-ml", 0.5, 2).code == 0
    a, b, c = ({path.relative_to(f): path.read_bytes() for path in f.rglob("*.*")} for f in folders)
    assert a == b
    assert a[Path("p1_1/image.nii.gz")] != c[Path("p1_1/image.nii.gz")]


def test_evaluate_takes_the_list(command, a_list):
    folder = a_list.parent
    assert command("simulate", a_list, "-o", folder / "made", "--volume-ml", 0.5, 2).code == 0
    options = ["--recipe", "ring_mean", "--recipe", "biharmonic", "--model", "brain-mr", "--mode", "void", "--json"]
    said = command("evaluate", folder / "made" / "cases.csv", "-o", folder / "tables", *options)
    assert said.code == 0, said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    result = events[-1]
    assert result["event"] == "result"
    assert {"summary.md", "summary.csv", "simulated.csv"} <= set(result["files"])
    assert all(target["subject"] in ("brain-mr:void", "segmenter") for target in result["targets"])
    assert any(target["measured"] is not None for target in result["targets"])
    table = (folder / "tables" / "summary.md").read_text(encoding="utf-8")
    assert all(name in table for name in ("ring_mean", "biharmonic", "brain-mr:void"))


def test_evaluate_prints_its_targets(command, a_head, tmp_path):
    rows = f"p1,anna,test,{a_head.scan},,{a_head.scan},{a_head.brain}\n"
    (tmp_path / "cases.csv").write_text(HEADER + rows)
    options = ["--recipe", "ring_mean", "--model", "brain-mr", "--family", "rim", "--mode", "void"]
    said = command("evaluate", tmp_path / "cases.csv", "-o", tmp_path / "tables", *options)
    assert said.code == 0, said.err
    assert "PSNR over best classical fill" in said.out
    assert str(tmp_path / "tables" / "summary.md") in said.out


def test_shapes_from_a_folder(command, a_list, a_head):
    shapes = a_list.parent / "shapes"
    shapes.mkdir()
    said = command("simulate", a_list, "-o", a_list.parent / "out", "--shapes", shapes)
    assert said.code == 2
    assert "holds no lesion mask" in said.err
    shutil.copy(a_head.mask, shapes)
    said = command("simulate", a_list, "-o", a_list.parent / "out", "--shapes", shapes, "--volume-ml", 0.5, 2)
    assert said.code == 0, said.err


def test_what_cannot_be_simulated_is_said(command, a_list):
    out = a_list.parent / "out"
    write_image(np.pad(np.ones((2, 2, 2), bool), 20), CUBE, a_list.parent / "tiny.nii.gz")
    write_image(np.arange(42**3, dtype=np.int16).reshape(42, 42, 42) % 99, CUBE, a_list.parent / "cube.nii.gz")
    a_list.write_text(HEADER + "p3,carl,test,cube.nii.gz,,cube.nii.gz,tiny.nii.gz\n")
    said = command("simulate", a_list, "-o", out, "--volume-ml", 0.5, 1)
    assert (said.code, len(said.lines)) == (2, 1)
    assert "found a place" in said.err
    said = command("simulate", a_list, "-o", out, "--family", "magic")
    assert said.code == 2
    assert "additive_bright" in said.err
    a_list.write_text(HEADER + "p2,bert,test,head.nii.gz,,,\n")
    said = command("simulate", a_list, "-o", out)
    assert said.code == 2
    assert "no case to simulate in" in said.err
    assert not out.exists()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("family", ["additive_bright", "replacing", "mass_effect"])
def test_on_thick_slices_nothing_outside_the_lesion_changes(tmp_path, a_head, dtype, family):
    array = np.clip(a_head.array[::3] / 6, 0, 200).astype(dtype)
    geometry = Geometry(array.shape[::-1], (1.0, 1.0, 3.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    write_image(array, geometry, tmp_path / "scan.nii.gz")
    scan = read_scan(tmp_path / "scan.nii.gz")
    conformed = conform(scan)
    brain = conformed.image > 40
    none = np.zeros_like(brain)
    source = LesionSource([SmoothBlob()], {family: FAMILIES[family]})
    made = simulate_lesion(scan, conformed, brain, none, source, np.random.default_rng(2), volume_ml=(1.0, 3.0))
    assert made is not None
    assert made.array.dtype == dtype
    np.testing.assert_array_equal(made.array[~made.mask], array[~made.mask])
    assert np.abs(made.array.astype(float) - array)[made.mask].mean() > 1
    assert made.record["volume_ml"] == pytest.approx(made.mask.sum() * 0.003, rel=0.01)
    assert 0.5 < made.record["volume_ml"] < 4


def test_normal_tissue_keeps_away_from_lesions(a_head):
    allowed = normal_tissue(a_head.foreground, a_head.lesion)
    assert not (allowed & ndimage.binary_dilation(a_head.lesion, iterations=4)).any()
    assert (allowed | ndimage.binary_dilation(a_head.lesion, iterations=9))[a_head.foreground].all()
    assert normal_tissue(a_head.foreground, np.zeros_like(a_head.lesion)) is a_head.foreground
