"""The studies of recipe ``shape``: every arm on few pictures, learnt from for two steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Testing.study_heads import a_ball, a_runner, a_study

from pseudonormal.cases import read_cases
from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.study.shapes import organ
from pseudonormal.study.shapes.arm import AVERAGE, SUPERVISED, WHOLE
from pseudonormal.study.shapes.lesion import lesion_study
from pseudonormal.study.shapes.organ import organ_situation, organ_study
from pseudonormal.study.shapes.simple import ABLATED, MODELS, simple_study
from pseudonormal.study.shapes.tables import situations_markdown

pytestmark = pytest.mark.long


def undrawn(scan):
    return replace(scan, truth=None, reference=replace(scan.reference, lesion=None))


def test_scans_that_nobody_has_drawn_in_are_labelled_too(tmp_path, monkeypatch):
    monkeypatch.setattr("pseudonormal.study.shapes.lesion.LEAST_ML", 0.0)
    painted = a_study(a_ball())
    material = replace(
        painted,
        labelled=painted.labelled[:2],
        unlabelled=[undrawn(scan) for scan in painted.unlabelled[:1]],
        test=[replace(scan, truth=None) for scan in painted.test],
    )
    runner = a_runner(tmp_path, material)
    lesion_study(material, runner, [0])
    rows = {row["arm"]: row for row in runner.rows("shape-lesion")}
    assert tuple(rows) == (SUPERVISED, AVERAGE, WHOLE.name)
    assert len(rows[WHOLE.name]["rounds"]) == 2 and rows[WHOLE.name]["after"] in rows[WHOLE.name]["rounds"]
    assert all(0 <= row["after"] <= 1 for row in rows.values())


def test_arms_that_differ_in_rounds_only_share_a_generator(tmp_path, monkeypatch):
    simple = "pseudonormal.study.shapes.simple."
    monkeypatch.setattr(simple + "MODELS", {"head": MODELS["head"]})
    for count in ("LEARNT", "ESTIMATED", "TESTED"):
        monkeypatch.setattr(simple + count, 3)
    runner = a_runner(tmp_path, a_study(a_ball()))
    simple_study(runner, [0])
    rows = {row["arm"]: row for row in runner.rows("shape-simple")}
    assert set(rows) == {SUPERVISED, AVERAGE, WHOLE.name, *(arm.name for arm in ABLATED)}
    runs = [run.name for run in (tmp_path / "runs").iterdir()]
    learnt_in_rounds = [name for name in runs if "round" in name]
    assert len(runs) - len(learnt_in_rounds) == 2 + 3  # segmentors that need no generator; three arms share one
    assert len(learnt_in_rounds) == 2 * (1 + len(ABLATED))
    assert rows["no noise weights"]["pseudo"] == rows[WHOLE.name]["pseudo"]


SCALP, WHITE_MATTER = 509, 2
RAS = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
NECK, NOSE = np.s_[:70, 50:80, 30:60], np.s_[10:28, 60:125, 40:50]


def a_head(vertex, *, low=True):
    """(160, 130, 90) labels: a brain in a scalp that ends above at ``vertex``; nose and neck where ``low``."""
    z, y, x = np.indices((160, 130, 90))
    distance = np.sqrt(((z - vertex + 40) / 40) ** 2 + ((y - 65) / 42) ** 2 + ((x - 45) / 36) ** 2)
    labels = np.where(distance < 0.8, WHITE_MATTER, np.where(distance <= 1, SCALP, 0)).astype(np.int16)
    if low:
        labels[NECK], labels[NOSE] = SCALP, np.where(labels[NOSE] > 0, labels[NOSE], SCALP)
    return labels


@pytest.fixture
def heads(tmp_path):
    """Eight label maps and a real head, in a list."""
    lines = ["case,subject,split,image,mask,normal,foreground,contrast,labels"]
    geometry = Geometry((90, 130, 160), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), RAS)
    for number in range(8):
        write_image(a_head(130 + number), geometry, tmp_path / f"h{number}.nii.gz")
        lines.append(f"h{number},h{number},train,,,,,,h{number}.nii.gz")
    image = np.array([0, 600, 300], np.int16)[np.digitize(a_head(135), [1, SCALP])]
    write_image(image, geometry, tmp_path / "real.nii.gz")
    lines.append(f"{organ.REAL_TEST},real,test,real.nii.gz,,real.nii.gz,,t1,")
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
    return read_cases(tmp_path / "cases.csv")


def bright(image):
    return image > 450


def test_brains_are_sought_in_whole_heads_with_masks_of_subjects_that_lend_nothing_else(heads, tmp_path):
    situation = organ_situation(heads, bright)
    material = situation.material
    assert [scan.case for scan in material.held_out] == ["h2"]
    assert [scan.case for scan in material.scans] == ["h4", "h5", "h7"]
    assert [scan.case for scan in situation.test] == ["h1", organ.REAL_TEST]
    masks = {material.masks.draw((32,) * 3, np.random.default_rng(0)).sum() for _ in range(2)}
    assert len(masks) == 1 and 0.5 < masks.pop() / material.scans[0].truth.sum() < 2
    # all heads come to lie in the same place, however much air is above them
    places = [np.argwhere(scan.truth).mean(0) for scan in (*material.scans, *situation.test)]
    assert np.ptp(places, axis=0).max() < 1
    # what lies beyond a scan is not judged
    assert not all(scan.region.all() for scan in situation.test)

    small = replace(situation, options=replace(situation.options, width=2))
    runner = a_runner(tmp_path, a_study(a_ball()))
    organ_study(small, runner, [0])
    rows = {row["arm"]: row for row in runner.rows("shape-organ")}
    assert set(rows) == {SUPERVISED, AVERAGE, WHOLE.name}
    assert rows[WHOLE.name]["after"] in rows[WHOLE.name]["rounds"]


@pytest.mark.parametrize("low", [True, False])
def test_noise_nose_and_neck_do_not_move_a_heads_frame(low):
    head = a_head(135, low=low) > 0
    noisy = head.copy()
    noisy[150:158, 5, 5] = True
    wanted = 135 - (organ.EDGE / 2 - organ.AIR_ABOVE) * organ.VOXEL_MM
    assert np.abs(np.subtract(organ._frame(noisy).centre, (wanted, 65, 45))).max() <= 2 * organ.COARSE


def test_too_few_heads_are_refused(heads):
    with pytest.raises(InputError, match="six label maps"):
        organ_situation(heads[:3], bright)


def test_the_table_says_what_the_recipe_is_worth_beyond_the_mean_of_masks():
    def row(arm, seed, after, **more):
        return {"situation": "brain", "arm": arm, "seed": seed, "after": after, **more}

    rows = [row(SUPERVISED, seed, 0.95) for seed in (0, 1)]
    rows += [row(AVERAGE, seed, after, pseudo=0.9, rounds=[after]) for seed, after in ((0, 0.91), (1, 0.93))]
    rows += [row(WHOLE.name, seed, 0.905, pseudo=0.89, rounds=[0.905, 0.9], pieces=0.0) for seed in (1, 0)]
    table = situations_markdown(rows)
    assert f"| brain | {AVERAGE} | 0.900 | 0.920 |" in table
    assert f"worth over the {AVERAGE}: -0.015, missed" in table
    assert "within 0.05 of supervised: +0.045, met" in table and "no iteration costs: 0.015, met" in table
