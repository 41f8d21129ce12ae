"""What was said about findings outlives their renumbering and the session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PseudoNormalLib.review.decisions import Decision, anchors, carry_over, from_anchors
from PseudoNormalLib.review.keys import help_text, shortcuts
from PseudoNormalLib.review.place import Place, from_comment, to_comment
from PseudoNormalLib.scene.findings import label_lesions


def two_lesions():
    mask = np.zeros((6, 12, 20), bool)
    mask[1:4, 2:6, 2:6] = True
    mask[1:3, 2:5, 12:15] = True
    return mask


def test_decisions_follow_their_voxels_when_a_lesion_outgrows_another():
    mask = two_lesions()
    before, _ = label_lesions(mask)
    mask[:, :, 10:19] = True  # the smaller one is the largest now
    after, count = label_lesions(mask)
    assert count == 2
    assert carry_over({1: Decision.ACCEPTED, 2: Decision.KEPT}, before, after) == {
        1: Decision.KEPT,
        2: Decision.ACCEPTED,
    }


def test_a_lesion_that_left_the_mask_and_came_back_is_open_again():
    mask = two_lesions()
    before, _ = label_lesions(mask)
    without, _ = label_lesions(mask & (before != 2))
    decisions = carry_over({1: Decision.ACCEPTED, 2: Decision.KEPT}, before, without)
    assert carry_over(decisions, without, before) == {1: Decision.ACCEPTED}


def test_lesions_that_grow_together_inherit_from_the_larger_one():
    mask = two_lesions()
    before, _ = label_lesions(mask)
    mask[1, 2, 2:15] = True
    after, count = label_lesions(mask)
    assert count == 1
    assert carry_over({1: Decision.KEPT, 2: Decision.ACCEPTED}, before, after) == {1: Decision.KEPT}


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.1]))
def test_anchors_bring_every_decision_back(seed, density):
    rng = np.random.default_rng(seed)
    labels, count = label_lesions(rng.random((8, 9, 10)) < density)
    said = {n: list(Decision)[rng.integers(1, 3)] for n in range(1, count + 1) if rng.random() < 0.7}
    place = Place("sitting", finding=min(count, 3), position=(1.5, -2.0, 0.25), decisions=anchors(said, labels))
    back = from_comment(to_comment(place))
    assert back == place
    assert from_anchors(back.decisions, labels) == said


def test_anchors_outside_every_finding_are_left_out():
    labels, _ = label_lesions(two_lesions())
    assert from_anchors([(0, Decision.ACCEPTED), (10**9, Decision.KEPT)], labels) == {}


def test_more_decisions_than_a_comment_holds_lose_the_smallest_findings_only():
    decisions = tuple((10_000_000 + 7 * n, Decision.KEPT) for n in range(1000))
    comment = to_comment(Place("0123456789abcdef", 1000, (-123.456, 0.0, 99.999), decisions))
    back = from_comment(comment)
    assert len(comment) <= 2000 and len(back.decisions) > 250
    assert back.decisions == decisions[: len(back.decisions)] and back.finding == 1000


@pytest.mark.parametrize("comment", ["", "looks fine to me", "[1, 2]", "{}", '{"place": {"sitting": "a"}}', "17"])
def test_a_comment_by_a_person_is_no_place(comment):
    assert from_comment(comment) is None


def test_every_action_has_its_own_key_and_the_help_names_them_all():
    keys = [shortcut.key for shortcut in shortcuts()]
    actions = [shortcut.action for shortcut in shortcuts()]
    assert len(set(keys)) == len(keys) and len(set(actions)) == len(actions)
    assert len(help_text().splitlines()) == len(keys)
