"""From ``pseudonormal generate`` to a case with seed, pseudo-normal and priority, on the command line alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pseudonormal.cli.main import main
from pseudonormal.models.bundle import FOLDER_VARIABLE
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image
from pseudonormal.store.store import Store
from pseudonormal.store.urgency import priority_of

DERIVED = ("difference", "difference_z", "pseudo_normal")


@pytest.fixture(scope="module")
def generated(a_head, models_folder, tmp_path_factory) -> Path:
    """The output folder of one run; the case's folder in it is ``head``."""
    out = tmp_path_factory.mktemp("generated")
    given = [
        a_head.scan,
        "-o",
        out,
        "--mask",
        a_head.mask,
        "--foreground",
        a_head.brain,
        "--mode",
        "void",
        "--contrast",
        "t1c",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(models_folder))
        assert main(["generate", *map(str, given)]) == 0
    return out


@pytest.fixture
def cases(command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Runs ``pseudonormal cases`` on a store in tmp_path."""
    monkeypatch.setenv("PSEUDONORMAL_STORE", str(tmp_path / "store"))
    return lambda *arguments: command("cases", *arguments)


@pytest.fixture
def another_scan(a_head, tmp_path) -> Path:
    """On the very same grid, as scans of many patients are."""
    write_image(np.roll(a_head.array, 3, axis=0), a_head.geometry, tmp_path / "another.nii.gz")
    return tmp_path / "another.nii.gz"


def test_results_become_a_case_that_a_reviewer_can_open(cases, generated, a_head, tmp_path):
    said = cases("add", a_head.scan, "--results", generated / "head", "--subject", "someone", "--json")
    assert (said.code, said.err) == (0, "")
    case = json.loads(said.out)
    report = json.loads((generated / "head" / "report.json").read_text(encoding="utf-8"))
    assert case["model"] == report["model"]["name"] == "brain-mr"
    assert case["priority"] == pytest.approx(priority_of(report))
    assert case["contrast"] == report["contrast"] == "t1c"
    store = Store.open(tmp_path / "store")
    assert store.volumes(case["id"]) == ("image", *DERIVED)
    for name in DERIVED:
        made = read_nifti(generated / "head" / f"{name}.nii.gz", None)
        kept = read_nifti(store.volume_path(case["id"], name), None)
        np.testing.assert_array_equal(kept.array, made.array)
    (seed,) = store.history(case["id"])
    assert (seed.state, seed.model) == ("seed", "brain-mr")
    np.testing.assert_array_equal(store.read_mask(case["id"], store.mask_path(seed.id)), a_head.lesion)
    assert store.report(case["id"])["findings"] == report["findings"]
    assert store.check() == []


def test_of_an_output_folder_each_scan_gets_its_own_results(cases, generated, a_head, another_scan, tmp_path):
    said = cases("add", another_scan, a_head.scan, "--results", generated)
    assert (said.code, len(said.lines)) == (2, 1)
    assert "holds no results of another.nii.gz; give the folder that pseudonormal generate wrote" in said.err
    (case,) = Store.open(tmp_path / "store").cases()[0]
    assert (case.findings, case.model) == (1, "brain-mr")


def test_a_mask_of_ones_own_is_the_seed_beside_the_results(cases, generated, a_head, tmp_path):
    drawn = np.roll(a_head.lesion, 1, axis=1)
    write_image(drawn, a_head.geometry, tmp_path / "drawn.nii.gz")
    said = cases("add", a_head.scan, "--results", generated, "--mask", tmp_path / "drawn.nii.gz", "--json")
    store = Store.open(tmp_path / "store")
    case = json.loads(said.out)
    np.testing.assert_array_equal(store.read_mask(case["id"], store.mask_path(case["head"])), drawn)


def test_results_that_do_not_belong_to_the_scan_are_refused_in_one_line(
    cases, generated, a_head, another_scan, tmp_path
):
    doubled, damaged, partial = (tmp_path / name for name in ("doubled", "damaged", "partial"))
    for name in ("one", "two"):
        shutil.copytree(generated / "head", doubled / name)
    for folder in (damaged, partial):
        shutil.copytree(generated / "head", folder)
    (damaged / "report.json").write_text("[]", encoding="utf-8")
    (partial / "difference_z.nii.gz").unlink()
    for scan, results, words in (
        (another_scan, generated / "head", "was made from another scan"),
        (a_head.scan, doubled, "results of 2 scans called head.nii.gz"),
        (a_head.scan, damaged, "cannot be read as a report; generate the results again"),
        (a_head.scan, partial, "difference_z.nii.gz"),
        (a_head.scan, tmp_path / "nowhere", "holds no results of head.nii.gz"),
    ):
        said = cases("add", scan, "--results", results)
        assert (said.code, len(said.lines)) == (2, 1), words
        assert words in said.err
    assert Store.open(tmp_path / "store").cases() == ([], 0)
    assert [path for path in (tmp_path / "store" / "blobs").rglob("*") if path.is_file()] == []
