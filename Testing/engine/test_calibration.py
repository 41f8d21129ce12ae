"""Choosing how a restorer's answers are fused: what is gained, and what no family may pay."""

from __future__ import annotations

import numpy as np
import pytest

from pseudonormal.evaluate.calibration import WORST_LOSS_DB, FusionRow, choose_fusion
from pseudonormal.models.bundle import Calibration
from pseudonormal.recipes.fusion import share_of, start_share


def rows(family, stray, void, guided, start=1.0, count=20, *, volume_ml=1.0):
    """Lesions whose errors in "void", "guided" and the classical fill are independent and of these sizes."""
    return [FusionRow(family, stray, volume_ml, np.diag([void**2, guided**2, start**2])) for _ in range(count)]


def test_what_strays_little_is_trusted_and_what_strays_far_is_not():
    given = rows("clear", 0.3, 0.1, 0.05) + rows("opaque", 6.0, 0.1, 0.4)
    reach = choose_fusion(given, Calibration()).guided_reach
    assert share_of(0.3, reach) > 0.6
    assert share_of(6.0, reach) < 0.15


def test_no_family_pays_for_the_others():
    given = rows("clear", 1.0, 0.1, 0.01, count=100) + rows("opaque", 1.0, 0.1, 1.0, count=5)
    chosen = choose_fusion(given, Calibration())
    loss = np.mean([row.gain_db(chosen.guided_reach, chosen.start_share) for row in given if row.family == "opaque"])
    assert loss >= -WORST_LOSS_DB


def test_a_classical_fill_that_is_better_gets_a_share():
    assert choose_fusion(rows("any", 1.0, 0.1, 0.1, start=0.08), Calibration()).start_share > 0
    assert choose_fusion(rows("any", 1.0, 0.1, 0.1, start=5.0), Calibration()).start_share == 0


def test_the_gain_is_that_of_the_mixture():
    rng = np.random.default_rng(0)
    errors = rng.normal(0, [[0.1], [0.2], [0.3]], (3, 1000))
    row = FusionRow("any", 1.0, 1.0, errors @ errors.T / 1000)
    guided, start = share_of(1.0, 2.0), start_share(1.0, 0.4)
    mixed = (1 - start) * ((1 - guided) * errors[0] + guided * errors[1]) + start * errors[2]
    expected = -10 * np.log10((mixed**2).mean() / (errors[0] ** 2).mean())
    assert row.gain_db(2.0, 0.4) == pytest.approx(expected, abs=0.01)


def test_other_numbers_stay():
    start = Calibration(lesion_threshold=0.37, least_ml=0.05)
    chosen = choose_fusion(rows("clear", 0.5, 0.1, 0.05), start)
    assert (chosen.lesion_threshold, chosen.least_ml) == (0.37, 0.05)
