"""In which order cases are offered for review."""

from __future__ import annotations

import hashlib

import numpy as np

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store.adding import doubted_ml
from pseudonormal.store.diversity import apart, descriptor
from pseudonormal.store.records import CaseRecord
from pseudonormal.store.reviewed import real_cases
from pseudonormal.store.store import Store
from pseudonormal.store.urgency import urgency

DONE = ("accepted", "rejected")  # nobody is given these; what is like them is less new


def prioritise(store: Store, *, seed: int | None = None) -> int:
    """Set the order in which all cases are offered, also where somebody gave a case a priority by hand.

    The order by uncertainty gives each case what there is to correct in it (:func:`urgency`), less the more it is like
    cases before it (:func:`apart`); cases that are done stand before all. In ml, as the priorities of new cases.

    Synthetic cases are given to nobody and have no place in it.

    :param seed: of the control order, :func:`random_priority`; None: by uncertainty.
    :returns: how many cases there are.
    """
    # By the time they were added: with equal numbers, older cases come first, whatever order they stood in before.
    found = sorted(real_cases(store), key=lambda case: (case.created, case.id))
    numbers = _uncertain(store, found) if seed is None else {case.id: random_priority(case.id, seed) for case in found}
    for case_id, number in numbers.items():
        store.set_priority(case_id, number)
    return len(found)


def _uncertain(store: Store, found: list[CaseRecord]) -> dict[str, float | None]:
    reports = [store.report(case.id) for case in found]
    worth = [urgency(report, *_seed(store, case.id)) for case, report in zip(found, reports, strict=True)]
    numbers = {case.id: one for case, one in zip(found, worth, strict=True)}
    # Without a report nobody can say what a case is like.
    alike = [(case, descriptor(report)) for case, report in zip(found, reports, strict=True) if report is not None]
    if alike:
        done = [row for row, (case, _) in enumerate(alike) if case.status in DONE]
        given = np.array([numbers[case.id] for case, _ in alike], float)
        for row, value in apart(np.stack([described for _, described in alike]), given, done):
            numbers[alike[row][0].id] = value
    return numbers


def random_priority(case_id: str, seed: int) -> float:
    """The control to hold the formula against: an order that knows nothing of the case.

    The same case and seed always give the same number, whatever other cases there are.

    :returns: uniform in [0, 1).
    """
    digest = hashlib.sha256(f"{seed}:{case_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _seed(store: Store, case_id: str) -> tuple[float | None, float | None]:
    """Volume of the mask that the case came with, and what its weights let expect to be wrong."""
    seed = next((revision for revision in store.history(case_id) if revision.state == "seed"), None)
    weights = None if seed is None else store.weights_path(seed.id)
    doubted = None if weights is None else doubted_ml(read_nifti(weights, None).array, store.geometry(case_id))
    return None if seed is None else seed.volume_ml, doubted
