"""In which order cases are offered for review."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.store.priority import prioritise, random_priority
from pseudonormal.store.store import Store
from pseudonormal.store.urgency import priority_of

SHAPE = (4, 5, 6)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def a_report(*findings: tuple[float, float | None]) -> dict[str, list]:
    """Of findings with these volumes in ml and confidences."""
    return {"findings": [{"volume_ml": volume, "confidence": confidence} for volume, confidence in findings]}


def a_case(
    store: Store, folder: Path, report: dict | None = None, marked: int | None = None, priority: float | None = None
) -> str:
    """A case; ``marked`` voxels of 1 µl are its seed mask."""
    scan = np.random.default_rng(store.cases()[1]).integers(1, 500, SHAPE).astype(np.int16)
    write_image(scan, GEOMETRY, folder / "scan.nii.gz")
    if marked is not None:
        write_image(np.arange(scan.size).reshape(SHAPE) < marked, GEOMETRY, folder / "mask.nii.gz")
    mask = None if marked is None else folder / "mask.nii.gz"
    return store.add_case(folder / "scan.nii.gz", mask=mask, report=report, priority=priority).id


def test_doubtful_and_large_findings_come_first() -> None:
    order = [
        a_report((20, 0.3), (1, 0.9)),
        a_report((20, 0.3)),
        a_report((20, None)),
        a_report((2, 0.3)),
        a_report((2, 0.9)),
        a_report(),
    ]
    numbers = [priority_of(report) for report in order]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers)
    assert numbers[-1] == 0.0


def test_the_number_is_the_volume_that_is_likely_wrong() -> None:
    border = 0.05 * (10 + 4 + 3)
    assert priority_of(a_report((10, 0.75), (4, None), (3, 1.0))) == pytest.approx(10 * 0.25 + 4 * 0.5 + border)


def test_what_the_model_expects_to_be_wrong_counts_wherever_it_is() -> None:
    measured = {"volume_ml": 10, "confidence": 0.1, "uncertain_ml": 0.5}
    assert priority_of({"findings": [measured]}) == pytest.approx(0.5 + 0.5)
    assert priority_of({"findings": [measured], "brain": {"uncertain_ml": 2.0}}) == pytest.approx(3.0)
    assert priority_of({"findings": [], "brain": {"uncertain_ml": 2.0}}) == pytest.approx(2.0)
    assert priority_of({"findings": [], "brain": {"uncertain_ml": None}}) == 0.0


def test_the_control_order_is_the_same_each_time_and_knows_nothing_of_the_case() -> None:
    drawn = [random_priority(f"case-{n}", seed=1) for n in range(400)]
    assert drawn == [random_priority(f"case-{n}", seed=1) for n in range(400)]
    assert drawn != [random_priority(f"case-{n}", seed=2) for n in range(400)]
    assert min(drawn) >= 0 and max(drawn) < 1
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.05)


def test_cases_are_in_turn_as_soon_as_they_are_added(a_store: Store, tmp_path: Path) -> None:
    nothing_known = [a_case(a_store, tmp_path) for _ in range(2)]
    empty = a_case(a_store, tmp_path, marked=0)
    small_mask = a_case(a_store, tmp_path, marked=2)
    large_mask = a_case(a_store, tmp_path, marked=50)
    sure = a_case(a_store, tmp_path, a_report((0.05, 0.9)), marked=50)
    doubtful = a_case(a_store, tmp_path, a_report((0.05, 0.1)), marked=50)
    by_hand = a_case(a_store, tmp_path, marked=1, priority=3.0)
    in_turn = [by_hand, doubtful, large_mask, sure, small_mask, empty, *nothing_known]
    assert [case.id for case in a_store.cases()[0]] == in_turn
    assert a_store.case(large_mask).priority == pytest.approx(0.050 * 0.55)
    assert a_store.case(nothing_known[0]).priority is None


def test_a_report_without_volumes_or_findings_gives_no_reason_to_hurry(a_store: Store, tmp_path: Path) -> None:
    for report in ({}, {"findings": [{"index": 1}]}):
        assert a_store.case(a_case(a_store, tmp_path, report)).priority == 0.0


def test_a_store_is_put_into_either_order_and_back(a_store: Store, tmp_path: Path) -> None:
    small = a_case(a_store, tmp_path, a_report((1, 0.5)))
    large = a_case(a_store, tmp_path, a_report((9, 0.5)))
    masked = a_case(a_store, tmp_path, marked=50)
    unknown = a_case(a_store, tmp_path)
    everyone = (small, large, masked, unknown)
    assert prioritise(a_store, seed=3) == 4
    at_random = sorted(everyone, key=lambda case: -random_priority(case, 3))
    assert [case.id for case in a_store.cases()[0]] == at_random
    a_store.set_priority(unknown, 100.0)
    lease = a_store.lease(masked, "eva").token
    drawn = np.ones(SHAPE, bool)
    drawn[0] = False
    a_store.add_revision(masked, drawn, lease=lease, state="draft", parent=a_store.case(masked).head)
    a_store.release(lease)
    prioritise(a_store)
    assert [case.id for case in a_store.cases()[0]] == [large, small, masked, unknown]
    assert a_store.case(masked).priority == pytest.approx(0.050 * 0.55), "of the seed, whatever was drawn since"
    taken = a_store.next_case("eva")
    assert taken is not None and taken.case.id == large
