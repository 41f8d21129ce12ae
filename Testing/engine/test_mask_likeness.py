"""Drawn masks beside real ones: distributions that differ are told apart, copies are found out."""

from __future__ import annotations

import numpy as np
import pytest

from pseudonormal.evaluate.mask_likeness import likeness, likeness_markdown, likeness_plot


def discs(seed, count, radius, middle=16):
    rng = np.random.default_rng(seed)
    y, x = np.indices((32, 32))
    masks = []
    for _ in range(count):
        row, column = rng.normal(16, 3), rng.normal(middle, 2)
        masks.append(((y - row) ** 2 + (x - column) ** 2 < rng.normal(radius, 0.7) ** 2).astype(np.float32))
    return masks


def compared(real, drawn, training, sign=1):
    return likeness(real, drawn, training, [sign * float(mask.sum()) for mask in drawn])


def test_masks_of_one_kind_are_alike_and_others_are_not():
    training, unseen = discs(0, 40, 5), discs(1, 40, 5)
    alike = compared(unseen, discs(2, 40, 5), training)
    assert min(p for _, p in alike.tests.values()) > 0.01
    larger = compared(unseen, discs(3, 40, 8), training)
    assert larger.tests["size"][1] < 1e-6
    aside = compared(unseen, discs(4, 40, 5, middle=8), training)
    assert aside.tests["right"][1] < 1e-6
    assert aside.tests["front"][1] > 0.01
    assert aside.floor == alike.floor  # what the masks of the training themselves differ by


def test_masks_that_differ_from_those_learnt_from_are_no_fault_of_the_generator():
    found = compared(discs(1, 40, 8), discs(2, 40, 5), discs(0, 40, 5))
    assert found.tests["size"][1] < 1e-6
    assert found.floor["size"][1] < 1e-6


def test_copies_are_found_out_in_the_mirror_too():
    training, unseen = discs(0, 20, 5), discs(1, 20, 5)
    copied = compared(unseen, [*training[:5], *(mask[:, ::-1] for mask in training[5:10])], training)
    assert copied.copies == 1.0
    assert np.median(copied.nearest_drawn) > np.median(copied.nearest_real)


def test_whether_a_size_was_heard_is_told():
    drawn = [*discs(2, 12, 4), *discs(3, 12, 8)]
    assert compared(discs(1, 8, 5), drawn, discs(0, 8, 5)).heard == pytest.approx(1)
    assert compared(discs(1, 8, 5), drawn, discs(0, 8, 5), sign=-1).heard == pytest.approx(-1)


def test_what_is_shown():
    found = compared(discs(1, 12, 5), [*discs(2, 12, 5), np.zeros((32, 32), np.float32)], discs(0, 12, 5))
    assert found.empty == pytest.approx(1 / 13)
    text = likeness_markdown(found)
    assert "| elongation |" in text and "drawn masks that show nothing: 7.7%" in text
    assert likeness_plot(found)[:4] == b"\x89PNG"
    nothing = compared(discs(1, 8, 5), [np.zeros((32, 32), np.float32)] * 8, discs(0, 8, 5))
    assert nothing.empty == 1.0
    assert nothing.tests["size"] == (1.0, 0.0)
    assert "that were drawn: 0.00" in likeness_markdown(nothing)
