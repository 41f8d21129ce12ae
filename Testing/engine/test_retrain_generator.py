"""A lab's generator: trained from the store, gone on with, and what it makes taken back into the store."""

from __future__ import annotations

import json

import pytest
from Testing.lab import make_lab

from pseudonormal.cases import read_cases
from pseudonormal.retraining.generator import LISTED
from pseudonormal.store.store import Store

SMALL = (
    "steps=2", "minutes=1000", "workers=0", "pool=4", "batch=1", "checks=0", "bfloat16=0", "patch=32",
    "superpixel_mm=6.0", "width=4", "judge_width=4",
)  # fmt: skip
pytestmark = pytest.mark.long


def settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


def test_a_generator_is_trained_resumed_and_its_scans_come_back_as_synthetic_cases(command, tmp_path):
    lab, run = make_lab(tmp_path, lesions=3, sound=0, waiting=1), tmp_path / "run"
    call = ("retrain", lab.store, "-o", run, "--recipe", "um", "--json")
    said = command(*call, *settings(*SMALL))
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[0] == {"stage": "material", "labelled": 3, "unlabelled": 1, "train": 2, "validation": 1, "test": 1}
    assert lines[-1] == {"generator": {"recipe": "um", "subjects": 2}}
    assert not any(line.get("stage") == "judging" for line in lines)

    assert "--resume" in command(*call).lines[0]
    said = command(*call, "--resume", *settings("steps=3"))
    assert said.code == 0, said.err
    assert [line["step"] for line in map(json.loads, said.out.splitlines()) if "step" in line][-1] == 3

    make = ("synthesize", run, run / LISTED, "-n", 2, "-o", tmp_path / "made", "--store", lab.store, "--json")
    for added in (2, 0):
        said = command(*make)
        assert said.code == 0, said.err
        assert json.loads(said.out.splitlines()[-1])["added"] == added
    with_mask = {case.case: case.kind for case in read_cases(tmp_path / "made" / "cases.csv")}
    store = Store.open(lab.store)
    cases, total = store.cases(status="synthetic")
    assert total == 2
    assert all(case.model.startswith("um-") and case.contrast == "flair" for case in cases)
    assert sum(case.findings > 0 for case in cases) == sum(kind == "labelled" for kind in with_mask.values())
    # made from scans that are learnt from, and from no others
    sources = {json.loads(path.read_text())["drawn"]["source"] for path in (tmp_path / "made").glob("*/record.json")}
    assert sources <= {case.case for case in read_cases(run / LISTED) if case.split == "train"}
    store.close()
