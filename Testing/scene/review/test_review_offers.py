"""What can be done in a review, what is said about it, and what the keys do: the same in every host."""

from __future__ import annotations

import pytest
from PseudoNormalLib.engine.connection import REMOTE, Choice
from PseudoNormalLib.review.actions import actions
from PseudoNormalLib.review.keys import shortcuts
from Testing.scene.review.conftest import block
from Testing.story import Sitting


@pytest.fixture
def ada(an_engine, tmp_path):
    sitting = Sitting(tmp_path / "Lékař", Choice(kind=REMOTE, url=an_engine.url, key=an_engine.token))
    yield sitting
    sitting.close()


@pytest.fixture
def review(ada):
    return ada.review


def test_without_a_case_every_offer_says_why_not_and_every_key_does_nothing(review):
    review.taking.choose("case-1")
    assert [name for name, offer in review.taking.offers().items() if offer.stands] == ["refresh", "next", "open"]
    for part in (review.deciding, review.drawing, review.verdict, review.readings):
        for name, offer in part.offers().items():
            assert not offer.stands and offer.line == offer.reason == "No case is open", name
    shown = []
    does = actions(review, lambda: shown.append(True))
    assert set(does) == {shortcut.action for shortcut in shortcuts()}
    for name in set(does) - {"flicker"}:
        does[name]()
    assert shown and review.session is None and review.deciding.rows() == []


def test_without_a_name_no_case_can_be_taken(review):
    review.sign("")
    assert "name" in review.taking.offers()["next"].reason and "name" in review.where()
    review.sign("Ada")
    assert review.taking.offers()["next"].stands and "server" in review.where()


def test_the_keys_decide_draw_and_save(ada, review, add_case, a_store):
    case = add_case()
    session = ada.open(case)
    does = actions(review, lambda: None)
    assert review.deciding.current == 1 and review.deciding.summary().startswith("2 findings")
    does["accept_finding"]()
    assert review.deciding.rows()[0][-1] == "accepted" and review.deciding.current == 2
    before = session.editor.mask
    does["reject_finding"]()
    assert len(review.deciding.rows()) == 1
    does["undo"]()
    assert (session.editor.mask == before).all()
    does["redo"]()
    assert len(review.deciding.rows()) == 1
    told = []
    review.drawing.toggled.connect(lambda: told.append(review.drawing.distrusts))
    does["distrust"]()
    assert told == [True] and review.drawing.distrusts
    does["save"]()
    ada.until(lambda: "saved at" in review.verdict.line)
    assert a_store.history(case)[-1].state == "draft" and review.readings.revisions[0].state == "draft"


def test_a_verdict_asks_for_a_reason_and_then_the_case_is_put_away(ada, review, add_case, a_store):
    case = add_case()
    ada.open(case)
    assert not review.verdict.offers()["rejected"].stands and review.verdict.offers()["accepted"].stands
    review.verdict.finish("rejected")
    assert review.session is not None, "it says why in the comment first"
    review.verdict.write("moved")
    review.verdict.then_next = False
    review.verdict.finish("rejected")
    assert review.verdict.offers()["accepted"].reason == "It is being saved"
    ada.until(lambda: review.session is None)
    head = a_store.history(case)[-1]
    assert (head.state, head.comment) == ("rejected", "moved")


def test_another_reading_is_chosen_shown_and_held_against_the_mask(ada, review, add_case):
    session = ada.open(add_case())
    session.editor.replace(session.editor.mask | block(3, 30, 20))
    assert not review.readings.offers()["show"].stands
    review.readings.choose(review.readings.revisions[:1])
    review.readings.show()
    ada.until(lambda: review.readings.line)
    assert review.readings.line.startswith("Dice 0.") and review.readings.offers()["hide"].stands
    review.readings.hide()
    assert review.readings.line == "" and not review.readings.offers()["hide"].stands
