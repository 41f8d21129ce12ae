"""The client against a real case store: lease, revise, compare, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Conflict, LeaseLost, Refused, Unknown
from PseudoNormalLib.engine.transfer import Volume, decode, encode
from Testing.engine_process import running_engine

from pseudonormal.store.store import Store


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine


@pytest.fixture
def a_store(an_engine):
    """The engine's store, opened beside it."""
    store = Store.open(an_engine.data.parent / "store")
    yield store
    store.close()


@pytest.fixture
def client(an_engine):
    return EngineClient(an_engine.url, an_engine.token)


@pytest.fixture
def a_scan(a_head):
    return Volume(a_head.array, np.diag((-1.0, -1.0, 1.0, 1.0)))


@pytest.fixture
def a_mask(a_head, a_scan):
    return Volume(a_head.lesion, a_scan.ijk_to_ras)


@pytest.fixture
def a_case(client, a_scan, a_mask):
    """A case with a seed mask."""
    scan, mask = client.upload(encode(a_scan), "scan.nrrd"), client.upload(encode(a_mask), "mask.nrrd")
    return client.add_case(scan, mask=mask, model="brain-mr", priority=1.5)


@pytest.fixture
def a_lease(client, a_case):
    lease = client.lease_case(a_case.id, "anna")
    yield lease
    client.give_back(lease.lease)


def test_a_case_is_listed_and_told_with_its_seed(client, a_case, a_scan, a_mask):
    assert client.status().store
    assert a_case.status == "new" and a_case.priority == 1.5
    page = client.cases(status="new", text=a_case.id)
    assert page.total == 1 and page.cases[0].id == a_case.id
    details = client.case(a_case.id)
    assert details.info.id == a_case.id and details.volumes == ("image",)
    assert [(revision.state, revision.model) for revision in details.history] == [("seed", "brain-mr")]
    image = decode(client.case_volume(a_case.id, "image"), "image.nii.gz")
    assert np.array_equal(image.array, a_scan.array) and np.allclose(image.ijk_to_ras, a_scan.ijk_to_ras)
    mask = decode(client.revision_mask(a_case.id, details.history[0].id), "mask.nii.gz")
    assert np.array_equal(mask.array > 0, a_mask.array)


def test_pages_of_cases_follow_each_other(client, a_scan):
    for _ in range(2):
        client.add_case(client.upload(encode(a_scan), "scan.nrrd"))
    first, second = client.cases(limit=1), client.cases(limit=1, offset=1)
    assert first.total == second.total >= 2
    assert first.cases[0].id != second.cases[0].id


def test_a_leased_case_is_revised_until_it_is_accepted(client, a_case, a_lease, a_mask):
    assert a_lease.case.leased_by == "anna"
    assert client.renew_lease(a_lease.lease) >= a_lease.expires
    seed = a_lease.case.head
    larger = np.roll(a_mask.array, 1, axis=0) | a_mask.array
    content = encode(Volume(larger, a_mask.ijk_to_ras))
    draft = client.add_revision(a_case.id, content, lease=a_lease.lease, state="draft", parent=seed)
    accepted = client.add_revision(
        a_case.id, content, lease=a_lease.lease, state="accepted", parent=draft.id, comment="größer; 1 < 2 & 3"
    )
    assert (accepted.author, accepted.parent, accepted.comment) == ("anna", draft.id, "größer; 1 < 2 & 3")
    details = client.case(a_case.id)
    assert details.info.status == "accepted" and details.info.head == accepted.id
    assert [revision.state for revision in details.history] == ["seed", "draft", "accepted"]
    mask = decode(client.revision_mask(a_case.id, accepted.id), "mask.nii.gz")
    assert np.array_equal(mask.array > 0, larger)
    agreement = client.agreement(a_case.id, seed, accepted.id)
    assert agreement.dice == pytest.approx(2 * a_mask.array.sum() / (a_mask.array.sum() + larger.sum()))
    consensus = client.consensus(a_case.id, [seed, accepted.id], author="anna", lease=a_lease.lease)
    assert consensus.state == "consensus" and consensus.number == 4


def test_two_scans_of_one_patient_land_in_one_split(client, a_store, a_scan):
    others = [client.add_case(client.upload(encode(a_scan), "scan.nrrd"), subject=f"other {n}") for n in range(8)]
    first, second = (
        client.add_case(client.upload(encode(a_scan), "scan.nrrd"), subject="4711", contrast="T1w") for _ in range(2)
    )
    assert first.contrast == second.contrast == "T1w"
    assert a_store.case(first.id).subject == a_store.case(second.id).subject
    assert len({a_store.case(case.id).subject for case in (first, *others)}) == 9


def test_a_region_that_is_not_trusted_goes_along_voxel_for_voxel(client, a_store, a_case, a_lease, a_mask):
    believed = np.ones(a_mask.array.shape, np.float32)
    believed[10:20, 5:30] = 0
    upload = client.upload(encode(Volume(believed, a_mask.ijk_to_ras)), "weights.nrrd")
    revision = client.add_revision(
        a_case.id, encode(a_mask), lease=a_lease.lease, state="draft", parent=a_lease.case.head, weights=upload
    )
    kept = a_store.read_weights(a_case.id, a_store.weights_path(revision.id))
    assert np.array_equal(kept, believed)


def test_who_is_too_late_is_told(client, a_case, a_lease, a_mask):
    with pytest.raises(Conflict, match="anna"):
        client.lease_case(a_case.id, "bert")
    content = encode(a_mask)
    client.add_revision(a_case.id, content, lease=a_lease.lease, state="draft", parent=a_lease.case.head)
    with pytest.raises(Conflict):
        client.add_revision(a_case.id, content, lease=a_lease.lease, state="draft", parent=a_lease.case.head)


def test_without_a_lease_nothing_is_saved(client, a_case, a_mask):
    lease = client.lease_case(a_case.id, "anna")
    client.give_back(lease.lease)
    with pytest.raises(LeaseLost):
        client.add_revision(a_case.id, encode(a_mask), lease=lease.lease, state="accepted", parent=lease.case.head)
    with pytest.raises(LeaseLost):
        client.renew_lease(lease.lease)
    assert client.case(a_case.id).info.revisions == 1


def test_a_mask_on_another_grid_is_refused(client, a_case, a_lease):
    other = encode(Volume(np.zeros((2, 3, 4), bool), np.eye(4)))
    with pytest.raises(Refused) as caught:
        client.add_revision(a_case.id, other, lease=a_lease.lease, state="draft", parent=a_lease.case.head)
    assert caught.value.status == 422 and "\n" not in str(caught.value)


def test_the_next_case_is_leased_until_none_is_left(client, a_case):
    leases = []
    while (lease := client.next_case("anna")) is not None:
        leases.append(lease)
    assert a_case.id in [lease.case.id for lease in leases]
    assert leases[0].lease not in repr(leases[0])
    for lease in leases:
        client.give_back(lease.lease)


@pytest.mark.parametrize("name", ["nothing", "..", "../image", "a/b", "größe"])
def test_what_the_store_does_not_have_is_unknown_whatever_its_name(client, a_case, name):
    with pytest.raises(Unknown):
        client.case(name)
    with pytest.raises((Unknown, Refused)):
        client.case_volume(a_case.id, name)
