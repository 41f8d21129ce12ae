"""The lab's tab in a real browser, with an engine whose trainings are processes that say what a training says."""

from __future__ import annotations

import sys

import pytest
from Testing.browser.gateways import wait_for
from Testing.browser.opened_page import opened_page
from Testing.reviewed_cases import fill

from pseudonormal.models.comparison import Comparison, Difference
from pseudonormal.models.registry import Entry, Registry
from pseudonormal.store.store import Store

ENGINE = (sys.executable, "-m", "Testing.training_engine")


@pytest.fixture(scope="module")
def an_open_page(a_chromium, tmp_path_factory, models_folder):
    """The tab, opened, once the engine has said what it has."""
    folder = tmp_path_factory.mktemp("lab")
    store = Store.open(folder / "store")
    fill(store, folder)
    store.close()
    register(Registry(folder / "pseudonormal" / "registry"), models_folder / "brain-mr")
    known = {"PSEUDONORMAL_MODELS": str(models_folder)}
    with opened_page(a_chromium, folder, "--store", str(folder / "store"), engine=ENGINE, environment=known) as page:
        page.tab("Training")
        page.until("StartState__recipes")
        page.choose("Recipe", "smile")
        page.choose("Scans", "All, contrasts mixed")
        page.until("StartState__obstacle", lambda reason: not reason)
        yield page


def register(registry, bundle):
    """Three versions: the current one, a worse one and a better one."""
    registry.register(bundle, Entry("brain-mr", "0", None, "shipped", metrics={"dice": 0.60}))
    for version, dice, interval in (("0.1", 0.5, (-0.1, -0.2, -0.05)), ("0.2", 0.7, (0.1, 0.05, 0.2))):
        compared = {"0": Comparison(9, {"dice": Difference(*interval)})}
        entry = Entry("brain-mr", version, "0", version, metrics={"dice": dice}, comparisons=compared)
        registry.register(bundle, entry)


def begin(page, settings):
    """Start a training and wait until it is followed."""
    before = len(page.state("QueueState__rows"))
    page.page.get_by_label("Settings").fill(settings)
    page.until("StartState__settings", lambda told: told == settings)
    page.press("Start")
    page.until("QueueState__rows", lambda rows: len(rows) > before)


def test_what_would_be_learnt_from_is_counted_and_a_wrong_setting_is_told(an_open_page):
    page = an_open_page
    assert page.state("StartState__material").startswith("It would use 4 cases with an accepted mask")
    assert page.state("StartState__explanation")
    page.page.get_by_label("Settings").fill("batch=1 nonsense")
    assert "nonsense" in page.until("StartState__obstacle")
    assert page.page.get_by_role("button", name="Start", exact=True).is_disabled()
    page.page.get_by_label("Settings").fill("")
    page.page.get_by_label("Minutes").fill("0")
    assert page.until("StartState__obstacle", lambda line: "minutes" in line)
    page.page.get_by_label("Minutes").fill("10")
    page.until("StartState__obstacle", lambda reason: not reason)


def test_curves_grow_and_a_training_is_stopped_and_resumed(an_open_page):
    page = an_open_page
    begin(page, "steps=5000 pause=0.02")
    page.until("TrainingState__line", lambda line: line.startswith("smile · running · learning"))
    page.until("CurvesState__charts", lambda charts: len(charts) == 2 and "polyline" in charts[1]["drawing"])
    assert page.page.locator(".pn-chart .pn-curve").count() == 2
    assert [chart["title"] for chart in page.state("CurvesState__charts")][1] == "Training: Dice, cases kept aside"
    page.until("CurvesState__example", lambda picture: picture.startswith("data:image/png;base64,"))
    wait_for(lambda: page.page.locator("img.pn-example").evaluate("image => image.naturalWidth") == 4)
    page.press("Stop")
    page.until("TrainingState__line", lambda line: line == "smile · stopped, saved")
    assert page.state("TrainingState__no_stop") == "Nothing is under way"
    page.press("Resume")
    page.until("TrainingState__line", lambda line: "running" in line)
    page.press("Stop")
    page.until("TrainingState__line", lambda line: line == "smile · stopped, saved")


def test_a_finished_training_says_what_it_made_and_the_list_follows_another(an_open_page):
    page = an_open_page
    begin(page, "steps=10")
    page.until("TrainingState__message", lambda line: line.startswith("Version 2.1 of brain-mr was made from 2: worse"))
    assert page.state("QueueState__current") == 0
    page.page.get_by_role("row", name="stopped, saved").first.click()
    page.until("QueueState__current", lambda row: row == 1)
    page.until("TrainingState__line", lambda line: line == "smile · stopped, saved")


def test_a_worse_version_is_promoted_only_after_a_second_question_and_rolled_back(an_open_page):
    page = an_open_page
    rows = page.until("VersionsState__rows", lambda rows: len(rows) == 3)
    assert [row[:2] for row in rows] == [
        ["brain-mr:0.2", "candidate"],
        ["brain-mr:0.1", "candidate"],
        ["brain-mr:0", "current"],
    ]
    page.page.get_by_role("row", name="brain-mr:0.1").click()
    assert page.until("VersionsState__compared") == "Against 0: worse; Dice -0.1 (-0.2 … -0.05)"
    page.press("Promote")
    page.until("VersionsState__asked")
    assert "is worse than the current version 0" in page.state("VersionsState__message")
    page.press("Leave it")
    page.until("VersionsState__asked", lambda asked: not asked)
    page.press("Promote")
    page.until("VersionsState__asked")
    page.press("Promote it nevertheless")
    page.until("VersionsState__rows", lambda rows: rows[1][1] == "current")
    page.press("Roll back")
    page.until("VersionsState__rows", lambda rows: rows[2][1] == "current")


def test_a_generator_is_trained_its_scans_are_looked_at_and_a_database_is_built(an_open_page):
    page = an_open_page
    page.unfold("Build a synthetic database")
    assert page.state("DatabaseState__obstacle").startswith("There is no generator yet: train one")
    assert page.page.get_by_role("button", name="Preview", exact=True).is_disabled()
    page.choose("Recipe", "um")
    assert "begins from nothing" in page.until("StartState__anew")
    begin(page, "steps=10")
    page.until("TrainingState__message", lambda line: line.startswith("A generator was made, and no version"))
    page.until("DatabaseState__obstacle", lambda reason: reason == "")
    assert page.state("DatabaseState__generators")[0]["title"].endswith("from 3 subjects")
    page.press("Preview")
    page.until("TrainingState__message", lambda line: line.startswith("6 synthetic scans were made to look at"))
    wait_for(lambda: page.page.locator("img.pn-sheet").evaluate("image => image.naturalWidth") == 4)
    assert page.state("CurvesState__example") == "" and "no curves" in page.state("CurvesState__no_example")
    page.page.get_by_label("Synthetic scans").fill("1.5")
    assert "whole number" in page.until("DatabaseState__no_count")
    assert page.page.get_by_role("button", name="Build", exact=True).is_disabled()
    page.page.get_by_label("Synthetic scans").fill("300")
    page.until("DatabaseState__no_count", lambda reason: reason == "")
    page.press("Build")
    page.until("TrainingState__line", lambda line: line.startswith("um: 300 scans · running") and "s left" in line)
    page.press("Stop")
    page.until("TrainingState__line", lambda line: line == "um: 300 scans · stopped, saved")
    page.press("Resume")
    page.until("TrainingState__message", lambda line: line.endswith("300 were added to the case store."))
    assert page.state("QueueState__rows")[0][1:4:2] == ["um: 300 scans", "done"]


def test_two_models_are_compared_side_by_side_on_the_scan_that_is_open(an_open_page, a_head):
    page = an_open_page
    page.tab("Scan")
    assert page.open(a_head.scan)[0] == "done"
    page.tab("Training")
    page.unfold("Compare two models on a scan")
    models = page.until("CompareState__models", lambda models: len(models) == 3)
    assert page.state("CompareState__a") == "brain-mr:0" and page.state("CompareState__b") == models[0]["value"]
    page.until("CompareState__obstacle", lambda reason: reason == "")
    scans = {each["value"]: each["title"] for each in page.state("CompareState__scans")}
    assert scans[page.state("CompareState__scan")] == "head"
    page.press("Compare")
    page.until("CompareState__message", lambda line: line.startswith("A (brain-mr:0): 1 finding"))
    shown = [page.page.locator(f"[data-view='PseudoNormal-{name}-Axial']") for name in ("normal_a", "difference_b")]
    for view in shown:
        view.wait_for()
    page.choose("Model A", "brain-mr:0.2")
    assert page.until("CompareState__obstacle") == "Choose two different models"
    page.tab("Scan")
    page.page.locator("[data-view='PseudoNormal-difference-Axial']").wait_for()
    shown[0].wait_for(state="detached")
