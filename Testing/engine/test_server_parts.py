"""Parts of the server that need no process: the pace of jobs, the queue, and what is swept."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.generate.pipeline import STAGES
from pseudonormal.generate.stages import SHARES
from pseudonormal.server.errors import NotDone, NotFound, QueueFull
from pseudonormal.server.job import CASE, JobRequest, JobResult
from pseudonormal.server.jobs import Jobs
from pseudonormal.server.pace import Pace
from pseudonormal.server.session import STALE_SECONDS, open_session, sweep_sessions

SECONDS = {"read": 1.0, "foreground": 2.0, "lesions": 8.0, "restore": 4.0, "compare": 1.0, "write": 1.0}


def test_the_shares_are_those_of_the_pipelines_stages():
    assert (*STAGES, "write") == tuple(SHARES)
    assert sum(SHARES.values()) == pytest.approx(1)


@given(st.lists(st.floats(0, 500), min_size=2, max_size=8), st.booleans())
def test_progress_never_goes_back(times, seen):
    pace = Pace()
    if seen:
        pace.add(SECONDS)
    shown = [pace.progress(stage, elapsed) for stage in SHARES for elapsed in sorted(times)]
    assert shown == sorted(shown)
    assert shown[0] >= 0 and shown[-1] <= 1


def test_nobody_is_told_a_time_before_a_job_has_been_seen():
    assert Pace().seconds_left("read", 0) is None


def test_the_time_left_is_that_of_the_median_job():
    pace = Pace()
    for factor in (1, 1, 50):
        pace.add({stage: factor * seconds for stage, seconds in SECONDS.items()})
    assert pace.seconds_left("read", 0) == pytest.approx(17)
    assert pace.seconds_left("lesions", 3) == pytest.approx(5 + 4 + 1 + 1)
    assert pace.seconds_left("write", 99) == 0


@pytest.fixture
def some_jobs(tmp_path):
    (tmp_path / "jobs").mkdir()
    return Jobs(tmp_path / "jobs", most_waiting=2, keep_seconds=60, keep_count=2)


@pytest.fixture
def an_upload(tmp_path):
    path = tmp_path / "0123.nii.gz"
    path.write_bytes(b"voxels")
    return path


REQUEST = JobRequest(volume="0123")


def test_the_queue_is_bounded_and_keeps_its_order(some_jobs, an_upload):
    async def story():
        first = await some_jobs.submit(REQUEST, {"volume": an_upload})
        second = await some_jobs.submit(REQUEST, {"volume": an_upload})
        with pytest.raises(QueueFull, match="2 jobs waiting"):
            await some_jobs.submit(REQUEST, {"volume": an_upload})
        assert [some_jobs.view(job).position for job in (first, second)] == [0, 1]
        assert await some_jobs.take() is first
        assert [some_jobs.view(job).position for job in (first, second)] == [None, 1]
        some_jobs.withdraw(second)
        assert (second.state, some_jobs.waiting) == ("cancelled", 0)
        third = await some_jobs.submit(REQUEST, {"volume": an_upload})
        assert await some_jobs.take() is third

    asyncio.run(story())


def test_a_job_keeps_its_volumes_when_the_uploads_go(some_jobs, an_upload):
    async def story():
        job = await some_jobs.submit(REQUEST, {"volume": an_upload, "mask": an_upload})
        an_upload.unlink()
        assert job.inputs["volume"].read_bytes() == job.inputs["mask"].read_bytes() == b"voxels"
        with pytest.raises(NotFound):
            await some_jobs.submit(REQUEST, {"volume": an_upload})
        assert some_jobs.waiting == 1
        assert len(list(job.folder.parent.iterdir())) == 1

    asyncio.run(story())


def test_only_jobs_that_are_done_have_files(some_jobs, an_upload):
    async def story():
        job = await some_jobs.submit(REQUEST, {"volume": an_upload})
        with pytest.raises(NotDone, match="queued"):
            some_jobs.finished(job.id)
        await some_jobs.take()
        some_jobs.done(job, JobResult(report={"case": CASE}, files={"report_json": "report.json"}))
        finished = some_jobs.finished(job.id)
        assert (finished.folder, finished.volume) == (job.folder / CASE, job.inputs["volume"])
        with pytest.raises(NotFound):
            some_jobs.finished("..")

    asyncio.run(story())


def test_ended_jobs_are_forgotten_the_oldest_first(some_jobs, an_upload):
    async def story():
        jobs = []
        for _ in range(4):
            jobs.append(await some_jobs.submit(REQUEST, {"volume": an_upload}))
            await some_jobs.take()
            some_jobs.done(jobs[-1], JobResult(report={}, files={}))
        some_jobs.sweep()
        assert [job.folder.exists() for job in jobs] == [False, False, True, True]
        assert [view.id for view in some_jobs.views()] == [jobs[3].id, jobs[2].id]

    asyncio.run(story())


def test_a_failed_job_leaves_no_files_and_keeps_its_reason(some_jobs, an_upload):
    async def story():
        job = await some_jobs.submit(REQUEST, {"volume": an_upload})
        some_jobs.drop_waiting("no worker")
        assert (some_jobs.view(job).state, some_jobs.view(job).error) == ("failed", "no worker")
        assert not job.folder.exists()

    asyncio.run(story())


def test_what_killed_servers_left_is_swept_and_nothing_else(tmp_path):
    dead, alive = open_session(tmp_path), open_session(tmp_path)
    (dead / "volumes" / "scan.nrrd").write_bytes(b"voxels")
    own = tmp_path / "session-of-mine.txt"
    own.write_text("the user's")
    past = time.time() - STALE_SECONDS - 60
    for path in (dead, own):
        os.utime(path, (past, past))
    third = open_session(tmp_path)
    assert not dead.exists() and alive.exists() and own.exists()
    os.utime(third, (past, past))
    sweep_sessions(third)  # says that it is alive
    sweep_sessions(alive)
    assert third.exists()
    assert third.stat().st_mode & 0o777 == 0o700


def test_a_data_root_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--data"):
        open_session(tmp_path / "file")
