"""The lab's panel with a real engine, whose trainings are real processes that say what a training says."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
import slicer
from Testing.engine_process import running_engine
from Testing.plotted import plotted
from Testing.reviewed_cases import fill
from Testing.training_engine import SERVE

from pseudonormal.models.registry import Entry, Registry
from pseudonormal.store.store import Store

LONG = "steps=5000 pause=0.02"


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """A real engine with reviewed cases, as on a server; only its trainings are pretended."""
    folder = tmp_path_factory.mktemp("engine")
    store = Store.open(folder / "store")
    fill(store, folder)
    store.close()
    with running_engine(models_folder, folder / "data", folder / "store", program=SERVE, queue=2) as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def training(a_served_bench):
    from PseudoNormalLib.training.bench import TrainingBench

    training = TrainingBench(a_served_bench)
    yield training
    training.close()


@pytest.fixture
def a_panel(training, an_engine, until):
    """The panel, entered, once the engine has said what it has; at its end nothing is being trained any more."""
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.panels.training_panel import TrainingPanel

    panel = TrainingPanel(training)
    panel.enter()
    until(lambda: training.recipes)
    choose(panel.start.recipe_combo, "smile")
    choose(panel.start.contrast_combo, "any")
    until(lambda: panel.start.start_button.enabled)
    yield panel
    panel.close()
    routes = EngineClient(an_engine.url, an_engine.token).trainings
    for each in routes.all():
        routes.stop(each.id)


@pytest.fixture
def a_registry(an_engine, models_folder):
    """The engine's registry with three versions: the shipped one, a worse one and a better one."""
    registry = Registry(an_engine.data.parent / "user" / "pseudonormal" / "registry")
    if not registry.names():
        bundle = models_folder / "brain-mr"
        registry.register(bundle, Entry("brain-mr", "0", None, "shipped", metrics={"dice": 0.60}))
        for version, dice, interval in (("0.1", 0.5, (-0.1, -0.2, -0.05)), ("0.2", 0.7, (0.1, 0.05, 0.2))):
            registry.register(bundle, an_entry(version, dice, interval))
    return registry


def an_entry(version, dice, interval):
    from pseudonormal.models.comparison import Comparison, Difference

    compared = {"0": Comparison(9, {"dice": Difference(*interval)})}
    return Entry("brain-mr", version, "0", version, metrics={"dice": dice}, comparisons=compared)


def choose(combo, value):
    combo.setCurrentIndex(combo.findData(value))


def begin(panel, until, settings=LONG):
    """Start a training by the button and wait until it is followed."""
    before = {each.id for each in panel._training.watch.trainings}
    panel.start.settings_edit.text = settings
    panel.start.start_button.click()
    until(lambda: panel._training.current is not None and panel._training.current.id not in before)
    return panel._training.current.id


def state_of(training):
    return training.current.state if training.current is not None else None


def test_every_recipe_is_explained_and_only_those_that_learn_can_be_started(a_panel, training):
    names = [recipe.name for recipe in training.recipes]
    assert a_panel.start.recipe_combo.count == len(names) and {"smile", "lesion", "biharmonic"} <= set(names)
    for recipe in training.recipes:
        choose(a_panel.start.recipe_combo, recipe.name)
        assert a_panel.start.explanation.text == recipe.explanation
        assert a_panel.start.start_button.enabled == recipe.trainable
    assert a_panel.start.start_button.toolTip == "This recipe cannot learn from a case store: choose another one"


def test_what_it_would_use_is_counted_and_what_stands_in_the_way_is_said(a_panel, until):
    words = a_panel.start.material.text
    assert words.startswith("It would use 4 cases with an accepted mask (0 of them with")
    choose(a_panel.start.contrast_combo, "t2")
    until(lambda: not a_panel.start.start_button.enabled)
    assert "no case of contrast t2 is accepted" in a_panel.start.start_button.toolTip
    assert "no case of contrast t2 is accepted" in a_panel.start.material.text


def test_an_answer_that_comes_after_a_newer_one_is_not_shown(a_panel, training, until, monkeypatch):
    from PseudoNormalLib.engine.training_routes import TrainingRoutes

    ask, newer, answered = TrainingRoutes.material, threading.Event(), []

    def slow_for_all(routes, contrast=""):
        if contrast == "any":
            newer.wait(30)
        answered.append(contrast)
        return ask(routes, contrast)

    monkeypatch.setattr(TrainingRoutes, "material", slow_for_all)
    training.refresh()
    choose(a_panel.start.contrast_combo, "t2")
    until(lambda: not a_panel.start.start_button.enabled)
    newer.set()
    until(lambda: "any" in answered)
    until_settled = time.monotonic() + 0.5
    until(lambda: time.monotonic() > until_settled)
    assert "no case of contrast t2 is accepted" in a_panel.start.material.text


def test_wrong_settings_keep_start_from_being_pressed(a_panel):
    a_panel.start.settings_edit.text = "batch=1 nonsense"
    assert not a_panel.start.start_button.enabled and "nonsense" in a_panel.start.start_button.toolTip
    a_panel.start.settings_edit.text = "batch=1"
    assert a_panel.start.start_button.enabled


def test_state_bar_time_and_numbers_are_always_in_view_and_curves_grow(a_panel, training, until):
    begin(a_panel, until)
    until(lambda: len(plotted(training.curves.dice.chart).get("dice", ())) >= 2)
    assert a_panel.state.state.text.startswith("smile · running · learning · ")
    assert "min left" in a_panel.state.state.text and a_panel.state.bar.value > 0
    assert "loss" in a_panel.state.metrics.text and "dice" in a_panel.state.metrics.text
    assert len(plotted(training.curves.losses.chart)["loss"]) >= 2
    assert a_panel.curves.views[0].mrmlPlotViewNode() is training.curves.losses.view
    until(lambda: a_panel.curves.example.widget.isVisibleTo(a_panel.widget))
    assert not a_panel.curves.example_note.isVisibleTo(a_panel.widget)


def test_a_training_is_stopped_within_two_seconds_and_goes_on(
    a_panel, training, until, an_engine, record_testsuite_property
):
    begun = begin(a_panel, until)
    until(lambda: any("step" in line for line in training.watch.lines))
    assert not a_panel.state.resume_button.enabled
    began = time.monotonic()
    a_panel.state.stop_button.click()
    assert not a_panel.state.stop_button.enabled and a_panel.state.stop_button.toolTip == "It is being stopped"
    until(lambda: state_of(training) == "stopped")
    took = time.monotonic() - began
    record_testsuite_property("seconds from a click on Stop to a saved, ended training", round(took, 2))
    assert took < 5  # alone on a machine it is under 1 s
    saved = int((an_engine.data.parent / "store" / "trainings" / begun / "run" / "count").read_text())
    assert saved >= training.watch.lines[-2]["step"]
    assert a_panel.state.state.text == "smile · stopped, saved"
    a_panel.state.resume_button.click()
    until(lambda: any(line.get("step", 0) > saved for line in training.watch.lines))
    assert training.current.id == begun
    steps = [line["step"] for line in training.watch.lines if "step" in line]
    assert steps == sorted(set(steps))


def test_a_finished_training_says_what_it_made_and_how_it_compares(a_panel, training, until):
    begin(a_panel, until, "steps=10")
    until(lambda: state_of(training) == "done")
    assert a_panel.state.message.text == ("Version 2.1 of brain-mr was made from 2: worse; Dice -0.05 (-0.08 … -0.02).")
    assert a_panel.state.bar.value == a_panel.state.bar.maximum


def test_a_failure_that_names_its_remedy_can_be_resumed_with_it(a_panel, training, until):
    begin(a_panel, until, "steps=30 fate=killed")
    until(lambda: state_of(training) == "failed")
    assert "ran out of memory" in a_panel.state.message.text
    assert a_panel.state.remedy_button.isVisibleTo(a_panel.widget)
    assert a_panel.state.remedy_button.text == "Resume with batch=1"
    a_panel.state.remedy_button.click()
    until(lambda: training.current.settings.get("batch") == "1")


def test_the_queue_shows_what_waits_and_a_click_follows_another_training(a_panel, training, until):
    first, second = begin(a_panel, until), begin(a_panel, until, "steps=10")
    table = a_panel.queue.table
    until(lambda: table.rowCount >= 2 and table.item(0, 3).text() == "waiting, 1 before it")
    assert [training.watch.trainings[row].id for row in (0, 1)] == [second, first]
    assert a_panel.queue.message.text == "1 waiting" and a_panel.state.state.text == "smile · waiting"
    table.cellClicked.emit(1, 0)
    until(lambda: training.current.id == first)
    a_panel.state.stop_button.click()
    until(lambda: state_of(training) == "stopped")
    table.cellClicked.emit(0, 0)
    until(lambda: training.current.id == second and state_of(training) == "done")


def test_a_full_queue_is_told(a_panel, training, until):
    for settings in (LONG, LONG, LONG):
        begin(a_panel, until, settings)
    a_panel.start.start_button.click()
    until(lambda: "2 trainings waiting" in a_panel.state.message.text)


def test_a_generator_is_no_version_and_its_scans_are_looked_at_before_they_are_kept(
    a_panel, training, until, an_engine
):
    box = a_panel.database
    assert not box.preview_button.enabled and not box.build_button.enabled
    assert box.obstacle.text == (
        "There is no generator yet: train one with a recipe that makes scans (um, translation)"
    )
    choose(a_panel.start.recipe_combo, "um")
    assert not a_panel.start.model_combo.enabled and "begins from nothing" in a_panel.start.model_combo.toolTip
    begin(a_panel, until, "steps=10")
    until(lambda: state_of(training) == "done" and box.build_button.enabled)
    generator = training.current.id
    assert a_panel.state.message.text == (
        "A generator was made, and no version of a model. It can make scans now: see “Build a synthetic database”."
    )
    assert box.generator_combo.count == 1 and box.generator_combo.currentText.endswith(", from 3 subjects")
    assert box.generator.id == generator and not box.obstacle.isVisibleTo(a_panel.widget)

    box.preview_button.click()
    until(lambda: training.current.database is not None and state_of(training) == "done")
    assert a_panel.state.message.text == "6 synthetic scans were made to look at, 3 with a lesion; none was kept."
    until(lambda: box.sheet.widget.isVisibleTo(a_panel.widget))
    assert not a_panel.curves.example.widget.isVisibleTo(a_panel.widget)
    assert not a_panel.curves.views[0].isVisibleTo(a_panel.widget) and "no curves" in a_panel.curves.example_note.text
    assert a_panel.queue.table.item(0, 1).text() == "um: preview of 6 scans"

    box.count_spin.value = 300
    box.build_button.click()
    until(lambda: training.current.database["count"] == 300 and "s left" in a_panel.state.state.text)
    assert a_panel.state.state.text.startswith("um: 300 scans · running · ") and a_panel.state.bar.value > 0
    a_panel.state.stop_button.click()
    until(lambda: state_of(training) == "stopped")
    assert a_panel.state.state.text == "um: 300 scans · stopped, saved"
    a_panel.state.resume_button.click()
    until(lambda: state_of(training) == "done")
    assert a_panel.state.message.text == (
        "300 synthetic scans were made, 150 with a lesion; 300 were added to the case store."
    )
    table = a_panel.queue.table
    assert table.item(2, 0).text().endswith(table.item(0, 2).text()) and table.item(0, 2).text()
    assert training.current.database == {"generator": generator, "count": 300, "seed": 0, "keep": True}
    table.cellClicked.emit(2, 0)
    until(lambda: training.current.id == generator)
    assert a_panel.curves.views[0].isVisibleTo(a_panel.widget) and not box.sheet.widget.isVisibleTo(a_panel.widget)

    (an_engine.data.parent / "store" / "trainings" / generator / "run" / "generator.safetensors").unlink()
    box.build_button.click()
    until(lambda: "the files of that generator are gone" in a_panel.state.message.text)


def test_a_worse_version_is_promoted_only_after_a_second_question(a_panel, a_registry, until):
    versions = a_panel.versions
    a_panel._training.versions.refresh()
    until(lambda: versions.table.rowCount == 3)
    assert [versions.table.item(row, 0).text() for row in range(3)] == ["brain-mr:0.2", "brain-mr:0.1", "brain-mr:0"]
    assert not versions.promote_button.enabled and not versions.back_button.enabled
    versions.table.setCurrentCell(1, 0)
    assert versions.compared.text == "Against 0: worse; Dice -0.1 (-0.2 … -0.05)"
    assert not versions.question.isVisibleTo(a_panel.widget)
    versions.promote_button.click()
    until(lambda: versions.question.isVisibleTo(a_panel.widget))
    assert "is worse than the current version 0" in versions.message.text and "--force" not in versions.message.text
    assert a_registry.current("brain-mr").version == "0"
    versions.keep_button.click()
    assert versions.message.text == "" and not versions.question.isVisibleTo(a_panel.widget)
    versions.promote_button.click()
    until(lambda: versions.question.isVisibleTo(a_panel.widget))
    versions.nevertheless_button.click()
    until(lambda: versions.table.item(1, 1).text() == "current")
    assert a_registry.current("brain-mr").version == "0.1"
    versions.back_button.click()
    until(lambda: versions.table.item(2, 1).text() == "current")
    assert a_registry.current("brain-mr").version == "0"


def test_an_engine_without_a_store_is_told(a_panel, training, until, models_folder, tmp_path):
    from PseudoNormalLib.engine.connection import Choice

    with running_engine(models_folder, tmp_path / "data") as engine:
        training.bench.connection.choose(Choice(kind="remote", url=engine.url, key=engine.token))
        until(lambda: "--store" in a_panel.state.message.text)
    training.bench.connection.choose(Choice(kind="remote", url="http://127.0.0.1:9", key="x"))
    until(lambda: "cannot be reached" in a_panel.state.message.text)
    assert training.watch.trainings == () and a_panel.queue.table.rowCount == 0


def test_an_engine_on_this_computer_needs_a_store_folder(a_panel, training, tmp_path):
    from dataclasses import replace

    connection = training.bench.connection
    connection.choose(replace(connection.choice, kind="local", python=str(tmp_path / "python")))
    assert not a_panel.start.start_button.enabled and "folder" in a_panel.store_note.text
    a_panel.folder.edit.currentPath = str(tmp_path / "store")
    assert connection.choice.store == str(tmp_path / "store") and not training.obstacle()


def test_the_module_opens_leaves_and_tests_itself(a_served_bench, a_slicer, until, monkeypatch):
    monkeypatch.setattr(
        slicer.util, "getModuleLogic", lambda name: SimpleNamespace(bench=a_served_bench), raising=False
    )
    import PseudoNormalTraining

    parent = SimpleNamespace()
    PseudoNormalTraining.PseudoNormalTraining(parent)
    assert parent.title == "PseudoNormal Training" and "Plots" in parent.dependencies
    assert "not a medical device" in parent.helpText
    PseudoNormalTraining.PseudoNormalTrainingTest().runTest()
    widget = PseudoNormalTraining.PseudoNormalTrainingWidget()
    widget.setup()
    widget.enter()
    until(lambda: widget.logic.training.recipes)
    widget.exit()
    assert not widget.logic.training.watch.watching
    widget.cleanup()
