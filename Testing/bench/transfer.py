"""How long a 1 mm head takes to the engine and back: ``.venv/bin/python -m Testing.bench.transfer``.

With ``SlicerPseudoNormal/PseudoNormal`` on ``PYTHONPATH``. The shipped model restores the MNI152 brain with a drawn
mask; sent are scan and mask, fetched the four volumes that the extension shows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from nilearn.datasets import load_mni152_template
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.transfer import Volume, decode, encode
from Testing.engine_process import running_engine

MODELS = Path(__file__).resolve().parents[2] / "Resources" / "models"
WANTED = ("pseudo_normal", "difference", "difference_z", "lesion_mask")


def measure(client: EngineClient, scan: Volume, mask: Volume) -> tuple[float, float]:
    """Seconds to send and to fetch, of one job."""
    started = time.perf_counter()
    volume, lesion = (client.upload(encode(one), "a.nrrd") for one in (scan, mask))
    sent = time.perf_counter() - started
    job = client.start_job(volume, mask=lesion)
    while not job.finished:
        time.sleep(0.1)
        job = client.job(job.id)
    files = job.result["files"]
    started = time.perf_counter()
    for name in WANTED:
        decode(client.result_file(job.id, files[name]), files[name])
    return sent, time.perf_counter() - started


def main() -> None:
    """Three jobs, a line each."""
    template = load_mni152_template(resolution=1)
    array = (np.asarray(template.dataobj) * 1000).astype(np.int16).transpose(2, 1, 0)
    mask = np.zeros(array.shape, np.uint8)
    mask[90:105, 110:125, 60:75] = 1
    with tempfile.TemporaryDirectory() as data, running_engine(MODELS, Path(data) / "engine") as engine:
        engine.wait_until_ready()
        client = EngineClient(engine.url, engine.token)
        for _ in range(3):
            seconds = measure(client, Volume(array, template.affine), Volume(mask, template.affine))
            sys.stdout.write("send {:.2f} s, fetch {:.2f} s\n".format(*seconds))


if __name__ == "__main__":
    main()
