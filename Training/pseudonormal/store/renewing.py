"""Add results that were made anew: refuse early, write the files, then append in one transaction that checks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pseudonormal.errors import InputError
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store import cases, leases, renewed, revisions
from pseudonormal.store.adding import checked_volume, keep
from pseudonormal.store.blobs import Blobs
from pseudonormal.store.database import Database
from pseudonormal.store.identity import checked_model, nameless_report, new_id
from pseudonormal.store.records import ResultsRecord
from pseudonormal.store.results import PSEUDO_NORMAL, made_from
from pseudonormal.store.volumes import on_grid_of, read_derived, read_mask_on, write_volume


class Renewer:
    """Appends results to revisions of cases.

    :param clock: the time of day, with its zone.
    """

    def __init__(self, database: Database, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def add(
        self,
        case_id: str,
        volumes: Mapping[str, Path],
        mask: Path,
        lease: str,
        model: str | None,
        report: Mapping[str, Any] | None,
    ) -> ResultsRecord:
        """Append results; see ``Store.add_results``.

        :raises LeaseExpired: the lease is not a live one of this case.
        :raises InputError: they are not of this case's image, or of no revision's mask.
        """
        model = checked_model(model)
        kept_report = None if report is None else nameless_report(report)
        with self._database.reading() as connection:
            leases.live_on(connection, lease, case_id, self._clock())
            stored = self._blobs.path(cases.volume_hashes(connection, case_id)[cases.IMAGE])
        image = read_nifti(stored, None)
        lesion = read_mask_on(mask, image.geometry, case_id)
        derived = {checked_volume(name): read_derived(path, image.geometry) for name, path in volumes.items()}
        if PSEUDO_NORMAL not in derived or not made_from(image.array, derived[PSEUDO_NORMAL].array, lesion):
            raise InputError(f"{case_id}: the results are of another scan; generate them from this case's image")
        drawn = on_grid_of(stored, image.geometry, lesion)
        mask_sha256 = self._blobs.hash(lambda path: write_volume(drawn, path))
        with self._database.reading() as connection:
            revision = revisions.with_mask(connection, case_id, mask_sha256)
        hashes = {
            name: keep(self._blobs, on_grid_of(stored, image.geometry, volume.array, volume.storage))
            for name, volume in derived.items()
        }
        with self._database.writing() as connection:
            # Writing the files took time, in which the lease may have ended.
            held = leases.live_on(connection, lease, case_id, self._clock())
            record = ResultsRecord(
                id=new_id("results", 12),
                case_id=case_id,
                revision_id=revision.id,
                number=renewed.next_number(connection, revision.id),
                author=held.annotator,
                model=model,
                created=self._clock(),
            )
            renewed.add(connection, record, kept_report, hashes)
        return record
