"""Files from the user's computer: whole or not at all, never elsewhere, never all in memory."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Testing.browser.gateways import running_gateway, wait_for

from PseudoNormalWeb.gateway import uploads

LARGE_MB = int(os.environ.get("PSEUDONORMAL_UPLOAD_MB", "48"))


@pytest.fixture(scope="module")
def a_gateway(tmp_path_factory):
    with running_gateway(tmp_path_factory.mktemp("files"), most_bytes=400 << 20, most_windows=100) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def a_window(a_gateway):
    """Its path and its folder."""
    path = a_gateway.open()
    return SimpleNamespace(path=path, files=Path(a_gateway.client.get(path).json()["files"]))


@pytest.fixture
def a_drop(a_window):
    """Where files go that are dropped together: path and folder."""
    name = f"drop-{len(list(a_window.files.iterdir()))}"
    yield SimpleNamespace(path=f"{a_window.path}files/{name}", folder=a_window.files / name)
    (a_window.files / name).mkdir(exist_ok=True)  # the next one has another name


def everything_in(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_dropped_folder_arrives_as_it_is(a_gateway, a_drop):
    sent = {"MRT vom 3. März/IM 1.dcm": b"one", "MRT vom 3. März/sub/IM#2?.dcm": b"two", ".hidden": b"", "größe": b"3"}
    for name, content in sent.items():
        answer = a_gateway.client.put(f"{a_drop.path}/{quote(name)}", content=content)
        assert answer.status_code == 201, answer.text
    assert {name: (a_drop.folder / name).read_bytes() for name in sent} == sent
    assert len(everything_in(a_drop.folder)) == len(sent)


def test_a_large_file_is_streamed_to_disk(a_gateway, a_drop):
    block = os.urandom(1 << 20)
    before = peak_memory(a_gateway.process.pid)
    sent = a_gateway.client.put(
        f"{a_drop.path}/large.nrrd",
        content=(block for _ in range(LARGE_MB)),
        headers={"Content-Length": str(LARGE_MB << 20)},
    )
    assert sent.status_code == 201, sent.text
    assert (a_drop.folder / "large.nrrd").stat().st_size == LARGE_MB << 20
    assert (a_drop.folder / "large.nrrd").read_bytes()[-len(block) :] == block
    assert peak_memory(a_gateway.process.pid) - before < 24 << 20


def peak_memory(number):
    """Bytes that a process has had at most."""
    status = Path(f"/proc/{number}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) << 10


def test_one_that_breaks_off_leaves_nothing(a_gateway, a_drop):
    with socket.create_connection(("127.0.0.1", a_gateway.port), 30) as line:
        head = f"PUT {a_drop.path}/half.nrrd HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n\r\n"
        line.sendall(head.encode() + bytes(4_000_000))
        wait_for(lambda: everything_in(a_drop.folder))  # it is being written, under another name
        assert not (a_drop.folder / "half.nrrd").exists()
    wait_for(lambda: not everything_in(a_drop.folder))


def test_one_that_comes_again_takes_the_place_of_the_first(a_gateway, a_drop):
    for content in (b"first", b"second"):
        assert a_gateway.client.put(f"{a_drop.path}/a.nrrd", content=content).status_code == 201
    assert (a_drop.folder / "a.nrrd").read_bytes() == b"second"


def test_too_large_a_file_is_refused_before_it_comes(a_gateway, a_drop):
    with socket.create_connection(("127.0.0.1", a_gateway.port), 30) as line:
        length = (400 << 20) + 1
        head = f"PUT {a_drop.path}/a.nrrd HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
        line.sendall(head.encode())
        answer = line.recv(4096)
    assert answer.split()[1] == b"413"
    assert everything_in(a_drop.folder) == []


@pytest.mark.parametrize(
    "path",
    ["..%2f..%2fetc%2fpasswd", "a/..%2f..%2f..%2fb", "%2fetc/passwd", "a//b", "a%5c..%5cb", "a%00b", "a%0ab",
     "%2e%2e/b", "a" * 300, "a/" * 40 + "b"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(a_gateway, a_window, a_drop, path):
    before = everything_in(a_window.files)
    with socket.create_connection(("127.0.0.1", a_gateway.port), 30) as line:  # a client library would tidy it up
        head = f"PUT {a_drop.path}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx"
        line.sendall(head.encode())
        assert line.recv(4096).split()[1] in (b"400", b"404")
    assert everything_in(a_window.files) == before


@pytest.mark.parametrize("upload", ["..", "%2e%2e", "a.b", "a%2fb", "x" * 65])
def test_an_upload_has_a_plain_name(a_gateway, a_window, upload):
    with socket.create_connection(("127.0.0.1", a_gateway.port), 30) as line:
        head = f"PUT {a_window.path}files/{upload}/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx"
        line.sendall(head.encode())
        assert line.recv(4096).split()[1] == b"400"


def test_a_file_in_the_place_of_a_folder_is_told_in_one_line(a_gateway, a_drop):
    assert a_gateway.client.put(f"{a_drop.path}/a", content=b"1").status_code == 201
    answer = a_gateway.client.put(f"{a_drop.path}/a/b", content=b"1")
    assert answer.status_code == 500 and answer.text.startswith("b: cannot be written") and answer.text.count("\n") == 1


def test_nothing_is_taken_for_a_window_that_is_not_there(a_gateway):
    assert a_gateway.client.put("/w/nobody/files/drop/a", content=b"1").status_code == 404


def test_a_disk_that_would_be_full_is_told_before_anything_is_written(tmp_path):
    async def nothing():
        raise AssertionError
        yield b""

    with pytest.raises(uploads.Refused, match=r"disk .* is full") as caught:
        asyncio.run(uploads.receive(nothing(), tmp_path / "u" / "a", 1 << 60, 1 << 61))
    assert caught.value.status == 507
    assert everything_in(tmp_path) == []


@given(st.text(), st.text())
def test_no_name_leads_out_of_the_folder(upload, relative):
    folder = Path("/files/of/the/window")
    try:
        target = uploads.place(folder, upload, relative)
    except uploads.Refused:
        return
    assert Path(os.path.normpath(target)) == target
    assert target.is_relative_to(folder / upload) and target != folder / upload
