"""Versions of models over real HTTP, through the extension's client: promote, refuse, force, roll back, generate."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Conflict, Refused, Unknown
from PseudoNormalLib.engine.training_replies import VersionInfo
from PseudoNormalLib.engine.transfer import Volume, encode
from Testing.engine_process import running_engine

from pseudonormal.models.comparison import Comparison, Difference
from pseudonormal.models.registry import Registry
from pseudonormal.models.versions import Entry

PATIENCE_S = 240


@pytest.fixture(scope="module")
def an_engine(models_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    with running_engine(models_folder, folder / "data", folder / "store") as engine:
        yield engine


@pytest.fixture
def routes(an_engine):
    return EngineClient(an_engine.url, an_engine.token).trainings


@pytest.fixture
def a_model(an_engine, models_folder, tmp_path_factory):
    """A model of its own for each test: version 1, and made from it 1.1, which is worse, and 1.2."""
    registry = Registry(an_engine.data.parent / "user" / "pseudonormal" / "registry")
    name = f"model-{len(registry.names())}"
    registry.register(models_folder / "brain-mr", Entry(name, "1", None, metrics={"dice": 0.6}))
    for version, interval in (("1.1", (-0.1, -0.2, -0.05)), ("1.2", (0.01, -0.02, 0.04))):
        compared = {"1": Comparison(9, {"dice": Difference(*interval)})}
        made = Entry(name, version, "1", recipe="smile", metrics={"dice": 0.5}, comparisons=compared)
        registry.register(models_folder / "brain-mr", made)
    return name


def states(routes, model):
    return {version.version: version.state for version in routes.versions(model)}


def test_versions_are_told_with_what_is_known_of_them(routes, a_model):
    assert routes.versions("nonsense") == []
    first, worse, _ = routes.versions(a_model)
    assert (first.version, first.state, first.parent, first.metrics) == ("1", "current", None, {"dice": 0.6})
    assert worse.model == f"{a_model}:1.1" and worse.recipe == "smile" and worse.parent == "1"
    assert worse.comparisons["1"]["worse"] and worse.comparisons["1"]["difference"] == {"dice": [-0.1, -0.2, -0.05]}
    assert {version.name for version in routes.versions()} >= {a_model}


def test_a_version_is_promoted_and_taken_back(routes, a_model):
    promoted = routes.promote(a_model, "1.2")
    assert isinstance(promoted, VersionInfo) and promoted.state == "current"
    assert states(routes, a_model) == {"1": "retired", "1.1": "candidate", "1.2": "current"}
    assert routes.roll_back(a_model).version == "1"
    assert states(routes, a_model) == {"1": "current", "1.1": "candidate", "1.2": "retired"}


def test_a_worse_version_is_refused_with_the_reason_unless_forced(routes, a_model, an_engine):
    with pytest.raises(Conflict, match="is worse than the current version 1") as refused:
        routes.promote(a_model, "1.1")
    assert "--force" not in refused.value.line and str(an_engine.data.parent) not in refused.value.line
    assert states(routes, a_model)["1.1"] == "candidate"
    assert routes.promote(a_model, "1.1", force=True).state == "current"


def test_what_is_not_there_or_cannot_be_done_is_refused(routes, a_model, an_engine):
    with pytest.raises(Unknown, match="has no version '9'"):
        routes.promote(a_model, "9")
    with pytest.raises(Conflict, match="is the current version already"):
        routes.promote(a_model, "1")
    with pytest.raises(Conflict, match="nothing to go back to"):
        routes.roll_back(a_model)
    for name in ("nonsense", "brain-mr"):
        with pytest.raises(Unknown, match="has no versions yet"):
            routes.roll_back(name)
    with pytest.raises(Refused):
        routes.promote("..", "1")
    answer = httpx.post(
        f"{an_engine.url}/registry/..%2F..%2Fx/promote", headers=an_engine.headers, json={"version": "1"}
    )
    assert answer.status_code == 404
    answer = httpx.post(f"{an_engine.url}/registry/x/promote", headers=an_engine.headers, json={"version": "../1"})
    assert answer.status_code == 422


def test_a_scan_can_be_generated_with_any_version(an_engine, a_model, a_head):
    an_engine.wait_until_ready()
    client = EngineClient(an_engine.url, an_engine.token)
    volume = client.upload(encode(Volume(a_head.array, np.diag((-1.0, -1.0, 1.0, 1.0)))), "scan.nrrd")
    for version in ("1", "1.1"):
        job = client.start_job(volume, model=f"{a_model}:{version}")
        while not job.finished:
            job = client.job(job.id)
        assert job.state == "done" and job.result["report"]["model"]["name"] == a_model
    for wrong in (f"{a_model}:9", "nonsense:1", "../registry:1"):
        with pytest.raises(Unknown, match="no such model"):
            client.start_job(volume, model=wrong)
