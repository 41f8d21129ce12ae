"""The server's answers over real HTTP: who may ask, what may be sent, and that a refusal leaves nothing behind."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
import SimpleITK as sitk
from Testing.engine_process import running_engine

from pseudonormal import __version__

NASTY = (
    "..",
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "C:%5cWindows%5cwin.ini",
    "report.json%00.nrrd",
    "%00",
    "x" * 5000,
    "Lékař-日本",
    "%c0%ae%c0%ae%c0%af",
    ".",
    "%0d%0aX-Evil:%201",
)


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    """One whose limit is small."""
    with running_engine(models_folder, tmp_path_factory.mktemp("requests") / "data", max_upload_mb=1) as engine:
        yield engine.wait_until_ready()


@pytest.fixture
def client(an_engine):
    with httpx.Client(base_url=an_engine.url, headers=an_engine.headers, timeout=60) as client:
        yield client


@pytest.fixture
def untouched(an_engine):
    """Fails the test when any file of the data root is not as it was."""
    before = listing(an_engine.data)
    yield
    assert listing(an_engine.data) == before


def listing(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def line_of(answer):
    assert list(answer.json()) == ["detail"], answer.text
    line = answer.json()["detail"]
    assert line and "\n" not in line and "Traceback" not in line
    return line


def sent(client, path, name=None):
    answer = client.post("/volumes", params={"name": name or path.name}, content=path.read_bytes())
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_health_is_open_and_tells_no_secrets(an_engine):
    answer = httpx.get(f"{an_engine.url}/health")
    assert answer.status_code == 200
    assert answer.json() == {"name": "pseudonormal", "version": __version__, "ready": True}


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer wrong", "Basic {token}", "Bearer {token}x", "Bearer é"])
def test_every_other_address_needs_the_token(an_engine, client, untouched, shown):
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/status", "/models", "/volumes", "/jobs", "/jobs/{job_id}/files/{name}"} <= set(paths)
    headers = {} if shown is None else {"Authorization": shown.format(token=an_engine.token).encode()}
    with httpx.Client(base_url=an_engine.url, headers=headers) as stranger:
        for path, methods in [*paths.items(), ("/openapi.json", ["get"]), ("/nothing", ["get"])]:
            for method in methods:
                if path != "/health":
                    answer = stranger.request(method, path, content=b"{}")
                    assert answer.status_code == 401, (method, path)
                    assert "token" in line_of(answer)


def test_what_there_is_to_know(client):
    status = client.get("/status").json()
    assert status == {
        "version": __version__,
        "devices": status["devices"],
        "device": "cpu",
        "model": "brain-mr",
        "worker": "ready",
        "queued": 0,
        "store": False,
    }
    assert status["devices"][0] == "cpu"
    models = client.get("/models").json()
    assert models == [
        {
            "name": "brain-mr",
            "version": "0",
            "description": "for tests",
            "default": True,
            "trained_families": ["rim"],
            "trained_contrasts": [],
            "licence": "Apache License",
        }
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/status", 405),
        ("GET", "/jobs/none", 404),
        ("DELETE", "/jobs/none", 404),
        ("GET", "/jobs/none/events", 404),
        ("GET", "/jobs/none/files/report.json", 404),
        ("GET", "/jobs/none?since=-1", 422),
        ("GET", "/jobs/none?since=x", 422),
        ("DELETE", "/volumes/none", 404),
        ("GET", "/cases", 404),
        ("POST", "/cases/next", 404),
        ("PUT", "/leases/none", 404),
    ],
)
def test_what_is_not_there_is_said_in_one_line(client, untouched, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    line_of(answer)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 422, ""),
        (b"{", 422, ""),
        (b"[]", 422, ""),
        (b"{}", 422, "volume"),
        (b'{"volume": 3}', 422, "volume"),
        (b'{"volume": "none"}', 404, "send it again"),
        (b'{"volume": "none", "mode": "magic"}', 422, "mode"),
        (b'{"volume": "none", "kind": "train"}', 422, "kind"),
        (b'{"volume": "none", "out": "/tmp"}', 422, "out"),
        (b'{"volume": "' + b"x" * (2 << 20) + b'"}', 413, "limit"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(client, untouched, body, status, words):
    answer = client.post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert words in line_of(answer)


def test_a_model_that_is_not_there_is_refused(client, a_head, models_folder):
    volume = sent(client, a_head.scan)
    for model in ("magic", "../brain-mr", str(models_folder / "brain-mr"), "/etc", "", "\x00"):
        answer = client.post("/jobs", json={"volume": volume, "model": model})
        assert answer.status_code == 404
        assert "brain-mr" in line_of(answer)


@pytest.mark.parametrize("nasty", NASTY)
def test_no_path_leads_out_of_the_data_root(client, an_engine, untouched, nasty):
    requests = [
        ("GET", f"/jobs/{nasty}"),
        ("DELETE", f"/jobs/{nasty}"),
        ("GET", f"/jobs/{nasty}/events"),
        ("GET", f"/jobs/{nasty}/files/{nasty}"),
        ("GET", f"/jobs/none/files/{nasty}"),
        ("DELETE", f"/volumes/{nasty}"),
        ("POST", f"/volumes?name={nasty}"),
        ("GET", f"/{nasty}"),
    ]
    for method, path in requests:
        answer = raw(an_engine, method, path)
        assert 400 <= answer.status < 500, (method, path)
        assert b"root:" not in answer.read()
    for field in ("volume", "mask", "foreground"):
        answer = client.post("/jobs", json={"volume": "none", field: nasty})
        assert answer.status_code == 404


def raw(engine, method, path):
    """A request whose path nobody tidies up."""
    connection = http.client.HTTPConnection(urlsplit(engine.url).netloc, timeout=30)
    connection._validate_path = lambda _: None
    connection._encode_request = lambda request: request.encode("utf-8")
    connection.request(method, path, headers=engine.headers)
    return connection.getresponse()


def test_a_name_with_a_path_is_no_path(client, an_engine, a_head):
    before = set(listing(an_engine.data))
    name = "../../../Lékař/\u0000" + "x" * 600 + ".nii.gz"
    answer = client.post("/volumes", params={"name": name}, content=a_head.scan.read_bytes())
    assert answer.status_code == 201
    (new,) = set(listing(an_engine.data)) - before
    assert new.parent.name == "volumes"
    assert new.name == answer.json()["name"] == f"{answer.json()['id']}.nii.gz"
    assert client.delete(f"/volumes/{answer.json()['id']}").status_code == 204
    assert set(listing(an_engine.data)) == before


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"text", ".nii.gz, .nii, .nrrd, .mha"),
        ("nii", b"text", ".nii.gz"),
        ("a.nhdr", b"NRRD0004\n", ".nrrd"),
        ("a.nrrd", b"", "no .nrrd file"),
        ("a.nrrd", b"P5 nothing of the kind\n\n", "no .nrrd file"),
        ("a.nii.gz", b"not packed", "no .nii.gz file"),
        ("a.nii", bytes(400), "no .nii file"),
        ("a.mha", b"\x89PNG", "no .mha file"),
        ("a.nrrd", b"NRRD0004\ntype: uint8\ndata file: /etc/passwd\n\n", "in another file"),
        ("a.mha", b"ObjectType = Image\nNDims = 3\nElementDataFile = /etc/passwd\n", "in another file"),
    ],
)
def test_what_is_no_volume_is_refused(client, untouched, name, content, words):
    answer = client.post("/volumes", params={"name": name}, content=content)
    assert answer.status_code == 422
    assert words in line_of(answer)


def test_an_announced_oversize_is_refused(client, untouched):
    answer = client.post("/volumes?name=a.nrrd", content=b"NRRD0004\ntype: uint8\n\n" + bytes(3 << 20))
    assert answer.status_code == 413
    assert "1 MB" in line_of(answer)


def test_an_oversize_that_is_not_announced_is_refused_while_it_arrives(client, untouched):
    def endless():
        yield b"NRRD0004\ntype: uint8\n\n"
        for _ in range(48):
            yield bytes(1 << 16)

    answer = client.post("/volumes?name=a.nrrd", content=endless())
    assert answer.status_code == 413
    assert "1 MB" in line_of(answer)


def test_nothing_stays_of_an_upload_that_breaks_off(an_engine, untouched):
    address = urlsplit(an_engine.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = f"POST /volumes?name=a.nrrd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {an_engine.token}\r\n"
        connection.sendall(f"{head}Content-Length: 900000\r\n\r\nNRRD0004\ntype: uint8\n\n".encode() + bytes(500_000))
        wait_for(lambda: any(path.suffix == ".part" for path in listing(an_engine.data)))
    wait_for(lambda: not any(path.suffix == ".part" for path in listing(an_engine.data)))


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_browser_of_another_site_gets_no_permission(client):
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/jobs", headers=asked)
    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_volumes_of_all_kinds_are_taken(client, an_engine, a_head, tmp_path):
    image = sitk.ReadImage(str(a_head.scan))
    kinds = {"a.nii": {}, "a.nii.gz": {}, "a.nrrd": {"useCompression": False}, "b.nrrd": {"useCompression": True}}
    for name, options in {**kinds, "a.mha": {}, "b.MHA": {}}.items():
        sitk.WriteImage(image[::2, ::2, ::2], str(tmp_path / name.lower()), **options)
        volume = sent(client, tmp_path / name.lower(), name)
        (stored,) = an_engine.data.rglob(f"{volume}*")
        assert stored.read_bytes() == (tmp_path / name.lower()).read_bytes()


def test_a_request_that_is_no_http_is_survived(an_engine, client):
    address = urlsplit(an_engine.url)
    for junk in (b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", os.urandom(3000), b"POST /jobs HTTP/1.1\r\n" * 50):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(junk)
            connection.settimeout(1)
            with contextlib.suppress(OSError):
                connection.recv(1000)
    assert client.get("/status").status_code == 200
