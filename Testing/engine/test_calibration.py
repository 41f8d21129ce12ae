from __future__ import annotations

import numpy as np

from pseudonormal.evaluate.calibration import WORST_LOSS_DB, GateRow, choose_gate
from pseudonormal.models.bundle import Calibration


def rows(family, ratio, kept, gain, count=20):
    return [GateRow(family, ratio, kept, 1.0, gain) for _ in range(count)]


def passes(row, calibration):
    return row.expected_ratio < calibration.guided_advantage and row.contrast_kept < calibration.most_contrast_left


def test_the_gate_lets_gains_through_and_keeps_losses_out():
    given = rows("clear", 0.58, 0.02, 3.0) + rows("opaque", 0.9, 0.22, -4.0)
    calibration = choose_gate(given, Calibration())
    assert all(passes(row, calibration) == (row.gain_db > 0) for row in given)


def test_no_family_pays_for_the_others():
    given = rows("clear", 0.6, 0.02, 5.0, 100) + rows("opaque", 0.6, 0.02, -(WORST_LOSS_DB + 1), 5)
    calibration = choose_gate(given, Calibration())
    assert not any(passes(row, calibration) for row in given)


def test_what_keeps_disease_is_never_let_through():
    given = rows("clear", 0.2, 0.5, 10.0)
    assert not any(passes(row, choose_gate(given, Calibration())) for row in given)


def test_other_numbers_stay():
    start = Calibration(lesion_threshold=0.37, least_ml=0.05)
    chosen = choose_gate(rows("clear", 0.5, 0.0, 1.0), start)
    assert (chosen.lesion_threshold, chosen.least_ml) == (0.37, 0.05)
    assert np.isfinite(chosen.guided_advantage)
