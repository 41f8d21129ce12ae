"""The model registry: versions, what is current, and that nothing is ever lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import find_bundle, load_model, model_folders
from pseudonormal.models.comparison import Comparison, Difference
from pseudonormal.models.registry import Entry, Registry, registry_folder

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("PSEUDONORMAL_KILLS", "5"))
NAME = "brain-mr"

BETTER = Comparison(4, {"dice": Difference(0.05, 0.02, 0.08), "psnr_db": Difference(0.1, -0.2, 0.4)})
WORSE = Comparison(4, {"dice": Difference(0.05, 0.02, 0.08), "psnr_db": Difference(-0.6, -0.9, -0.3)})
ALIKE = Comparison(4, {"dice": Difference(0.0, -0.02, 0.02)})
UNTOLD = Comparison(2, {"dice": Difference(-0.2, None, None)})


@pytest.fixture
def a_registry(known_models: Path) -> Registry:
    """The user's registry; it knows the small model as its first version."""
    registry = Registry()
    registry.register(known_models / NAME, Entry(NAME, "0", None))
    return registry


@pytest.fixture
def a_candidate(a_registry: Registry, tmp_path: Path, known_models: Path):
    """Registers candidates that were trained from a version, and compared so with others."""

    def register(comparisons: dict[str, Comparison], parent: str = "0") -> Entry:
        version = a_registry.reserve(NAME, parent)
        bundle = changed_copy(known_models / NAME, tmp_path / version / NAME, version)
        rows = ({"case": "a", "subject": "s", "truth": "t", "dice": 0.5},)
        metrics = {"dice": 0.5}
        return a_registry.register(
            bundle, Entry(NAME, version, parent, metrics=metrics, cases=rows, comparisons=comparisons)
        )

    return register


def changed_copy(bundle: Path, target: Path, version: str) -> Path:
    """The same model under another version."""
    for path in bundle.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(bundle)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    metadata = target / "configs" / "metadata.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"version": version}))
    return target


def states(registry: Registry) -> dict[str, str]:
    return {entry.version: entry.state for entry in registry.entries(NAME)}


def test_the_plain_name_means_what_was_promoted_and_every_version_can_be_named(a_registry, a_candidate, known_models):
    a_candidate({"0": BETTER})
    assert find_bundle(NAME) == known_models / NAME
    assert load_model(f"{NAME}:0.1").version == "0.1"
    promoted = a_registry.promote(NAME, "0.1")
    assert (promoted.state, load_model(NAME).version, load_model(NAME).name) == ("current", "0.1", NAME)
    assert model_folders()[NAME] == a_registry.bundle(NAME, "0.1")
    assert load_model(f"{NAME}:0").version == "0"
    assert states(a_registry) == {"0": "retired", "0.1": "current"}


def test_a_rollback_goes_back_step_by_step_and_removes_nothing(a_registry, a_candidate, known_models):
    a_candidate({"0": BETTER})
    a_registry.promote(NAME, "0.1")
    a_candidate({"0.1": BETTER}, parent="0.1")
    a_registry.promote(NAME, "0.2")
    assert a_registry.rollback(NAME).version == "0.1"
    assert load_model(NAME).version == "0.1"
    assert load_model(f"{NAME}:0.2").version == "0.2"
    assert a_registry.rollback(NAME).version == "0"
    assert find_bundle(NAME) == known_models / NAME
    assert states(a_registry) == {"0": "current", "0.1": "retired", "0.2": "retired"}
    with pytest.raises(InputError, match="nothing to go back to"):
        a_registry.rollback(NAME)


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (WORSE, r"worse than the current version 0 beyond the confidence interval: psnr_db -0.6 \(-0.9 to -0.3\)"),
        (UNTOLD, r"cannot be told .* 2 test subject\(s\), and 3 are needed"),
    ],
)
def test_what_is_worse_or_cannot_be_told_is_promoted_by_force_alone(a_registry, a_candidate, comparison, words):
    a_candidate({"0": comparison})
    with pytest.raises(InputError, match=words) as refusal:
        a_registry.promote(NAME, "0.1")
    assert "--force" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert states(a_registry) == {"0": "current", "0.1": "candidate"}
    assert a_registry.promote(NAME, "0.1", force=True).state == "current"


def test_what_is_alike_may_be_promoted(a_registry, a_candidate):
    a_candidate({"0": ALIKE})
    assert a_registry.promote(NAME, "0.1").state == "current"


def test_two_candidates_of_one_parent_are_held_against_each_other(a_registry, a_candidate):
    a_candidate({"0": BETTER})
    a_candidate({"0": BETTER, "0.1": BETTER})  # the second is better than the first, so the first is worse
    a_registry.promote(NAME, "0.2")
    with pytest.raises(InputError, match=r"worse than the current version 0\.2"):
        a_registry.promote(NAME, "0.1")


def test_a_version_that_was_never_compared_with_the_current_one_needs_force(a_registry, a_candidate):
    a_candidate({"0": BETTER})
    a_candidate({"0": BETTER})
    a_registry.promote(NAME, "0.1")
    with pytest.raises(InputError, match=r"was not compared with the current version 0\.1"):
        a_registry.promote(NAME, "0.2")


def test_versions_are_never_used_twice(a_registry):
    reserved = [a_registry.reserve(NAME, "0") for _ in range(3)]
    assert reserved == ["0.1", "0.2", "0.3"]


def test_registering_again_changes_nothing_and_another_bundle_is_refused(a_registry, a_candidate, tmp_path):
    before = a_candidate({"0": BETTER})
    again = a_registry.register(a_registry.bundle(NAME, "0.1"), Entry(NAME, "0.1", "0"))
    assert again == before
    other = changed_copy(a_registry.bundle(NAME, "0.1"), tmp_path / "other" / NAME, "9")
    with pytest.raises(InputError, match="another model has this version"):
        a_registry.register(other, Entry(NAME, "0.1", "0"))


def test_a_newer_model_from_elsewhere_does_not_unseat_a_promoted_one(a_registry, a_candidate, tmp_path):
    a_candidate({"0": BETTER})
    a_registry.promote(NAME, "0.1")
    newer = changed_copy(a_registry.bundle(NAME, "0"), tmp_path / "newer" / NAME, "1")
    assert a_registry.register(newer, Entry(NAME, "1", None)).state == "candidate"
    a_registry.rollback(NAME)
    newest = changed_copy(a_registry.bundle(NAME, "0"), tmp_path / "newest" / NAME, "2")
    assert a_registry.register(newest, Entry(NAME, "2", None)).state == "current"


def test_unknown_names_and_versions_are_said_and_leave_no_trace(a_registry):
    for change in (
        lambda: a_registry.promote("nobody", "1"),
        lambda: a_registry.rollback("nobody"),
        lambda: a_registry.reserve("nobody", "1"),
    ):
        with pytest.raises(InputError, match="'nobody' has no versions"):
            change()
    assert not (a_registry.folder / "nobody").exists()
    with pytest.raises(InputError, match="no version '7' in the registry: name one of 0"):
        a_registry.promote(NAME, "7")
    with pytest.raises(InputError, match="no version '7'"):
        load_model(f"{NAME}:7")


def test_a_damaged_registry_is_said_rather_than_passed_over(a_registry):
    (a_registry.folder / NAME / "registry.json").write_text('{"entries": [')
    with pytest.raises(InputError, match=r"registry\.json: is damaged"):
        find_bundle(NAME)


def test_without_a_registry_models_are_found_as_ever(known_models):
    assert find_bundle(NAME) == known_models / NAME
    assert not registry_folder().exists()


PROMOTER = """
import sys
from pseudonormal.models.registry import Registry
registry = Registry()
while True:
    registry.promote(sys.argv[1], "0.1", force=True)
    registry.rollback(sys.argv[1])
    print("once more", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_kill_9_while_promoting_leaves_one_version_current_and_all_readable(a_registry, a_candidate):
    a_candidate({"0": BETTER})
    rng = random.Random(0)  # noqa: S311 - when to kill is no secret
    changes = 0
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", PROMOTER, NAME], stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout is not None
        assert process.stdout.readline()
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = states(a_registry)
        assert sorted(found) == ["0", "0.1"]
        assert list(found.values()).count("current") == 1
        assert load_model(NAME).version == a_registry.current(NAME).version
        if a_registry.current(NAME).version == "0.1":
            a_registry.rollback(NAME)
        lines = json.loads((a_registry.folder / NAME / "registry.json").read_text())["log"]
        assert len(lines) >= changes
        changes = len(lines)
    assert changes >= 2 * KILLS
    a_registry.promote(NAME, "0.1")
    assert not list((a_registry.folder / NAME).glob(".*.part"))
