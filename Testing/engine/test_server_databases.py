"""Synthetic databases over real HTTP, made by a real small generator in processes of their own."""

from __future__ import annotations

import csv
import json
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from Testing.engine_process import running_engine
from Testing.lab import make_lab
from Testing.small_generator import GENERATOR, put_generator

from pseudonormal.server.headway import Headway

pytestmark = pytest.mark.long

PATIENCE_S = 240  # of a machine that does much else
COUNT = 24
MODEL = "5a11e"
"""The id of a training that has made a model."""


@pytest.fixture(scope="module")
def a_store(tmp_path_factory, models_folder):
    """A case store with a training that has made a generator, and one that has made a model."""
    folder = tmp_path_factory.mktemp("Zoës lab")
    store = make_lab(folder, lesions=2, sound=0, waiting=1).store
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSEUDONORMAL_MODELS", str(models_folder))
        put_generator(store)
    other = store / "trainings" / MODEL
    other.mkdir()
    record = {"id": MODEL, "created": "2026-11-19", "request": {"recipe": "smile"}, "state": "done", "candidate": {}}
    (other / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return store


@pytest.fixture(scope="module")
def an_engine(a_store, models_folder):
    with running_engine(models_folder, a_store.parent / "data", a_store, queue=2) as engine:
        yield engine


@pytest.fixture
def client(an_engine):
    with talking_to(an_engine) as client:
        yield client
        for each in client.get("/trainings").json():
            client.post(f"/trainings/{each['id']}/stop")


def talking_to(engine):
    return httpx.Client(base_url=engine.url, headers=engine.headers, timeout=60)


def build(client, count=COUNT, **more):
    answer = client.post("/databases", json={"generator": GENERATOR, "count": count, "keep": False} | more)
    assert answer.status_code == 202, answer.text
    return answer.json()


def when(client, database, condition):
    """The database as soon as a condition holds, or when it has failed."""
    until = time.monotonic() + PATIENCE_S
    while True:
        now = client.get(f"/trainings/{database['id']}").json()
        if condition(now) or now["state"] == "failed":
            return now
        assert time.monotonic() < until, now
        time.sleep(0.02)


def refusal(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"} and "\n" not in answer.json()["detail"]
    return answer.json()["detail"]


def records_in(folder):
    """When each scan that is there was made, by its name."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("synthetic_*/record.json")}


def test_a_database_is_stopped_and_goes_on_until_it_is_whole_also_after_its_engine_was_killed(
    a_store, models_folder, request
):
    with running_engine(models_folder, a_store.parent / "first", a_store) as engine, talking_to(engine) as client:
        begun = build(client, seed=7, keep=True)
        assert begun["database"] == {"generator": GENERATOR, "count": COUNT, "seed": 7, "keep": True}
        assert (begun["recipe"], begun["model"], begun["settings"], begun["example"]) == ("um", None, {}, 0)
        runs = when(client, begun, lambda now: now["minutes_left"] is not None)
        assert runs["message"].endswith(f"of {COUNT} scans made") and 0 < runs["progress"] < 1
        assert runs["minutes_left"] > 0 and runs["log"] == []
        place = f"/trainings/{begun['id']}"
        began = time.monotonic()
        stopped = client.post(f"{place}/stop").json()
        assert time.monotonic() - began < 10
        assert (stopped["state"], stopped["error"]) == ("stopped", None) and "made is kept" in stopped["message"]
        otherwise = client.post(f"{place}/resume", json={"settings": {"batch": 1}})
        assert "no settings that could be changed" in refusal(otherwise, 409)
        folder = a_store / "trainings" / begun["id"] / "run"
        there = records_in(folder)
        assert 2 <= len(there) < COUNT
        engine.process.kill()
        engine.process.wait()

    client = request.getfixturevalue("client")
    assert client.get(place).json() == stopped | {"log": [], "next": 0}
    assert client.post(f"{place}/resume").status_code == 202
    done = when(client, begun, lambda now: now["state"] == "done")
    assert (done["state"], done["error"], done["progress"]) == ("done", None, 1.0)
    assert done["candidate"] is None and done["generator"] is None
    result = done["result"]
    assert (result["cases"], result["made"]) == (COUNT, COUNT - len(there)) and 0 <= result["with_lesion"] <= COUNT
    assert result["added"] == COUNT and client.get("/trainings/material").json()["synthetic"] == COUNT
    assert client.get("/cases", params={"status": "synthetic"}).json()["total"] == COUNT
    assert there.items() <= records_in(folder).items()
    rows = csv.DictReader((folder / "cases.csv").open(encoding="utf-8"))
    assert [row["case"] for row in rows] == [f"synthetic_um_7_{number:05d}" for number in range(1, COUNT + 1)]
    picture = client.get(f"{place}/example")
    assert done["example"] and picture.content == (folder / "contact_sheet.png").read_bytes()
    assert str(a_store) not in json.dumps(done)
    listed = client.get("/trainings").json()
    assert listed[0] == done | {"log": []}
    assert [each["generator"] for each in listed] == [None, {"recipe": "um", "subjects": 2}, None]


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"generator": "nonsense"}, 404, "no such training"),
        ({"generator": MODEL}, 409, "made no generator"),
        ({"generator": "../../x"}, 422, "generator"),
        ({"count": 0}, 422, "count"),
        ({"count": 100_001}, 422, "count"),
        ({"count": "many"}, 422, "count"),
        ({"seed": -1}, 422, "seed"),
        ({"workers": 3}, 422, "workers"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_line(client, request_, status, words):
    assert words in refusal(client.post("/databases", json={"generator": GENERATOR, "count": 2} | request_), status)


def test_only_a_generator_that_is_done_and_whole_makes_scans(client, a_store):
    gone = "the files of that generator are gone or damaged: train it again"
    runs, waits = build(client), build(client)
    for each in (runs, waits):
        not_done = client.post("/databases", json={"generator": each["id"], "count": 1})
        assert "scans are made with one that is done" in refusal(not_done, 409)
    run = a_store / "trainings" / GENERATOR / "run"
    for name in ("settings.json", "material/cases.csv"):
        run.joinpath(name).rename(run / "away")
        assert refusal(client.post("/databases", json={"generator": GENERATOR, "count": 1}), 404) == gone
        run.joinpath("away").rename(run / name)
    run.rename(run.with_name("away"))
    client.post(f"/trainings/{runs['id']}/stop")
    failed = when(client, waits, lambda _: False)
    run.with_name("away").rename(run)
    assert failed["error"] == gone


def test_without_a_store_nothing_is_built(models_folder, tmp_path):
    with running_engine(models_folder, tmp_path / "data") as engine, talking_to(engine) as client:
        assert "--store" in refusal(client.post("/databases", json={"generator": GENERATOR, "count": 1}), 404)


@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 3)), min_size=1), st.integers(0, 50))
def test_time_left_is_what_the_rest_takes_at_the_pace_so_far(steps, there):
    times, counts = [10.0], [there]
    for pause, more in steps:
        times.append(times[-1] + pause)
        counts.append(counts[-1] + more)
    clock = iter([*times, times[-1] + 1])
    headway = Headway(lambda: next(clock))
    headway.hear({"done": 0, "total": 500, "message": "reading"})
    assert not headway.counting
    for count in counts:
        headway.hear({"done": 1 + count, "total": 500})
    gained, took, left = counts[-1] - there, times[-1] - times[0], 499 - counts[-1]
    expected = pytest.approx(took / gained * left / 60, abs=1e-3) if gained else None
    assert headway.minutes_left == expected
    assert headway.share() == (1 + counts[-1]) / 500
    headway.hear({"done": 1, "total": 9, "stage": "keeping"})
    assert headway.minutes_left is None and (headway.stage, headway.share("keeping")) == ("keeping", 1 / 9)
    headway.begin()
    headway.hear({"done": 0, "total": 500, "message": "reading"})
    assert not headway.counting and headway.minutes_left is None and headway.share() == (1 + counts[-1]) / 500
