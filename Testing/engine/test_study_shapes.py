"""The studies of recipe ``shape``: every arm on few pictures, learnt from for two steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from Testing.study_heads import a_ball, a_runner, a_study

from pseudonormal.study.shapes.arm import SUPERVISED
from pseudonormal.study.shapes.lesion import lesion_study
from pseudonormal.study.shapes.simple import ABLATED, MODELS, WHOLE, simple_study

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
    assert tuple(rows) == (SUPERVISED, WHOLE.name)
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
    assert set(rows) == {SUPERVISED, WHOLE.name, *(arm.name for arm in ABLATED)}
    runs = [run.name for run in (tmp_path / "runs").iterdir()]
    learnt_in_rounds = [name for name in runs if "round" in name]
    assert len(runs) - len(learnt_in_rounds) == 4  # the supervised segmentor; three arms have one generator
    assert len(learnt_in_rounds) == 2 * (1 + len(ABLATED))
    assert rows["no noise weights"]["pseudo"] == rows[WHOLE.name]["pseudo"]
