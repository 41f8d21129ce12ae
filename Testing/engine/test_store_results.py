"""Results that are made anew for an edited mask: kept beside its revision, nothing that was there before is lost."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from Testing.store_clients import GRID, mask_number, write_scan
from Testing.turnable_clock import Clock

from pseudonormal.errors import InputError
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image
from pseudonormal.store.errors import LeaseExpired, UnknownCase
from pseudonormal.store.store import CaseRecord, Store


class Desk:
    """A case with results on an annotator's desk, and an engine that makes others in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.store = Store.open(folder / "store", clock=self.clock)
        self.array = write_scan(folder / "scan.nii.gz")
        volumes, mask = self.made_for(0)
        self.case = self.store.add_case(
            folder / "scan.nii.gz", mask=mask, volumes=volumes, model="brain-mr", report={"mode": "auto"}
        ).id
        self.lease = self.store.lease(self.case, "Ann").token

    def made_for(self, number: int, *, level: int = 0, array: np.ndarray | None = None) -> tuple[dict, Path]:
        """What an engine writes for a mask: volumes by name, and the mask."""
        image, mask = self.array if array is None else array, mask_number(number)
        normal = np.where(mask, 2000 + level, image).astype(np.int16)
        difference = image.astype(np.float32) - normal
        arrays = {"pseudo_normal": normal, "difference": difference, "difference_z": difference / 50}
        paths = {}
        for name, voxels in (arrays | {"mask": mask}).items():
            paths[name] = self.folder / f"{name}_{number}_{level}.nii.gz"
            write_image(voxels, GRID, paths[name])
        return paths, paths.pop("mask")

    def draw(self, number: int) -> str:
        head = self.store.case(self.case).head
        kept = self.store.add_revision(self.case, mask_number(number), lease=self.lease, state="draft", parent=head)
        return kept.id

    def renew(self, number: int, **given: object):
        volumes, mask = self.made_for(number, **given)
        return self.store.add_results(
            self.case, volumes, mask=mask, lease=self.lease, model="brain-mr", report={"mode": "void", "case": "Zoë"}
        )

    def normal(self, revision: str | None = None) -> np.ndarray:
        return read_scan(self.store.volume_path(self.case, "pseudo_normal", revision)).array

    def expected(self, number: int, level: int = 0) -> np.ndarray:
        return np.where(mask_number(number), 2000 + level, self.array)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_newest_are_served_and_those_of_an_earlier_revision_when_asked(desk: Desk) -> None:
    seed = desk.store.case(desk.case).head
    first = desk.draw(1)
    made = desk.renew(1)
    assert (made.revision_id, made.number, made.author, made.model) == (first, 1, "Ann", "brain-mr")
    second = desk.draw(2)
    np.testing.assert_array_equal(desk.normal(), desk.expected(1))  # nothing newer yet
    desk.renew(2)
    np.testing.assert_array_equal(desk.normal(), desk.expected(2))
    for revision, number in ((seed, 0), (first, 1), (second, 2)):
        np.testing.assert_array_equal(desk.normal(revision), desk.expected(number))
    again = desk.renew(2, level=7)
    assert (again.revision_id, again.number) == (second, 2)
    np.testing.assert_array_equal(desk.normal(), desk.expected(2, 7))
    assert desk.store.check() == []
    assert desk.store.report(desk.case) == {"mode": "void", "findings": []}, "no names, as in every report"


def test_a_mask_that_comes_back_gets_its_own_results_back(desk: Desk) -> None:
    desk.draw(1)
    desk.renew(1)
    desk.draw(2)
    desk.renew(2)
    desk.draw(1)
    np.testing.assert_array_equal(desk.normal(), desk.expected(1))


def test_results_are_served_as_a_whole(desk: Desk) -> None:
    """A wide difference of an earlier mask beside the new pseudo-normal would be a lie."""
    desk.draw(1)
    volumes, mask = desk.made_for(1)
    wide = desk.folder / "wide.nii.gz"
    write_image(np.ones(GRID.shape, np.float32), GRID, wide)
    desk.store.add_results(desk.case, volumes | {"wide_difference_z": wide}, mask=mask, lease=desk.lease)
    first = desk.store.case(desk.case).head
    assert "wide_difference_z" in desk.store.volumes(desk.case)
    desk.draw(2)
    desk.renew(2)
    assert desk.store.volumes(desk.case) == ("image", "difference", "difference_z", "pseudo_normal")
    assert desk.store.volume_path(desk.case, "wide_difference_z", first).is_file()
    assert desk.store.volume_path(desk.case, "image", first) == desk.store.volume_path(desk.case, "image")


def test_what_does_not_belong_to_the_case_is_refused_in_one_line_and_leaves_nothing(desk: Desk) -> None:
    desk.draw(1)
    other = np.roll(desk.array, 1, axis=2)
    files = sorted(path for path in (desk.folder / "store" / "blobs").rglob("*") if path.is_file())
    for work, words in (
        (lambda: desk.renew(1, array=other), "are of another scan"),
        (lambda: desk.renew(2), "no revision has the mask that the results were made for; save the mask first"),
        (lambda: desk.store.add_results(desk.case, {}, mask=desk.made_for(1)[1], lease=desk.lease), "another scan"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            work()
        assert "\n" not in str(caught.value)
    with pytest.raises(UnknownCase):
        desk.store.volume_path(desk.case, "pseudo_normal", "rev-nothing")
    another = desk.store.add_case(desk.folder / "scan.nii.gz", mask=desk.made_for(0)[1])
    with pytest.raises(UnknownCase, match="has no revision"):
        desk.store.volume_path(desk.case, "pseudo_normal", another.head)
    desk.clock.pass_time(timedelta(hours=1))
    with pytest.raises(LeaseExpired):
        desk.renew(1)
    assert sorted(path for path in (desk.folder / "store" / "blobs").rglob("*") if path.is_file()) == files
    np.testing.assert_array_equal(desk.normal(), desk.expected(0))


def test_nobody_changes_or_removes_them_and_harm_is_found(desk: Desk) -> None:
    desk.draw(1)
    made = desk.renew(1)
    with sqlite3.connect(desk.folder / "store" / "cases.sqlite") as database:
        for statement in ("DELETE FROM results", "UPDATE results SET author = 'Bob'", "DELETE FROM result_volumes"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
    desk.store.volume_path(desk.case, "difference").write_bytes(b"")
    (problem,) = desk.store.check()
    assert (problem.severity, problem.where) == ("error", f"{made.id} difference")
    with sqlite3.connect(desk.folder / "store" / "cases.sqlite") as database:
        database.execute("DROP TRIGGER result_volumes_no_delete")
        database.execute("DELETE FROM result_volumes WHERE name = 'pseudo_normal'")
    assert any("has no pseudo-normal" in problem.message for problem in desk.store.check())


def test_a_store_from_before_is_brought_up_to_date_with_all_its_cases(desk: Desk) -> None:
    """The tables of the version before are what is left when the new ones are taken away."""
    desk.store.close()
    with sqlite3.connect(desk.folder / "store" / "cases.sqlite") as database:
        for table in ("result_volumes", "results"):
            database.execute(f"DROP TABLE {table}")
        database.execute("ALTER TABLE leases DROP COLUMN sitting")
        database.execute("UPDATE alembic_version SET version_num = '0002'")
    desk.store = Store.open(desk.folder / "store", clock=desk.clock)
    case: CaseRecord = desk.store.case(desk.case)
    assert case.revisions == 1
    np.testing.assert_array_equal(desk.normal(), desk.expected(0))
    desk.draw(1)
    desk.renew(1)
    np.testing.assert_array_equal(desk.normal(), desk.expected(1))
