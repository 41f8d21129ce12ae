"""``pseudonormal synthesize``: pairs that are marked, repeatable, gone on with after any end, and used by trainings."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
from Testing.slow_synthesizer import SlowSynthesizer
from Testing.um_heads import HEADER, SMALL, write_cases

from pseudonormal.cases import read_cases, read_lists
from pseudonormal.errors import InputError
from pseudonormal.synthesize.dataset import Plan, make_all

pytestmark = pytest.mark.long

SETTINGS = [f"{key}={value}" for key, value in SMALL.items()]
FILES = {"image.nii.gz", "mask.nii.gz", "foreground.nii.gz", "record.json"}


def training(run, cases, *settings):
    said = ["steps=2", "workers=0", "pool=4", "batch=1", "checks=1", "minutes=1000", *SETTINGS, *settings]
    return ["train", "um", cases, "-o", run, *(word for one in said for word in ("--set", one))]


@pytest.fixture(scope="module")
def a_list(tmp_path_factory):
    return write_cases(tmp_path_factory.mktemp("Müller's scans"))


@pytest.fixture(scope="module")
def a_run(a_list, tmp_path_factory):
    from pseudonormal.cli.main import main

    run = tmp_path_factory.mktemp("runs") / "um"
    assert main([str(word) for word in training(run, a_list)]) == 0
    return run


def begin(*words):
    """A command in a process of its own, which can be killed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "pseudonormal", *map(str, words)]
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.nii.gz"))}


def test_pairs_are_made_marked_and_listed(command, a_run, a_list, tmp_path):
    said = command("synthesize", a_run, a_list, "-n", 3, "-o", tmp_path / "out", "--extent", "slab", "--json")
    assert said.code == 0, said.err
    result = json.loads(said.out.splitlines()[-1])
    assert (result["cases"], result["made"]) == (3, 3)
    cases = read_cases(tmp_path / "out" / "cases.csv")
    assert [case.case for case in cases] == [f"synthetic_um_0_{number:05d}" for number in (1, 2, 3)]
    sources = {case.subject for case in read_cases(a_list)}
    for case in cases:
        assert case.synthetic
        assert case.kind == "labelled"
        assert case.split == "train"
        assert case.subject in sources
        folder = tmp_path / "out" / case.case
        assert {path.name for path in folder.iterdir()} == FILES
        parts = {name: nibabel.load(folder / f"{name}.nii.gz") for name in ("image", "mask", "foreground")}
        for part in parts.values():
            assert b"SYNTHETIC" in bytes(part.header["descrip"])
            assert part.shape[2] == 3
            assert np.allclose(part.header.get_zooms(), 2.0)
            assert nibabel.aff2axcodes(part.affine) == ("R", "A", "S")
        image, mask, organ = (parts[name].get_fdata() for name in ("image", "mask", "foreground"))
        assert organ.any()
        assert not image[organ == 0].any()
        assert not mask[organ == 0].any()
        assert image[organ > 0].std() > 10
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        assert record["synthetic"] is True
        assert record["drawn"]["source"] in {"case1", "case2", "case3"}
        assert record["software_version"]
    assert (tmp_path / "out" / "contact_sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert len(set(contents(tmp_path / "out").values())) > 3


def test_workers_change_nothing_and_more_can_be_added(command, a_run, a_list, tmp_path):
    call = ("synthesize", a_run, a_list, "--extent", "slab", "--seed", 7)
    assert command(*call, "-n", 4, "-o", tmp_path / "two", "--workers", 2).code == 0
    assert command(*call, "-n", 2, "-o", tmp_path / "one").code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*.nii.gz")}
    assert command(*call, "-n", 4, "-o", tmp_path / "one").code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    refused = command(*call[:-1], 8, "-n", 4, "-o", tmp_path / "one")
    assert refused.code == 2
    assert "another seed" in refused.lines[0]


def test_of_a_run_its_settings_and_its_generator_are_enough(command, a_run, a_list, tmp_path):
    bundle = tmp_path / "passed on"
    bundle.mkdir()
    for name in ("settings.json", "generator.safetensors"):
        shutil.copy(a_run / name, bundle)
    assert command("synthesize", bundle, a_list, "-n", 1, "-o", tmp_path / "out", "--extent", "slab").code == 0
    (bundle / "generator.safetensors").unlink()
    refused = command("synthesize", bundle, a_list, "-n", 1, "-o", tmp_path / "none", "--extent", "slab")
    assert refused.code == 2
    assert "generator.safetensors: is missing" in refused.lines[0]


def test_whole_scans_of_the_control_and_of_montages(command, a_list, tmp_path):
    for name, settings in (("mask", ["guide=mask"]), ("montage", ["montage=1"])):
        assert command(*training(tmp_path / name, a_list, *settings)).code == 0
        out = tmp_path / f"{name}_made"
        said = command("synthesize", tmp_path / name, a_list, "-n", 2, "-o", out)
        assert said.code == 0, said.err
        for case in read_cases(out / "cases.csv"):
            assert nibabel.load(case.image).shape[2] > 20
    refused = command("synthesize", tmp_path / "montage", a_list, "-n", 2, "-o", tmp_path / "x", "--extent", "slab")
    assert refused.code == 2
    assert "--extent" in refused.lines[0]


@pytest.mark.skipif(os.name == "nt", reason="kills as Unix does")
def test_a_training_that_is_killed_goes_on_to_its_end(command, a_list, tmp_path):
    said = training(tmp_path / "run", a_list, "steps=16", "checkpoint_every=2", "checks=0")
    process = begin(*said)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoint.pt").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "run" / "generator.safetensors").exists()
    assert command(*said, "--resume").code == 0
    assert (tmp_path / "run" / "generator.safetensors").exists()
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == 16
    assert max(np.diff([0, *steps])) <= 2
    assert min(np.diff(steps)) > 0


@pytest.mark.skipif(os.name == "nt", reason="kills as Unix does")
def test_kill_9_leaves_neither_gaps_nor_duplicates(command, a_run, a_list, tmp_path):
    said = ["synthesize", a_run, a_list, "--extent", "slab", "-n", 16, "-o", tmp_path / "out", "--json"]
    process = begin(*said, "--workers", 2)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("out/synthetic_*"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = {path.name for path in tmp_path.glob("out/synthetic_*")}
    assert 3 <= len(there) < 16
    assert all({part.name for part in (tmp_path / "out" / name).iterdir()} == FILES for name in there)
    done = command(*said)
    assert done.code == 0, done.err
    result = json.loads(done.out.splitlines()[-1])
    assert result["cases"] == 16
    assert result["made"] <= 16 - len(there)
    names = [row["case"] for row in csv.DictReader((tmp_path / "out" / "cases.csv").open(encoding="utf-8"))]
    assert names == [f"synthetic_um_0_{number:05d}" for number in range(1, 17)]
    assert {path.name for path in tmp_path.glob("out/synthetic_*")} == set(names)


def test_workers_end_in_the_midst_of_a_scan_and_leave_nothing_of_it(tmp_path):
    slow = SlowSynthesizer()
    plan = Plan(slow.recipe, slow.fingerprint, seed=0)
    making = make_all(slow, tmp_path, plan, range(1, 9), workers=2)
    first = next(making)["case"]
    began = time.monotonic()
    making.close()
    assert time.monotonic() - began < 10
    there = {path.name for path in tmp_path.iterdir()}
    assert first in there
    assert there <= {plan.name(number) for number in range(1, 9)}


def test_a_training_takes_them_along_but_nothing_is_measured_on_them(command, a_run, a_list, tmp_path):
    made = tmp_path / "made"
    assert command("synthesize", a_run, a_list, "-n", 2, "-o", made, "--extent", "slab").code == 0
    both = read_lists([a_list, made / "cases.csv"])
    assert sum(case.synthetic for case in both) == 2
    call = training(tmp_path / "more", a_list)
    said = command(*call, "--also", made / "cases.csv")
    assert said.code == 0, said.err
    assert any("2 of 5 cases are synthetic" in line for line in said.lines)

    text = (made / "cases.csv").read_text(encoding="utf-8")
    (made / "test.csv").write_text(text.replace(",train,", ",test,"), encoding="utf-8")
    with pytest.raises(InputError, match="is synthetic, which is for training only"):
        read_cases(made / "test.csv")
    elsewhere = a_list.parent / "elsewhere.csv"
    elsewhere.write_text(a_list.read_text(encoding="utf-8").replace(",train,", ",test,"), encoding="utf-8")
    with pytest.raises(InputError, match="put all cases of a subject in one split"):
        read_lists([elsewhere, made / "cases.csv"])
    with pytest.raises(InputError, match="name each case once"):
        read_lists([a_list, a_list])


def test_what_cannot_be_made_from_is_named(command, a_run, a_list, tmp_path):
    test_only = a_list.parent / "test.csv"
    test_only.write_text(a_list.read_text(encoding="utf-8").replace(",train,", ",test,"), encoding="utf-8")
    unended = tmp_path / "unended"
    unended.mkdir()
    (unended / "settings.json").write_bytes((a_run / "settings.json").read_bytes())
    other = tmp_path / "other"
    other.mkdir()
    text = (a_run / "settings.json").read_text(encoding="utf-8")
    (other / "settings.json").write_text(text.replace('"um"', '"smile"'), encoding="utf-8")
    for run, cases, said in (
        (a_run, test_only, "no case to make others from"),
        (unended, a_list, "is missing: let the run end"),
        (other, a_list, "makes no scans"),
        (tmp_path, a_list, "holds no run"),
    ):
        refused = command("synthesize", run, cases, "-n", 2, "-o", tmp_path / "out")
        assert refused.code == 2, refused.err
        assert len(refused.lines) == 1
        assert said in refused.lines[0]
        assert not (tmp_path / "out").exists()


def test_degenerate_cases_end_in_one_line(command, tmp_path):
    cases = write_cases(tmp_path / "scans", drawn=(False, False))
    refused = command(*training(tmp_path / "run", cases))
    assert refused.code == 2
    assert "no lesion is drawn" in refused.lines[-1]

    image = nibabel.load(tmp_path / "scans" / "case1_image.nii.gz")
    flat = np.full(image.shape, 7, np.int16)
    flat[0, 0, 0] = 0  # outside the brain, so that the file as such shows something
    nibabel.save(nibabel.Nifti1Image(flat, image.affine), tmp_path / "scans" / "case1_image.nii.gz")
    (tmp_path / "scans" / "ct.csv").write_text(
        HEADER + "c,c,train,case1_image.nii.gz,case1_mask.nii.gz,,case1_brain.nii.gz,ct\n", encoding="utf-8"
    )
    for name, said in (("cases.csv", "no contrast"), ("ct.csv", "shows nothing")):
        refused = command(*training(tmp_path / "run", tmp_path / "scans" / name))
        assert refused.code == 2
        assert said in refused.lines[-1]

    alone = write_cases(tmp_path / "one", drawn=(True,))
    said = command(*training(tmp_path / "alone", alone))
    assert said.code == 0, said.err
    assert any("one subject only (s1)" in line for line in said.lines)
