"""A case store behind real HTTP, for tests: no worker, a small store, and a clock to turn."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import uvicorn
from Testing.turnable_clock import Clock

from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image, write_segmentation
from pseudonormal.server.app import create_app
from pseudonormal.server.settings import ServerSettings
from pseudonormal.store.store import Store

SHAPE = (12, 14, 13)
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.5, 2.0), (5.0, -7.0, 11.0), OBLIQUE)
MOST_BYTES = 200_000
TOKEN = "a-token-for-tests"  # noqa: S105


def voxels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 500, SHAPE).astype(np.int16)


def lesion(seed: int) -> np.ndarray:
    return np.pad(np.random.default_rng(seed).random([n - 2 for n in SHAPE]) < 0.3, 1)


@dataclass
class Served:
    """A server without a worker: cases need none."""

    client: httpx.Client
    store: Store
    folder: Path
    clock: Clock

    def a_case(self, seed: int = 0) -> str:
        """With a seed mask."""
        volume = self.upload(self.file("scan.nii.gz", voxels(seed)))
        mask = self.upload(self.file("mask.nii.gz", lesion(seed)))
        answer = self.client.post("/cases", json={"volume": volume, "mask": mask})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def upload(self, path: Path) -> str:
        return self.client.post("/volumes", params={"name": path.name}, content=path.read_bytes()).json()["id"]

    def file(self, name: str, array: np.ndarray, geometry: Geometry = GEOMETRY) -> Path:
        path = self.folder / name
        if name.endswith(".nrrd"):
            write_segmentation(array, geometry, path)
        else:
            write_image(array, geometry, path)
        return path

    def lease(self, case: str, annotator: str = "eva") -> str:
        return self.client.post(f"/cases/{case}/lease", json={"annotator": annotator}).json()["lease"]

    def head(self, case: str) -> str:
        return self.client.get(f"/cases/{case}").json()["head"]

    def revise(self, case: str, lease: str, mask: np.ndarray, parent: str | None = None, **given) -> httpx.Response:
        content = self.file("drawn.nii.gz", mask).read_bytes()
        query = {"lease": lease, "state": "draft", "parent": parent or self.head(case), "format": "nii.gz"} | given
        return self.client.post(f"/cases/{case}/revisions", params=query, content=content)

    def written(self) -> dict[str, str]:
        """Every file of the store and of the data root; SQLite's index of readers is no content."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for root in ("store", "data")
            for path in sorted((self.folder / root).rglob("*"))
            if path.is_file() and not path.name.endswith("-shm")
        }

    def refusal(self, answer: httpx.Response) -> str:
        """The one line of a refusal."""
        assert set(answer.json()) == {"detail"}, answer.text
        detail = answer.json()["detail"]
        assert detail and "\n" not in detail
        assert str(self.folder) not in detail, "a client need not know where the server keeps things"
        return detail


@contextmanager
def served_cases(folder: Path) -> Iterator[Served]:
    """Serve a new, empty store on a loopback port while the block runs.

    :param folder: gets the store and the data root.
    """
    clock = Clock()
    store = Store.open(folder / "store", clock=clock)
    settings = ServerSettings(token=TOKEN, data=folder / "data", most_bytes=MOST_BYTES)
    # Without its lifespan the server starts no worker, which would load torch.
    config = uvicorn.Config(create_app(settings, store), port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        yield Served(client, store, folder, clock)
    server.should_exit = True
    thread.join()
    store.close()
