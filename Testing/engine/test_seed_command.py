"""From scans without masks through the commands to seed masks, the case store and recipe ``smile``."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from Testing.shape_scans import write_cases

from pseudonormal.cases import read_cases
from pseudonormal.cli.main import main
from pseudonormal.recipes.shape.labelling import Label
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.reading import opened
from pseudonormal.recipes.smile.material import smile_material
from pseudonormal.scan.reading import read_scan
from pseudonormal.seeding.writing import write_list, write_seed
from pseudonormal.store.priority import prioritise
from pseudonormal.store.store import Store
from pseudonormal.training.streams import load_streams

FEW = ("--set", "workers=0", "--set", "pool=12", "--set", "bfloat16=0", "--device", "cpu")
TINY = ("dimensions=2", "edge=32", "voxel_mm=3", "width=4", "latent=8")


def options(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    """A list, and a run of recipe ``shape`` on it."""
    folder = tmp_path_factory.mktemp("shape")
    cases = write_cases(folder / "scans")
    arguments = [
        "train",
        "shape",
        str(cases),
        "-o",
        str(folder / "run"),
        *FEW,
        *options(*TINY, "steps=4", "checks=1", "batch=2"),
    ]
    assert main(arguments) == 0
    return cases, folder / "run"


@pytest.fixture(scope="module")
def seeded(a_run, tmp_path_factory):
    cases, run = a_run
    out = tmp_path_factory.mktemp("seeds")
    arguments = ["seed", str(run), str(cases), "-o", str(out / "out"), "--rounds", "2", "--fine-mm", "3"]
    arguments += [*FEW, *options("steps=4", "batch=2"), "--store", str(out / "store")]
    assert main(arguments) == 0
    return out, arguments


def test_every_scan_gets_a_mask_and_weights_on_its_own_grid(a_run, seeded):
    cases, _ = a_run
    out, _ = seeded
    for case in read_cases(cases):
        if case.image is None:
            continue
        scan = read_scan(case.image)
        mask, weight = (read_scan(out / "out" / case.case / f"{name}.nii.gz") for name in ("mask", "weight"))
        assert mask.array.shape == weight.array.shape == scan.array.shape
        assert set(np.unique(mask.array)) <= {0, 1}
        assert 0.1 <= weight.array.min() <= weight.array.max() <= 1
        facts = json.loads((out / "out" / case.case / "seed.json").read_text())
        assert facts["doubted_ml"] == pytest.approx((1 - weight.array).sum() / 2 * 8e-3, rel=0.01)
        assert 0 < facts["reliability"] <= 1
    estimates = json.loads((out / "out" / "rounds.json").read_text())
    assert len(estimates["estimates"]) == 3
    assert estimates["taken"] in (1, 2)


def test_recipe_smile_learns_from_the_list(a_run, tmp_path):
    cases = read_cases(a_run[0])
    choice = ShapeOptions(dimensions=2, edge=32, voxel_mm=3.0)
    for name in ("s0", "s1"):
        case = next(case for case in cases if case.case == name)
        truth = a_run[0].parent / "truth" / f"{name}.nii.gz"
        scan = opened(replace(case, mask=truth), choice, lambda image: image > 0)
        shown = scan.in_frame(scan.frame)
        probability = np.where(shown.truth, 0.8, 0.02).astype(np.float32)
        found = Label(probability, shown.truth, np.full(len(shown.truth), 0.9, np.float32))
        seed = write_seed(tmp_path, scan, shown, found, choice)
        assert seed.reliability == pytest.approx(0.9)
        assert seed.volume_ml == pytest.approx(read_scan(truth).array.sum() * 8e-3, rel=0.2)
    path = write_list(tmp_path, cases, ["s0", "s1"])
    material = smile_material(load_streams(read_cases(path), foreground_of=lambda image: image > 0))
    assert {scan.case for scan in material.labelled} == {"s0", "s1"}
    assert {scan.case for scan in material.unlabelled} == {"s2", "s3", "s4"}
    for scan in material.labelled:
        assert scan.weight is not None
        inside = scan.weight[scan.lesion]
        assert np.median(inside) == pytest.approx(0.54, abs=0.05)  # |2 * 0.8 - 1| * 0.9
        assert np.median(scan.weight[scan.brain & ~scan.lesion]) > 0.9


def test_the_store_holds_them_as_seeds_with_most_to_correct_first(seeded):
    out, arguments = seeded
    store = Store.open(out / "store")
    cases, total = store.cases()
    assert total == 5
    doubts = []
    for case in cases:
        (revision,) = store.history(case.id)
        assert revision.state == "seed"
        assert revision.author == "shape"
        weights = store.weights_path(revision.id)
        assert weights is not None
        doubts.append((1 - read_scan(weights).array).sum() / 2 * 8e-3 + 0.05 * revision.volume_ml)
    assert doubts == sorted(doubts, reverse=True)
    assert [case.priority for case in cases] == pytest.approx(doubts, rel=1e-3)
    prioritise(store)
    assert [case.id for case in store.cases()[0]] == [case.id for case in cases]
    assert store.check() == []
    store.close()
    assert main(arguments) == 0  # what is there is not made again
    store = Store.open(out / "store")
    assert store.cases()[1] == 5
    store.close()


def test_kill_9_in_a_round_loses_nothing(a_run, tmp_path):
    cases, run = a_run
    arguments = ["seed", str(run), str(cases), "-o", str(tmp_path / "out"), "--rounds", "1", "--fine-mm", "3"]
    arguments += [*FEW, *options("checkpoint_every=1", "batch=2")]
    checkpoint = tmp_path / "out" / "rounds" / "round_1" / "checkpoint.pt"
    process = subprocess.Popen([sys.executable, "-m", "pseudonormal", *arguments, *options("steps=100000")])
    deadline = time.monotonic() + 200
    while not checkpoint.exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "cases.csv").exists()
    assert main([*arguments, *options("steps=3")]) == 0
    with (tmp_path / "out" / "cases.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert sum(bool(row["weight"]) for row in rows) == 5


@pytest.mark.parametrize("spoil", ["no run", "other recipe", "not ended", "damaged"])
def test_a_run_that_cannot_be_used_is_named(a_run, tmp_path, capsys, spoil):
    cases, good = a_run
    run = tmp_path / "run"
    said = {
        "no run": "holds no run", "other recipe": "recipe smile: give one of recipe shape",
        "not ended": "has not ended", "damaged": "is damaged",
    }[spoil]  # fmt: skip
    if spoil != "no run":
        shutil.copytree(good, run)
    if spoil == "other recipe":
        settings = json.loads((run / "settings.json").read_text())
        (run / "settings.json").write_text(json.dumps(settings | {"recipe": "smile"}))
    if spoil == "not ended":
        (run / "paint.safetensors").unlink()
    if spoil == "damaged":
        (run / "paint.safetensors").write_bytes(b"nonsense")
    assert main(["seed", str(run), str(cases), "-o", str(tmp_path / "out"), "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line


def test_scans_that_all_have_masks_need_none(a_run, tmp_path, capsys):
    cases, run = a_run
    rows = cases.read_text().splitlines()
    kept = [row.replace(".nii.gz,,,", f".nii.gz,truth/s{n - 1}.nii.gz,,", 1) for n, row in enumerate(rows[:6])]
    path = cases.with_name("all.csv")
    path.write_text("\n".join(kept) + "\n")
    assert main(["seed", str(run), str(path), "-o", str(tmp_path / "out"), "--device", "cpu"]) == 2
    assert "has a mask already" in capsys.readouterr().err


def test_weights_without_a_mask_are_refused(a_run, tmp_path, capsys):
    cases, _ = a_run
    scan = str(cases.parent / "s0.nii.gz")
    assert main(["cases", "add", scan, "--weights", scan, "--store", str(tmp_path / "store")]) == 2
    assert "--mask" in capsys.readouterr().err
    brain = str(cases.parent / "s0_brain.nii.gz")
    assert main(["cases", "add", scan, "--mask", brain, "--weights", scan, "--store", str(tmp_path / "store")]) == 2
    assert "between 0" in capsys.readouterr().err
