"""How far readers agree, and what they say together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.agreement import compare, consensus, dice, hausdorff95, staple
from pseudonormal.store.errors import Conflict, LeaseExpired
from pseudonormal.store.store import Store

SHAPE = (20, 24, 22)
SPACING = (1.0, 1.5, 2.0)
GEOMETRY = Geometry(SHAPE[::-1], SPACING, (5.0, -7.0, 11.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def a_ball(z: float, y: float, x: float, radius: float) -> np.ndarray:
    """Radius in voxels."""
    at = np.indices(SHAPE) - np.array([z, y, x])[:, None, None, None]
    return (at**2).sum(axis=0) < radius**2


def a_scan(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 500, SHAPE).astype(np.int16)


@pytest.fixture
def a_case(a_store: Store, tmp_path: Path) -> str:
    write_image(a_scan(0), GEOMETRY, tmp_path / "scan.nii.gz")
    write_image(a_ball(10, 12, 11, 4), GEOMETRY, tmp_path / "seed.nii.gz")
    return a_store.add_case(tmp_path / "scan.nii.gz", mask=tmp_path / "seed.nii.gz", model="brain-mr").id


def a_revision(store: Store, case: str, mask: np.ndarray, author: str) -> str:
    lease = store.lease(case, author)
    added = store.add_revision(case, mask, lease=lease.token, state="needs_second_reader", parent=store.case(case).head)
    store.release(lease.token)
    return added.id


masks = st.builds(
    a_ball, st.floats(2, 17), st.floats(2, 21), st.floats(2, 19), st.floats(0, 6)
)  # radius 0 marks nothing


@given(a=masks, b=masks)
def test_dice_is_symmetric_and_one_only_for_equal_masks(a: np.ndarray, b: np.ndarray) -> None:
    assert dice(a, b) == dice(b, a)
    assert 0 <= dice(a, b) <= 1
    assert (dice(a, b) == 1) == bool((a == b).all())


@given(a=masks, b=masks)
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy.*:FutureWarning")  # of MONAI, about itself
def test_the_distance_is_that_of_an_independent_implementation(a: np.ndarray, b: np.ndarray) -> None:
    from monai.metrics import compute_hausdorff_distance

    found = hausdorff95(a, b, SPACING)
    if not a.any() or not b.any():
        assert found == (None if a.any() or b.any() else 0.0)
        return
    import torch

    pair = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (a, b)]
    expected = compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=list(SPACING[::-1]))
    assert found == pytest.approx(float(expected[0, 0]), abs=1e-4)


@pytest.mark.parametrize(("axis", "steps", "mm"), [(0, 2, 4.0), (1, 2, 3.0), (2, 3, 3.0)])
def test_a_shift_is_as_far_as_the_voxels_it_passes(axis: int, steps: int, mm: float) -> None:
    sheet = np.zeros(SHAPE, bool)
    sheet[tuple(8 if side == axis else slice(4, 16) for side in range(3))] = True
    assert hausdorff95(sheet, np.roll(sheet, steps, axis), SPACING) == pytest.approx(mm)


def test_a_mask_at_the_edge_of_the_scan_has_a_surface_there() -> None:
    edge = np.zeros(SHAPE, bool)
    edge[:3] = True
    assert hausdorff95(edge, edge, SPACING) == 0.0


def test_staple_believes_the_reader_who_agrees_with_the_others() -> None:
    right, wrong = a_ball(10, 12, 11, 5), a_ball(4, 5, 5, 3)
    together, quality = staple([right, right, wrong])
    np.testing.assert_array_equal(together, right)
    assert quality[0] == pytest.approx((1.0, 1.0), abs=1e-3)
    assert quality[2][0] < 0.1


@given(a=masks, b=masks, c=masks)
def test_what_all_readers_say_stands_and_what_none_says_does_not(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    together, quality = staple([a, b, c])
    assert not (together & ~(a | b | c)).any()
    if (a == b).all() and (b == c).all():
        np.testing.assert_array_equal(together, a)
    assert all(0 <= value <= 1 for pair in quality for value in pair)


def test_readers_who_find_nothing_agree_on_nothing() -> None:
    nothing = np.zeros(SHAPE, bool)
    together, quality = staple([nothing, nothing])
    assert not together.any()
    assert quality == [(1.0, 1.0)] * 2


def test_two_revisions_of_a_case_are_compared(a_store: Store, a_case: str) -> None:
    drawn = a_ball(10, 12, 12, 4)
    second = a_revision(a_store, a_case, drawn, "eva")
    seed = a_store.history(a_case)[0].id
    found = compare(a_store, seed, second)
    assert found.dice == dice(a_ball(10, 12, 11, 4), drawn)
    assert found.volume_b_ml == pytest.approx(drawn.sum() * 3 / 1000)
    assert found.volume_a_ml == pytest.approx(a_ball(10, 12, 11, 4).sum() * 3 / 1000)
    assert found.hausdorff95_mm == pytest.approx(1.0)


def test_revisions_of_two_cases_are_not_compared(a_store: Store, a_case: str, tmp_path: Path) -> None:
    write_image(a_scan(1), GEOMETRY, tmp_path / "other.nii.gz")
    other = a_store.add_case(tmp_path / "other.nii.gz", mask=tmp_path / "seed.nii.gz")
    with pytest.raises(InputError, match="of one case"):
        compare(a_store, a_store.history(a_case)[0].id, str(other.head))


def test_a_consensus_is_a_new_revision_that_names_what_it_came_from(a_store: Store, a_case: str) -> None:
    drawn = [a_ball(10, 12, 11 + shift, 4) for shift in (0, 0, 3)]
    readers = [a_revision(a_store, a_case, mask, name) for mask, name in zip(drawn, ("eva", "ali", "kim"), strict=True)]
    lease = a_store.lease(a_case, "boss")
    made = consensus(a_store, a_case, readers, author="boss", lease=lease.token)
    assert (made.state, made.author, made.parent) == ("consensus", "boss", readers[-1])
    assert all(revision in made.comment for revision in readers)
    np.testing.assert_array_equal(a_store.read_mask(a_case, a_store.mask_path(made.id)), drawn[0])
    assert a_store.case(a_case).head == made.id
    assert a_store.check() == []


def test_a_consensus_is_refused_in_one_line_and_leaves_the_case_alone(
    a_store: Store, a_case: str, tmp_path: Path
) -> None:
    first = a_revision(a_store, a_case, a_ball(10, 12, 12, 4), "eva")
    seed = a_store.history(a_case)[0].id
    write_image(a_scan(1), GEOMETRY, tmp_path / "other.nii.gz")
    other = str(a_store.add_case(tmp_path / "other.nii.gz", mask=tmp_path / "seed.nii.gz").head)
    lease = a_store.lease(a_case, "boss").token
    before = a_store.history(a_case)
    for revisions, author, token, said in (
        ([first, first], "boss", lease, "at least two"),
        ([first, other], "boss", lease, "not of"),
        ([first, seed], "eva", lease, "lease is not eva's"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            consensus(a_store, a_case, revisions, author=author, lease=token)
        assert "\n" not in str(caught.value)
    with pytest.raises(LeaseExpired):
        consensus(a_store, a_case, [first, seed], author="boss", lease="no-such-lease")
    assert a_store.history(a_case) == before


def test_a_lease_on_another_case_makes_no_consensus(a_store: Store, a_case: str, tmp_path: Path) -> None:
    first = a_revision(a_store, a_case, a_ball(10, 12, 12, 4), "eva")
    seed = a_store.history(a_case)[0].id
    write_image(a_scan(1), GEOMETRY, tmp_path / "other.nii.gz")
    other = a_store.add_case(tmp_path / "other.nii.gz")
    with pytest.raises((LeaseExpired, Conflict)):
        consensus(a_store, a_case, [first, seed], author="boss", lease=a_store.lease(other.id, "boss").token)
    assert len(a_store.history(a_case)) == 2
