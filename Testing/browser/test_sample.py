"""The scan that is there from the beginning is what its README says, and an installed package has it too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
from Resources.sample.make import FILE, sample

from PseudoNormalWeb.window.__main__ import SAMPLE

ROOT = Path(__file__).resolve().parents[2]
WHERE = """
from PseudoNormalWeb.window.__main__ import SAMPLE
from pseudonormal.models.bundle import find_bundle
print(SAMPLE, find_bundle("brain-mr"), sep="\\n")
"""


def test_the_sample_is_what_its_script_makes():
    voxels, matrix = sample()
    stored = nibabel.load(FILE)
    assert np.allclose(stored.affine, matrix)
    assert stored.get_data_dtype() == np.int16
    other = np.abs(np.asarray(stored.dataobj).transpose(2, 1, 0) - voxels) > 1  # rounding may differ between machines
    assert other.mean() < 1e-4
    assert SAMPLE == FILE


def test_what_a_wheel_is_made_of_holds_sample_model_and_page(tmp_path):
    built = tmp_path / "built"
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(built), "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-c", WHERE]
    answer = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    scan, model = map(Path, answer.stdout.splitlines())
    assert built in scan.parents and built in model.parents
    assert scan.read_bytes() == FILE.read_bytes()
    assert sorted(path.name for path in (model / "models").iterdir()) == sorted(
        path.name for path in (ROOT / "Resources" / "models" / "brain-mr" / "models").iterdir()
    )
    assert (built / "pseudonormal" / "shipped" / "features" / "slice-encoder.safetensors").is_file()
    assert (built / "PseudoNormalWeb" / "parts" / "files" / "served" / "upload.js").is_file()
    assert not list(built.glob("**/make.py"))
