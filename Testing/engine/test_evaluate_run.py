"""A whole evaluation on small made-up heads: rows, resuming, tiers, pictures."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.cases import COLUMNS, Case, read_cases
from pseudonormal.errors import InputError
from pseudonormal.evaluate.entrants import Bench, classical_entrant, grown, learnt_entrant
from pseudonormal.evaluate.longitudinal import changes, match_intensity, visit_pairs
from pseudonormal.evaluate.run import Evaluation, evaluate
from pseudonormal.evaluate.simulated import STRATA, simulated_trials, stratum_of
from pseudonormal.evaluate.subject import load_subject
from pseudonormal.fills.identity import identity_fill
from pseudonormal.fills.ring_mean import ring_mean_fill
from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.restoration import Restoration

SHAPE = (56, 60, 58)
GRID = np.indices(SHAPE).astype(np.float32)
CENTRE = np.array([27, 29, 28], np.float32).reshape(3, 1, 1, 1)
BRAIN = ((GRID - CENTRE) ** 2).sum(0) < 26**2
FAMILIES = ("additive_bright", "replacing")


def tissue() -> NDArray[np.float32]:
    """The same smooth brain in everybody; scanners differ."""
    return (100 + 20 * np.sin(GRID[0] / 5) + 15 * np.cos(GRID[1] / 6) + 10 * np.sin(GRID[2] / 4)).astype(np.float32)


def ball(centre: tuple[int, int, int], radius: float) -> NDArray[np.bool_]:
    return ((GRID - np.array(centre, np.float32).reshape(3, 1, 1, 1)) ** 2).sum(0) <= radius**2


def saved(array: NDArray, path: Path) -> str:
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array)
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))  # RAS: the model grid's own axes
    sitk.WriteImage(image, str(path))
    return path.name


@dataclass
class Filled:
    """A classical fill that counts how often it is asked."""

    name: str = "ring_mean"
    fill: object = ring_mean_fill
    asked: int = field(default=0)

    def restore(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Restoration:
        self.asked += 1
        return Restoration(self.fill(image, lesion, foreground))  # type: ignore[operator]


@dataclass
class Knowing:
    """A stand-in for a trained network: half way from the ring mean to the tissue it has learnt."""

    name: str = "knowing"
    fingerprint: str = "weights-1"
    trained_families: tuple[str, ...] = ("additive_bright",)
    ignores_lesion: bool = True
    asked: int = 0

    def restore(
        self, image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]
    ) -> Restoration:
        self.asked += 1
        normal = foreground & ~lesion
        learnt = match_intensity(tissue(), image, normal)
        rough = ring_mean_fill(image, lesion, foreground)
        return Restoration(np.where(lesion, 0.5 * rough + 0.5 * learnt, image).astype(np.float32))


def find_bright(image: NDArray[np.float32], foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return ndimage.binary_opening((image > 1.1) & foreground)


@pytest.fixture
def a_list(tmp_path: Path) -> Path:
    """Two labelled subjects, a normal one, one for validation, one in training, and a pair of visits."""
    rng = np.random.default_rng(0)
    foreground = saved(BRAIN, tmp_path / "brain.nii.gz")
    lesion, come, gone = ball((27, 29, 12), 4), ball((27, 40, 28), 3), ball((27, 18, 28), 3)
    mask, change = saved(lesion, tmp_path / "mask.nii.gz"), saved(come | gone, tmp_path / "change.nii.gz")
    rows = [[*COLUMNS, "visit", "change_mask", "disease"]]

    def scan(name: str, bright: NDArray[np.bool_], gain: float) -> str:
        noisy = tissue() + rng.normal(0, 1, SHAPE) + 90 * bright
        return saved((gain * noisy * BRAIN).astype(np.float32), tmp_path / f"{name}.nii.gz")

    for name, split in (("a", "test"), ("b", ""), ("v", "validation"), ("t", "train")):
        rows.append([name, name, split, scan(name, lesion, 1 + len(rows)), mask, "", foreground, "", "", "MS"])
    image = scan("n", lesion & False, 3)
    rows.append(["n", "n", "test", image, "", image, foreground, "", "", ""])
    for visit, bright, gain in (("1", gone, 2.0), ("2", come, 5.0)):
        image = scan(f"p{visit}", bright, gain)
        rows.append([f"p{visit}", "p", "test", image, "", "", foreground, visit, change if visit == "2" else "", ""])
    path = tmp_path / "cases.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def run(path: Path, out: Path, network: Knowing, fill: Filled, **options: object) -> Evaluation:
    return evaluate(
        read_cases(path),
        out,
        [network],
        baselines=[Filled("identity", identity_fill), fill],
        source=LesionSource([SmoothBlob()]),
        families=FAMILIES,
        **options,  # type: ignore[arg-type]
    )


def test_a_whole_evaluation(a_list: Path, tmp_path: Path) -> None:
    out, network, fill = tmp_path / "out", Knowing(), Filled()
    seen: list[tuple[int, int]] = []
    result = run(
        a_list,
        out,
        network,
        fill,
        segmenter=find_bright,
        progress=lambda done, total, message: seen.append((done, total)),
    )
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))

    simulated = result.rows["simulated"]
    assert {row["subject"] for row in simulated} == {"a", "b", "n"}, "training and validation subjects stay out"
    assert {row["stratum"] for row in simulated} >= {"small", "medium"}
    assert all(row["outside_max"] == 0 for row in simulated)
    assert {row["seen"] for row in simulated if row["family"] == "replacing" and row["learnt"]} == {False}
    mine = {line.wanted: line for line in result.targets if line.subject == "knowing"}
    assert mine["PSNR over best classical fill: at least +1 dB"].met
    assert mine["largest change outside the mask: 0"].met
    assert mine["error at new and vanished lesions: at most 0.8 of ring mean's"].met

    real = result.rows["real"]
    assert {row["case"] for row in real} == {"a", "b"}
    by_name = {(row["case"], row["restorer"]): row for row in real}
    assert by_name["a", "identity"]["contrast_left"] == pytest.approx(1)
    assert float(str(by_name["a", "ring_mean"]["contrast_left"])) < 0.2
    assert by_name["a", "ring_mean"]["healthiness"] == pytest.approx(1)

    found = {row["case"]: row for row in result.rows["found"]}
    assert float(str(found["a"]["dice"])) > 0.7
    assert found["n"]["false_positive_ml"] == 0
    assert {row["case"] for row in result.rows["difference"]} == {"a", "b", "v"}

    changed = {row["change"] for row in result.rows["longitudinal"]}
    assert len(changed) == 2
    assert {str(name).split()[0] for name in changed} == {"new", "vanished"}

    text = (out / "summary.md").read_text()
    assert "### Targets" in text
    assert "BraTS" in text
    for name in ("simulated", "real", "found", "difference", "longitudinal", "summary"):
        with (out / f"{name}.csv").open() as stream:
            assert len(list(csv.DictReader(stream))) > 0
    json.loads((out / "summary.json").read_text())
    for name in ("delta_best_knowing", "psnr", "longitudinal", "examples_small"):
        assert (out / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.rglob(".*")), "no temporary file is left"

    counts = network.asked, fill.asked
    again = run(a_list, out, network, fill, segmenter=find_bright)
    assert (network.asked, fill.asked) == counts, "nothing is restored twice"
    assert again.rows == result.rows
    assert (out / "summary.md").read_text() == text


def test_new_weights_are_measured_afresh_and_old_rows_left_out(a_list: Path, tmp_path: Path) -> None:
    cases = [case for case in read_cases(a_list) if case.case == "n"]
    options = {
        "baselines": [Filled()],
        "source": LesionSource([SmoothBlob()]),
        "families": FAMILIES[:1],
    }
    first = evaluate(cases, tmp_path / "out", [Knowing()], **options)  # type: ignore[arg-type]
    newer = Knowing(fingerprint="weights-2")
    second = evaluate(cases, tmp_path / "out", [newer], **options)  # type: ignore[arg-type]
    assert newer.asked > 0
    assert len(second.rows["simulated"]) == len(first.rows["simulated"])


def test_a_case_whose_normal_is_given_is_measured_against_it(a_list: Path, tmp_path: Path) -> None:
    (case,) = [case for case in read_cases(a_list) if case.case == "a"]
    normal = tmp_path / saved((2 * tissue() * BRAIN).astype(np.float32), tmp_path / "normal.nii.gz")
    given = Case("a", "a", "", case.image, case.mask, normal, case.foreground, {"family": "bright"})
    result = evaluate([given], tmp_path / "out", [Knowing()], baselines=[Filled()], texture=True)
    assert {(row["family"], row["stratum"]) for row in result.rows["simulated"]} == {("bright", "small")}
    assert "real" not in result.rows
    smooth, grainy = (float(str(result.rows["simulated"][0][f"gradient_ratio{name}"])) for name in ("", "_textured"))
    assert abs(grainy - 1) < abs(smooth - 1)


def test_families_share_shape_and_place(a_list: Path) -> None:
    (case,) = [case for case in read_cases(a_list) if case.case == "a"]
    subject = load_subject(case)
    for trials in simulated_trials(subject, LesionSource([SmoothBlob()]), FAMILIES, (0, 1)):
        for trial in trials:
            np.testing.assert_array_equal(trial.lesion, trials[0].lesion)
            assert not (trial.lesion & ndimage.binary_dilation(subject.lesion, iterations=4)).any()
            volume = float(str(trial.labels["volume_ml"]))
            stratum = next(one for one in STRATA if one.name == trial.labels["stratum"])
            assert stratum.low_ml <= volume <= stratum.high_ml
            assert stratum_of(volume) == stratum.name


def test_a_list_with_nothing_to_evaluate_is_refused(a_list: Path, tmp_path: Path) -> None:
    cases = [case for case in read_cases(a_list) if case.split in ("train", "validation")]
    with pytest.raises(InputError, match="no case can be evaluated"):
        evaluate(cases, tmp_path / "out", [], baselines=[Filled()])
    assert not (tmp_path / "out").exists()


def test_an_unknown_family_is_refused(a_list: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'spotted' is not known"):
        evaluate(
            read_cases(a_list),
            tmp_path / "out",
            [],
            baselines=[Filled()],
            source=LesionSource([SmoothBlob()]),
            families=["spotted"],
        )


def test_one_name_cannot_take_part_twice(a_list: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        evaluate(read_cases(a_list), tmp_path / "out", [Knowing("ring_mean")], baselines=[Filled()])


def test_a_case_without_brain_mask_needs_a_way_to_find_the_brain(a_list: Path) -> None:
    case = read_cases(a_list)[0]
    bare = Case(case.case, case.subject, image=case.image, mask=case.mask)
    with pytest.raises(InputError, match="foreground"):
        load_subject(bare)
    assert load_subject(bare, lambda image: image > 0).foreground.any()


def test_a_local_fill_is_the_same_on_a_crop() -> None:
    image = np.random.default_rng(0).random((130, 120, 125)).astype(np.float32)
    lesion = np.zeros(image.shape, bool)
    lesion[60:66, 55:61, 70:75] = True
    entrant = classical_entrant(Filled())
    assert entrant.local
    output, _ = Bench().restore(entrant, image, lesion, np.ones_like(lesion))
    np.testing.assert_allclose(output, ring_mean_fill(image, lesion, np.ones_like(lesion)), rtol=1e-6)


def test_a_blind_restorer_is_asked_once_for_lesions_that_differ_only_inside() -> None:
    image = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    lesion = ball((20, 20, 20), 3)
    network, bench = Knowing(), Bench()
    first, _ = bench.restore(learnt_entrant(network), image, lesion, BRAIN)
    second, _ = bench.restore(learnt_entrant(network), image + np.float32(1) * lesion, lesion, BRAIN)
    assert network.asked == 1
    np.testing.assert_array_equal(first, second)
    bench.restore(learnt_entrant(network), image + np.float32(1) * ~lesion, lesion, BRAIN)
    assert network.asked == 2


def test_a_grown_mask_stays_in_the_foreground_and_holds_the_mask() -> None:
    lesion = ball((27, 29, 4), 4)
    wider = grown(lesion, 2, BRAIN)
    assert (wider & lesion).sum() == lesion.sum()
    assert (wider & ~lesion).any()
    assert not (wider & ~lesion & ~BRAIN).any()
    assert grown(lesion, 0, BRAIN) is lesion


def test_matching_undoes_another_scanners_gain_and_offset() -> None:
    image = np.random.default_rng(0).random((10, 10, 10)).astype(np.float32)
    where = np.ones(image.shape, bool)
    where[0, 0, 0] = False
    other = 3 * image + 7
    other[0, 0, 0] = 1000
    matched = match_intensity(other, image, where)
    np.testing.assert_allclose(matched[where], image[where], atol=1e-4)


def test_changes_are_told_apart_and_tiny_or_unclear_ones_left_out() -> None:
    rng = np.random.default_rng(0)
    first, second = (tissue() + rng.normal(0, 1, SHAPE) for _ in range(2))
    come, gone = ball((20, 20, 20), 3), ball((40, 40, 40), 3)
    tiny, unclear = ball((20, 40, 20), 1), ball((40, 20, 20), 3)
    second = second * 2 + 5
    second[come | tiny] += 150
    first[gone] += 75
    change = come | gone | tiny | unclear
    found = changes(first, second, change, BRAIN & ~change)
    assert [(one.index, one.what) for one in found] == [(1, "new"), (2, "vanished")]
    np.testing.assert_array_equal(found[0].mask, come)


@pytest.mark.parametrize(
    ("visits", "said"),
    [(("1",), "only visit 1"), (("1", "1"), "is visit 1 too"), (("1", "3"), "'3'"), (("1", "2"), "no change mask")],
)
def test_a_pair_of_visits_that_is_not_whole_is_refused(tmp_path: Path, visits: tuple[str, ...], said: str) -> None:
    cases = [Case(f"c{index}", "s", image=tmp_path, extra={"visit": visit}) for index, visit in enumerate(visits)]
    with pytest.raises(InputError, match=said):
        visit_pairs(cases)
