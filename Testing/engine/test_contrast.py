"""A scan's contrast: told with it, found again in the report, and the reason to take one model or another."""

from __future__ import annotations

import json
import shutil

import pytest

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle
from pseudonormal.models.choosing import fitting_bundle, unfamiliar


@pytest.fixture
def a_model_for(known_models, tmp_path, monkeypatch):
    """Makes a copy of the small model that was trained for these contrasts; the folder then knows it by that name."""
    folder = tmp_path / "models"
    shutil.copytree(known_models, folder)
    monkeypatch.setenv("PSEUDONORMAL_MODELS", str(folder))

    def make(name, *contrasts):
        if name != "brain-mr":
            shutil.copytree(folder / "brain-mr", folder / name)
        path = folder / name / "configs" / "metadata.json"
        metadata = json.loads(path.read_text(encoding="utf-8"))
        metadata["pseudonormal"]["trained_contrasts"] = list(contrasts)
        path.write_text(json.dumps(metadata), encoding="utf-8")
        return folder / name

    return make


def test_the_default_is_taken_unless_another_fits_better(a_model_for):
    default, other = a_model_for("brain-mr", "flair", "t1"), a_model_for("diffusion", "dwi")
    for contrast in (None, "flair", "t1", "pd"):  # nobody was trained for PD
        assert fitting_bundle("brain-mr", contrast) == default
    assert fitting_bundle("brain-mr", "dwi") == other
    assert fitting_bundle("diffusion", "dwi") == other
    assert fitting_bundle("diffusion", "t1") == default


def test_a_default_that_does_not_say_its_contrasts_stays(a_model_for):
    default = a_model_for("brain-mr")
    a_model_for("diffusion", "dwi")
    assert fitting_bundle("brain-mr", "dwi") == default


def test_a_damaged_model_is_no_choice(a_model_for):
    default, damaged = a_model_for("brain-mr", "flair"), a_model_for("a-diffusion", "dwi")
    (damaged / "configs" / "metadata.json").write_text("{", encoding="utf-8")
    assert fitting_bundle("brain-mr", "dwi") == default
    with pytest.raises(InputError, match="damaged"):
        fitting_bundle("a-diffusion", "dwi")


def test_the_doubt_is_one_line_and_says_what_the_model_knows():
    line = unfamiliar("dwi", ("flair", "t1c"))
    assert line.startswith("the model was trained for FLAIR, T1 after contrast agent, not for DWI: ")
    assert unfamiliar(None, ("flair",)) is unfamiliar("flair", ("flair",)) is unfamiliar("dwi", ()) is None


def test_the_shipped_model_says_what_it_was_trained_for(monkeypatch, tmp_path):
    monkeypatch.delenv("PSEUDONORMAL_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert fitting_bundle("brain-mr", "dwi") == find_bundle("brain-mr")
    metadata = json.loads((find_bundle("brain-mr") / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert set(metadata["pseudonormal"]["trained_contrasts"]) == {"flair", "t1", "t1c", "t2", "pd"}


def report_of(said, out):
    assert (said.code, said.err) == (0, "")
    return json.loads((out / "head" / "report.json").read_text(encoding="utf-8"))


def test_the_report_says_the_contrast_and_the_model_that_was_taken_for_it(a_model_for, command, a_head, tmp_path):
    a_model_for("brain-mr", "flair")
    given = ["generate", a_head.scan, "--mask", a_head.mask, "--foreground", a_head.brain, "--mode", "void", "-o"]
    doubtful = report_of(command(*given, tmp_path / "one", "--contrast", "dwi", "--json"), tmp_path / "one")
    assert (doubtful["contrast"], doubtful["model"]["name"]) == ("dwi", "brain-mr")
    assert doubtful["warnings"] == [unfamiliar("dwi", ("flair",))]
    assert "<td>DWI</td>" in (tmp_path / "one" / "head" / "report.html").read_text(encoding="utf-8")
    a_model_for("diffusion", "dwi")
    fitting = report_of(command(*given, tmp_path / "two", "--contrast", "dwi", "--json"), tmp_path / "two")
    assert (fitting["model"]["name"], fitting["warnings"]) == ("diffusion", [])
    chosen = [*given, tmp_path / "three", "--contrast", "dwi", "--model", "brain-mr", "--json"]
    assert report_of(command(*chosen), tmp_path / "three")["warnings"] == doubtful["warnings"]


def test_a_contrast_that_is_none_is_refused(command, a_head, tmp_path):
    said = command("generate", a_head.scan, "-o", tmp_path / "out", "--contrast", "bright")
    assert said.code == 2 and "--contrast" in said.err and "flair" in said.err
    assert not (tmp_path / "out").exists()
