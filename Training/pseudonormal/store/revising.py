"""Add a revision: refuse early, write the mask, then append in one transaction that checks again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.store import cases, leases, revisions
from pseudonormal.store.adding import keep, measured
from pseudonormal.store.blobs import Blobs
from pseudonormal.store.database import Database
from pseudonormal.store.identity import checked_comment
from pseudonormal.store.records import LeaseRecord, RevisionRecord, State
from pseudonormal.store.volumes import on_grid_of


class Reviser:
    """Appends revisions to cases.

    :param clock: the time of day, with its zone.
    """

    def __init__(self, database: Database, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def add(
        self,
        case_id: str,
        mask: NDArray[np.bool_],
        lease: str,
        state: State,
        parent: str | None,
        comment: str,
        weights: NDArray[np.floating] | None,
    ) -> RevisionRecord:
        """Append a revision; see ``Store.add_revision``.

        :raises LeaseExpired: the lease is not a live one of this case.
        :raises Conflict: the parent is not the newest revision.
        :raises InputError: the state is not known, or the mask is not one of this case.
        """
        revisions.checked_state(state)
        comment = checked_comment(comment)
        with self._database.reading() as connection:
            self._expect(connection, case_id, lease, parent)
            grid = cases.geometry(connection, case_id)
            image = self._blobs.path(cases.volume_hashes(connection, case_id)[cases.IMAGE])
        lesion, believed = _checked(case_id, mask, weights, grid)
        facts = measured(lesion, grid) | {
            "mask_sha256": keep(self._blobs, on_grid_of(image, grid, lesion)),
            "weights_sha256": None if believed is None else keep(self._blobs, on_grid_of(image, grid, believed)),
        }
        with self._database.writing() as connection:
            # Writing the files took time, in which the lease may have ended and others may have come first.
            held, newest = self._expect(connection, case_id, lease, parent)
            about = {"state": state, "author": held.annotator, "model": held.case.model, "comment": comment}
            revision = revisions.following(newest, case_id, self._clock(), **about, **facts)
            revisions.add(connection, revision)
        return revision

    def _expect(
        self, connection: Connection, case_id: str, lease: str, parent: str | None
    ) -> tuple[LeaseRecord, RevisionRecord | None]:
        held = leases.live_on(connection, lease, case_id, self._clock())
        return held, revisions.expect_head(connection, case_id, parent)


def _checked(
    case_id: str, mask: NDArray, weights: NDArray | None, grid: Geometry
) -> tuple[NDArray[np.bool_], NDArray[np.float32] | None]:
    """Mask and weights on the case's grid, as they are kept."""
    for name, array in (("mask", mask), ("weights", weights)):
        if array is not None and array.shape != grid.shape:
            raise InputError(f"{case_id}: the {name}'s shape {array.shape} is not the scan's {grid.shape}")
    if mask.dtype != np.bool_:
        raise InputError(f"{case_id}: the mask holds {mask.dtype} values; give true and false")
    if weights is None:
        return mask, None
    believed = weights.astype(np.float32)
    if not np.all(np.isfinite(believed)) or believed.min() < 0:
        raise InputError(f"{case_id}: the weights must be numbers from 0")
    return mask, believed
