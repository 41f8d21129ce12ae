"""The Review tab in a real browser: doubt, other readings, regenerating, work that was overtaken."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.review.submitting import read_distrusted, read_mask
from Testing.browser.review_page import LEFT, RIGHT, two_lesions, written

from pseudonormal.store.store import Store


@pytest.fixture
def client(an_engine):
    return EngineClient(an_engine.url, an_engine.token)


def second_reading(store, case):
    """Somebody else's mask, accepted: every lesion one voxel further."""
    lease = store.lease(case, "Grace").token
    store.add_revision(case, np.roll(two_lesions(), 1, 2), lease=lease, state="accepted", parent=store.case(case).head)
    store.release(lease)


def test_doubt_is_drawn_and_another_reading_is_shown_agreed_with_and_restored_again(
    client, a_store, add_case, look_at, window
):
    case = add_case()
    second_reading(a_store, case)
    page = look_at(window)
    page.sign("Ada")
    page.take(case)
    theirs = page.volume()

    page.page.keyboard.press("d")
    page.until("EditorState__distrusts")
    page.press("Paint")
    page.drag(LEFT, RIGHT)
    page.said("ml are not to be trusted")
    assert page.volume() == theirs, "the lesion mask stays as it is"

    page.unfold("Other readings")
    page.reading("Seed")
    page.press("Show")
    page.said("Dice 0.8")
    page.reading("Grace")
    page.press("Consensus")
    both = page.volume(theirs)
    page.press("Hide")
    page.until("ReadingsState__line", lambda line: line == "")
    page.press("Undo")
    assert page.volume(both) == theirs
    page.press("Redo")
    assert page.volume(theirs) == both

    page.unfold("Pseudo-normal")
    page.press("Regenerate for this mask")
    page.until("RegenerateState__line", lambda line: line == "Done")
    page.press("Save a draft")
    page.said("(Draft) saved")
    page.page.get_by_text("Then open the next case").click()
    page.press("Accept the case")
    page.until("DecisionsState__summary", lambda line: line == "No case is open.")
    head = client.case(case).history[-1]
    assert head.state == "accepted" and read_distrusted(client, case, head).any()
    agreed = read_mask(client, case, head.id).array
    assert (agreed == agreed & (two_lesions() | np.roll(two_lesions(), 1, 2))).all() and agreed.any()


def test_work_that_somebody_overtook_is_offered_again_and_brought_back(client, a_store, add_case, look_at, open_window):
    case = add_case()
    with open_window() as killed:
        page = look_at(killed)
        untouched = page.paint_in(case)
        page.volume(untouched)
        mine = written(killed.data, lambda mask: (mask & ~two_lesions()).any())
        killed.process.kill()
        killed.process.wait()
    tomorrow = Store.open(a_store.folder, clock=lambda: datetime.now(timezone.utc) + timedelta(days=1))
    second_reading(tomorrow, case)  # Ada's lease has expired by then
    tomorrow.close()
    with open_window() as window:
        page = look_at(window)
        if page.state("AnnotatorState__name") != "Ada":
            page.sign("Ada")
        page.take(case)
        theirs = page.volume()
        page.until("ReadingsState__stranded")
        page.press("Bring back my earlier work")
        page.volume(theirs)
        page.press("Save a draft")
        page.said("(Draft) saved")
        head = client.case(case).history[-1]
        assert head.author == "Ada" and (read_mask(client, case, head.id).array == mine).all()
        page.until("ReadingsState__stranded", lambda stranded: not stranded)
