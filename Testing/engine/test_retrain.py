"""A lab's retraining through the command line: stopped, resumed, judged, promoted, used and taken back."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from Testing.conftest import Head
from Testing.lab import Lab, make_lab

from pseudonormal.cli.main import main
from pseudonormal.models.bundle import load_model, read_metadata
from pseudonormal.models.registry import Registry
from pseudonormal.retraining.material import read_material

SMALL = ("steps=1000", "minutes=1000", "workers=0", "pool=2", "batch=1", "checks=0", "patch=32", "bfloat16=0")

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")]


@dataclass(frozen=True)
class Retrained:
    """A training that was asked to end by SIGTERM after its first steps, and then resumed for one more.

    The models of its lab are found as long as a test asks for it.

    :param before: what it printed until it ended, with exit code ``code``, after ``seconds``.
    :param saved: the step that it had reached.
    :param after: what it printed when it went on.
    """

    run: Path
    lab: Lab
    before: list[dict[str, Any]]
    code: int
    seconds: float
    saved: int
    after: list[dict[str, Any]]

    @property
    def candidate(self) -> dict[str, Any]:
        return self.after[-1]["candidate"]


class Heard(io.StringIO):
    """What a command prints; asks this process to end when it first tells of a step."""

    asked: float | None = None

    def write(self, text: str) -> int:
        if self.asked is None and '"step"' in text:
            self.asked = time.monotonic()
            signal.raise_signal(signal.SIGTERM)
        return super().write(text)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture(scope="module")
def retrained(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retrained]:
    folder = tmp_path_factory.mktemp("retrained")
    lab = make_lab(folder, lesions=2, sound=0, waiting=1)
    command = ["retrain", str(lab.store), "-o", str(folder / "run"), "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSEUDONORMAL_MODELS", str(models_folder))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        with redirect_stdout(Heard()) as first:
            code = main([*command, *(word for pair in SMALL for word in ("--set", pair))])
        assert first.asked is not None
        seconds, saved = time.monotonic() - first.asked, saved_step(folder / "run")
        with redirect_stdout(io.StringIO()) as second:
            assert main([*command, "--resume", "--set", f"steps={saved + 1}"]) == 0
        after = [json.loads(line) for line in second.getvalue().splitlines()]
        yield Retrained(folder / "run", lab, first.lines, code, seconds, saved, after)


def saved_step(run: Path) -> int:
    from pseudonormal.training.checkpoints import Checkpoints

    content = Checkpoints(run).load(pytest.fail)
    assert content is not None
    return int(content["step"])


def test_a_stopped_training_saves_its_state_and_says_so(retrained: Retrained):
    assert retrained.before[0] == {
        "stage": "material", "labelled": 2, "unlabelled": 1, "train": 2, "validation": 0, "test": 1,
    }  # fmt: skip
    assert {"step", "minutes", "done", "minutes_left", "loss"} <= set(retrained.before[1])
    assert retrained.before[-1] == {"stopped": str(retrained.run)}
    assert retrained.code == 130
    assert retrained.seconds < 60  # 2 s are promised on an idle machine


def test_a_resumed_training_goes_on_with_what_it_began_with_and_makes_a_candidate(retrained: Retrained):
    assert retrained.after[0] == retrained.before[0]
    assert [line["step"] for line in retrained.after if "step" in line] == [retrained.saved + 1]
    judging = [line["done"] for line in retrained.after if line.get("stage") == "judging"]
    assert judging == sorted(judging)
    assert judging[-1] == 1
    candidate = retrained.candidate
    assert (candidate["name"], candidate["version"], candidate["parent"]) == ("brain-mr", "0.1", "0")
    assert set(candidate["metrics"]) == {"dice", "psnr_db", "false_positive_ml"}
    assert set(candidate["difference"]) == {"dice", "psnr_db"}
    # one subject kept aside tells nothing, so neither is said
    assert (candidate["better"], candidate["worse"]) == (False, False)
    assert all(triple[1:] == [None, None] for triple in candidate["difference"].values())


def test_the_candidate_says_where_it_comes_from(retrained: Retrained):
    bundle = Registry().bundle("brain-mr", "0.1")
    facts = read_metadata(bundle)["pseudonormal"]["retrained"]
    assert (facts["version"], facts["parent"], facts["recipe"]) == ("0.1", "0", "smile")
    assert facts["settings"]["patch"] == 32
    assert facts["data"] == read_material(retrained.run / "material").fingerprint
    assert facts["data"] in (bundle / "docs" / "README.md").read_text(encoding="utf-8")
    before, after = load_model("brain-mr:0"), load_model("brain-mr:0.1")
    assert after.hashes["brain"] == before.hashes["brain"]
    assert after.hashes["lesion"] != before.hashes["lesion"]
    assert after.hashes["restore"] != before.hashes["restore"]
    assert (bundle / "LICENSE").read_bytes() == (Registry().bundle("brain-mr", "0") / "LICENSE").read_bytes()


def test_parent_and_candidate_are_judged_on_the_same_case_kept_aside(retrained: Retrained):
    before, after = Registry().entries("brain-mr")
    aside = [case.case for case in read_material(retrained.run / "material").of("test")]
    assert [row["case"] for row in after.cases] == [row["case"] for row in before.cases] == aside
    assert [row["truth"] for row in after.cases] == [row["truth"] for row in before.cases]
    assert after.comparisons["0"].differences["dice"].mean == pytest.approx(
        after.metrics["dice"] - before.metrics["dice"]
    )


def test_a_training_that_is_over_tells_its_candidate_again(retrained: Retrained, capfd):
    assert main(["retrain", str(retrained.lab.store), "-o", str(retrained.run), "--resume", "--json"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert lines[-1] == retrained.after[-1]
    assert len(Registry().entries("brain-mr")) == 2
    assert main(["retrain", str(retrained.lab.store), "-o", str(retrained.run)]) == 2
    assert "give --resume" in capfd.readouterr().err


def test_the_lab_promotes_uses_and_takes_back_a_candidate(
    retrained: Retrained, a_head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    monkeypatch.setenv("COLUMNS", "200")  # else a narrow table breaks its words

    def said(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    code, _, err = said("models", "promote", "brain-mr", "0.1")
    assert code == 2
    assert "cannot be told" in err
    assert "--force" in err
    code, out, _ = said("models", "promote", "brain-mr", "0.1", "--force", "--json")
    assert (code, json.loads(out)["state"]) == (0, "current")
    assert load_model("brain-mr").version == "0.1"

    def used(model: str) -> str:
        place = tmp_path / model.replace(":", "_")
        code, _, err = said(
            "generate", a_head.scan, "-o", place, "--model", model, "--mask", a_head.mask, "--foreground", a_head.brain
        )
        assert code == 0, err
        (report,) = place.glob("*/report.json")
        return str(json.loads(report.read_text(encoding="utf-8"))["model"]["version"])

    assert used("brain-mr") == "0.1"
    assert used("brain-mr:0") == "0"  # retired, and usable
    code, out, _ = said("models", "rollback", "brain-mr", "--json")
    assert (code, json.loads(out)["version"]) == (0, "0")
    code, out, _ = said("models", "history", "brain-mr", "--json")
    assert {entry["version"]: entry["state"] for entry in json.loads(out)} == {"0": "current", "0.1": "retired"}
    table = said("models", "history")[1]
    assert "cannot be told" in table
    assert said("models", "history", "nobody")[0] == 2


def test_what_cannot_be_trained_is_refused_before_anything_is_begun(known_models: Path, tmp_path: Path, capfd):
    lab = make_lab(tmp_path, lesions=1, sound=0, waiting=0)

    def refused(*arguments: str) -> str:
        run = tmp_path / "run"
        assert main(["retrain", str(lab.store), "-o", str(run), *arguments]) == 2
        assert not (run / "checkpoint.pt").exists()
        return capfd.readouterr().err

    assert "no case of contrast t1 is accepted" in refused("--contrast", "t1")
    assert not (tmp_path / "run").exists()
    assert "'nobody' is not known" in refused("--model", "nobody")
    assert "recipe 'none' is not known" in refused("--recipe", "none")
    assert "there is no case store" in refused_store(tmp_path, capfd)
    assert "holds no run that could be resumed" in refused("--resume")
    assert "dimensions" in refused("--set", "dimensions=2")


def refused_store(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert main(["retrain", str(folder / "nothing"), "-o", str(folder / "run")]) == 2
    return capfd.readouterr().err
