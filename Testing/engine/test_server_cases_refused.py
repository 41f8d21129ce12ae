"""What the case store's routes refuse: the right status, one line, and nothing is written."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nibabel
import numpy as np
import pytest
from Testing.served_cases import GEOMETRY, MOST_BYTES, OBLIQUE, SHAPE, TOKEN, Served, lesion, served_cases, voxels

from pseudonormal.scan.scan import Geometry

STRAIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with served_cases(tmp_path) as serving:
        yield serving


def test_what_cannot_be_used_is_refused_in_one_line_and_nothing_is_written(served: Served) -> None:
    case, other = served.a_case(), served.a_case(1)
    lease, parent, strange = served.lease(case), served.head(case), served.head(other)
    scan = served.upload(served.file("scan.nii.gz", voxels(2)))
    boss = {"author": "eva", "lease": lease}
    shifted = Geometry(GEOMETRY.size, GEOMETRY.spacing, (6.0, -7.0, 11.0), OBLIQUE)
    good = served.file("good.nii.gz", lesion(1)).read_bytes()
    noise = np.where(lesion(1), np.nan, 0).astype(np.float32)
    bodies = {
        "nothing": b"",
        "text": b"this is no mask",
        "cut short": good[: len(good) // 2],
        "another grid": served.file("shifted.nii.gz", lesion(1), shifted).read_bytes(),
        "every voxel": served.file("full.nii.gz", np.ones(SHAPE, bool)).read_bytes(),
        "not a number": served.file("nan.nii.gz", noise).read_bytes(),
    }
    query = {"lease": lease, "state": "accepted", "parent": parent, "format": "nii.gz"}
    revisions = f"/cases/{case}/revisions"
    weights = {
        "negative": served.upload(served.file("negative.nii.gz", np.full(SHAPE, -1, np.int16))),
        "elsewhere": served.upload(served.file("elsewhere.nii.gz", np.ones(SHAPE, np.float32), shifted)),
        "endless": served.upload(served.file("noise.nii.gz", noise)),
    }
    rare = np.random.default_rng(0).bytes(MOST_BYTES + 1)
    asked = [
        (f"{name} as mask", 422, ("POST", revisions, {"params": query, "content": b})) for name, b in bodies.items()
    ]
    asked += [
        ("a mask too large", 413, ("POST", revisions, {"params": query, "content": rare})),
        ("a wrong state", 422, ("POST", revisions, {"params": query | {"state": "seed"}, "content": good})),
        ("a consensus by hand", 422, ("POST", revisions, {"params": query | {"state": "consensus"}, "content": good})),
        ("a wrong format", 422, ("POST", revisions, {"params": query | {"format": "dcm"}, "content": good})),
        ("no lease", 422, ("POST", revisions, {"params": {"state": "draft", "format": "nii.gz"}, "content": good})),
        ("an unknown lease", 410, ("POST", revisions, {"params": query | {"lease": "x"}, "content": good})),
        ("a lease on another case", 410, ("POST", f"/cases/{other}/revisions",
                                          {"params": query | {"parent": strange}, "content": good})),
        ("no parent", 409, ("POST", revisions, {"params": query | {"parent": ""}, "content": good})),
        ("another case's parent", 409, ("POST", revisions, {"params": query | {"parent": strange}, "content": good})),
        ("weights that are none", 404, ("POST", revisions, {"params": query | {"weights": "../x"}, "content": good})),
        *((f"{name} weights", 422, ("POST", revisions, {"params": query | {"weights": upload}, "content": good}))
          for name, upload in weights.items()),
        ("a comment too long", 422, ("POST", revisions, {"params": query | {"comment": "x" * 2001}, "content": good})),
        ("an unknown case", 404, ("POST", "/cases/case-22222222/revisions", {"params": query, "content": good})),
        ("another case's revision", 404, ("GET", f"/cases/{case}/revisions/{strange}/mask", {})),
        ("another case to compare", 404, ("GET", f"/cases/{case}/agreement", {"params": {"a": parent, "b": strange}})),
        ("an unknown volume", 404, ("GET", f"/cases/{case}/volumes/brain", {})),
        ("a leased case", 409, ("POST", f"/cases/{case}/lease", {"json": {"annotator": "ali"}})),
        ("nobody", 422, ("POST", "/cases/next", {"json": {"annotator": ""}})),
        ("two lines of name", 422, ("POST", "/cases/next", {"json": {"annotator": "eva\nali"}})),
        ("no volume", 422, ("POST", "/cases", {"json": {"model": "brain-mr"}})),
        ("an unknown upload", 404, ("POST", "/cases", {"json": {"volume": "0" * 32}})),
        ("an unknown job", 404, ("POST", "/cases", {"json": {"job": "0" * 32}})),
        ("an empty person", 422, ("POST", "/cases", {"json": {"volume": scan, "subject": " "}})),
        ("a contrast of two lines", 422, ("POST", "/cases", {"json": {"volume": scan, "contrast": "a\nb"}})),
        ("a priority without end", 422, ("POST", "/cases", {"content": b'{"volume": "x", "priority": Infinity}'})),
        ("no JSON", 422, ("POST", "/cases", {"content": b"{"})),
        ("one reader's consensus", 422, ("POST", f"/cases/{case}/consensus",
                                         {"json": boss | {"revisions": [parent]}})),
        ("a reader twice", 422, ("POST", f"/cases/{case}/consensus",
                                      {"json": boss | {"revisions": [parent, parent]}})),
        ("another case's consensus", 404, ("POST", f"/cases/{case}/consensus",
                                           {"json": boss | {"revisions": [parent, strange]}})),
        ("an unknown status", 422, ("GET", "/cases", {"params": {"status": "done"}})),
        ("a page before the first", 422, ("GET", "/cases", {"params": {"offset": -1}})),
        ("a page without end", 422, ("GET", "/cases", {"params": {"limit": 10**12}})),
    ]  # fmt: skip
    before = served.written()
    for what, status, (method, path, given) in asked:
        answer = served.client.request(method, path, **given)
        assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text}"
        assert served.refusal(answer), what
        assert served.written() == before, what
    assert served.revise(case, lease, lesion(1), state="accepted").status_code == 201


def test_what_is_said_of_other_volumes_names_what_the_client_sent(served: Served) -> None:
    case = served.a_case()
    scan = served.upload(served.file("scan.nii.gz", voxels(0)))
    # Four voxels along x: on the scan's lattice, a good part of it outside.
    origin = tuple(np.array(GEOMETRY.origin) + 4 * GEOMETRY.spacing[0] * np.array(OBLIQUE[::3]))
    beside = served.file("beside.nii.gz", lesion(1), Geometry(GEOMETRY.size, GEOMETRY.spacing, origin, OBLIQUE))
    refused = served.client.post("/cases", json={"volume": scan, "mask": served.upload(beside)})
    assert re.fullmatch(r"the mask: the mask \(.*\) lies to \d+% outside the volume; .*", served.refusal(refused))
    query = {"lease": served.lease(case), "state": "draft", "parent": served.head(case), "format": "nii.gz"}
    refused = served.client.post(f"/cases/{case}/revisions", params=query, content=beside.read_bytes())
    assert re.search(rf"lies to \d+% outside the scan {case}; ", served.refusal(refused))
    unplaced = served.file("unplaced.nii.gz", lesion(1)[1:], Geometry((13, 14, 11), (1, 1, 1), (0, 0, 0), STRAIGHT))
    refused = served.client.post("/cases", json={"volume": scan, "mask": served.upload(unplaced)})
    assert served.refusal(refused).endswith("save the mask on the grid of the volume")
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 6, 7, 3), np.int16), np.eye(4)), served.folder / "series.nii.gz")
    refused = served.client.post("/cases", json={"volume": served.upload(served.folder / "series.nii.gz")})
    said = "the volume: the image is 4D with 3 volumes; send one of them (0 to 2)"
    assert (refused.status_code, served.refusal(refused)) == (422, said)


def test_a_volume_that_cannot_be_a_case_makes_none(served: Served) -> None:
    good = served.upload(served.file("scan.nii.gz", voxels(0)))
    flat = served.upload(served.file("flat.nii.gz", np.zeros(SHAPE, np.int16)))
    shifted = Geometry(GEOMETRY.size, GEOMETRY.spacing, (6.0, -7.0, 11.0), OBLIQUE)
    elsewhere = served.upload(served.file("mask.nii.gz", lesion(0), shifted))
    whole = served.file("cut.nii", voxels(0)).read_bytes()
    cut = served.client.post("/volumes", params={"name": "cut.nii"}, content=whole[:-100]).json()["id"]
    before = served.written()
    for asked in (
        {"volume": flat},
        {"volume": cut},
        {"volume": good, "mask": elsewhere},
        {"volume": good, "model": ".."},
    ):
        answer = served.client.post("/cases", json=asked)
        assert answer.status_code == 422, asked
        assert served.refusal(answer).startswith(("the volume: ", "the mask: ", "model"))
    assert served.written() == before
    assert served.client.get("/cases").json()["total"] == 0


EVIL = (
    "..", ".", "%2e%2e", "..%2f..%2fsecret", "%2Fetc%2Fpasswd", "..%5c..%5csecret", "secret", "cases.sqlite", "%00",
    "x%00.nii.gz", "image%00", "a" * 4000, "%c3%bc", "%ff%fe", "'%20OR%201=1%20--", "%25",
)  # fmt: skip


def test_no_parameter_leads_outside_the_store(served: Served) -> None:
    case = served.a_case()
    revision, lease = served.head(case), served.lease(case)
    mask = served.file("drawn.nii.gz", lesion(1)).read_bytes()
    consensus = {"revisions": [revision, "x"], "author": "eva", "lease": lease}
    addresses = [
        ("GET", "/cases/{}", b""),
        ("GET", "/cases/{}/volumes/image", b""),
        ("GET", f"/cases/{case}/volumes/{{}}", b""),
        ("GET", f"/cases/{{}}/revisions/{revision}/mask", b""),
        ("GET", f"/cases/{case}/revisions/{{}}/mask", b""),
        ("GET", f"/cases/{case}/agreement?a={{}}&b={revision}", b""),
        ("GET", f"/cases/{case}/agreement?a={revision}&b={{}}", b""),
        ("GET", "/cases?status={}", b""),
        ("POST", "/cases/{}/lease", json.dumps({"annotator": "eva"}).encode()),
        ("PUT", "/leases/{}", b""),
        ("DELETE", "/leases/{}", b""),
        ("POST", f"/cases/{{}}/revisions?lease={lease}&state=draft&parent={revision}&format=nii.gz", mask),
        ("POST", f"/cases/{case}/revisions?lease={{}}&state=draft&parent={revision}&format=nii.gz", mask),
        ("POST", f"/cases/{case}/revisions?lease={lease}&state={{}}&parent={revision}&format=nii.gz", mask),
        ("POST", f"/cases/{case}/revisions?lease={lease}&state=draft&parent={{}}&format=nii.gz", mask),
        ("POST", f"/cases/{case}/revisions?lease={lease}&state=draft&parent={revision}&format={{}}", mask),
        ("POST", f"/cases/{case}/revisions?lease={lease}&state=draft&parent={revision}&format=nii.gz&weights={{}}",
         mask),
        ("POST", "/cases/{}/consensus", json.dumps(consensus).encode()),
    ]  # fmt: skip
    before = served.written()
    host, port = served.client.base_url.host, served.client.base_url.port
    for method, address, body in addresses:
        for evil in EVIL:
            # Sent as it is: other clients would tidy the address up first.
            connection = http.client.HTTPConnection(host, port, timeout=60)
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            connection.request(method, address.format(evil), body, headers)
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            assert answer.status in (400, 404, 405, 409, 410, 422), (method, address, evil, answer.status, said)
            assert b"\n" not in said.strip() and str(served.folder).encode() not in said
            assert set(json.loads(said)) == {"detail"}
    assert served.written() == before


@pytest.mark.parametrize("name", ["volume", "mask", "job"])
def test_no_named_upload_or_job_leads_outside_the_data_root(served: Served, name: str) -> None:
    volume = served.upload(served.file("scan.nii.gz", voxels(0)))
    before = served.written()
    for evil in (
        "..",
        "../../store/secret",
        "/etc/passwd",
        "a\0b",
        "ü",
        "a" * 4000,
        str(served.folder / "scan.nii.gz"),
    ):
        answer = served.client.post("/cases", json={"volume": volume} | {name: evil})
        assert answer.status_code in (404, 422), evil
        assert served.refusal(answer)
    assert served.written() == before


def test_without_the_token_nothing_of_a_case_is_told_or_changed(served: Served) -> None:
    case = served.a_case()
    lease, revision = served.lease(case), served.head(case)
    before = served.written()
    with httpx.Client(base_url=served.client.base_url, headers={"Authorization": "Bearer wrong"}) as stranger:
        for method, path in (
            ("GET", "/cases"), ("POST", "/cases"), ("GET", f"/cases/{case}"), ("POST", "/cases/next"),
            ("POST", f"/cases/{case}/lease"), ("PUT", f"/leases/{lease}"), ("DELETE", f"/leases/{lease}"),
            ("GET", f"/cases/{case}/volumes/image"), ("GET", f"/cases/{case}/revisions/{revision}/mask"),
            ("POST", f"/cases/{case}/revisions"), ("GET", f"/cases/{case}/agreement"),
            ("POST", f"/cases/{case}/consensus"),
        ):  # fmt: skip
            answer = stranger.request(method, path)
            assert answer.status_code == 401, path
            assert served.refusal(answer)
    assert served.written() == before


def test_a_mask_whose_sender_goes_away_half_way_leaves_nothing(served: Served) -> None:
    case = served.a_case()
    lease, parent = served.lease(case), served.head(case)
    mask = served.file("drawn.nii.gz", lesion(1)).read_bytes()
    before = served.written()
    connection = http.client.HTTPConnection(served.client.base_url.host, served.client.base_url.port, timeout=60)
    connection.putrequest("POST", f"/cases/{case}/revisions?lease={lease}&state=accepted&parent={parent}&format=nii.gz")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.putheader("Content-Length", str(len(mask)))
    connection.endheaders(mask[: len(mask) // 2])
    time.sleep(0.3)
    connection.close()
    until = time.monotonic() + 30
    while served.written() != before and time.monotonic() < until:
        time.sleep(0.05)
    assert served.written() == before
    assert served.head(case) == parent


def test_a_store_that_cannot_be_written_says_so_without_saying_where(served: Served) -> None:
    case = served.a_case()
    lease, parent = served.lease(case), served.head(case)
    volume = served.upload(served.file("scan.nii.gz", voxels(1)))
    incoming = served.folder / "store" / "incoming"
    incoming.rmdir()
    incoming.write_text("a file where a folder is needed", encoding="utf-8")
    before = served.written()
    for answer in (served.revise(case, lease, lesion(1)), served.client.post("/cases", json={"volume": volume})):
        assert answer.status_code == 503
        assert "cannot be written" in served.refusal(answer)
    assert served.written() == before
    assert served.head(case) == parent
