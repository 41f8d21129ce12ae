"""Who may use the workbench: the token, the cookie, pages of other sites, names that point here."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from Testing.browser.gateways import HTML, running_gateway

from PseudoNormalWeb.gateway.access import LOOPBACK_NAMES, Access

TOKEN = "a-secret-of-the-lab-42"  # noqa: S105
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104


@pytest.fixture(scope="module")
def a_gateway(tmp_path_factory):
    """On the loopback, without a token."""
    with running_gateway(tmp_path_factory.mktemp("open"), most_windows=100) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def a_window(a_gateway):
    """Its path."""
    return a_gateway.open()


@pytest.fixture(scope="module")
def a_locked_gateway(tmp_path_factory):
    """On an address that others can reach, with a token of the operator's."""
    environment = {"PSEUDONORMAL_WEB_TOKEN": TOKEN}
    with running_gateway(
        tmp_path_factory.mktemp("locked"), "--host", ALL_ADDRESSES, environment=environment
    ) as gateway:
        gateway.address = f"http://127.0.0.1:{gateway.port}/?token={TOKEN}"
        yield gateway


@pytest.fixture
def a_browser(a_locked_gateway):
    with httpx.Client(base_url=a_locked_gateway.url, headers=HTML, timeout=60, trust_env=False) as browser:
        yield browser


def shake_hands(url, **headers):
    """Status of a websocket's handshake; 101 where it was taken."""

    async def main():
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(url, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return asyncio.run(main())


def test_on_the_loopback_nobody_needs_a_token(a_gateway, a_window):
    assert "token" not in a_gateway.address
    assert a_gateway.client.get(a_window).status_code == 200


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_the_loopback_may_be_called_by_its_names_through_a_tunnel_too(a_gateway, name):
    for host in (name, f"{name}:9000"):
        assert a_gateway.client.get("/state/x", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7",
             "127.0.0.1@evil.example", "evil.example#127.0.0.1", "127.0.0.1/evil", "127.0.0.1:port", "[::1", ""],
)  # fmt: skip
def test_a_name_that_somebody_has_pointed_here_is_refused(a_gateway, a_window, host):
    assert a_gateway.client.get(a_window, headers={"Host": host}).status_code in (400, 403)
    assert shake_hands(f"{a_gateway.url}{a_window}ws", Host=host) in (400, 403)


def test_a_request_without_a_host_or_with_two_is_refused(a_gateway):
    for lines in ("", "Host: 127.0.0.1\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", a_gateway.port), 30) as line:
            line.sendall(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
            assert line.recv(4096).split()[1] in (b"400", b"403")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "", "http://[::1"])
def test_a_page_of_another_site_can_neither_change_nor_join_anything(a_gateway, a_window, origin):
    for method, where in (("GET", a_window), ("POST", a_window), ("PUT", f"{a_window}files/u/a.nrrd"), ("GET", "/")):
        assert a_gateway.client.request(method, where, headers={"Origin": origin}).status_code == 403
    assert shake_hands(f"{a_gateway.url}{a_window}ws", Origin=origin) == 403


def test_our_own_page_can(a_gateway, a_window):
    ours = {"Origin": a_gateway.url}
    assert shake_hands(f"{a_gateway.url}{a_window}ws", **ours) == 101
    assert a_gateway.client.put(f"{a_window}files/u/a", content=b"1", headers=ours).status_code == 201
    tunnel = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    assert shake_hands(f"{a_gateway.url}{a_window}ws", **tunnel) == 101


def test_another_site_may_link_here_but_not_load_anything_in_secret(a_gateway):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert a_gateway.client.get("/", headers=link).status_code == 302
    for changed in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}):
        assert a_gateway.client.get("/", headers=link | changed).status_code == 403
        assert a_gateway.client.get("/", headers=link | changed | {"Sec-Fetch-Site": "same-site"}).status_code == 403


def test_others_need_the_token(a_locked_gateway, a_browser):
    window = "/w/any/"
    for path in ("/", "/?token=", "/?token=wrong", f"{window}?token={TOKEN}", "/state/x", window):
        answer = a_browser.get(path)
        assert answer.status_code == 401, path
        assert "access token is missing or wrong" in answer.text and "Set-Cookie" not in answer.headers
    assert a_browser.put(f"{window}files/u/a.nrrd?token={TOKEN}", content=b"1").status_code == 401
    assert shake_hands(f"{a_locked_gateway.url}{window}ws?token={TOKEN}") == 401
    assert (
        shake_hands(f"{a_locked_gateway.url}{window}ws", Cookie=f"pseudonormal-{a_locked_gateway.port}={TOKEN}") == 401
    )


def test_who_shows_the_token_once_is_let_in_from_then_on(a_locked_gateway, a_browser):
    answer = a_browser.get(f"/?token={TOKEN}")
    assert answer.status_code == 200 and "url=/" in answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    path = a_browser.get("/").headers["Location"]
    assert a_browser.get(path, headers={"Accept": "*/*"}).status_code == 200
    opened = {"Cookie": cookie.partition(";")[0]}
    assert shake_hands(f"{a_locked_gateway.url}{path}ws", **opened) == 101
    assert shake_hands(f"{a_locked_gateway.url}{path}ws", Origin="https://evil.example", **opened) == 403
    again = a_browser.get(f"/?token={TOKEN}")  # the token does not stay in the address
    assert again.status_code == 302 and again.headers["Location"] == "/"


def test_by_any_name_of_this_computer_with_the_token(a_browser):
    page = {"Host": "gpu-server.lab:8765", "Origin": "http://gpu-server.lab:8765"}
    assert a_browser.get("/state/x", headers=page).status_code == 401
    a_browser.get(f"/?token={TOKEN}", headers=page)
    assert a_browser.get("/state/x", headers=page).status_code == 200


def test_without_a_token_of_ones_own_one_is_made_and_printed(tmp_path):
    with running_gateway(tmp_path, "--host", ALL_ADDRESSES) as gateway:
        _, _, token = gateway.address.partition("/?token=")
        assert len(token) > 30
        here = f"http://127.0.0.1:{gateway.port}/"
        assert httpx.get(here, trust_env=False).status_code == 401
        assert httpx.get(here, params={"token": token}, trust_env=False).status_code == 200
        assert "not encrypted" in gateway.log.read_text()


def test_a_token_of_ones_own_holds_on_the_loopback_too(tmp_path):
    with running_gateway(tmp_path, environment={"PSEUDONORMAL_WEB_TOKEN": TOKEN}) as gateway:
        assert gateway.address.endswith(f"/?token={TOKEN}")
        assert gateway.client.get("/").status_code == 401


def test_no_line_can_be_smuggled_into_a_header(a_gateway):
    for path in ("/w/a%0d%0aSet-Cookie:%20x=1", "/w/%0d%0aX: 1/"):
        answer = a_gateway.client.get(path)
        assert "Set-Cookie" not in answer.headers and "X" not in answer.headers


class Asked:
    """As much of a request as the rules look at."""

    def __init__(self, headers):
        self.headers, self.cookies, self.query, self.method = CIMultiDict(headers), {}, {}, "GET"


@given(st.text())
def test_no_host_but_the_loopbacks_is_ever_taken(host):
    fault = Access("").fault(Asked([("Host", host)]))
    if fault is None:
        name = host.rpartition(":")[0] if host.count(":") == 1 else host
        assert name.lower().strip("[]") in LOOPBACK_NAMES or host.lower().startswith("[::1]")


@given(st.one_of(st.text(), st.from_regex(r"https?://[a-z0-9.:@-]{1,20}", fullmatch=True)))
def test_no_origin_but_our_own_is_ever_taken(origin):
    if Access("").fault(Asked([("Host", "localhost:8765"), ("Origin", origin)])) is None:
        assert origin.lower() in ("http://localhost:8765", "https://localhost:8765")
