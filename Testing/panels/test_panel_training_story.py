"""A lab's afternoon at the panel, nothing pretended: train, stop, go on, look, promote, generate with the new model."""

from __future__ import annotations

import json
import time

import pytest
from Testing.engine_process import running_engine
from Testing.lab import head, make_lab
from Testing.plotted import plotted
from Testing.um_heads import SMALL as SMALL_GENERATOR

pytestmark = pytest.mark.long

PATIENCE_S = 400
COUNT = 12
SMALL = "minutes=1000 workers=0 pool=2 batch=1 checks=0 patch=32 checkpoint_every=1"


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """A real engine with a few reviewed cases."""
    folder = tmp_path_factory.mktemp("lab")
    lab = make_lab(folder, lesions=2, sound=0, waiting=1)
    with running_engine(models_folder, folder / "data", lab.store) as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def training(a_desktop, an_engine):
    from PseudoNormalLib.engine.connection import Choice
    from PseudoNormalLib.training.bench import TrainingBench
    from PseudoNormalLib.workbench import Workbench

    bench = Workbench(a_desktop)
    bench.connection.choose(Choice(kind="remote", url=an_engine.url, key=an_engine.token))
    training = TrainingBench(bench)
    yield training
    training.close()
    bench.close()


@pytest.fixture
def a_panel(training, until):
    from PseudoNormalLib.panels.training_panel import TrainingPanel

    panel = TrainingPanel(training)
    panel.enter()
    until(lambda: panel.start.start_button.enabled, PATIENCE_S)
    yield panel
    panel.close()


@pytest.fixture
def a_scan(a_desktop):
    import numpy as np
    from PseudoNormalLib.scene.volumes import new_volume

    return new_volume(a_desktop.scene, "head", head(9)[0], np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_a_lab_trains_stops_goes_on_and_uses_what_it_promoted(
    a_panel, training, until, an_engine, a_scan, record_testsuite_property
):
    assert a_panel.start.recipe.name == "smile"
    assert "2 cases with an accepted mask (1 of them" in a_panel.start.material.text
    a_panel.start.settings_edit.text = f"{SMALL} steps=1000"
    a_panel.start.start_button.click()
    until(lambda: (training.current and training.current.over) or any("step" in each for each in training.watch.lines),
          PATIENCE_S)  # fmt: skip
    assert training.current.state == "running", training.current.error

    took = stopped(a_panel, training, until)
    record_testsuite_property("seconds from a click on Stop to the end of a real training", round(took, 2))
    assert took < 5  # alone on a machine it is under 2 s
    run = an_engine.data.parent / "store" / "trainings" / training.current.id / "run"
    assert (run / "checkpoint.pt").is_file()

    last = max(line["step"] for line in map(json.loads, (run / "log.jsonl").read_text().splitlines()))
    training.resume({"steps": last + 1})
    until(lambda: training.current.state in ("done", "failed"), PATIENCE_S)
    assert training.current.state == "done", training.current.error
    assert a_panel.state.message.text.startswith("Version 0.1 of brain-mr was made from 0: too few subjects to tell")
    steps = [x for x, _ in plotted(training.curves.losses.chart)["loss"]]
    assert steps == sorted(set(steps)) and steps[-1] == last + 1

    versions = a_panel.versions
    until(lambda: versions.table.rowCount == 2, PATIENCE_S)
    versions.table.setCurrentCell(0, 0)
    versions.promote_button.click()
    until(lambda: versions.question.isVisibleTo(a_panel.widget), PATIENCE_S)
    assert "it cannot be told whether it is worse" in versions.message.text
    versions.nevertheless_button.click()
    until(lambda: versions.table.item(0, 1).text() == "current", PATIENCE_S)
    assert generated_with(training, a_scan, until) == "0.1"
    versions.table.setCurrentCell(0, 0)
    versions.back_button.click()
    until(lambda: versions.table.item(1, 1).text() == "current", PATIENCE_S)
    assert generated_with(training, a_scan, until) == "0"

    a_panel.compare.image_selector.setCurrentNode(a_scan)
    assert {combo.currentData for combo in a_panel.compare.model_combos.values()} == {"brain-mr:0", "brain-mr:0.1"}
    a_panel.compare.start_button.click()
    until(lambda: a_panel.compare.outcome.text, PATIENCE_S)
    assert a_panel.compare.outcome.text.startswith("A (brain-mr:0): ")
    assert "\nB (brain-mr:0.1): " in a_panel.compare.outcome.text


def test_a_lab_trains_a_generator_and_the_next_training_learns_from_what_it_makes(
    a_panel, training, until, an_engine, record_testsuite_property
):
    start, box = a_panel.start, a_panel.database
    start.recipe_combo.setCurrentIndex(start.recipe_combo.findData("um"))
    small = " ".join(f"{name}={value}" for name, value in SMALL_GENERATOR.items())
    start.settings_edit.text = f"{small} minutes=1000 steps=2 workers=0 pool=4 batch=1 checks=0"
    start.start_button.click()
    until(lambda: training.current and training.current.state in ("done", "failed"), PATIENCE_S)
    assert training.current.state == "done", training.current.error
    until(lambda: box.build_button.enabled)

    box.count_spin.value = COUNT
    box.build_button.click()
    until(lambda: training.current.database)
    run = an_engine.data.parent / "store" / "trainings" / training.current.id / "run"
    until(lambda: len(list(run.glob("synthetic_*/record.json"))) >= 2, PATIENCE_S)
    took = stopped(a_panel, training, until)
    record_testsuite_property("seconds from a click on Stop to the end of making scans", round(took, 2))
    assert took < 5  # alone on a machine it is under 1 s
    there = {path: path.stat().st_mtime_ns for path in run.glob("synthetic_*/record.json")}
    assert 2 <= len(there) < COUNT

    a_panel.state.resume_button.click()
    until(lambda: training.current.state in ("done", "failed"), PATIENCE_S)
    assert training.current.state == "done", training.current.error
    assert training.current.result["made"] == COUNT - len(there)
    assert all(path.stat().st_mtime_ns == when for path, when in there.items())
    assert sorted(path.parent.name[-5:] for path in run.glob("synthetic_*/record.json")) == [
        f"{number:05d}" for number in range(1, COUNT + 1)
    ]
    assert a_panel.state.message.text.startswith(f"{COUNT} synthetic scans were made, ")
    assert a_panel.state.message.text.endswith(f"; {COUNT} were added to the case store.")
    until(lambda: box.sheet.widget.isVisibleTo(a_panel.widget))
    start.recipe_combo.setCurrentIndex(start.recipe_combo.findData("smile"))
    until(lambda: f"1 without one and {COUNT} synthetic ones." in start.material.text, PATIENCE_S)


def stopped(panel, training, until):
    """Press Stop; the seconds until it was stopped."""
    began = time.monotonic()
    panel.state.stop_button.click()
    until(lambda: training.current.over)
    assert training.current.state == "stopped", training.current.error
    return time.monotonic() - began


def generated_with(training, scan, until):
    """The version of the model with which the next pseudo-normal is made, where nobody names one."""
    from PseudoNormalLib.generate import GenerateRequest

    generate, ends = training.bench.generate, []
    generate.finished.connect(ends.append)
    generate.failed.connect(ends.append)
    generate.start(GenerateRequest(scan))
    until(lambda: ends, PATIENCE_S)
    report = generate.generated.report
    assert not isinstance(ends[0], str), ends
    return report["model"]["version"]
