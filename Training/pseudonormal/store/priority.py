"""In which order cases are offered for review."""

from __future__ import annotations

import hashlib

from pseudonormal.store.reviewed import every_case
from pseudonormal.store.store import Store
from pseudonormal.store.urgency import urgency


def prioritise(store: Store, *, seed: int | None = None) -> int:
    """Set the order in which all cases are offered, also where somebody gave a case a priority by hand.

    :param seed: of the control order, :func:`random_priority`; None: the order of :func:`urgency`, as cases have it
        from the start.
    :returns: how many cases there are.
    """
    cases = list(every_case(store))
    for case in cases:
        if seed is not None:
            store.set_priority(case.id, random_priority(case.id, seed))
        else:
            store.set_priority(case.id, urgency(store.report(case.id), _seed_ml(store, case.id)))
    return len(cases)


def random_priority(case_id: str, seed: int) -> float:
    """The control to hold the formula against: an order that knows nothing of the case.

    The same case and seed always give the same number, whatever other cases there are.

    :returns: uniform in [0, 1).
    """
    digest = hashlib.sha256(f"{seed}:{case_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _seed_ml(store: Store, case_id: str) -> float | None:
    """Volume of the mask that the case came with."""
    return next((revision.volume_ml for revision in store.history(case_id) if revision.state == "seed"), None)
