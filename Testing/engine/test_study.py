"""Studies on small painted heads: what they learn from, how they go on, what their tables say."""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from Testing.study_heads import DISEASE, SHAPE, a_ball, a_runner, a_study

from pseudonormal.regions import connected
from pseudonormal.study.ablation import VARIANTS, WHOLE
from pseudonormal.study.augmentation import ARMS
from pseudonormal.study.keeping import read_material, write_material
from pseudonormal.study.labels import BASE, SHARES, run_name
from pseudonormal.study.loop import CASES_A_ROUND, FIRST, ROUNDS, loop_study
from pseudonormal.study.material import StudyMaterial, hidden
from pseudonormal.study.painting import paint
from pseudonormal.study.plots import labels_plot, loop_plot
from pseudonormal.study.run import run_study
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge
from pseudonormal.study.segmentor import SegmentorRecipe, Transplanting
from pseudonormal.study.tables import (
    ablation_markdown,
    augmentation_markdown,
    label_targets,
    labels_markdown,
    loop_markdown,
    mean_of,
)
from pseudonormal.training.anatomies import Anatomy
from pseudonormal.training.coarse import coarse_mask, coarse_scan
from pseudonormal.training.interrupt import Stopped

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def an_anatomy() -> Anatomy:
    return a_ball()


@pytest.fixture(scope="module")
def a_material(an_anatomy) -> StudyMaterial:
    return a_study(an_anatomy)


def test_a_painted_subject_is_known_in_every_voxel(a_material):
    for scan in (*a_material.labelled, *a_material.test):
        reference = scan.reference
        assert reference.lesion.any() and scan.kind == "painted"
        assert not (reference.lesion & ~reference.brain).any()
        changed = scan.truth != reference.image
        assert (reference.lesion <= changed).all(), "a lesion changes what it covers"
        assert (reference.image[reference.lesion] > scan.truth[reference.lesion]).mean() > 0.99, "bright, as on FLAIR"
        near = ndimage.binary_dilation(reference.lesion, iterations=4)
        assert (changed & ~near).sum() < 0.02 * changed.sum(), "soft edges end soon"
    assert not a_material.normal[0].reference.lesion.any()


def test_painting_again_gives_the_same(an_anatomy):
    first, again = (paint("a", "a", an_anatomy, DISEASE, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.reference.image, again.reference.image)


@given(st.integers(0, 2**32 - 1))
def test_halving_a_mask_keeps_its_volume_about(seed):
    noise = np.random.default_rng(seed).normal(size=(21, 30, 24))
    mask = ndimage.gaussian_filter(noise, 4) > 0
    assert coarse_mask(mask).shape == (10, 15, 12)
    assert 8 * coarse_mask(mask).sum() == pytest.approx(mask[:20].sum(), rel=0.15, abs=400)


def test_halving_a_scan_keeps_means_and_forgets_nothing_doubtful(a_material):
    scan = replace(a_material.labelled[0].reference, weight=np.ones(SHAPE, np.float32))
    coarse = coarse_scan(scan)
    np.testing.assert_allclose(coarse.image.mean(), scan.image.mean(), rtol=1e-5)
    assert (coarse.doubtful >= coarse.lesion).all() and coarse.weight.min() == 1.0
    assert coarse_scan(hidden(scan)).lesion is None


def test_what_nobody_drew_is_hidden_wherever_it_comes_from(a_material):
    chosen = [a_material.labelled[1].reference, a_material.unlabelled[0].reference]
    material = a_material.for_training(chosen)
    assert [scan.case for scan in material.labelled] == ["b_0", "a_1"]
    assert sorted(scan.case for scan in material.unlabelled) == ["a_0", "b_1", "c_0", "d_0"]
    assert all(scan.lesion is None and not scan.doubtful.any() for scan in material.unlabelled)
    assert len(a_material.for_training().labelled) == 4


def test_scans_are_kept_and_read_back(a_material, tmp_path):
    path = tmp_path / "material.npz"
    write_material(path, a_material)
    again = read_material(path)
    assert again.fingerprint == a_material.fingerprint
    scan, other = a_material.test[0], again.test[0]
    np.testing.assert_array_equal(scan.truth, other.truth)
    np.testing.assert_array_equal(scan.reference.lesion, other.reference.lesion)
    assert (other.reference.subject, other.reference.weight, other.kind) == ("t", None, "painted")
    np.testing.assert_array_equal(again.masks[0], a_material.masks[0])
    path.write_bytes(path.read_bytes()[:2000])
    assert read_material(path) is None and read_material(tmp_path / "none.npz") is None


def test_transplants_bring_a_lesion_with_its_looks(a_material):
    scans = {scan.reference.case: scan.reference for scan in a_material.labelled}
    rng = np.random.default_rng(0)
    transplanting = Transplanting(list(scans.values()))
    made = [transplanting(rng) for _ in range(8)]
    more = [one.lesion & ~scans[one.case].lesion for one in made]
    assert sum(new.any() for new in more) >= 4
    for one, new in zip(made, more, strict=True):
        scan = scans[one.case]
        assert (one.lesion >= scan.lesion).all() and not (one.lesion & ~scan.brain).any()
        near = ndimage.binary_dilation(new, iterations=3)
        np.testing.assert_array_equal(one.image[~near], scan.image[~near])


def test_a_segmentor_sees_slices_and_is_taught_where_somebody_drew(a_material):
    scan = a_material.labelled[0].reference
    half = np.zeros(SHAPE, np.float32)
    half[:10] = 1
    recipe = SegmentorRecipe([replace(scan, weight=half)], Transplanting([scan]), edge=48)
    rng = np.random.default_rng(0)
    samples = recipe.samples(rng)
    for _ in range(30):
        row = recipe.redraw(next(samples), rng)
        assert {part.shape for part in row.values()} == {(48, 48)}
        assert (row["weight"] <= row["brain"]).all()
        assert not row["image"][row["brain"] == 0].any()


@pytest.fixture
def a_judge(a_material) -> Judge:
    return Judge(a_material.validation, a_material.test, a_material.shapes)


def test_a_training_is_a_row_and_is_never_done_twice(a_material, a_judge, tmp_path, monkeypatch):
    monkeypatch.setattr("pseudonormal.study.labels.SHARES", (0.5,))
    runner = a_runner(tmp_path, a_material)
    run_study("labels", a_material, runner, [0])
    rows = runner.rows("labels")
    assert [(row["share"], row["unlabelled"], row["steps"]) for row in rows] == [(0.5, False, 2), (0.5, True, 2)]
    (score,) = rows[0]["scores"]
    assert {"dice", "dice_half", "ece", "psnr_void", "psnr_guided", "psnr_fill", "subject"} <= set(score)
    assert 0 <= score["dice"] <= 1 and 5 < score["psnr_void"] < 60
    weights = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert len(weights) == 8 and not list(tmp_path.rglob("checkpoint*"))
    (tmp_path / "rows.jsonl").write_text("")  # as if it had ended before it was judged
    again = a_runner(tmp_path, a_material)
    run_study("labels", a_material, again, [0])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == weights
    assert [row["scores"] for row in again.rows("labels")] == [row["scores"] for row in rows]
    assert (tmp_path / "labels.md").read_text().startswith("| masks |")
    assert (tmp_path / "labels.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_that_was_stopped_goes_on(a_material, a_judge, tmp_path):
    from pseudonormal.study.labels import smile_networks_of

    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        smile_networks_of(a_material, a_runner(tmp_path, a_material, stop=stop), 0, 1.0, unlabelled=False)
    runner = a_runner(tmp_path, a_material)
    assert not runner.ended(run_name(0, 1.0, False))
    networks = smile_networks_of(a_material, runner, 0, 1.0, unlabelled=False)
    assert set(networks) == {"lesion", "restore", "painter", "discriminator"}
    assert runner.ended(run_name(0, 1.0, False)) and runner.steps_of(run_name(0, 1.0, False)) == 2


def test_several_calls_share_the_trainings(a_material, tmp_path):
    shared = [a_runner(tmp_path, a_material, part=(part, 3)) for part in (1, 2, 3)]
    parts = [runner.own(range(8)) for runner in shared]
    assert sorted(itertools.chain(*parts)) == list(range(8))
    shared[0].row("labels", "x", lambda: {"seed": 0, "scores": []})
    shared[1].row("labels", "y", lambda: {"seed": 1, "scores": []})
    assert sorted(row["name"] for row in shared[2].rows("labels")) == ["x", "y"]
    assert [row["name"] for row in shared[2].rows("labels", range(1, 2))] == ["y"], "of fresh seeds alone"
    other = Runner(tmp_path, 11.0, 2, "cpu", a_material.fingerprint, part=(1, 3))
    assert other.rows("labels") == [], "rows of other trainings do not count"


def test_the_loop_corrects_and_learns_from_what_is_corrected(a_material, a_judge, tmp_path, monkeypatch):
    monkeypatch.setattr("pseudonormal.study.loop.ROUNDS", 1)
    monkeypatch.setattr("pseudonormal.study.loop.CASES_A_ROUND", 2)
    monkeypatch.setattr("pseudonormal.study.loop.BASE", replace(BASE, no_painter=True, no_adversary=True))
    runner = a_runner(tmp_path, a_material)
    loop_study(a_material, a_judge, runner, [0])
    rows = {(row["order"], row["round"]): row for row in runner.rows("loop")}
    assert set(rows) == {(order, number) for order in ("active", "random") for number in (0, 1)}
    assert rows["active", 0]["scores"] == rows["random", 0]["scores"], "both begin alike"
    for order in ("active", "random"):
        first, second = rows[order, 0], rows[order, 1]
        assert (first["drawn"], second["drawn"]) == (FIRST, FIRST + 2)
        assert len({case["case"] for case in first["taken"]}) == 2 and second["taken"] == []
        assert first["wrong_waiting"] > 0
    assert loop_plot(list(rows.values())).startswith(b"\x89PNG")


def a_score(subject: str, kind: str = "real", **numbers: float) -> dict:
    return {"case": subject, "subject": subject, "kind": kind, "psnr_fill": 20.0, **numbers}


def label_rows(dice) -> list[dict]:
    """Rows of all shares and three seeds; ``dice(share, unlabelled, seed)``."""
    return [
        {
            "share": share,
            "unlabelled": unlabelled,
            "seed": seed,
            "steps": 100,
            "scores": [
                a_score(name, kind, dice=dice(share, unlabelled, seed) + shift, psnr_void=20 + share, psnr_guided=21.0)
                for name, kind, shift in (("p", "real", 0.1), ("q", "painted", -0.1))
            ],
        }
        for share in SHARES
        for unlabelled in (False, True)
        for seed in range(3)
    ]


def test_the_label_table_says_what_was_reached_and_what_was_missed():
    rows = label_rows(lambda share, unlabelled, seed: 0.5 + 0.1 * share + 0.02 * unlabelled + 0.001 * seed)
    each = "seed 0: +0.020, seed 1: +0.020, seed 2: +0.020"
    assert label_targets(rows) == [
        "half of the masks costs at most 0.02 Dice: +0.050, missed",
        "half of the masks costs at most 0.3 dB: +0.500, missed",
        f"unlabelled scans help with a quarter of the masks ({each}): +0.020, met",
    ]
    table = labels_markdown(rows)
    assert "| 25% | with | 0.546 [0.446, 0.646] | 0.646 | 0.446 | 0.545 0.546 0.547 |" in table
    assert labels_plot(rows).startswith(b"\x89PNG")
    assert label_targets(rows[:1]) == [] and labels_markdown([]).startswith("| masks |")


def test_augmentation_is_held_against_the_best_other_arm():
    dice = dict(zip(ARMS, (0.4, 0.5, 0.45, 0.52), strict=True))
    rows = [{"arm": arm, "seed": 0, "scores": [a_score("p", dice=value)]} for arm, value in dice.items()]
    assert "best other arm (transplant): +0.040, missed" in augmentation_markdown(rows)
    assert "missed" not in augmentation_markdown([rows[0], rows[3]])


def test_an_ablation_compares_subject_with_subject():
    def row(without, *values):
        scores = [
            a_score(name, dice=value, psnr_void=20.0, psnr_guided=21.0)
            for name, value in zip("pq", values, strict=True)
        ]
        return {"without": without, "seed": 0, "scores": scores}

    other = list(VARIANTS)[1]
    table = ablation_markdown([row(WHOLE, 0.4, 0.8), row(other, 0.3, 0.7)])
    assert f"| {other} | 0.500 [0.300, 0.700] | -0.100 [-0.100, -0.100] | +0.00" in table


def test_the_loop_table_tells_round_by_round():
    rows = [
        {
            "order": order,
            "round": number,
            "seed": 0,
            "drawn": 2 + 3 * number,
            "wrong_waiting": 100.0 - 10 * number,
            "taken": [{"case": "a", "wrong": 50}] if number == 0 else [],
            "scores": [a_score("p", dice=0.5)],
        }
        for order in ("active", "random")
        for number in (0, 1)
    ]
    table = loop_markdown(rows)
    assert "| active | 0 | 2 | 100 | 50 | 0.500 |" in table and "| random | 1 | 5 | 90 |  |" in table


def test_means_are_over_subjects_not_scans():
    rows = [{"seed": 0, "scores": [a_score("p", dice=0.0), a_score("p", dice=0.0), a_score("q", dice=1.0)]}]
    assert mean_of(rows, "dice").mean == pytest.approx(0.5)
    assert mean_of(rows, "nothing").values == 0


def test_the_loop_has_room_for_all_its_rounds():
    """Fourteen label maps, as the documentation's list has them: nine heads with two scans each."""
    assert FIRST + ROUNDS * CASES_A_ROUND < 18


def test_rows_are_plain_json(a_material, tmp_path):
    runner = a_runner(tmp_path, a_material)
    runner.row("labels", "x", lambda: {"seed": np.int64(3), "scores": [{"dice": np.float32(0.5), "ece": float("nan")}]})
    row = json.loads((tmp_path / "rows.jsonl").read_text())
    assert (row["seed"], row["scores"]) == (3, [{"dice": 0.5, "ece": None}])


def test_lesions_are_whole(a_material):
    assert all(connected(scan.reference.lesion)[1] <= 12 for scan in a_material.labelled)
