"""``pseudonormal generate`` from files to files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from Testing.case_folder import FILES

from pseudonormal.models.bundle import FOLDER_VARIABLE
from pseudonormal.scan.reading import read_mask, read_scan
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image


@pytest.fixture(scope="module")
def masked(a_head, models_folder, tmp_path_factory):
    """One run with a mask, as a process of its own: the folder of the case and what was said."""
    out = tmp_path_factory.mktemp("masked")
    arguments = [a_head.scan, "-o", out, "--mask", a_head.mask, "--foreground", a_head.brain, "--mode", "void"]
    done = subprocess.run(
        [sys.executable, "-m", "pseudonormal.cli.main", "generate", *map(str, arguments)],
        env={**os.environ, FOLDER_VARIABLE: str(models_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out / "head", done


def test_all_files_are_there(masked):
    folder, _ = masked
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["head"]


def test_what_is_said(masked):
    folder, done = masked
    assert "head: 1 finding, 0.67 ml." in done.stdout
    assert "mean z  +10." in done.stdout
    assert str(folder / "report.html") in done.stdout
    assert "not a medical device" in done.stdout
    assert done.stderr == ""


def test_outside_the_lesion_the_scan_is_untouched(masked, a_head):
    folder, _ = masked
    normal = read_scan(folder / "pseudo_normal.nii.gz")
    scan = read_scan(a_head.scan)
    assert normal.storage.dtype == np.int16
    assert normal.geometry == scan.geometry
    np.testing.assert_array_equal(normal.array[~a_head.lesion], scan.array[~a_head.lesion])
    assert abs(normal.array[a_head.lesion].mean() - 500) < 60  # 1100 before


def test_the_difference_is_input_minus_pseudo_normal(masked, a_head):
    folder, _ = masked
    normal = read_scan(folder / "pseudo_normal.nii.gz").array.astype(np.float32)
    change = read_scan(folder / "difference.nii.gz")
    assert change.storage.dtype == np.float32
    np.testing.assert_array_equal(change.array, a_head.array - normal)
    z = read_scan(folder / "difference_z.nii.gz").array
    ratio = change.array[a_head.lesion] / z[a_head.lesion]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-4)


def test_the_mask_that_was_used(masked, a_head):
    folder, _ = masked
    written = read_scan(folder / "lesion_mask.nii.gz")
    assert written.storage.dtype == np.uint8
    np.testing.assert_array_equal(written.array, a_head.lesion)
    np.testing.assert_array_equal(read_mask(folder / "lesion.seg.nrrd", read_scan(a_head.scan))[0], a_head.lesion)


def test_the_report(masked):
    folder, _ = masked
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    (finding,) = report["findings"]
    assert finding["mode"] == report["mode"] == "void"
    assert finding["mean_z"] > 3
    assert set(report["timings_s"]) >= {"read", "foreground", "lesions", "restore", "compare", "write"}
    assert set(report["files"]) == FILES
    assert report["warnings"] == []
    assert finding["uncertain_ml"] is report["brain"]["uncertain_ml"] is None, "a given mask says nothing of it"
    assert report["brain"]["volume_ml"] == pytest.approx(113, rel=0.05)


def test_without_a_mask_the_model_finds_the_lesion(command, a_head, tmp_path):
    said = command("generate", a_head.scan, "-o", tmp_path, "--json")
    assert said.code == 0
    assert said.err == ""
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["stage"] for event in events if event["event"] == "progress" and "stage" in event] == [
        "read",
        "foreground",
        "lesions",
        "restore",
        "compare",
        "write",
    ]
    result = events[-1]
    assert result["event"] == "result"
    assert result["report"]["findings"][0]["volume_ml"] > 0.2
    assert 0 < result["report"]["findings"][0]["uncertain_ml"] < result["report"]["findings"][0]["volume_ml"]
    assert result["report"]["brain"]["uncertain_ml"] > 0
    found = read_scan(tmp_path / "head" / "lesion_mask.nii.gz").array > 0
    overlap = 2 * (found & a_head.lesion).sum() / (found.sum() + a_head.lesion.sum())
    assert overlap > 0.6


def test_one_bad_input_does_not_stop_the_others(command, a_head, tmp_path):
    again = tmp_path / "again.nii.gz"
    shutil.copy(a_head.scan, again)
    bad = tmp_path / "bad.nii.gz"
    bad.write_text("no scan")
    out = tmp_path / "out"
    said = command("generate", bad, again, "-o", out, "--recipe", "ring_mean", "--json")
    assert said.code == 2
    assert len(said.lines) == 1
    assert str(bad) in said.err
    assert [path.name for path in out.iterdir()] == ["again"]
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == ["error", "result"]


def masked_run(command, head, out, *options):
    said = command("generate", head.scan, "-o", out, "--mask", head.mask, "--foreground", head.brain, *options)
    assert said.code == 0, said.err
    return out / "head"


def test_grain_is_seeded_and_never_in_the_difference(command, a_head, tmp_path, masked):
    smooth, _ = masked
    grained = masked_run(command, a_head, tmp_path / "a", "--mode", "void", "--texture", "--seed", 3)
    again = masked_run(command, a_head, tmp_path / "b", "--mode", "void", "--texture", "--seed", 3)
    assert (grained / "pseudo_normal.nii.gz").read_bytes() == (again / "pseudo_normal.nii.gz").read_bytes()
    assert (grained / "difference.nii.gz").read_bytes() == (smooth / "difference.nii.gz").read_bytes()
    shown, plain = (read_scan(folder / "pseudo_normal.nii.gz").array for folder in (grained, smooth))
    assert (shown != plain)[a_head.lesion].mean() > 0.5
    np.testing.assert_array_equal(shown[~a_head.lesion], plain[~a_head.lesion])


def test_thick_tilted_slices_of_floats_come_back_on_their_own_grid(command, tmp_path, a_head):
    """Voxels 1 x 1.2 x 3 mm, axes turned by 10 degrees, axis order and signs of a coronal scan, values below 0."""
    array = a_head.array[:, ::3].transpose(1, 0, 2).astype(np.float32) / 1000 - 0.2
    mask = a_head.lesion[:, ::3].transpose(1, 0, 2)
    brain = a_head.foreground[:, ::3].transpose(1, 0, 2)
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    direction = np.array([[1, 0, 0], [0, s, c], [0, -c, s]]) * [1, 1, -1]  # slowest axis: to the back
    geometry = Geometry(array.shape[::-1], (1.0, 1.2, 3.0), (5.0, 6.0, 7.0), tuple(direction.ravel()))
    for name, content in {"tilted": array, "mask": mask, "brain": brain}.items():
        write_image(content, geometry, tmp_path / f"{name}.nii.gz")
    options = ["--mask", tmp_path / "mask.nii.gz", "--foreground", tmp_path / "brain.nii.gz"]
    said = command("generate", tmp_path / "tilted.nii.gz", "-o", tmp_path / "out", *options)
    assert said.code == 0, said.err
    normal = read_scan(tmp_path / "out" / "tilted" / "pseudo_normal.nii.gz")
    assert normal.storage.dtype == np.float32
    np.testing.assert_allclose(normal.geometry.affine_ras(), geometry.affine_ras(), atol=1e-4)
    np.testing.assert_array_equal(normal.array[~mask], array[~mask])
    assert abs(float(normal.array[mask].mean()) - 0.3) < 0.08  # 0.9 before


def start(a_head, models_folder, out):
    arguments = [a_head.scan, "-o", out, "--json", "--mask", a_head.mask, "--foreground", a_head.brain]
    return subprocess.Popen(
        [sys.executable, "-m", "pseudonormal.cli.main", "generate", *map(str, arguments)],
        env={**os.environ, FOLDER_VARIABLE: str(models_folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process, stage):
    for line in process.stdout:
        if json.loads(line).get("stage") == stage:
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(("stage", "number"), [("restore", signal.SIGINT), ("write", signal.SIGTERM)])
def test_an_interrupted_run_leaves_nothing(a_head, models_folder, tmp_path, stage, number):
    out = tmp_path / "out"
    process = start(a_head, models_folder, out)
    wait_for(process, stage)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert len(err.splitlines()) == 1
    assert err.startswith("pseudonormal: stopped")
    assert not out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_killed_run_leaves_at_most_a_hidden_folder_that_the_next_ignores(command, a_head, models_folder, tmp_path):
    out = tmp_path / "out"
    process = start(a_head, models_folder, out)
    wait_for(process, "write")
    while not out.exists() and process.poll() is None:
        pass
    process.kill()
    process.communicate(timeout=120)
    left = list(out.iterdir())
    assert all(path.name.startswith(".") and path.name.endswith(".part") for path in left)
    masked_run(command, a_head, out, "--recipe", "ring_mean")
    assert {path.name for path in (out / "head").iterdir()} == FILES
    assert Path(out / "head" / "report.json").exists()
