"""Synthetic databases over real HTTP on a real engine process, with children that say what trainings and makers say.

The same with nothing pretended is the story in ``Testing/panels/test_panel_training_story.py``.
"""

from __future__ import annotations

import json
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from Testing.engine_process import running_engine
from Testing.training_engine import SERVE

from pseudonormal.server.headway import Headway
from pseudonormal.server.training import open_training

PATIENCE_S = 240  # of a machine that does much else
COUNT = 60


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("Zoës lab")
    with running_engine(models_folder, folder / "data", folder / "store", program=SERVE, queue=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def trainings(an_engine):
    """The folder of all trainings."""
    return an_engine.data.parent / "store" / "trainings"


@pytest.fixture(scope="module")
def a_generator(an_engine):
    """The id of a training that has made one."""
    return trained(an_engine, "um")


@pytest.fixture(scope="module")
def a_model(an_engine):
    """The id of a training that has made a model."""
    return trained(an_engine, "smile")


def trained(engine, recipe):
    with talking_to(engine) as client:
        wait_for(lambda: client.get("/recipes").status_code == 200)
        begun = client.post("/trainings", json={"recipe": recipe, "settings": {"steps": 5}}).json()
        return when(client, begun, lambda now: now["state"] == "done")["id"]


@pytest.fixture
def client(an_engine):
    with talking_to(an_engine) as client:
        yield client
        for each in client.get("/trainings").json():
            client.post(f"/trainings/{each['id']}/stop")


def talking_to(engine):
    return httpx.Client(base_url=engine.url, headers=engine.headers, timeout=60)


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def build(client, generator, **more):
    answer = client.post("/databases", json={"generator": generator, "count": COUNT} | more)
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


def test_a_database_is_counted_stopped_and_gone_on_with_until_it_is_whole(client, a_generator, trainings):
    begun = build(client, a_generator, seed=7)
    asked = {"generator": a_generator, "count": COUNT, "seed": 7, "keep": True}
    assert begun["database"] == asked and begun["example"] == 0
    assert (begun["recipe"], begun["model"], begun["settings"]) == ("um", None, {})
    runs = when(client, begun, lambda now: now["minutes_left"] is not None)
    assert runs["message"].endswith(f"of {COUNT} scans made") and 0 < runs["progress"] < 1
    assert runs["minutes_left"] > 0 and runs["log"] == []
    place = f"/trainings/{begun['id']}"
    began = time.monotonic()
    stopped = client.post(f"{place}/stop").json()
    assert time.monotonic() - began < 5
    assert (stopped["state"], stopped["error"]) == ("stopped", None) and "made is kept" in stopped["message"]
    otherwise = client.post(f"{place}/resume", json={"settings": {"batch": 1}})
    assert "no settings that could be changed" in refusal(otherwise, 409)
    known = open_training(trainings / begun["id"]).view(None)  # as an engine that begins does
    assert known.model_dump() == stopped
    there = int((trainings / begun["id"] / "run" / "count").read_text())

    assert client.post(f"{place}/resume").status_code == 202
    done = when(client, begun, lambda now: now["state"] == "done")
    assert (done["state"], done["error"], done["progress"]) == ("done", None, 1.0)
    assert done["result"] == {"cases": COUNT, "made": COUNT - there, "with_lesion": COUNT // 2, "added": COUNT}
    picture = client.get(f"{place}/example")
    sheet = trainings / begun["id"] / "run" / "contact_sheet.png"
    assert done["example"] > stopped["example"] > 0 and picture.content == sheet.read_bytes()
    assert str(trainings) not in json.dumps(done)
    listed = {each["id"]: each for each in client.get("/trainings").json()}
    assert listed[begun["id"]] == done | {"log": []} and done["candidate"] is done["generator"] is None
    maker = listed[a_generator]
    assert maker["generator"] == {"recipe": "um", "subjects": 3} and maker["candidate"] is maker["database"] is None


def test_what_is_only_looked_at_is_not_kept(client, a_generator):
    done = when(client, build(client, a_generator, count=3, keep=False), lambda now: now["state"] == "done")
    assert (done["result"]["cases"], done["result"]["added"]) == (3, 0)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"generator": "nonsense"}, 404, "no such training"),
        ({"generator": "../../x"}, 422, "generator"),
        ({"count": 0}, 422, "count"),
        ({"count": 100_001}, 422, "count"),
        ({"count": "many"}, 422, "count"),
        ({"seed": -1}, 422, "seed"),
        ({"workers": 3}, 422, "workers"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_line(client, a_generator, request_, status, words):
    assert words in refusal(client.post("/databases", json={"generator": a_generator, "count": 2} | request_), status)


def test_only_a_generator_that_is_done_and_whole_makes_scans(client, a_generator, a_model, trainings):
    gone = "the files of that generator are gone or damaged: train it again"
    from_model = {"generator": a_model, "count": 1}
    assert "made no generator" in refusal(client.post("/databases", json=from_model), 409)
    runs, waits = build(client, a_generator, count=5000), build(client, a_generator)
    for each in (runs, waits):
        not_done = client.post("/databases", json={"generator": each["id"], "count": 1})
        assert "scans are made with one that is done" in refusal(not_done, 409)
    run = trainings / a_generator / "run"
    for name in ("settings.json", "generator.safetensors", "material/cases.csv"):
        run.joinpath(name).rename(run / "away")
        assert refusal(client.post("/databases", json={"generator": a_generator, "count": 1}), 404) == gone
        run.joinpath("away").rename(run / name)
    run.rename(run.with_name("away"))
    client.post(f"/trainings/{runs['id']}/stop")
    failed = when(client, waits, lambda _: False)
    run.with_name("away").rename(run)
    assert failed["error"] == gone


def test_without_a_store_nothing_is_built(models_folder, tmp_path):
    with running_engine(models_folder, tmp_path / "data") as engine, talking_to(engine) as client:
        assert "--store" in refusal(client.post("/databases", json={"generator": "9e0e", "count": 1}), 404)


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
