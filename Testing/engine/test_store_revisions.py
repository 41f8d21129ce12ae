"""Revisions are appended under a lease, to the newest one, and stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from Testing.store_clients import GRID, mask_number, write_scan
from Testing.turnable_clock import Clock

from pseudonormal.errors import InputError
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image
from pseudonormal.store.errors import Conflict, Leased, LeaseExpired
from pseudonormal.store.records import CaseRecord
from pseudonormal.store.store import LEASE_TIME, Store


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 1, 9, 0, tzinfo=timezone.utc))


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store.open(tmp_path / "store", clock=clock)


@pytest.fixture
def add(store: Store, tmp_path: Path) -> Callable[..., CaseRecord]:
    """Adds a case with a seed mask."""
    write_scan(tmp_path / "scan.nii.gz")
    write_image(mask_number(0), GRID, tmp_path / "mask.nii.gz")

    def add(**options: object) -> CaseRecord:
        return store.add_case(tmp_path / "scan.nii.gz", mask=tmp_path / "mask.nii.gz", model="brain-mr", **options)

    return add


def files(store: Store) -> set[Path]:
    return {path for path in store.folder.rglob("*") if path.is_file() and "sqlite" not in path.name}


def test_revisions_follow_each_other(store: Store, add: Callable[..., CaseRecord], clock: Clock) -> None:
    case = add()
    lease = store.lease(case.id, " Ann ")
    clock.now += timedelta(minutes=5)
    draft = store.add_revision(
        case.id, mask_number(1), lease=lease.token, state="draft", parent=case.head, comment=" half done "
    )
    final = store.add_revision(case.id, mask_number(2), lease=lease.token, state="accepted", parent=draft.id)
    seed, *added = store.history(case.id)
    assert added == [draft, final]
    assert (draft.author, draft.comment, draft.model, draft.created) == ("Ann", "half done", "brain-mr", clock.now)
    assert [(r.number, r.parent) for r in added] == [(2, seed.id), (3, draft.id)]
    assert store.revision(final.id) == final
    for number, revision in enumerate((seed, draft, final)):
        stored = read_nifti(store.mask_path(revision.id), None)
        np.testing.assert_array_equal(stored.array, mask_number(number))
        assert (stored.array.dtype, stored.geometry) == (np.uint8, store.geometry(case.id))
    now = store.case(case.id)
    assert (now.status, now.head, now.revisions, now.updated) == ("accepted", final.id, 3, clock.now)
    assert now.volume_ml == final.volume_ml == pytest.approx(mask_number(2).sum() * GRID.voxel_ml)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("draft", "draft"),
        ("accepted", "accepted"),
        ("needs_second_reader", "needs_second_reader"),
        ("rejected", "rejected"),
        ("consensus", "draft"),
    ],
)
def test_the_status_follows_from_the_newest_revision(store, add, state, status):
    case = add()
    lease = store.lease(case.id, "Ann")
    store.add_revision(case.id, mask_number(1), lease=lease.token, state=state, parent=case.head)
    assert store.case(case.id).status == status


def test_a_reader_may_find_nothing_and_distrust_a_region(store: Store, add: Callable[..., CaseRecord]) -> None:
    case = add()
    lease = store.lease(case.id, "Ann")
    weights = np.ones(GRID.shape)
    weights[:3] = 0
    empty = np.zeros(GRID.shape, bool)
    revision = store.add_revision(
        case.id, empty, lease=lease.token, state="accepted", parent=case.head, weights=weights
    )
    assert (revision.findings, revision.volume_ml) == (0, 0.0)
    assert not store.read_mask(case.id, store.mask_path(revision.id)).any()
    np.testing.assert_array_equal(read_nifti(store.weights_path(revision.id), None).array, weights)
    assert store.weights_path(case.head) is None
    assert store.check() == []


def test_a_revision_of_an_older_parent_is_a_conflict(store: Store, add: Callable[..., CaseRecord]) -> None:
    case = add()
    lease = store.lease(case.id, "Ann")
    newest = store.add_revision(case.id, mask_number(1), lease=lease.token, state="draft", parent=case.head)
    before = files(store)
    for stale in (case.head, None, "rev-unknown"):
        with pytest.raises(Conflict, match=f"Ann added {newest.id}"):
            store.add_revision(case.id, mask_number(2), lease=lease.token, state="draft", parent=stale)
    assert store.case(case.id).head == newest.id
    assert files(store) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mask": np.zeros((2, 2, 2), bool)}, "shape"),
        ({"mask": np.zeros(GRID.shape, np.uint8)}, "true and false"),
        ({"weights": np.zeros((2, 2, 2))}, "shape"),
        ({"weights": np.full(GRID.shape, -1.0)}, "weights"),
        ({"state": "seed"}, "state seed: not known"),
        ({"comment": "x" * 20_000}, "comment"),
    ],
)
def test_what_is_no_revision_of_the_case_is_refused(store, add, arguments, words):
    case = add()
    lease = store.lease(case.id, "Ann")
    before = files(store)
    with pytest.raises(InputError, match=words):
        store.add_revision(
            case.id,
            **{"mask": mask_number(1), "lease": lease.token, "state": "draft", "parent": case.head} | arguments,
        )
    assert store.case(case.id).head == case.head
    assert files(store) == before


@pytest.mark.parametrize(
    "change", ["UPDATE revisions SET comment = 'x'", "DELETE FROM revisions", "UPDATE revisions SET state = 'accepted'"]
)
def test_the_database_itself_refuses_to_change_a_revision(store: Store, add: Callable[..., CaseRecord], change: str):
    case = add()
    engine = sa.create_engine(f"sqlite:///{store.folder / 'cases.sqlite'}")
    with engine.begin() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.execute(sa.text(change))
    assert len(store.history(case.id)) == 1


def test_nobody_else_takes_a_leased_case(store: Store, add: Callable[..., CaseRecord], clock: Clock) -> None:
    case = add()
    lease = store.lease(case.id, "Ann")
    assert (lease.case.leased_by, lease.expires) == ("Ann", clock.now + LEASE_TIME)
    with pytest.raises(Leased, match="Ann works on it until 09:30 UTC"):
        store.lease(case.id, "Bob")
    assert store.next_case("Bob") is None
    assert store.case(case.id).leased_by == "Ann"
    store.release(lease.token)
    assert store.case(case.id).leased_by is None
    assert store.lease(case.id, "Bob").annotator == "Bob"


def test_a_case_comes_back_when_its_annotator_vanishes(store: Store, add: Callable[..., CaseRecord], clock: Clock):
    case = add()
    lease = store.lease(case.id, "Ann")
    clock.now += LEASE_TIME
    assert store.case(case.id).leased_by is None
    with pytest.raises(LeaseExpired):
        store.add_revision(case.id, mask_number(1), lease=lease.token, state="draft", parent=case.head)
    for end in (store.renew, store.release):
        with pytest.raises(LeaseExpired, match="take the case again"):
            end(lease.token)
    assert store.next_case("Bob").case.id == case.id


def test_a_lease_that_is_renewed_goes_on(store: Store, add: Callable[..., CaseRecord], clock: Clock) -> None:
    lease = store.lease(add().id, "Ann")
    clock.now += timedelta(minutes=29)
    assert store.renew(lease.token).expires == clock.now + LEASE_TIME
    clock.now += timedelta(minutes=29)
    assert store.renew(lease.token).token == lease.token


def test_two_windows_of_one_annotator_cannot_have_one_case(store: Store, add: Callable[..., CaseRecord]) -> None:
    case = add()
    lease = store.lease(case.id, "Ann", sitting="one")
    with pytest.raises(Leased, match="Ann has it open in another window, which holds it until 09:30 UTC; put it away"):
        store.lease(case.id, "Ann", sitting="other")
    store.add_revision(case.id, mask_number(1), lease=lease.token, state="draft", parent=case.head)
    store.release(lease.token)
    assert store.lease(case.id, "Ann", sitting="other").annotator == "Ann"


def test_what_a_window_held_that_is_gone_is_free_for_all_who_know_it(store: Store, add: Callable[..., CaseRecord]):
    case, other = add(), add()
    store.lease(case.id, "Ann", sitting="gone")
    store.lease(other.id, "Ann", sitting="alive")
    assert store.next_case("Bob", ended=["somebody", "", "gone"]).case.id == case.id
    with pytest.raises(Leased):
        store.lease(other.id, "Ann", sitting="new", ended=["gone"])
    assert store.lease(other.id, "Ann", sitting="new", ended=["alive", "new"]).case.id == other.id


def test_a_window_that_asks_again_gets_a_new_token_and_the_earlier_one_ends(
    store: Store, add: Callable[..., CaseRecord]
) -> None:
    case = add()
    earlier, later = (store.lease(case.id, "Ann", sitting="one") for _ in range(2))
    with pytest.raises(LeaseExpired):
        store.add_revision(case.id, mask_number(1), lease=earlier.token, state="draft", parent=case.head)
    store.add_revision(case.id, mask_number(1), lease=later.token, state="draft", parent=case.head)


def test_a_lease_is_good_for_its_own_case_only(store: Store, add: Callable[..., CaseRecord]) -> None:
    mine, other = add(), add()
    lease = store.lease(mine.id, "Ann")
    with pytest.raises(LeaseExpired, match="another case"):
        store.add_revision(other.id, mask_number(1), lease=lease.token, state="draft", parent=other.head)


def test_next_goes_by_priority_and_passes_over_what_is_decided(store: Store, add: Callable[..., CaseRecord]) -> None:
    low, high, decided = add(priority=1.0), add(priority=5.0), add(priority=9.0)
    lease = store.next_case("Ann")
    assert lease.case.id == decided.id
    store.add_revision(decided.id, mask_number(1), lease=lease.token, state="rejected", parent=decided.head)
    store.release(lease.token)
    assert store.next_case("Ann").case.id == high.id
    assert store.next_case("Ann").case.id == low.id
    assert store.next_case("Ann") is None


def test_a_second_reader_is_someone_else(store: Store, add: Callable[..., CaseRecord]) -> None:
    case = add()
    lease = store.next_case("Ann")
    store.add_revision(case.id, mask_number(1), lease=lease.token, state="needs_second_reader", parent=case.head)
    store.release(lease.token)
    assert store.next_case("Ann") is None
    assert store.next_case("Bob").case.id == case.id


def test_a_second_readers_draft_does_not_bring_the_case_back_to_the_first(
    store: Store, add: Callable[..., CaseRecord], clock: Clock
) -> None:
    case = add()

    def save(annotator: str, state: str) -> None:
        lease = store.lease(case.id, annotator)
        store.add_revision(case.id, mask_number(1), lease=lease.token, state=state, parent=lease.case.head)
        store.release(lease.token)

    def offered(annotator: str) -> bool:
        lease = store.next_case(annotator)
        if lease is not None:
            store.release(lease.token)
        return lease is not None

    save("Ann", "draft")
    assert offered("Ann") and offered("Bob"), "a draft alone asks for nobody else"
    save("Ann", "needs_second_reader")
    taken = store.next_case("Bob")
    store.add_revision(case.id, mask_number(2), lease=taken.token, state="draft", parent=taken.case.head)
    clock.now += LEASE_TIME
    assert store.case(case.id).status == "draft"
    assert not offered("Ann")
    assert offered("Bob") and offered("Cem")
    save("Cem", "consensus")
    assert not offered("Ann")
    save("Bob", "needs_second_reader")
    assert offered("Ann") and not offered("Bob")
    save("Ann", "accepted")
    assert not offered("Ann") and not offered("Bob")
    save("Ann", "draft")
    assert offered("Ann"), "whoever reopens what was accepted goes on with it"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_an_annotator_has_a_name(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="annotator: give one line"):
        store.next_case(name)
