"""The augmentation study: every arm on small painted heads, its measures, its tables."""

from __future__ import annotations

import numpy as np
import pytest
from Testing.study_heads import a_ball, a_runner, a_study

from pseudonormal.recipes.translation.options import TRANSLATORS
from pseudonormal.study.scores import Judge
from pseudonormal.study.translation import ARMS, NONE, TRANSPLANT, translation_study
from pseudonormal.study.translation_measures import followed, leak
from pseudonormal.study.translation_tables import targets, translation_markdown, translation_plot


def rows(gain=0.1, reader=None):
    made = []
    for seed in range(2):
        for count in (2, 5):
            for arm in ARMS:
                base = 0.4 + 0.05 * (count == 5) + (gain if arm == "spade" else 0.02 if arm == TRANSPLANT else 0.0)
                named = [{"subject": f"t{n}", "case": f"t{n}", "kind": "real", "lesion_f1": 0.5} for n in range(6)]
                scores = [{**one, "dice": base + 0.01 * n, "dice_half": 0.321} for n, one in enumerate(named)]
                made.append({"count": count, "arm": arm, "seed": seed, "steps": 9, "scores": scores, "reader": reader})
        numbers = {"found": 0.85, "followed": 0.4, "leak": 0.01, "found_elsewhere": 0.5}
        made += [{"translator": translator, "seed": seed, **numbers} for translator in TRANSLATORS]
    return made


def test_tables_say_every_arm_and_whether_targets_were_met():
    text = translation_markdown(rows())
    for arm in ARMS:
        assert text.count(f"| {arm} |") >= 2
    assert "+10.0" in text
    assert "| 0.321 |" in text  # at one half
    assert "t0 0.50 t1 0.51 t2 0.52" in text  # spade's subjects, of two scans
    assert "0.85, met" in text and "0.40, missed" in text
    met, above = targets(rows())
    assert met.endswith("+0.100, met") and "(spade)" in met
    assert above.endswith("+0.080, met")
    assert targets(rows(gain=0.01))[0].endswith("missed")
    assert targets([]) == []
    assert translation_plot(rows(reader=0.77))[:4] == b"\x89PNG"


def test_what_follows_its_label_and_what_leaks():
    normal = np.full((4, 20, 20), 0.5, np.float32)
    label = np.zeros(normal.shape, bool)
    label[1:3, 5:10, 5:10] = True
    exact = np.where(label, normal + 0.3, normal)
    assert followed(exact, normal, label) == 1.0
    beside = np.where(np.roll(label, 10, 2), normal + 0.3, normal)
    assert followed(beside, normal, label) < 0.1
    everywhere = np.where(label, normal + 0.3, normal + 0.02)
    assert leak(everywhere, normal, label, np.ones_like(label)) == pytest.approx(0.02, rel=1e-3)


def test_every_arm_is_trained_and_judged_once(tmp_path, monkeypatch):
    study = "pseudonormal.study.translation."
    monkeypatch.setattr(study + "ARMS", (NONE, "pix2pix", "um"))
    monkeypatch.setattr(study + "TRANSLATORS", ("pix2pix",))
    for name, number in {"MADE": 2, "SLABS": 2, "CONSISTENT": 1, "LOOKERS": 2}.items():
        monkeypatch.setattr(study + name, number)
    monkeypatch.setattr(study + "CLINICAL", (99,))  # more than there are: all of them then
    material = a_study(a_ball())
    runner = a_runner(tmp_path, material)
    judge = Judge(material.validation, material.test, material.shapes)
    translation_study(material, judge, runner, [0])
    found = runner.rows("translation")
    arms = [row["arm"] for row in found if "arm" in row]
    assert arms == [NONE, "pix2pix", "um"]
    for row in found[:3]:
        assert (row["count"], row["steps"]) == (4, 2)
        assert {"dice", "lesion_f1"} <= set(row["scores"][0])
    assert set(found[3]) >= {"translator", "found", "found_elsewhere", "followed", "leak"}
    again = a_runner(tmp_path, material)
    translation_study(material, judge, again, [0])
    assert again.rows("translation") == found
