"""The case store: cases, their volumes and the revisions of their masks. Only the store writes the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pseudonormal.scan.scan import Geometry
from pseudonormal.store import adding, cases, frozen, leases, renewed, revisions
from pseudonormal.store.blobs import Blobs
from pseudonormal.store.check import check
from pseudonormal.store.clock import utc_now
from pseudonormal.store.database import Database
from pseudonormal.store.dialects import sqlite_url
from pseudonormal.store.errors import UnknownCase
from pseudonormal.store.identity import Secret, checked_name
from pseudonormal.store.records import (
    CaseRecord,
    LeaseRecord,
    Problem,
    ResultsRecord,
    RevisionRecord,
    Split,
    State,
    Status,
)
from pseudonormal.store.renewing import Renewer
from pseudonormal.store.revising import Reviser
from pseudonormal.store.volumes import read_derived, read_mask_on

__all__ = ["CaseRecord", "LeaseRecord", "Problem", "RevisionRecord", "Split", "State", "Status", "Store"]

LEASE_TIME = timedelta(minutes=30)
DATABASE = "cases.sqlite"


class Store:
    """A folder with a database and content-addressed files.

    Threads and processes may use it at once, each process through a store that it opened itself. Files are written
    first and named by a transaction afterwards: whoever is interrupted, at whatever moment, has added all or nothing.

    :param folder: holds the files and, without ``url``, the database.
    :param clock: the time of day, with its zone.
    :param url: SQLAlchemy's address of a database elsewhere, for instance a PostgreSQL server's.
    :param lease_time: how long a lease lasts unless it is renewed.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime], url: str | None, lease_time: timedelta) -> None:
        self.folder = folder
        self._blobs = Blobs(folder)
        self._database = Database(url or sqlite_url(folder / DATABASE), folder)
        self._secret = Secret(folder / "secret")
        self._clock = clock
        self._lease_time = lease_time
        self._reviser = Reviser(self._database, self._blobs, clock)
        self._renewer = Renewer(self._database, self._blobs, clock)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        url: str | None = None,
        lease_time: timedelta = LEASE_TIME,
    ) -> Store:
        """Open a store; an empty one is made where there is none, an older one is brought up to date.

        :raises InputError: it cannot be written, or a newer version of the software made it.
        """
        return cls(folder, clock, url, lease_time)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a folder holds a store with a database of its own."""
        return (folder / DATABASE).is_file()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add_case(
        self,
        image: Path,
        *,
        volume: int | None = None,
        mask: Path | None = None,
        weights: Path | None = None,
        volumes: Mapping[str, Path] | None = None,
        model: str | None = None,
        report: Mapping[str, Any] | None = None,
        priority: float | None = None,
        subject: str | None = None,
        contrast: str = "",
        synthetic: bool = False,
    ) -> CaseRecord:
        """Add a scan under a new pseudonym. Of its header only the grid and the scale of its numbers are kept.

        :param image: a scan of any format, or a folder with one DICOM series.
        :param volume: which volume of a 4D scan, counted from 0.
        :param mask: a lesion mask on the scan's grid, which becomes the seed revision; may be empty.
        :param weights: how far each voxel of the mask is to be trusted, in [0, 1]; None: nobody said.
        :param volumes: what was computed from the scan, by name ("pseudo_normal", "difference", "difference_z").
        :param model: name of the model that proposed the mask.
        :param report: of the engine; what could name a person (file names, warnings) is left out.
        :param priority: the higher, the sooner the case is given out; None: as
            :func:`pseudonormal.store.urgency.urgency` tells from report and mask.
        :param subject: any key that tells persons apart; only a keyed hash of it is kept.
        :param contrast: kind of scan, for instance "T1w".
        :param synthetic: whether a network made the scan; a file that says so in its header is one in any case.
        :raises InputError: something cannot be read, is on another grid, or the store cannot be written.
        """
        given = adding.Given(
            image, volume, mask, weights, volumes or {}, model, report, priority, subject, contrast, synthetic
        )
        return adding.add_case(given, self._database, self._blobs, self._secret, self._clock)

    def find_case(self, image: Path, volume: int | None = None) -> str | None:
        """Id of the case that holds the very same scan: grid, type on disk, values. None when there is none.

        :param volume: which volume of a 4D scan, counted from 0.
        :raises InputError: the scan cannot be read.
        """
        return adding.find_case(image, volume, self._database, self._blobs)

    def case(self, case_id: str) -> CaseRecord:
        """A case as it stands now.

        :raises UnknownCase: there is none of this id.
        """
        with self._database.reading() as connection:
            return cases.get(connection, case_id, self._clock())

    def cases(
        self, *, status: Status | None = None, text: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[list[CaseRecord], int]:
        """A page of cases in the order in which they are given out, and how many there are in all.

        :param text: to be found in ids, contrasts, models, subjects' pseudonyms or annotators; in any letter case.
        :raises InputError: the status is not known.
        """
        with self._database.reading() as connection:
            return cases.page(connection, self._clock(), status, text, limit, offset)

    def history(self, case_id: str) -> list[RevisionRecord]:
        """The case's revisions, oldest first.

        :raises UnknownCase: there is no such case.
        """
        with self._database.reading() as connection:
            cases.get(connection, case_id, self._clock())
            return revisions.history(connection, case_id)

    def revision(self, revision_id: str) -> RevisionRecord:
        """A revision.

        :raises UnknownCase: there is none of this id.
        """
        with self._database.reading() as connection:
            return revisions.get(connection, revision_id)

    def volumes(self, case_id: str) -> tuple[str, ...]:
        """Names of the case's volumes, "image" first; see :meth:`volume_path`.

        :raises UnknownCase: there is no such case.
        """
        with self._database.reading() as connection:
            return tuple(renewed.volume_hashes(connection, case_id))

    def report(self, case_id: str) -> dict[str, Any] | None:
        """The report of the case's newest results, without what could name a person; None when none came with them.

        :raises UnknownCase: there is no such case.
        """
        with self._database.reading() as connection:
            return renewed.report(connection, case_id)

    def geometry(self, case_id: str) -> Geometry:
        """The grid of the case's image and of all its masks, LPS mm.

        :raises UnknownCase: there is no such case.
        """
        with self._database.reading() as connection:
            return cases.geometry(connection, case_id)

    def read_mask(self, case_id: str, path: Path) -> NDArray[np.bool_]:
        """Read a mask file on the case's grid, or on a cut-out of it as 3D Slicer saves segmentations.

        :returns: (D, H, W), as :meth:`add_revision` takes it; may be empty.
        :raises UnknownCase: there is no such case.
        :raises InputError: the file is damaged or on another grid.
        """
        return read_mask_on(path, self.geometry(case_id), case_id)

    def read_weights(self, case_id: str, path: Path) -> NDArray[np.float32]:
        """Read a file that says how far each voxel of the case's grid is to be trusted.

        :returns: (D, H, W), as :meth:`add_revision` takes it.
        :raises UnknownCase: there is no such case.
        :raises InputError: the file is damaged or on another grid.
        """
        return read_derived(path, self.geometry(case_id)).array.astype(np.float32)

    def volume_path(self, case_id: str, name: str, revision: str | None = None) -> Path:
        """The stored file of a volume, .nii.gz. To be read, never written.

        Where results were added later (:meth:`add_results`), all volumes but the image are theirs: those made for the
        revision's mask, else the last ones made for an earlier revision, else those that the case came with.

        :param revision: id; None: the newest.
        :raises UnknownCase: there is no such case, or it has no such volume or revision.
        """
        with self._database.reading() as connection:
            hashes = renewed.volume_hashes(connection, case_id, revision)
        if name not in hashes:
            raise UnknownCase(f"{case_id}: has no volume {name!r}; it has {', '.join(hashes)}")
        return self._blobs.path(hashes[name])

    def mask_path(self, revision_id: str) -> Path:
        """The stored file of a revision's mask, .nii.gz of uint8 0 and 1. To be read, never written.

        :raises UnknownCase: there is no such revision.
        """
        return self._blobs.path(self.revision(revision_id).mask_sha256)

    def weights_path(self, revision_id: str) -> Path | None:
        """The stored file of a revision's voxel weights, .nii.gz of float32; None where all voxels count.

        :raises UnknownCase: there is no such revision.
        """
        sha256 = self.revision(revision_id).weights_sha256
        return None if sha256 is None else self._blobs.path(sha256)

    def next_case(self, annotator: str, *, sitting: str = "", ended: Collection[str] = ()) -> LeaseRecord | None:
        """Lease the first case that waits for this annotator and that nobody holds; None when none is left.

        Waiting are new cases and drafts, and those that need a second reader, unless it was this annotator who asked
        for one: until somebody else has decided, not even that reader's draft brings the case back. Who wants a case
        back that they hold themselves takes it by :meth:`lease`.

        :param sitting: names the annotator's window, where they may have several.
        :param ended: windows that are gone: what they held is free.
        :raises InputError: the annotator's name is none.
        """
        holder = leases.Holder(checked_name(annotator, "annotator"), sitting, ended)
        with self._database.writing() as connection:
            return leases.take_next(connection, holder, self._clock(), self._lease_time)

    def lease(self, case_id: str, annotator: str, *, sitting: str = "", ended: Collection[str] = ()) -> LeaseRecord:
        """Lease a case. A window that holds it already gets a new token, and the earlier one ends.

        :param sitting: names the annotator's window, where they may have several.
        :param ended: windows that are gone: what they held is free.
        :raises UnknownCase: there is no such case.
        :raises Leased: another annotator holds it, or another window of this one.
        """
        holder = leases.Holder(checked_name(annotator, "annotator"), sitting, ended)
        with self._database.writing() as connection:
            return leases.take(connection, case_id, holder, self._clock(), self._lease_time)

    def renew(self, token: str) -> LeaseRecord:
        """Let a lease last its full time from now on.

        :raises LeaseExpired: it is over, was given back, or never was.
        """
        with self._database.writing() as connection:
            return leases.renew(connection, token, self._clock(), self._lease_time)

    def release(self, token: str) -> None:
        """Give a case back.

        :raises LeaseExpired: the lease is over, was given back, or never was.
        """
        with self._database.writing() as connection:
            leases.release(connection, token, self._clock())

    def add_revision(
        self,
        case_id: str,
        mask: NDArray[np.bool_],
        *,
        lease: str,
        state: State,
        parent: str | None,
        comment: str = "",
        weights: NDArray[np.floating] | None = None,
    ) -> RevisionRecord:
        """Append a revision. Its author is the annotator of the lease; the lease goes on.

        :param mask: (D, H, W) on the case's grid; may be empty.
        :param lease: token of a live lease on the case.
        :param state: any but "seed".
        :param parent: the newest revision, as the author saw it; None when there was none.
        :param weights: (D, H, W) from 0, how far each voxel of the mask is to be trusted; None where all are.
        :raises LeaseExpired: the lease is over, or belongs to another case.
        :raises Conflict: the parent is not the newest revision any more.
        :raises UnknownCase: there is no such case.
        :raises InputError: the mask is not one for this case, or the store cannot be written.
        """
        return self._reviser.add(case_id, mask, lease, state, parent, comment, weights)

    def add_results(
        self,
        case_id: str,
        volumes: Mapping[str, Path],
        *,
        mask: Path,
        lease: str,
        model: str | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> ResultsRecord:
        """Append what was made anew of the case's image; it belongs to the newest revision with the mask it is for.

        :param volumes: by name; "pseudo_normal" must be there.
        :param mask: the mask that they were made for.
        :param lease: token of a live lease on the case, which goes on.
        :param model: name of the model that made them.
        :param report: of the engine; what could name a person is left out.
        :raises LeaseExpired: the lease is over, or belongs to another case.
        :raises UnknownCase: there is no such case.
        :raises InputError: they are of another scan, no revision has the mask, something cannot be read, or the store
            cannot be written.
        """
        return self._renewer.add(case_id, volumes, mask, lease, model, report)

    def set_priority(self, case_id: str, priority: float | None) -> CaseRecord:
        """Say how soon a case is given out: the higher, the sooner; None comes last.

        :raises UnknownCase: there is no such case.
        """
        with self._database.writing() as connection:
            cases.set_priority(connection, case_id, adding.checked_priority(priority))
            return cases.get(connection, case_id, self._clock())

    def splits(self) -> dict[str, Split]:
        """The split of every subject that has one; see :mod:`pseudonormal.store.splits`."""
        with self._database.reading() as connection:
            return frozen.known(connection)

    def freeze_splits(self, wanted: Mapping[str, Split]) -> dict[str, Split]:
        """Keep the splits of those subjects that have none yet, for good.

        :returns: the split of every subject that has one.
        :raises InputError: the store cannot be written.
        """
        with self._database.writing() as connection:
            frozen.add(connection, wanted, self._clock())
            return frozen.known(connection)

    def check(self) -> list[Problem]:
        """Verify every file against its hash and every link between records; errors come first.

        Warnings name what interrupted processes, or those at work right now, leave behind; it harms nobody.
        """
        return check(self._database, self._blobs, self._secret)
