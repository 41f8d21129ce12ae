"""The client against a real engine: what it answers, and what goes wrong."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.connection import check_engine
from PseudoNormalLib.engine.errors import (
    Busy,
    Cancelled,
    EngineError,
    Refused,
    TooLarge,
    Unauthorised,
    Unknown,
    Unreachable,
)
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.engine.transfer import Volume, encode
from PseudoNormalLib.ticks import Ticks
from Testing.engine_process import running_engine

PATIENCE = 100


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    with running_engine(models_folder, tmp_path_factory.mktemp("engine") / "data", max_upload_mb=8, queue=1) as engine:
        engine.wait_until_ready()
        yield engine


@pytest.fixture
def client(an_engine):
    return EngineClient(an_engine.url, an_engine.token)


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def jobs(ticks, client):
    return EngineJobs(Background(ticks), lambda: client)


@pytest.fixture(scope="session")
def a_scan(a_head):
    turned = np.array(((0.0, -0.6, 0.8, -20), (-1.0, 0, 0, 30), (0, -0.8, -0.6, 100), (0, 0, 0, 1)))
    return Volume(a_head.array, turned)


@pytest.fixture
def a_lesion(a_head, a_scan):
    return Volume(a_head.lesion, a_scan.ijk_to_ras)


@pytest.fixture
def heard():
    """Lists of what a job told, and the listeners that fill them."""
    lists = SimpleNamespace(progress=[], log=[], done=[], failed=[])
    lists.listeners = {f"on_{name}": getattr(lists, name).append for name in ("progress", "log", "done", "failed")}
    lists.over = lambda: lists.done or lists.failed
    return lists


def test_an_engine_says_what_it_is(client):
    assert client.health().name == "pseudonormal"
    status = client.status()
    assert status.device == "cpu" and status.store is False
    assert [model.name for model in client.models() if model.default] == ["brain-mr"]


def test_a_scan_goes_there_and_its_results_come_back(ticks, jobs, client, a_scan, a_head, heard):
    gaps, last = [], [time.monotonic()]

    def look():
        gaps.append(time.monotonic() - last[0])
        last[0] = time.monotonic()

    stop = ticks(look, 0.005)
    jobs.generate(a_scan, **heard.listeners)
    assert ticks.run_until(heard.over, PATIENCE)
    stop()
    assert max(gaps) < 0.5  # how long the main thread was held up; 0.03 s on an idle machine
    assert heard.failed == []
    result = heard.done[0]
    pseudo_normal = result.volumes["pseudo_normal"]
    assert pseudo_normal.array.dtype == a_scan.array.dtype
    assert np.allclose(pseudo_normal.ijk_to_ras, a_scan.ijk_to_ras, atol=1e-9)
    mask = result.volumes["lesion_mask"].array > 0
    assert np.array_equal(pseudo_normal.array[~mask], a_scan.array[~mask])
    assert mask[a_head.lesion].mean() > 0.5
    assert len(result.report["findings"]) == 1
    assert b"<html" in result.documents["report_html"]
    fractions = [status.progress for status in heard.progress]
    assert fractions == sorted(fractions) and fractions[0] < 0.1 and fractions[-1] > 0.9
    assert client.job(result.job).state == "done"


def test_the_users_own_mask_is_what_is_restored(ticks, jobs, a_scan, a_lesion, heard):
    jobs.generate(a_scan, mask=a_lesion, mode="void", wanted=("lesion_mask",), **heard.listeners)
    assert ticks.run_until(heard.over, PATIENCE)
    assert heard.failed == []
    assert list(heard.done[0].volumes) == ["lesion_mask"] and heard.done[0].documents == {}
    assert np.array_equal(heard.done[0].volumes["lesion_mask"].array, a_lesion.array)


def test_a_job_that_is_cancelled_ends_and_the_engine_goes_on(ticks, jobs, client, a_scan, heard):
    job = jobs.generate(a_scan, **heard.listeners)
    assert ticks.run_until(lambda: any(status.id for status in heard.progress), PATIENCE)
    number = next(status.id for status in heard.progress if status.id)
    begun = time.monotonic()
    job.cancel()
    assert ticks.run_until(heard.over, PATIENCE)
    assert [type(error) for error in heard.failed] == [Cancelled]
    assert time.monotonic() - begun < 5
    assert client.job(number).state == "cancelled"
    assert client.health().name == "pseudonormal"


def test_a_full_queue_is_waited_for_and_what_was_sent_is_dropped(
    ticks, jobs, client, an_engine, a_scan, heard, monkeypatch
):
    monkeypatch.setattr("PseudoNormalLib.engine.generation.RETRY_S", 0.05)
    others, volume = [], client.upload(encode(a_scan), "a.nrrd")
    with suppress(Busy):
        while True:
            others.append(client.start_job(volume).id)
    client.delete_volume(volume)
    jobs.generate(a_scan, wanted=("lesion_mask",), **heard.listeners)
    assert ticks.run_until(lambda: [s.message for s in heard.progress].count("waits for the engine") > 2, PATIENCE)
    for other in others:
        client.cancel_job(other)
    assert ticks.run_until(heard.over, PATIENCE)
    assert heard.failed == [] and list(heard.done[0].volumes) == ["lesion_mask"]
    assert [path for path in an_engine.data.rglob("volumes/*") if path.is_file()] == []


def test_a_job_can_be_cancelled_before_the_scan_is_sent(ticks, client, a_scan, heard):
    cancelled = threading.Event()

    def late():
        cancelled.wait(PATIENCE)
        return client

    jobs_before = len(client.jobs())
    EngineJobs(Background(ticks), late).generate(a_scan, **heard.listeners).cancel()
    cancelled.set()
    assert ticks.run_until(heard.over, PATIENCE)
    assert [type(error) for error in heard.failed] == [Cancelled]
    assert len(client.jobs()) == jobs_before


def test_an_unusable_scan_is_told_in_the_engines_words(ticks, jobs, heard):
    jobs.generate(Volume(np.zeros((3, 4, 5), np.int16), np.eye(4)), **heard.listeners)
    assert ticks.run_until(heard.over, PATIENCE)
    line = str(heard.failed[0])
    assert line and "\n" not in line and "unexpected" not in line
    assert not isinstance(heard.failed[0], Cancelled)


def test_a_mask_on_another_grid_is_told_in_the_engines_words(ticks, jobs, a_scan, heard):
    jobs.generate(a_scan, mask=Volume(np.eye(9).reshape(9, 3, 3), np.eye(4)), **heard.listeners)
    assert ticks.run_until(heard.over, PATIENCE)
    assert str(heard.failed[0]).startswith("mask: ") and "\n" not in str(heard.failed[0])


def test_the_wrong_key_is_told_in_one_line(an_engine):
    stranger = EngineClient(an_engine.url, "wrong")
    with pytest.raises(Unauthorised, match="does not accept the key") as caught:
        stranger.status()
    assert caught.value.status == 401
    with pytest.raises(Unauthorised):
        stranger.upload(b"x" * 5_000_000, "a.nrrd")


@pytest.mark.parametrize("key", ["größe", "ключ", ""])
def test_any_wrong_key_is_told_as_such(an_engine, key):
    with pytest.raises(Unauthorised):
        EngineClient(an_engine.url, key).status()


def test_a_key_may_be_pasted_with_blanks_and_broken_lines(an_engine):
    assert EngineClient(an_engine.url, f" {an_engine.token[:9]}\n{an_engine.token[9:]} ").status().version


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", "a b", "größe", "x?y#z", "%2e%2e"])
def test_what_the_engine_does_not_have_is_told_as_unknown_whatever_its_name(client, name):
    with pytest.raises(Unknown) as caught:
        client.job(name)
    assert "\n" not in str(caught.value)


def test_too_large_an_upload_is_refused(client):
    with pytest.raises(TooLarge):
        client.upload(bytes(9_000_000), "a.nrrd")


def test_another_format_is_refused(client):
    with pytest.raises(Refused) as caught:
        client.upload(b"data", "a.exe")
    assert caught.value.status in (400, 422)


def test_sending_can_be_stopped(client):
    def stop(fraction):
        assert 0 < fraction <= 1
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        client.upload(bytes(5_000_000), "a.nrrd", stop)


def test_a_volume_can_be_taken_back(client, a_scan):
    volume = client.upload(encode(a_scan), "a.nrrd")
    client.delete_volume(volume)
    with pytest.raises(Unknown):
        client.start_job(volume)


def test_an_engine_without_a_store_says_so(client):
    with pytest.raises(Unknown, match="store"):
        client.cases()


def test_many_threads_may_ask_at_once(an_engine, client):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(client.status().version)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 16


def a_free_address():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_an_engine_that_is_not_there_is_told_in_one_line():
    address = a_free_address()
    with pytest.raises(Unreachable) as caught:
        EngineClient(address, "key").status()
    assert str(caught.value) == f"The engine at {address} cannot be reached: there is no connection."


@pytest.mark.parametrize("address", ["", "http://", "not an address", "ftp://x", "http://[::1", "http://a b:99999"])
def test_what_is_no_address_is_told_in_one_line(address):
    with pytest.raises(Unreachable) as caught:
        EngineClient(address, "key", timeout=2).status()
    assert "\n" not in str(caught.value)


def test_an_engine_that_does_not_answer_is_told_in_one_line():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client = EngineClient(f"http://127.0.0.1:{listening.getsockname()[1]}", "key", timeout=0.2)
        with pytest.raises(Unreachable, match="it does not answer"):
            client.status()


def test_another_program_at_the_address_is_told_in_one_line():
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") as address:
        with pytest.raises(EngineError, match="is no engine"):
            EngineClient(address, "key").status()
        assert not check_engine(EngineClient(address, "key")).fine


def test_an_answer_that_breaks_off_is_told_in_one_line():
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello") as address, pytest.raises(Unreachable):
        EngineClient(address, "key").result_file("job", "a.nrrd")


def test_the_key_is_not_sent_through_a_redirection():
    redirection = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with answering(redirection) as address, pytest.raises(Refused):
        EngineClient(address, "key").status()


def test_the_check_tells_what_an_engine_is_and_what_is_wrong(an_engine, client):
    fine = check_engine(client)
    assert fine.fine and "brain-mr" in fine.line and "not encrypted" not in fine.line
    assert check_engine(EngineClient(an_engine.url, "wrong")).line == "The engine does not accept the key."
    assert "cannot be reached" in check_engine(EngineClient(a_free_address(), "key")).line


def test_a_users_netrc_does_not_replace_the_key(client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client.status().version


class answering:  # noqa: N801 - reads as a word
    """A program that gives the same answer to everybody; its address."""

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.socket()

    def __enter__(self):
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)
