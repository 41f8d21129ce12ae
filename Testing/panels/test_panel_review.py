"""The annotator's panel with a real engine and its store: take a case, decide, draw, undo, save, accept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from PseudoNormalLib.engine.transfer import decode
from Testing.drawn_heads import add_drawn_head

SHAPE = (20, 36, 32)
MATRIX = np.array([[-0.9, 0.1, 0, 14], [0.1, 0.9, 0, -18], [0, 0, 2.5, 30], [0, 0, 0, 1.0]])


def two_lesions():
    z, y, x = np.indices(SHAPE)
    large = (z - 10) ** 2 + (y - 18) ** 2 + (x - 22) ** 2 < 5**2
    return large | ((z - 9) ** 2 + (y - 12) ** 2 + (x - 8) ** 2 < 3**2)


@pytest.fixture
def add_case(a_store, tmp_path):
    """Adds a case of its own, more urgent than those before it: two bright lesions with their difference map."""
    return lambda: add_drawn_head(a_store, tmp_path, two_lesions(), MATRIX, centre=(10, 18, 16), radii=(9, 16, 14))


@pytest.fixture
def a_panel(a_served_bench):
    """The panel, entered by Ada."""
    from PseudoNormalLib.panels.review_panel import ReviewPanel
    from PseudoNormalLib.review.bench import ReviewBench

    review = ReviewBench(a_served_bench)
    panel = ReviewPanel(review)
    panel.enter()
    panel.store.name_edit.text = "Ada"
    panel.store.name_edit.editingFinished.emit()
    yield panel
    panel.close()


@pytest.fixture
def review(a_panel):
    return a_panel._review


@pytest.fixture
def put_away(review, until):
    """Puts the open case away and waits for it."""

    def away():
        gone = []
        review.desk.close(lambda: gone.append(True))
        until(lambda: gone)

    return away


@pytest.fixture
def an_open_case(a_panel, review, add_case, until, put_away):
    """The newest case, opened by Next case."""
    case = add_case()
    a_panel.worklist.next_button.click()
    until(lambda: review.session is not None)
    assert review.session.id == case
    yield review.session
    put_away()


def press(key):
    """As a key on the main window does."""
    import qt

    for shortcut in slicer.util.mainWindow().findChildren(qt.QShortcut):
        if shortcut.key.toString() == key:
            shortcut.activated.emit()
            return
    raise AssertionError(f"nothing listens to {key}")


def test_without_a_name_no_case_can_be_taken_and_the_buttons_say_why(a_served_bench):
    from PseudoNormalLib.panels.review_panel import ReviewPanel
    from PseudoNormalLib.review.bench import ReviewBench

    panel = ReviewPanel(ReviewBench(a_served_bench))
    assert not panel.worklist.next_button.enabled and "name" in panel.worklist.next_button.toolTip
    assert not panel.store.widget.collapsed and "name" in panel.store.message.text
    for button in (panel.decisions.accept_button, panel.verdict.accept_button, panel.regenerate.start_button):
        assert not button.enabled and button.toolTip == "No case is open"
    panel.close()


def test_an_engine_on_this_computer_needs_a_store_folder(a_panel, review, tmp_path):
    connection = review.bench.connection
    connection.choose(replace(connection.choice, kind="local", python=str(tmp_path / "python")))
    assert "folder" in a_panel.store.message.text and not a_panel.worklist.next_button.enabled
    a_panel.store.folder_edit.currentPath = str(tmp_path / "store")
    assert connection.choice.store == str(tmp_path / "store") and not review.obstacle()


def test_next_opens_the_case_with_its_findings_side_by_side(a_panel, review, an_open_case):
    assert a_panel.decisions.table.rowCount == 2
    assert a_panel.decisions.summary.text.startswith("2 findings")
    assert review.bench.comparison.case == an_open_case.case
    assert a_panel.worklist.message.text == f"Open: {an_open_case.id}"


def test_the_list_shows_cases_filters_them_and_opens_the_chosen_one(a_panel, review, add_case, until, put_away):
    case = add_case()
    a_panel.worklist.text_edit.text = case
    a_panel.worklist.text_edit.editingFinished.emit()
    until(lambda: a_panel.worklist.table.rowCount == 1)
    assert [a_panel.worklist.table.item(0, column).text() for column in (0, 1, 3)] == [case, "New", "2"]
    assert not a_panel.worklist.open_button.enabled
    a_panel.worklist.table.setCurrentCell(0, 0)
    a_panel.worklist.open_button.click()
    until(lambda: review.session is not None)
    until(lambda: a_panel.worklist.table.item(0, 6).text() == "Ada")
    a_panel.worklist.status_combo.setCurrentIndex(a_panel.worklist.status_combo.findData("rejected"))
    until(lambda: a_panel.worklist.table.rowCount == 0)
    put_away()


def test_keys_decide_about_findings_and_undo_brings_a_rejected_one_back(a_panel, an_open_case):
    table = a_panel.decisions.table
    press("A")
    assert table.item(0, 4).text() == "accepted" and table.currentRow() == 1
    press("X")
    assert table.rowCount == 1 and not an_open_case.editor.mask[9, 12, 8]
    press("Ctrl+Z")
    assert table.rowCount == 2 and (an_open_case.editor.mask == two_lesions()).all()
    press("Ctrl+Y")
    assert table.rowCount == 1
    a_panel.decisions.undo_button.click()
    press("N")
    press("K")
    assert {table.item(row, 4).text() for row in range(2)} <= {"accepted", "kept"}


def test_a_click_on_a_finding_moves_the_views_to_it(a_panel, review, an_open_case):
    from PseudoNormalLib.scene.navigation import place

    a_panel.decisions.table.setCurrentCell(1, 0)
    assert an_open_case.walk.current == 2
    assert place(review.host.scene) == pytest.approx(an_open_case.walk.findings[1].centroid_ras)


def test_the_brush_grows_where_the_mouse_is_and_its_size_follows_keys_and_slider(a_panel, review, an_open_case):
    an_open_case.editor.replace(two_lesions() & (np.indices(SHAPE)[2] < 22))
    lesion = an_open_case.walk.findings[0].centroid_ras
    review.host.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCursorPositionRAS(lesion)
    a_panel.decisions.radius.value = 20
    press("]")
    assert review.radius_mm == 25 and a_panel.decisions.radius.value == 25
    a_panel.decisions.threshold.value = 3.5
    press("G")
    assert (an_open_case.editor.mask == two_lesions()).all()
    a_panel.decisions.threshold.value = 9
    press("H")
    assert not an_open_case.editor.mask[10, 18, 22]


def test_accepting_saves_the_mask_and_opens_the_next_case(a_panel, review, an_open_case, a_store, until):
    case, mask = an_open_case.id, two_lesions()
    mask[3:5, 3:5, 3:5] = True
    an_open_case.editor.replace(mask)
    a_panel.verdict.comment_edit.text = "clear"
    press("Ctrl+Return")
    until(lambda: a_store.case(case).status == "accepted")
    until(lambda: review.session is not an_open_case and not review.desk.opening)
    revision = a_store.history(case)[-1]
    assert (revision.author, revision.comment, revision.state) == ("Ada", "clear", "accepted")
    stored = a_store.mask_path(revision.id)
    assert ((decode(stored.read_bytes(), stored.name).array > 0) == mask).all()


def test_a_case_is_rejected_only_with_a_reason(a_panel, review, an_open_case, a_store, until):
    assert not a_panel.verdict.reject_button.enabled and "comment" in a_panel.verdict.reject_button.toolTip
    a_panel.verdict.comment_edit.text = "motion"
    a_panel.verdict.next_check.checked = False
    a_panel.verdict.reject_button.click()
    until(lambda: review.session is None)
    until(lambda: a_store.case(an_open_case.id).leased_by is None)
    assert a_store.history(an_open_case.id)[-1].comment == "motion"
    assert a_panel.decisions.summary.text == "No case is open."


def test_a_draft_is_saved_by_key_and_the_panel_says_so(a_panel, an_open_case, a_store, until):
    an_open_case.editor.replace(np.roll(two_lesions(), 1, axis=1))
    press("Ctrl+S")
    until(lambda: a_panel.verdict.state.text.startswith("Revision 2 (Draft) saved at"))
    assert a_store.case(an_open_case.id).status == "draft"


def test_a_key_draws_what_is_not_to_be_trusted_and_it_is_saved_with_the_case(a_panel, an_open_case, a_store, until):
    from PseudoNormalLib.scene.lesions import DISTRUSTED_ID, SEGMENT_ID

    box, settings = a_panel.editor, an_open_case.editor._history.node
    assert box.widget.collapsed and box.lesion_button.checked and not box.distrusted_note.text
    press("D")
    assert not box.widget.collapsed and box.distrusted_button.checked and not box.lesion_button.checked
    assert settings.GetSelectedSegmentID() == DISTRUSTED_ID
    an_open_case.editor.replace(two_lesions(), np.roll(two_lesions(), 1, axis=1))
    volume_ml = two_lesions().sum() * np.linalg.det(-MATRIX[:3, :3]) / 1000
    assert box.distrusted_note.text.startswith(f"{volume_ml:.2f} ml are not to be trusted")
    settings.SetSelectedSegmentID(SEGMENT_ID)  # as by a click in the Segment Editor's own table
    assert box.lesion_button.checked and not box.distrusted_button.checked
    box.lesion_button.click()
    assert box.lesion_button.checked, "what is drawn is pressed, however often one presses it"
    press("Ctrl+S")
    until(lambda: "saved at" in a_panel.verdict.state.text)
    weights = a_store.weights_path(a_store.history(an_open_case.id)[-1].id)
    stored = decode(weights.read_bytes(), weights.name).array
    assert np.array_equal(stored, np.where(np.roll(two_lesions(), 1, axis=1), 0, 1))
    press("Ctrl+Z")
    assert not box.distrusted_note.text


def test_a_lost_connection_is_told_and_nothing_is_lost(a_panel, review, an_open_case, an_engine, a_store, until):
    connection = review.bench.connection
    good = connection.choice
    connection.choose(replace(good, url="http://127.0.0.1:9"))
    an_open_case.editor.replace(np.roll(two_lesions(), 1, axis=1))
    a_panel.verdict.save_button.click()
    until(lambda: a_panel.verdict.state.text.startswith("Not saved yet, but kept on this computer"))
    connection.choose(good)
    a_panel.verdict.save_button.click()
    until(lambda: "saved at" in a_panel.verdict.state.text)
    assert a_store.case(an_open_case.id).status == "draft"


def test_another_reading_is_shown_with_its_dice(a_panel, an_open_case, until):
    an_open_case.editor.replace(np.zeros(SHAPE, bool))
    press("Ctrl+S")
    until(lambda: a_panel.readings.table.rowCount == 2)
    assert not a_panel.readings.show_button.enabled
    a_panel.readings.table.setCurrentCell(1, 0)
    a_panel.readings.show_button.click()
    until(lambda: a_panel.readings.overlap.text.startswith("Dice 0.000"))
    press("Ctrl+Z")
    assert a_panel.readings.overlap.text.startswith("Dice 1.000")
    a_panel.readings.table.selectAll()
    a_panel.readings.consensus_button.click()
    until(lambda: a_panel.readings.table.rowCount == 4)  # the draft that was saved first, then the consensus
    assert a_panel.readings.table.item(0, 1).text() == "Consensus"
    a_panel.readings.hide_button.click()
    assert a_panel.readings.overlap.text == ""


def test_a_question_mark_unfolds_the_keys_and_leaving_takes_them_away(a_panel):
    press("?")
    assert not a_panel.keys.collapsed and "Grow" in a_panel.help.plainText
    a_panel.leave()
    with pytest.raises(AssertionError, match="nothing listens"):
        press("A")


def test_the_module_opens_and_keeps_unsaved_work_when_slicer_ends(
    a_served_bench, a_slicer, add_case, until, monkeypatch
):
    monkeypatch.setattr(
        slicer.util, "getModuleLogic", lambda name: SimpleNamespace(bench=a_served_bench), raising=False
    )
    import PseudoNormalReview

    parent = SimpleNamespace()
    PseudoNormalReview.PseudoNormalReview(parent)
    assert parent.title == "PseudoNormal Review" and "Segmentations" in parent.dependencies
    case = add_case()
    a_served_bench.host.settings.set("PseudoNormal/Review/Annotator", "Ada")
    widget = PseudoNormalReview.PseudoNormalReviewWidget()
    widget.setup()
    widget.enter()
    review = widget.logic.review
    review.desk.open(case, "Ada")
    until(lambda: review.session is not None)
    review.session.editor.replace(np.roll(two_lesions(), 2, axis=0))
    widget.exit()
    widget.cleanup()
    assert len(list((a_served_bench.host.data_folder / "journal").glob("[!.]*.npz"))) == 1
    PseudoNormalReview.PseudoNormalReviewTest().runTest()


def test_the_panel_can_be_looked_at(a_panel, an_open_case, qt_app, until, tmp_path):
    press("A")
    an_open_case.editor.replace(two_lesions() | np.roll(two_lesions(), 1, axis=1))
    press("Ctrl+S")
    until(lambda: "saved at" in a_panel.verdict.state.text)
    a_panel.store.widget.collapsed = True
    a_panel.readings.widget.collapsed = False
    until(lambda: a_panel.worklist.table.rowCount > 0)
    a_panel.widget.resize(460, 1480)
    qt_app.processEvents()
    picture = a_panel.widget.grab()
    assert picture.save(str(tmp_path / "panel-review.png"))
    assert not picture.toImage().allGray()
