"""The study of recipe ``um``: every arm on small painted heads, each generator trained once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from Testing.study_heads import a_ball, a_runner, a_study
from Testing.um_heads import SMALL

from pseudonormal.study.scores import Judge
from pseudonormal.study.um import BASE, IMPLANTED, MASK, NO_SYNTHESIS, UM, um_study

pytestmark = pytest.mark.long


def as_real(scans):
    return [replace(scan, truth=None) for scan in scans]


def test_generators_of_both_guides_are_judged_and_every_arm_is(tmp_path, monkeypatch):
    study = "pseudonormal.study.um."
    monkeypatch.setattr(study + "SLABS", 2)
    monkeypatch.setattr("pseudonormal.evaluate.realism.LEAST_PER_FEATURE", 0.1)  # small heads have few slices
    monkeypatch.setattr(study + "BASE", replace(BASE, **SMALL))
    monkeypatch.setattr(study + "ABLATIONS", {})
    monkeypatch.setattr(study + "ARMS", (NO_SYNTHESIS, IMPLANTED))
    monkeypatch.setattr("pseudonormal.study.um_measures.SUPERPIXELS", 2)
    monkeypatch.setattr("pseudonormal.study.um_measures.RESOLUTIONS", (24,))
    painted = a_study(a_ball())
    material = replace(
        painted,
        labelled=as_real(painted.labelled[:2]),
        unlabelled=as_real(painted.unlabelled),
        validation=as_real(painted.validation),
        test=as_real(painted.test),
    )
    runner = a_runner(tmp_path, material)
    judge = Judge(material.validation, material.test, material.shapes)
    um_study(material, judge, runner, [0])
    rows = runner.rows("um")
    generators = {row["what"]: row for row in rows if "what" in row}
    assert set(generators) == {UM, IMPLANTED, MASK}
    assert all(row["steps"] == 2 and len(row["mm_fid"]) == len(row["mm_std"]) == 3 for row in generators.values())
    assert "raised" in generators[UM] and "raised" not in generators[MASK]
    assert generators[UM]["again"] == generators[IMPLANTED]["again"]  # the same generator, at work in another way
    assert generators[UM]["mm_fid"] != generators[IMPLANTED]["mm_fid"]
    judged = {row["arm"]: row for row in rows if "arm" in row}
    assert tuple(judged) == (NO_SYNTHESIS, IMPLANTED) and judged[NO_SYNTHESIS]["scores"] != judged[IMPLANTED]["scores"]
    assert all({"dice", "dice_half"} <= set(score) for row in judged.values() for score in row["scores"])
    assert sum("segmentor" not in run.name for run in (tmp_path / "runs").iterdir()) == 2
