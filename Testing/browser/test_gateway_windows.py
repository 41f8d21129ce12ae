"""The gateway and its windows: one process a tab, passed on to byte for byte, ended when nobody looks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import httpx
import pytest
from Testing.browser.gateways import HTML, alive, running_gateway, wait_for


@pytest.fixture(scope="module")
def a_gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("Données de Zoë")
    with running_gateway(folder, most_windows=100) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def a_window(a_gateway):
    """Its path."""
    return a_gateway.open()


def talk(gateway, path, *messages, **options):
    """Say something over a websocket; what came back."""

    async def main():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{gateway.url}{path}ws", max_msg_size=0, **options) as socket,
        ):
            said = []
            for message in messages:
                await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
                said.append((await socket.receive(60)).data)
            return said, socket.protocol, socket.close_code

    return asyncio.run(main())


def test_each_who_comes_gets_a_window_of_their_own_and_a_reload_keeps_it(a_gateway):
    one, other = a_gateway.open(), a_gateway.open()
    assert one != other
    first, second = a_gateway.client.get(one).json(), a_gateway.client.get(other).json()
    assert first["pid"] != second["pid"] and first["files"] != second["files"]
    assert a_gateway.client.get(one).json()["pid"] == first["pid"]


def test_a_spare_window_is_always_kept_warm(tmp_path):
    with running_gateway(tmp_path) as gateway:
        spare = wait_for(lambda: gateway.children("window"))
        assert gateway.client.get(gateway.open()).json()["pid"] == spare[0]
        wait_for(lambda: len(gateway.children("window")) == 2)  # a new one, though nobody asked for it


def test_the_page_of_a_window_that_is_starting_goes_on_by_itself(tmp_path):
    slow = ["/bin/sh", "-c", 'sleep 2; exec "$0" -m Testing.browser.echo_window "$@"', sys.executable]
    with running_gateway(tmp_path, window=slow) as gateway:
        path = gateway.client.get("/").headers["Location"]
        page = gateway.client.get(path, headers=HTML)
        assert page.status_code == 200 and "is starting" in page.text
        assert gateway.state(path) == {"state": "starting", "line": ""}
        assert gateway.client.get(f"{path}style.css").json()["path"] == "/style.css"  # a program waits instead
        assert gateway.state(path)["state"] == "serving"


def test_a_request_arrives_as_it_was_sent_without_the_prefix(a_gateway, a_window):
    content = os.urandom(3_000_000)
    seen = a_gateway.client.post(f"{a_window}a%20b/%2e%2e/c?x=1&y=%2F", content=content).json()
    assert (seen["method"], seen["bytes"]) == ("POST", len(content))
    assert seen["path"].endswith("?x=1&y=%2F") and seen["path"].startswith("/a%20b/")


def test_no_cookie_reaches_a_window_and_none_of_its_own_headers_the_browser(a_gateway, a_window):
    answer = a_gateway.client.get(
        a_window, headers={"Cookie": "session=1", "Authorization": "Bearer x", "X-PseudoNormal-Key": "forged"}
    )
    seen = {name.lower(): value for name, value in answer.json()["headers"].items()}
    assert "cookie" not in seen and "authorization" not in seen
    assert seen["x-pseudonormal-key"] != "forged"
    assert "set-cookie" not in answer.headers and "x-secret" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_websockets_are_tied_together(a_gateway, a_window):
    blob = os.urandom(5_000_000)
    said, protocol, _ = talk(a_gateway, a_window, "grüß dich", blob, "who", protocols=("wamp",))
    assert said[0] == "grüß dich" and said[1] == blob and protocol == "wamp"
    seen = json.loads(said[2])
    assert seen["pid"] == a_gateway.client.get(a_window).json()["pid"]
    assert "Cookie" not in seen["headers"] and "Origin" not in seen["headers"]


def test_a_window_hangs_up_with_its_own_word(a_gateway, a_window):
    _, _, code = talk(a_gateway, a_window, "hang up")
    assert code == 4001


def test_nobody_else_may_talk_to_a_window_on_its_own_port(a_gateway, a_window):
    seen = a_gateway.client.get(a_window).json()
    direct = f"http://{seen['headers']['Host']}/"
    assert httpx.get(direct, trust_env=False).status_code == 403

    async def join():
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{direct}ws"):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError):
        asyncio.run(join())


def test_a_window_that_was_killed_is_told_and_a_new_one_offered(a_gateway):
    path = a_gateway.open()
    number = a_gateway.client.get(path).json()["pid"]
    os.kill(number, signal.SIGKILL)
    wait_for(lambda: a_gateway.state(path)["state"] == "ended")
    page = a_gateway.client.get(path, headers=HTML)
    assert page.status_code == 410
    assert "ended unexpectedly (signal 9)" in page.text and 'href="/"' in page.text
    assert a_gateway.client.get(f"{path}data.json").text.count("\n") == 1  # a program gets the line alone
    assert a_gateway.client.get(a_gateway.open()).status_code == 200


def test_what_a_killed_window_kept_for_a_while_goes_with_it(a_gateway):
    path = a_gateway.open()
    facts = a_gateway.client.get(path).json()
    report = Path(facts["temporary"]) / "report.html"
    report.write_text("a patient's")
    os.kill(facts["pid"], signal.SIGKILL)
    wait_for(lambda: not report.exists() and not Path(facts["files"]).exists())


def test_a_socket_of_a_window_that_was_killed_is_closed_at_once(a_gateway):
    path = a_gateway.open()
    number = a_gateway.client.get(path).json()["pid"]

    async def main():
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{a_gateway.url}{path}ws") as socket:
            os.kill(number, signal.SIGKILL)
            return (await socket.receive(30)).type

    assert asyncio.run(main()) in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


def test_a_window_that_nobody_has_is_told(a_gateway):
    page = a_gateway.client.get("/w/nobody/", headers=HTML)
    assert page.status_code == 404 and "not open any more" in page.text


def test_windows_that_no_tab_shows_any_more_save_and_end(tmp_path):
    with running_gateway(tmp_path, idle_s=2.0, unseen_s=6.0) as gateway:
        path = gateway.open()
        number = gateway.client.get(path).json()["pid"]

        async def look_on():
            async with aiohttp.ClientSession() as session, session.ws_connect(f"{gateway.url}{path}ws"):
                await asyncio.sleep(5)  # twice as long as an unused one is kept
                return alive(number)

        assert asyncio.run(look_on())
        wait_for(lambda: not alive(number))
        assert str(number) in (gateway.data / "saved.txt").read_text().split()
        page = gateway.client.get(path, headers=HTML)
        assert page.status_code == 410 and "was not used; all work in it was saved" in page.text
        unseen = gateway.open()
        wait_for(lambda: gateway.state(unseen)["state"] == "ended")
        wait_for(lambda: len(list((gateway.data / "web" / "files").glob("*/*"))) <= 1)  # the spare one's


def test_where_too_many_are_open_the_one_unused_for_longest_makes_room(tmp_path):
    with running_gateway(tmp_path, most_windows=2) as gateway:
        first, second = gateway.open(), gateway.open()

        async def hold():
            async with aiohttp.ClientSession() as session:
                one = await session.ws_connect(f"{gateway.url}{first}ws")
                third = await asyncio.to_thread(gateway.open)
                assert gateway.state(second)["state"] == "ended" and gateway.state(first)["state"] == "serving"
                other = await session.ws_connect(f"{gateway.url}{third}ws")
                refused = await asyncio.to_thread(gateway.client.get, "/", headers=HTML)
                await one.close()
                await other.close()
                return refused

        refused = asyncio.run(hold())
        assert refused.status_code == 503 and "close one of them" in refused.text


def test_a_window_that_cannot_be_started_is_told_with_its_last_words(tmp_path):
    broken = ["/bin/sh", "-c", "echo first; echo No module named größe >&2; exit 3"]
    with running_gateway(tmp_path, window=broken) as gateway:
        path = gateway.client.get("/").headers["Location"]
        wait_for(lambda: gateway.state(path)["state"] == "ended")
        page = gateway.client.get(path, headers=HTML)
        assert page.status_code == 410 and "could not be started: No module named größe" in page.text
        assert "first" in (gateway.data / "web" / "windows.log").read_text(encoding="utf-8")
