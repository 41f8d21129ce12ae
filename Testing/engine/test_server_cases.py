"""The case store over real HTTP: a case's life, and who has it when several want it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from Testing.served_cases import GEOMETRY, SHAPE, Served, lesion, served_cases, voxels

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image, write_nrrd
from pseudonormal.store.agreement import dice
from pseudonormal.store.reviewed import split_of
from pseudonormal.store.store import LEASE_TIME


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_cases(tmp_path) as serving:
        yield serving


def test_a_case_goes_through_its_whole_life(served: Served) -> None:
    case = served.a_case()
    taken = served.client.post("/cases/next", json={"annotator": "eva"}).json()
    assert (taken["case"]["id"], taken["case"]["leased_by"]) == (case, "eva")
    assert datetime.fromisoformat(taken["expires"]) == served.clock.now + LEASE_TIME

    seed = served.head(case)
    image = served.client.get(f"/cases/{case}/volumes/image")
    (served.folder / "got.nii.gz").write_bytes(image.content)
    got = read_nifti(served.folder / "got.nii.gz", None)
    np.testing.assert_array_equal(got.array, voxels(0))
    np.testing.assert_allclose(got.geometry.affine_ras(), GEOMETRY.affine_ras(), atol=1e-5)

    first = served.revise(case, taken["lease"], lesion(1)).json()
    second = served.revise(case, taken["lease"], lesion(2), state="accepted", comment="sure").json()
    assert [first["parent"], second["parent"]] == [seed, first["id"]]
    assert (second["state"], second["author"], second["comment"]) == ("accepted", "eva", "sure")

    whole = served.client.get(f"/cases/{case}").json()
    assert (whole["status"], whole["head"], whole["revisions"]) == ("accepted", second["id"], 3)
    assert [revision["state"] for revision in whole["history"]] == ["seed", "draft", "accepted"]
    assert (whole["volumes"], whole["report"]) == (["image"], None)
    mask = served.client.get(f"/cases/{case}/revisions/{second['id']}/mask").content
    assert hashlib.sha256(mask).hexdigest() == second["mask_sha256"]
    (served.folder / "mask_back.nii.gz").write_bytes(mask)
    np.testing.assert_array_equal(read_nifti(served.folder / "mask_back.nii.gz", None).array > 0, lesion(2))

    assert served.client.delete(f"/leases/{taken['lease']}").status_code == 204
    assert served.client.post("/cases/next", json={"annotator": "eva"}).status_code == 204
    assert served.store.check() == []


def test_cases_are_listed_by_priority_status_and_page(served: Served) -> None:
    for seed, priority in enumerate((1.0, 9.0, 5.0)):
        volume = served.upload(served.file("scan.nii.gz", voxels(seed)))
        served.client.post("/cases", json={"volume": volume, "priority": priority})
    listed = served.client.get("/cases").json()
    assert [case["priority"] for case in listed["cases"]] == [9.0, 5.0, 1.0]
    first = listed["cases"][0]["id"]
    page = served.client.get("/cases", params={"limit": 1, "offset": 1}).json()
    assert ([case["priority"] for case in page["cases"]], page["total"]) == ([5.0], 3)
    assert served.client.get("/cases", params={"text": first}).json()["total"] == 1
    assert served.client.get("/cases", params={"status": "accepted"}).json() == {"cases": [], "total": 0}
    assert served.client.post("/cases/next", json={"annotator": "eva"}).json()["case"]["id"] == first


@pytest.mark.parametrize("kind", ["nrrd", "nii.gz"])
def test_a_mask_arrives_voxel_for_voxel_in_either_format_and_may_be_empty(served: Served, kind: str) -> None:
    case = served.a_case()
    lease = served.lease(case)
    uploads = [name for name in served.written() if "/volumes/" in name]
    for drawn in (lesion(5), np.zeros(SHAPE, bool)):
        query = {"lease": lease, "state": "draft", "parent": served.head(case), "format": kind}
        content = served.file(f"drawn.{kind}", drawn).read_bytes()
        revision = served.client.post(f"/cases/{case}/revisions", params=query, content=content).json()
        path = served.store.mask_path(revision["id"])
        np.testing.assert_array_equal(served.store.read_mask(case, path), drawn)
    assert [name for name in served.written() if "/volumes/" in name] == uploads


def test_scans_of_one_person_are_known_as_such_and_the_key_to_them_is_not_kept(served: Served) -> None:
    made = []
    for seed, key in enumerate(("MRN-4711-232", "MRN-4711-232", "MRN-4711-233")):
        volume = served.upload(served.file("scan.nii.gz", voxels(seed)))
        answer = served.client.post("/cases", json={"volume": volume, "subject": key, "contrast": "T1w"})
        assert answer.json()["contrast"] == "T1w"
        made.append(served.store.case(answer.json()["id"]))
    assert made[0].subject == made[1].subject != made[2].subject
    assert split_of(made[0].subject) == split_of(made[1].subject)
    for path in (served.folder / "store").rglob("*"):
        assert not path.is_file() or b"MRN-4711-23" not in path.read_bytes(), path


@pytest.mark.parametrize("kind", ["nrrd", "nii.gz"])
def test_what_a_reviewer_does_not_trust_arrives_voxel_for_voxel(served: Served, kind: str) -> None:
    case = served.a_case()
    lease = served.lease(case)
    believed = np.random.default_rng(3).random(SHAPE).astype(np.float32)
    believed[2:5, 3:9] = 0
    path = served.folder / f"weights.{kind}"
    if kind == "nrrd":
        with path.open("wb") as stream:
            write_nrrd(believed, GEOMETRY, stream)
    else:
        write_image(believed, GEOMETRY, path)
    revision = served.revise(case, lease, lesion(1), weights=served.upload(path)).json()
    back = served.client.get(f"/cases/{case}/revisions/{revision['id']}/weights")
    assert hashlib.sha256(back.content).hexdigest() == revision["weights_sha256"]
    (served.folder / "back.nii.gz").write_bytes(back.content)
    np.testing.assert_array_equal(read_nifti(served.folder / "back.nii.gz", None).array, believed)
    without = served.revise(case, lease, lesion(1)).json()
    assert without["weights_sha256"] is None and served.store.weights_path(without["id"]) is None
    refused = served.client.get(f"/cases/{case}/revisions/{without['id']}/weights")
    assert refused.status_code == 404 and "all its voxels count" in served.refusal(refused)
    elsewhere = served.client.get(f"/cases/{served.a_case(5)}/revisions/{revision['id']}/weights")
    assert elsewhere.status_code == 404, "a revision is read through its own case only"
    assert served.store.check() == []


def test_of_annotators_who_want_one_case_at_once_one_gets_it(served: Served) -> None:
    case = served.a_case()
    start = threading.Barrier(8)

    def want(annotator: int) -> int:
        start.wait()
        return served.client.post(f"/cases/{case}/lease", json={"annotator": f"reader {annotator}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(want, range(8))) == [200] + [409] * 7


def test_annotators_who_ask_for_the_next_case_at_once_get_different_ones(served: Served) -> None:
    cases = {served.a_case(seed) for seed in range(3)}
    start = threading.Barrier(6)

    def want(annotator: int) -> httpx.Response:
        start.wait()
        return served.client.post("/cases/next", json={"annotator": f"reader {annotator}"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(want, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [204] * 3
    assert {answer.json()["case"]["id"] for answer in answers if answer.status_code == 200} == cases


def test_of_two_revisions_of_one_parent_at_once_one_is_kept(served: Served) -> None:
    case = served.a_case()
    lease, parent = served.lease(case), served.head(case)
    content = [served.file("drawn.nii.gz", lesion(seed)).read_bytes() for seed in (1, 2)]
    query = {"lease": lease, "state": "draft", "parent": parent, "format": "nii.gz"}
    start = threading.Barrier(2)

    def save(mask: bytes) -> httpx.Response:
        start.wait()
        return served.client.post(f"/cases/{case}/revisions", params=query, content=mask)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(save, content))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (kept,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert [revision.id for revision in served.store.history(case)] == [parent, kept["id"]]
    assert all(problem.severity == "warning" for problem in served.store.check())  # the file of the other one


def test_a_lease_that_is_not_renewed_comes_back_and_the_case_goes_to_the_next(served: Served) -> None:
    case = served.a_case()
    lost = served.lease(case, "eva")
    served.clock.pass_time(LEASE_TIME / 2)
    assert served.client.put(f"/leases/{lost}").status_code == 200
    served.clock.pass_time(LEASE_TIME * 0.9)
    assert served.revise(case, lost, lesion(1)).status_code == 201
    served.clock.pass_time(LEASE_TIME)
    assert served.client.get(f"/cases/{case}").json()["leased_by"] is None
    assert served.client.post("/cases/next", json={"annotator": "ali"}).json()["case"]["id"] == case
    before = served.written()
    refused = [served.revise(case, lost, lesion(2)), served.client.put(f"/leases/{lost}")]
    refused.append(served.client.delete(f"/leases/{lost}"))
    assert [answer.status_code for answer in refused] == [410] * 3
    assert all(served.refusal(answer) for answer in refused)
    assert served.written() == before


def test_an_update_that_did_not_see_the_newest_revision_is_refused(served: Served) -> None:
    case = served.a_case()
    lease, seed = served.lease(case), served.head(case)
    newest = served.revise(case, lease, lesion(1)).json()["id"]
    before = served.written()
    late = served.revise(case, lease, lesion(2), parent=seed)
    assert late.status_code == 409
    assert served.refusal(late)
    assert served.written() == before
    assert served.head(case) == newest


def test_two_revisions_are_held_against_each_other_and_made_one(served: Served) -> None:
    case = served.a_case()
    drawn = [lesion(7), lesion(8), lesion(7)]
    readers = []
    for author, mask in zip(("eva", "ali", "kim"), drawn, strict=True):
        lease = served.lease(case, author)
        readers.append(served.revise(case, lease, mask, state="needs_second_reader").json()["id"])
        served.client.delete(f"/leases/{lease}")
    agreed = served.client.get(f"/cases/{case}/agreement", params={"a": readers[0], "b": readers[1]}).json()
    assert agreed["dice"] == pytest.approx(dice(drawn[0], drawn[1]))
    assert agreed["volume_a_ml"] == pytest.approx(drawn[0].sum() * 3 / 1000)
    assert agreed["hausdorff95_mm"] > 0
    asked = {"revisions": readers, "author": "boss", "lease": served.lease(case, "boss")}
    made = served.client.post(f"/cases/{case}/consensus", json=asked)
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["author"]) == ("consensus", "boss")
    np.testing.assert_array_equal(served.store.read_mask(case, served.store.mask_path(made.json()["id"])), drawn[0])


def test_distance_to_nothing_is_null(served: Served) -> None:
    case = served.a_case()
    empty = served.revise(case, served.lease(case), np.zeros(SHAPE, bool)).json()
    agreed = served.client.get(f"/cases/{case}/agreement", params={"a": empty["parent"], "b": empty["id"]}).json()
    assert (agreed["dice"], agreed["hausdorff95_mm"]) == (0.0, None)


def test_the_addresses_are_described(served: Served) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]
    assert {"/cases", "/cases/next", "/cases/{case_id}", "/cases/{case_id}/revisions", "/leases/{token}"} <= set(paths)
