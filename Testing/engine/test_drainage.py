"""Where contrast agent gathers, told from an anatomical label map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pseudonormal.lesions.confounders import paint_agent
from pseudonormal.painting.drainage import Drainage, drainage

LEFT_WHITE, RIGHT_WHITE, VENTRICLE, LEFT_CEREBELLUM, RIGHT_CEREBELLUM = 2, 41, 4, 7, 46
MIRRORED = {2: 41, 41: 2, 7: 46, 46: 7, 4: 43}
MIDDLE = 24


def head(gap: int) -> np.ndarray:
    """Two hemispheres with a gap between them, a cerebellum under a gap as wide, and a ventricle."""
    labels = np.zeros((48, 40, 2 * MIDDLE), np.int16)
    half = gap // 2
    labels[20:44, 5:35, 6 : MIDDLE - half] = RIGHT_WHITE
    labels[20:44, 5:35, MIDDLE + half : -6] = LEFT_WHITE
    labels[28:34, 15:25, 12:18] = VENTRICLE
    labels[6 : 20 - gap, 18:35, 10:MIDDLE] = RIGHT_CEREBELLUM
    labels[6 : 20 - gap, 18:35, MIDDLE:-10] = LEFT_CEREBELLUM
    return labels


@pytest.mark.parametrize("gap", [2, 4, 6])
def test_a_fold_or_sinus_lies_half_way_between_the_hemispheres(gap: int) -> None:
    found = drainage(head(gap))
    between = found[30:38, 12:28, MIDDLE - gap // 2 : MIDDLE + gap // 2]
    wanted = Drainage.FOLD if gap < 4 else Drainage.SINUS  # a fold that widens holds a sinus
    assert (between == wanted).any(2).all()
    places = np.argwhere(found[35, 12:28] > 0)
    apart = abs(places[:, 1] - (MIDDLE - 0.5))
    assert apart[apart < 8].max() <= gap / 2


def test_tissue_does_not_shine_and_a_ventricle_may_hold_plexus() -> None:
    labels = head(4)
    found = drainage(labels)
    tissue = np.isin(labels, (LEFT_WHITE, RIGHT_WHITE, LEFT_CEREBELLUM, RIGHT_CEREBELLUM))
    assert not found[tissue].any()
    np.testing.assert_array_equal(found == Drainage.PLEXUS, labels == VENTRICLE)


def test_a_tentorium_and_a_sinus_lie_over_the_cerebellum() -> None:
    found = drainage(head(4))
    over = found[16:20, 20:33, 12:-12]
    assert (over > 0).any((1, 2)).any()
    # falx, tentorium and both hemispheres meet in a sinus
    assert (found[16:24, 20:33, MIDDLE - 3 : MIDDLE + 3] == Drainage.SINUS).any()


def test_left_and_right_are_alike() -> None:
    labels = head(4)
    mirrored = np.vectorize(lambda number: MIRRORED.get(number, number))(labels[:, :, ::-1]).astype(np.int16)
    np.testing.assert_array_equal(drainage(mirrored), drainage(labels)[:, :, ::-1])


def test_nothing_shines_where_there_is_no_brain() -> None:
    assert not drainage(np.full((12, 12, 12), 515, np.int16)).any()


@given(seed=st.integers(0, 2**31))
@settings(max_examples=15)
def test_agent_brightens_its_places_and_what_touches_them(seed: int) -> None:
    where = drainage(head(4))
    brain = np.ones(where.shape, bool)
    brain[:, :, :8] = False
    plain = np.zeros(where.shape, np.float32)
    painted = paint_agent(plain, brain, where, np.random.default_rng(seed))
    assert (painted >= 0).all() and not painted[~brain].any()
    assert not painted[ndimage.distance_transform_edt(where == Drainage.NONE) > 9].any()


def test_agent_is_often_but_not_always_seen() -> None:
    where = drainage(head(4))
    rng = np.random.default_rng(1)
    plain = np.zeros(where.shape, np.float32)
    seen = [paint_agent(plain, np.ones(where.shape, bool), where, rng).max() > 1 for _ in range(60)]
    assert 0.5 < np.mean(seen) < 1
