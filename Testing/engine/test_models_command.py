"""``pseudonormal models``: packing runs, and bundles that come and go."""

from __future__ import annotations

import json
import shutil
import stat
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from pseudonormal.cli.models import app
from pseudonormal.errors import InputError
from pseudonormal.models.bundle import NETWORKS, imported_folder, load_model
from pseudonormal.models.exchange import import_bundle


def run_command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(result):
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def input_error(result) -> str:
    assert isinstance(result.exception, InputError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs that ended: fresh networks."""
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    for key, factory in NETWORKS.items():
        (folder / key).mkdir()
        save_file(factory().state_dict(), folder / key / f"{key}.safetensors")
    (folder / "card.md").write_text("# A card\n\nMade for a test.", encoding="utf-8")
    (folder / "LICENSE").write_text("Free.", encoding="utf-8")
    (folder / "calibration.json").write_text('{"lesion_threshold": 0.4}')
    return folder


def pack_arguments(runs, output):
    options = {"--version": "1.2.3", "--card": runs / "card.md", "--licence": runs / "LICENSE", "--data": "nothing"}
    return ["pack", *(runs / key for key in NETWORKS), output, *(part for pair in options.items() for part in pair)]


@pytest.fixture(scope="module")
def packed(runs, tmp_path_factory):
    """A bundle of those runs and what was printed."""
    bundle = tmp_path_factory.mktemp("bundles") / "tiny-model"
    result = run_command(*pack_arguments(runs, bundle), "--calibration", runs / "calibration.json", "--json")
    return bundle, printed(result)


@pytest.fixture
def bundle(packed, tmp_path, monkeypatch):
    """The bundle, on a machine that has imported none."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PSEUDONORMAL_MODELS", raising=False)
    return packed[0]


def nothing_imported():
    return not imported_folder().exists() or not list(imported_folder().iterdir())


def test_a_packed_model_has_half_the_size_and_the_same_answers(runs, packed):
    bundle, said = packed
    for key in NETWORKS:
        before = runs / key / f"{key}.safetensors"
        after = bundle / "models" / f"{key}.safetensors"
        assert after.stat().st_size < 0.55 * before.stat().st_size
        assert said["rounding"][key] < 0.02
        for name, value in load_file(before).items():
            assert torch.allclose(load_file(after)[name].float(), value, rtol=1e-3, atol=1e-6)
    model = load_model(str(bundle))
    assert (model.version, model.calibration.lesion_threshold, model.calibration.least_ml) == ("1.2.3", 0.4, 0.02)


def test_weights_that_half_precision_breaks_are_refused(runs, tmp_path):
    broken = tmp_path / "runs"
    shutil.copytree(runs, broken)
    weights = load_file(broken / "lesion" / "lesion.safetensors")
    name = next(iter(weights))
    weights[name] = weights[name] * 1e7
    save_file(weights, broken / "lesion" / "lesion.safetensors")
    assert "half precision" in input_error(run_command(*pack_arguments(broken, tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_runs_that_cannot_be_packed_are_refused(runs, tmp_path):
    arguments = pack_arguments(runs, tmp_path / "out")
    swapped = [arguments[0], arguments[2], *arguments[2:]]
    assert "brain.safetensors: is missing" in input_error(run_command(*swapped))
    calibration = tmp_path / "calibration.json"
    calibration.write_text('{"threshold": 1}')
    assert "lesion_threshold" in input_error(run_command(*arguments, "--calibration", calibration))
    assert not (tmp_path / "out").exists()


def test_a_model_goes_out_and_comes_back(bundle, tmp_path):
    archive = tmp_path / "model.zip"
    assert printed(run_command("export", bundle, "-o", archive, "--json")) == {"exported": str(archive)}
    again = tmp_path / "again.zip"
    run_command("export", bundle, "-o", again)
    assert again.read_bytes() == archive.read_bytes()

    place = printed(run_command("import", archive, "--json"))["imported"]
    assert place == str(imported_folder() / "tiny-model")
    assert load_model("tiny-model").fingerprint == load_model(str(bundle)).fingerprint
    assert [path.name for path in imported_folder().iterdir()] == ["tiny-model"]
    assert "--replace" in input_error(run_command("import", archive))
    printed(run_command("import", bundle, "--name", "tiny-model", "--replace", "--json"))
    printed(run_command("import", archive, "--name", "other", "--json"))

    listed = {row["name"]: row for row in printed(run_command("list", "--json"))}
    assert {"tiny-model", "other"} <= set(listed)
    assert listed["other"]["version"] == "1.2.3"
    assert listed["other"]["megabytes"] > 0.5
    assert "tiny-model" in run_command("list").stdout


def test_show_prints_the_card_and_the_calibration(bundle):
    shown = run_command("show", bundle)
    assert shown.exit_code == 0
    assert "Made for a test." in shown.stdout
    assert "lesion_threshold" in shown.stdout
    facts = printed(run_command("show", bundle, "--json"))
    assert facts["calibration"]["lesion_threshold"] == 0.4
    assert "additive_bright" in facts["trained_families"]


def test_unknown_models_are_named(bundle, tmp_path):
    for arguments in (("show", "nobody"), ("export", "nobody", "-o", tmp_path / "x.zip")):
        assert "'nobody' is not known" in input_error(run_command(*arguments))
    assert not (tmp_path / "x.zip").exists()
    assert ".zip" in input_error(run_command("export", bundle, "-o", tmp_path / "x.tar"))


def a_zip(path, bundle, extra, *, mode=stat.S_IFREG | 0o644):
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.rglob("*"):
            if file.is_file():
                archive.write(file, f"b/{file.relative_to(bundle)}")
        entry = zipfile.ZipInfo(extra)
        entry.external_attr = mode << 16
        archive.writestr(entry, "x")
    return path


@pytest.mark.parametrize(
    ("extra", "mode"),
    [
        ("../evil.json", 0),
        ("b/../../evil.json", 0),
        ("/evil.json", 0),
        ("b/..\\evil.json", 0),
        ("b/c:evil.json", 0),
        ("b/run.py", 0),
        ("b/weights.pt", 0),
        ("b/docs/link.md", stat.S_IFLNK | 0o777),
    ],
)
def test_archives_with_anything_else_in_them_are_refused(bundle, tmp_path, extra, mode):
    archive = a_zip(tmp_path / "bad.zip", bundle, extra, mode=mode)
    assert "does not belong" in input_error(run_command("import", archive))
    assert nothing_imported()
    assert not list(tmp_path.rglob("evil.json"))


def test_archives_that_unpack_to_too_much_are_refused(bundle, tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("b/configs/metadata.json", "{}")
        for index in range(201):
            bomb.writestr(f"b/docs/{index}.txt", "")
    assert "larger than any bundle" in input_error(run_command("import", archive))
    assert nothing_imported()


def test_damaged_bundles_are_refused_and_leave_nothing(bundle, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(bundle, broken)
    weights = broken / "models" / "lesion.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    said = input_error(run_command("import", broken))
    assert "damaged" in said
    assert ".part" not in said

    shutil.copyfile(bundle / "models" / "lesion.safetensors", weights)
    metadata = broken / "configs" / "metadata.json"
    content = json.loads(metadata.read_text())
    del content["pseudonormal"]["calibration"]
    metadata.write_text(json.dumps(content))
    assert "metadata.json" in input_error(run_command("import", broken))

    archive = tmp_path / "cut.zip"
    archive.write_bytes(a_zip(tmp_path / "whole.zip", bundle, "b/docs/more.txt").read_bytes()[:5000])
    assert "is no zip file" in input_error(run_command("import", archive))
    assert "no such file" in input_error(run_command("import", tmp_path / "none.zip"))
    assert "cannot name a model" in input_error(run_command("import", bundle, "--name", "../up"))
    with pytest.raises(InputError, match=r"metadata\.json"):
        import_bundle(empty_zip(tmp_path / "empty.zip"), name="x")
    assert nothing_imported()


def empty_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no bundle")
    return path
