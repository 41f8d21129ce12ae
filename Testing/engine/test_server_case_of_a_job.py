"""From a finished job of a real engine to a case: nothing is sent twice."""

from __future__ import annotations

import time

import httpx
import numpy as np

from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.reading import read_scan
from pseudonormal.store.urgency import priority_of


def test_a_finished_job_becomes_a_case_with_all_that_it_made(an_engine, a_head, tmp_path):
    with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as client:
        scan, mask = (
            client.post("/volumes", params={"name": path.name}, content=path.read_bytes()).json()["id"]
            for path in (a_head.scan, a_head.mask)
        )
        job = client.post("/jobs", json={"kind": "generate", "volume": scan, "mask": mask}).json()["id"]
        early = client.post("/cases", json={"job": job})
        assert early.status_code == 409, early.text
        until = time.monotonic() + 240
        while (state := client.get(f"/jobs/{job}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < until, state
            time.sleep(0.2)
        assert state["state"] == "done", state
        report = state["result"]["report"]

        case = client.post("/cases", json={"job": job}).json()
        assert case["status"] == "new"
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

        corrected = client.post("/cases", json={"job": job, "mask": mask, "priority": 7}).json()
        assert corrected["priority"] == 7
