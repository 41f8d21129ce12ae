"""Jobs over real HTTP on a real engine process: generate, watch, cancel, and what happens when the worker dies."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import httpx
import numpy as np
import pytest
import SimpleITK as sitk
from Testing.engine_process import running_engine

from pseudonormal.generate.pipeline import Options, generate
from pseudonormal.models.bundle import load_model
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.scan.writing import write_image

PATIENCE_S = 240  # of a machine that does much else


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    with running_engine(models_folder, tmp_path_factory.mktemp("jobs") / "data", queue=3) as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def client(an_engine):
    with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as client:
        yield client
        for job in client.get("/jobs").json():
            client.delete(f"/jobs/{job['id']}")
        an_engine.wait_until_ready()


@pytest.fixture
def a_volume(client, a_head):
    return send(client, a_head.scan)


@pytest.fixture
def a_slow_volume(client, a_head, tmp_path):
    """The same head at twice the size, which takes eight times as long."""
    image = sitk.ReadImage(str(a_head.scan))
    image.SetSpacing((2.0, 2.0, 2.0))
    sitk.WriteImage(image, str(tmp_path / "slow.nii.gz"))
    return send(client, tmp_path / "slow.nii.gz")


def send(client, path):
    answer = client.post("/volumes", params={"name": path.name}, content=path.read_bytes())
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def submit(client, **request):
    answer = client.post("/jobs", json=request)
    assert answer.status_code == 202, answer.text
    return answer.json()


def poll(client, job, condition):
    """The job as soon as a condition holds, or when it is over."""
    until = time.monotonic() + PATIENCE_S
    while not condition(job) and job["state"] in ("queued", "running"):
        assert time.monotonic() < until, job
        time.sleep(0.02)
        job = client.get(f"/jobs/{job['id']}").json()
    return job


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def running(job):
    return job["state"] == "running" and job["message"] != "reading the scan"


def over(_):
    return False


def file(client, job, what):
    answer = client.get(f"/jobs/{job['id']}/files/{job['result']['files'][what]}")
    assert answer.status_code == 200
    return answer.content


def voxels(content, folder):
    path = folder / "got.nrrd"
    path.write_bytes(content)
    return sitk.ReadImage(str(path))


def test_a_job_makes_what_the_engine_makes(client, models_folder, a_head, a_volume, tmp_path):
    mask = send(client, a_head.mask)
    job = poll(client, submit(client, volume=a_volume, mask=mask, mode="void"), over)
    assert (job["state"], job["progress"], job["error"]) == ("done", 1.0, None)
    expected = generate(a_head.scan, load_model(str(models_folder / "brain-mr")), Options(a_head.mask, mode="void"))
    arrays = {
        "pseudo_normal": expected.pseudo_normal,
        "difference": expected.difference,
        "difference_z": expected.difference_z,
        "confidence": expected.confidence,
        "lesion_mask": expected.lesion.astype(np.uint8),
        "foreground": expected.foreground.astype(np.uint8),
    }
    for what, array in arrays.items():
        image = voxels(file(client, job, what), tmp_path)
        got = sitk.GetArrayFromImage(image)
        assert got.dtype == array.dtype
        np.testing.assert_allclose(got, array, rtol=1e-4, atol=1e-3)
        assert (image.GetSpacing(), image.GetOrigin()) == (a_head.geometry.spacing, a_head.geometry.origin)
        assert image.GetDirection() == a_head.geometry.direction
    outside = ~a_head.lesion
    normal = sitk.GetArrayFromImage(voxels(file(client, job, "pseudo_normal"), tmp_path))
    assert np.array_equal(normal[outside], a_head.array[outside])
    report = job["result"]["report"]
    assert json.loads(file(client, job, "report_json")) == report
    assert report["case"] == "scan" and report["input"]["name"] == "volume.nii.gz"
    assert len(report["findings"]) == 1 and report["mode"] == "void"
    assert b"<html" in file(client, job, "report_html")
    assert client.delete(f"/jobs/{job['id']}").json()["state"] == "done"


def test_an_oblique_scan_keeps_its_place(client, tmp_path, a_head):
    image = sitk.ReadImage(str(a_head.scan))
    angle = np.radians(17)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    image.SetDirection((turn @ np.diag([-1, -1, 1])).ravel().tolist())
    image.SetOrigin((31.25, 40.125, -12.0625))
    sitk.WriteImage(image, str(tmp_path / "oblique.nrrd"))
    job = poll(client, submit(client, volume=send(client, tmp_path / "oblique.nrrd")), over)
    assert job["state"] == "done", job
    got = voxels(file(client, job, "difference"), tmp_path)
    np.testing.assert_allclose(got.GetDirection(), image.GetDirection(), atol=1e-12)
    np.testing.assert_allclose(got.GetOrigin(), image.GetOrigin(), atol=1e-12)


def test_a_job_is_watched_line_by_line(client, an_engine, a_volume):
    first = submit(client, volume=a_volume)
    lines, shown, slowest = [], [], 0.0
    job = first
    while job["state"] in ("queued", "running"):
        begun = time.perf_counter()
        job = client.get(f"/jobs/{first['id']}", params={"since": len(lines)}).json()
        slowest = max(slowest, time.perf_counter() - begun)
        lines += job["log"]
        shown.append(job["progress"])
        assert job["next"] == len(lines)
        time.sleep(0.01)
    assert shown == sorted(shown) and shown[-1] == 1.0
    assert lines == client.get(f"/jobs/{first['id']}").json()["log"]
    assert lines[0].startswith("model brain-mr 0 on cpu") and "done" in lines[-1]
    assert slowest < 1.0  # 0.05 on a machine of its own
    second = poll(client, submit(client, volume=a_volume), running)
    assert 0 <= second["seconds_left"] < PATIENCE_S


def test_events_tell_the_same_and_end_with_the_job(client, a_volume):
    job = submit(client, volume=a_volume)
    with client.stream("GET", f"/jobs/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line]
    last = client.get(f"/jobs/{job['id']}").json()
    assert told[-1]["state"] == "done" and told[-1]["result"] == last["result"]
    assert [line for event in told for line in event["log"]] == last["log"]
    messages = [event["message"] for event in told]
    assert messages.index("finding lesions") < messages.index("restoring normal tissue") < messages.index("done")


def test_a_running_job_is_cancelled_within_a_second_and_others_go_on(client, an_engine, a_volume, a_slow_volume):
    job = poll(client, submit(client, volume=a_slow_volume), lambda job: job["message"] == "finding lesions")
    begun = time.monotonic()
    job = client.delete(f"/jobs/{job['id']}").json()
    assert (job["state"], job["result"], job["error"]) == ("cancelled", None, None)
    assert time.monotonic() - begun < 3  # 1 on a machine of its own
    wait_for(lambda: not list(an_engine.data.rglob(f"*{job['id']}*")))
    assert poll(client, submit(client, volume=a_volume), over)["state"] == "done"


def test_a_worker_that_does_not_listen_is_killed(client, an_engine, a_volume, a_slow_volume):
    worker = an_engine.worker
    job = poll(client, submit(client, volume=a_slow_volume), running)
    os.kill(worker, signal.SIGSTOP)
    begun = time.monotonic()
    assert client.delete(f"/jobs/{job['id']}").json()["state"] == "cancelled"
    assert time.monotonic() - begun < 3  # 1 on a machine of its own
    wait_for(lambda: not there(worker))
    assert poll(client, submit(client, volume=a_volume), over)["state"] == "done"


def there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_worker_fails_its_job_alone(client, an_engine, a_volume, a_slow_volume):
    doomed = submit(client, volume=a_slow_volume)
    waiting = submit(client, volume=a_volume)
    assert waiting["position"] >= 1
    doomed = poll(client, doomed, running)
    os.kill(an_engine.worker, signal.SIGKILL)
    doomed = poll(client, doomed, over)
    assert doomed["state"] == "failed"
    assert "out of memory or was killed" in doomed["error"] and "\n" not in doomed["error"]
    assert client.get("/status").json()["worker"] in ("restarting", "ready", "busy")
    assert poll(client, waiting, over)["state"] == "done"
    assert client.delete(f"/volumes/{a_volume}").status_code == 204  # nothing else was lost


def test_the_queue_is_bounded_and_waiting_jobs_can_be_cancelled(client, a_volume, a_slow_volume):
    first = poll(client, submit(client, volume=a_slow_volume), running)
    waiting = [submit(client, volume=a_volume) for _ in range(3)]
    assert [job["position"] for job in waiting] == [1, 2, 3]
    refused = client.post("/jobs", json={"volume": a_volume})
    assert refused.status_code == 429 and "try again later" in refused.json()["detail"]
    assert client.delete(f"/jobs/{waiting[0]['id']}").json()["state"] == "cancelled"
    assert client.get(f"/jobs/{waiting[1]['id']}").json()["position"] == 1
    assert client.get("/status").json()["queued"] == 2
    assert first["state"] == "running"


@pytest.mark.parametrize("role", ["volume", "mask", "foreground"])
def test_what_cannot_be_read_fails_in_one_line_without_paths(client, an_engine, a_head, a_volume, tmp_path, role):
    (tmp_path / "cut.nii.gz").write_bytes(a_head.scan.read_bytes()[:20_000])
    request = {"volume": a_volume, role: send(client, tmp_path / "cut.nii.gz")}
    job = poll(client, submit(client, **request), over)
    assert job["state"] == "failed" and job["result"] is None
    assert job["error"].startswith(f"{role}: ") and "\n" not in job["error"]
    assert str(an_engine.data) not in job["error"]
    answer = client.get(f"/jobs/{job['id']}/files/report.json")
    assert answer.status_code == 409 and "failed" in answer.json()["detail"]


def test_an_image_without_a_brain_fails_in_one_line(client, a_head, tmp_path):
    noise = np.random.default_rng(1).normal(100, 5, (20, 20, 20)).astype(np.float32)
    geometry = read_nifti(a_head.scan, None).geometry
    small = type(geometry)((20, 20, 20), geometry.spacing, geometry.origin, geometry.direction)
    write_image(noise, small, tmp_path / "noise.nii.gz")
    job = poll(client, submit(client, volume=send(client, tmp_path / "noise.nii.gz")), over)
    assert job["state"] == "failed" and "brain" in job["error"] and job["error"].startswith("volume: ")


def test_files_that_the_job_does_not_name_are_not_served(client, a_volume):
    job = poll(client, submit(client, volume=a_volume), over)
    for name in ("volume.nii.gz", "..%2fvolume.nii.gz", "%2fetc%2fpasswd", "report.json%00", "", "."):
        answer = client.get(f"/jobs/{job['id']}/files/{name}")
        assert answer.status_code == 404
        assert "root:" not in answer.text


def test_many_clients_at_once_are_all_answered(client, an_engine, a_head, a_volume):
    job = submit(client, volume=a_volume)
    failures = []

    def use():
        try:
            with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as mine:
                volume = send(mine, a_head.mask)
                for _ in range(10):
                    assert mine.get("/models").status_code == 200
                    assert mine.get(f"/jobs/{job['id']}").status_code == 200
                assert mine.delete(f"/volumes/{volume}").status_code == 204
                assert mine.delete(f"/volumes/{volume}").status_code == 404
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert poll(client, job, over)["state"] == "done"
