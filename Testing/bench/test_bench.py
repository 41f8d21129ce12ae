"""The bench measures what it says, on a head small enough to be a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from pseudonormal.bench.fill import fill_times
from pseudonormal.bench.table import bench_table

MIB = 1024**2


@pytest.fixture(scope="module")
def measured(a_head, models_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    arguments = [a_head.scan, out, "brain-mr", "cpu", 1, 1, time.time()]
    done = subprocess.run(
        [sys.executable, "-m", "pseudonormal.bench.child", *map(str, arguments)],
        env={**os.environ, "PSEUDONORMAL_MODELS": str(models_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_times_add_up(measured):
    (run,) = measured["runs"]
    assert 0 < run["networks_s"] < run["generate_s"] < measured["cold_s"]
    assert run["passes"] >= 3  # brain, lesion, restore
    assert sum(run["stages"].values()) == pytest.approx(run["generate_s"], rel=0.1, abs=0.1)
    assert measured["findings"] >= 1


def test_memory_is_that_of_the_process(measured):
    assert 200 * MIB < measured["peak_bytes"] < 4000 * MIB  # torch alone takes more than the lower bound


@pytest.fixture(scope="module")
def fill():
    noise = np.random.default_rng(0).normal(0, 0.05, (56, 56, 56))
    z = np.indices(noise.shape)[0] / 56
    return fill_times((z + noise).astype(np.float32), large_ml=2.0, small_ml=0.7)


def test_the_fill_is_as_good_as_the_direct_solution(fill):
    assert abs(fill.difference_db) < 0.1
    assert min(fill.large_s, fill.small_s, fill.reference_s) > 0


def test_the_table_is_markdown(measured, fill):
    table = bench_table(measured, fill, 2, (64, 66, 62))
    assert "64×66×62" in table
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert any("generate / networks" in row for row in rows)
    assert bench_table(measured | {"gpu_peak_bytes": MIB}, replace(fill, large_s=1.0), 2, (1, 2, 3)) != table
