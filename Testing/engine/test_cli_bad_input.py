"""Every kind of bad input ends with exit code 2, one line that names it, and no output."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image

SHAPE = (14, 13, 12)
ARRAY = np.random.default_rng(0).integers(0, 100, SHAPE).astype(np.int16)


def a_nifti(path: Path, array: np.ndarray = ARRAY) -> Path:
    nib.save(nib.Nifti1Image(array.T, np.eye(4)), path)
    return path


def an_nrrd(path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(ARRAY), str(path))
    return path


def patched(path: Path, offset: int, kind: str, *values: float) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}{kind}", content, offset, *values)
    path.write_bytes(content)
    return path


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-200])
    return path


def text(path: Path) -> Path:
    path.write_text("subject,age\n" * 100)
    return path


def with_value(path: Path, value: float) -> Path:
    array = ARRAY.astype(np.float32)
    array[3, 4, 5] = value
    return a_nifti(path, array)


def rgb(path: Path) -> Path:
    sitk.WriteImage(sitk.Compose([sitk.GetImageFromArray(ARRAY.astype(np.uint8))] * 3), str(path))
    return path


def singular(path: Path) -> Path:
    content = an_nrrd(path).read_bytes()
    old = b"space directions: (1,0,0) (0,1,0) (0,0,1)"
    assert old in content
    path.write_bytes(content.replace(old, b"space directions: (1,0,0) (1,0,0) (0,0,1)"))
    return path


BAD_SCANS = {
    "missing file": (lambda folder: folder / "scan.nii.gz", "no such file"),
    "empty file": (lambda folder: (folder / "scan.nii.gz").touch() or folder / "scan.nii.gz", "the file is empty"),
    "truncated NIfTI": (lambda folder: cut(a_nifti(folder / "scan.nii.gz")), "truncated"),
    "truncated NRRD": (lambda folder: cut(an_nrrd(folder / "scan.nrrd")), "truncated"),
    "text named NIfTI": (lambda folder: text(folder / "scan.nii.gz"), "this is not a"),
    "no voxels": (lambda folder: patched(a_nifti(folder / "scan.nii"), 40, "h", 3, 12, 0, 14), "the image is empty"),
    "all zero": (lambda folder: a_nifti(folder / "scan.nii.gz", np.zeros(SHAPE, np.int16)), "all voxels are zero"),
    "NaN": (lambda folder: with_value(folder / "scan.nii.gz", np.nan), "NaN"),
    "infinite": (lambda folder: with_value(folder / "scan.nii.gz", np.inf), "infinite"),
    "2D": (lambda folder: a_nifti(folder / "scan.nii.gz", ARRAY[:1]), "2D"),
    "4D": (lambda folder: a_nifti(folder / "scan.nii.gz", np.stack([ARRAY] * 3)), "--volume N (0 to 2)"),
    "RGB": (lambda folder: rgb(folder / "scan.nrrd"), "one number per voxel"),
    "zero spacing": (lambda folder: patched(a_nifti(folder / "scan.nii"), 84, "f", 0.0), "is zero"),
    "negative spacing": (lambda folder: patched(a_nifti(folder / "scan.nii"), 84, "f", -1.0), "is negative"),
    "singular direction": (lambda folder: singular(folder / "scan.nrrd"), "singular"),
    "unknown kind": (lambda folder: text(folder / "scan.pdf"), "unknown kind of file"),
    "empty folder": (lambda folder: (folder / "series").mkdir() or folder / "series", "DICOM"),
}


def refused(said, out: Path, *words: str) -> None:
    assert said.code == 2, said.err
    assert len(said.lines) == 1, said.err
    assert said.err.startswith("pseudonormal: ")
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert not out.exists()


@pytest.mark.parametrize("kind", BAD_SCANS)
def test_bad_scans(command, tmp_path, kind):
    make, words = BAD_SCANS[kind]
    path = make(tmp_path)
    out = tmp_path / "out"
    refused(command("generate", path, "-o", out), out, str(path), words)


def a_series(folder: Path, places: list[int], uid: str) -> None:
    """One DICOM file a slice, at the given places."""
    folder.mkdir(exist_ok=True)
    for place in places:
        image = sitk.GetImageFromArray(ARRAY[place % len(ARRAY)][None])
        tags = {
            "0008|0060": "MR",
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0020|000d": "1.2.3",
            "0020|000e": uid,
            "0020|0013": str(place),
            "0020|0032": f"0\\0\\{2.0 * place}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0008|0018": f"{uid}.{place + 1}",
        }
        for tag, value in tags.items():
            image.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{uid}_{place}.dcm"))
        writer.Execute(image)


def test_a_folder_with_two_series(command, tmp_path):
    a_series(tmp_path / "series", [0, 1, 2, 3], "1.2.3.4")
    a_series(tmp_path / "series", [0, 1, 2, 3], "1.2.3.5")
    out = tmp_path / "out"
    refused(command("generate", tmp_path / "series", "-o", out), out, "series", "2")


def test_a_series_with_missing_slices(command, tmp_path):
    a_series(tmp_path / "series", [0, 1, 2, 5, 6], "1.2.3.4")
    out = tmp_path / "out"
    refused(command("generate", tmp_path / "series", "-o", out), out, "missing")


def a_mask(path: Path, shape: tuple[int, int, int], spacing: float, origin: tuple[float, float, float]) -> Path:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 3, n // 2) for n in shape)] = True
    write_image(mask, Geometry(shape[::-1], (spacing,) * 3, origin, (1, 0, 0, 0, 1, 0, 0, 0, 1)), path)
    return path


def test_a_mask_of_another_patient(command, tmp_path, a_head):
    mask = a_mask(tmp_path / "mask.nii.gz", (40, 40, 40), 1.0, (300.0, 0.0, 0.0))
    out = tmp_path / "out"
    refused(command("generate", a_head.scan, "-o", out, "--mask", mask), out, str(mask), "nowhere overlaps")


def test_a_mask_of_another_size_whose_header_says_nothing(command, tmp_path, a_head):
    mask = a_mask(tmp_path / "mask.nii.gz", (40, 40, 40), 1.0, (0.0, 0.0, 0.0))
    out = tmp_path / "out"
    refused(command("generate", a_head.scan, "-o", out, "--mask", mask), out, str(mask), "another grid")


def test_a_mask_on_another_grid_is_resampled_and_that_is_said(command, tmp_path, a_head):
    mask = a_mask(tmp_path / "mask.nii.gz", (32, 33, 31), 2.0, (-29.5, -19.5, 10.5))
    options = ["--foreground", a_head.brain, "--recipe", "ring_mean"]
    said = command("generate", a_head.scan, "-o", tmp_path / "out", "--mask", mask, *options)
    assert said.code == 0, said.err
    assert "it was resampled" in said.out


def test_an_empty_mask(command, tmp_path, a_head):
    write_image(np.zeros(a_head.array.shape, bool), a_head.geometry, tmp_path / "mask.nii.gz")
    out = tmp_path / "out"
    said = command("generate", a_head.scan, "-o", out, "--mask", tmp_path / "mask.nii.gz")
    refused(said, out, "the mask is empty")


def test_a_mask_that_leaves_no_brain(command, tmp_path, a_head):
    out = tmp_path / "out"
    options = ["--mask", a_head.brain, "--foreground", a_head.brain]
    refused(command("generate", a_head.scan, "-o", out, *options), out, str(a_head.scan), "no normal brain is left")


def test_an_image_without_a_brain(command, tmp_path):
    out, scan = tmp_path / "out", a_nifti(tmp_path / "scan.nii.gz")
    refused(command("generate", scan, "-o", out), out, str(scan), "no brain was found")


def test_an_output_that_cannot_be_written(command, tmp_path, a_head):
    (tmp_path / "file").touch()
    said = command("generate", a_head.scan, "-o", tmp_path / "file")
    assert (said.code, len(said.lines)) == (2, 1)
    assert "is a file where a folder is needed" in said.err
    said = command("generate", a_head.scan, "-o", tmp_path / "file" / "out")
    assert (said.code, len(said.lines)) == (2, 1)


def test_a_case_folder_that_is_a_file(command, tmp_path, a_head):
    (tmp_path / "head").touch()
    options = ["--mask", a_head.mask, "--foreground", a_head.brain, "--recipe", "ring_mean"]
    said = command("generate", a_head.scan, "-o", tmp_path, *options)
    assert (said.code, len(said.lines)) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_full_disk(tmp_path, a_head, models_folder):
    """A limit on the size of files stands in for the end of the disk: the system refuses the write in the same way."""
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); "
    code += "from pseudonormal.cli.main import main; sys.exit(main())"
    arguments = [a_head.scan, "-o", tmp_path / "out", "--mask", a_head.mask, "--foreground", a_head.brain]
    done = subprocess.run(
        [sys.executable, "-c", code, "generate", *map(str, arguments), "--recipe", "ring_mean"],
        env={**os.environ, "PSEUDONORMAL_MODELS": str(models_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "the disk is full" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_damaged_weights(command, tmp_path, a_head, models_folder, damage):
    model = tmp_path / "broken"
    shutil.copytree(models_folder / "brain-mr", model)
    weights = model / "models" / "lesion.safetensors"
    content = bytearray(weights.read_bytes())
    if damage == "changed":
        content[-5] ^= 0xFF
    weights.unlink() if damage == "missing" else weights.write_bytes(content[: -100 if damage == "cut" else None])
    out = tmp_path / "out"
    said = command("generate", a_head.scan, "-o", out, "--model", model)
    refused(said, out, str(weights), "import the model again")


def test_a_damaged_bundle(command, tmp_path, a_head, models_folder):
    model = tmp_path / "broken"
    shutil.copytree(models_folder / "brain-mr", model)
    (model / "configs" / "metadata.json").write_text("{")
    out = tmp_path / "out"
    refused(command("generate", a_head.scan, "-o", out, "--model", model), out, "damaged")


@pytest.mark.parametrize("name", ["simulate", "evaluate"])
def test_lists_that_cannot_be_used(command, tmp_path, name):
    out = tmp_path / "out"
    cases = tmp_path / "cases.csv"
    cases.write_text("case,image\na,b\n")
    refused(command(name, cases, "-o", out), out, str(cases), "lacks the column")
    scan = cut(a_nifti(tmp_path / "scan.nii.gz"))
    cases.write_text("case,subject,split,image,mask,normal,foreground\na,a,test,scan.nii.gz,,scan.nii.gz,\n")
    refused(command(name, cases, "-o", out), out, str(scan))
