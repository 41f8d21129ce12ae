"""From a finished job of a real engine to a case: nothing is sent twice."""

from __future__ import annotations

import time

import httpx
import numpy as np

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image
from pseudonormal.store.urgency import priority_of


def finished(client, job):
    until = time.monotonic() + 240
    while (state := client.get(f"/jobs/{job}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < until, state
        time.sleep(0.2)
    assert state["state"] == "done", state
    return state


def test_a_finished_job_becomes_a_case_with_all_that_it_made(an_engine, a_head, tmp_path):
    with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as client:
        scan, mask = (
            client.post("/volumes", params={"name": path.name}, content=path.read_bytes()).json()["id"]
            for path in (a_head.scan, a_head.mask)
        )
        job = client.post("/jobs", json={"kind": "generate", "volume": scan, "mask": mask, "contrast": "flair"}).json()[
            "id"
        ]
        early = client.post("/cases", json={"job": job})
        assert early.status_code == 409, early.text
        report = finished(client, job)["result"]["report"]

        case = client.post("/cases", json={"job": job}).json()
        assert case["status"] == "new"
        assert case["contrast"] == report["contrast"] == "flair"
        assert case["findings"] == len(report["findings"]) == 1
        assert case["priority"] == priority_of(report)

        whole = client.get(f"/cases/{case['id']}").json()
        assert whole["volumes"] == ["image", "difference", "difference_z", "pseudo_normal"]
        assert whole["report"]["findings"] == report["findings"]
        (seed,) = whole["history"]
        assert (seed["state"], seed["model"]) == ("seed", "brain-mr")

        def stored(address, name):
            (tmp_path / name).write_bytes(client.get(f"/cases/{case['id']}/{address}").content)
            return read_nifti(tmp_path / name, None)

        image = stored("volumes/image", "image.nii.gz")
        np.testing.assert_array_equal(image.array, a_head.array)
        assert image.geometry == read_scan(a_head.scan).geometry
        np.testing.assert_array_equal(stored(f"revisions/{seed['id']}/mask", "mask.nii.gz").array > 0, a_head.lesion)
        restored, difference = (stored(f"volumes/{n}", f"{n}.nii.gz").array for n in ("pseudo_normal", "difference"))
        np.testing.assert_allclose(difference, image.array.astype(np.float32) - restored, atol=0.51)
        np.testing.assert_array_equal(restored[~a_head.lesion], a_head.array[~a_head.lesion])

        corrected = client.post("/cases", json={"job": job, "mask": mask, "priority": 7, "contrast": "T1w"}).json()
        assert (corrected["priority"], corrected["contrast"]) == (7, "T1w")


def test_what_a_job_makes_anew_for_an_edited_mask_is_kept_and_the_earlier_stays(an_engine, a_head, tmp_path):
    with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as client:

        def upload(path):
            return client.post("/volumes", params={"name": path.name}, content=path.read_bytes()).json()["id"]

        def job(mask, volume, **given):
            order = {"kind": "generate", "volume": volume, "mask": mask, "mode": "void"} | given
            answer = client.post("/jobs", json=order)
            assert answer.status_code == 202, answer.text
            return answer.json()["id"]

        def kept(name, **query):
            answer = client.get(f"/cases/{case}/volumes/{name}", params=query)
            assert answer.status_code == 200, answer.text
            (tmp_path / "kept.nii.gz").write_bytes(answer.content)
            return read_nifti(tmp_path / "kept.nii.gz", None).array

        scan, seed_mask = upload(a_head.scan), upload(a_head.mask)
        first = job(seed_mask, scan)
        finished(client, first)
        case = client.post("/cases", json={"job": first}).json()["id"]
        lease = client.post(f"/cases/{case}/lease", json={"annotator": "eva"}).json()["lease"]

        edited = a_head.lesion | np.roll(a_head.lesion, 4, axis=2)
        write_image(edited, a_head.geometry, tmp_path / "edited.nii.gz")
        second = job(upload(tmp_path / "edited.nii.gz"), scan, reach_mm=4)
        results = finished(client, second)["result"]

        def renew(which, token=lease):
            return client.post(f"/cases/{case}/results", json={"job": which, "lease": token})

        for answer, status in (
            (renew(second), 422),  # the mask is no revision yet
            (renew("nothing"), 404),
            (renew(first, "no lease"), 410),
            (client.post("/cases/nothing/results", json={"job": second, "lease": lease}), 404),
            (client.post(f"/cases/{case}/results", json={"job": second}), 422),
            (client.post("/jobs", json={"kind": "generate", "volume": scan, "reach_mm": 21}), 422),
        ):
            assert answer.status_code == status, answer.text
            assert "\n" not in answer.json()["detail"] and str(an_engine.data) not in answer.json()["detail"]

        (seed,) = client.get(f"/cases/{case}").json()["history"]
        query = {"lease": lease, "state": "draft", "parent": seed["id"], "format": "nii.gz"}
        content = (tmp_path / "edited.nii.gz").read_bytes()
        revision = client.post(f"/cases/{case}/revisions", params=query, content=content).json()["id"]
        answer = renew(second)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["revision_id"], answer.json()["author"]) == (revision, "eva")

        whole = client.get(f"/cases/{case}").json()
        assert whole["volumes"] == ["image", "difference", "difference_z", "pseudo_normal", "wide_difference_z"]
        assert whole["report"]["findings"] == results["report"]["findings"]
        changed, before = kept("pseudo_normal"), kept("pseudo_normal", revision=seed["id"])
        assert (changed != a_head.array)[edited].mean() > 0.9 and (changed == a_head.array)[~edited].all()
        assert (before == a_head.array)[~a_head.lesion].all()
        wide = kept("wide_difference_z")
        assert np.count_nonzero(wide) > 1.5 * np.count_nonzero(kept("difference_z"))
        unknown = client.get(f"/cases/{case}/volumes/image", params={"revision": "../secret"})
        assert unknown.status_code == 404 and "\n" not in unknown.json()["detail"]

        write_image(np.roll(a_head.array, 3, axis=0), a_head.geometry, tmp_path / "another.nii.gz")
        third = job(upload(tmp_path / "edited.nii.gz"), upload(tmp_path / "another.nii.gz"))
        finished(client, third)
        foreign = renew(third)
        assert foreign.status_code == 422 and "another scan" in foreign.json()["detail"]
        np.testing.assert_array_equal(kept("pseudo_normal"), changed)
