"""The demo's scan, its table and its picture."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from pseudonormal.demo.compare import compare
from pseudonormal.demo.picture import demo_picture
from pseudonormal.demo.scene import VOLUME_ML, Scene, make_scene
from pseudonormal.generate.pipeline import Options, generate
from pseudonormal.models.bundle import load_model
from pseudonormal.recipes.classical import CLASSICAL
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image


def test_the_scene_keeps_its_truth(tmp_path):
    make_scene(tmp_path)
    scene = Scene.at(tmp_path)
    scan, truth, lesion, brain = (read_scan(path) for path in (scene.scan, scene.truth, scene.mask, scene.brain))
    inside = lesion.array > 0
    assert scan.storage.dtype == np.int16
    assert scan.geometry.spacing == (1.0, 1.0, 1.0)
    assert VOLUME_ML[0] - 0.01 <= inside.sum() / 1000 <= VOLUME_ML[1] + 0.01
    np.testing.assert_array_equal(scan.array[~inside], truth.array[~inside])
    assert scan.array[inside].mean() < truth.array[inside].mean() - 50
    assert (brain.array > 0)[inside].all()
    centre = scan.geometry.to_ras(np.argwhere(inside)).mean(axis=0)
    assert centre[0] < -10  # in the left half
    assert 1.4e6 < (brain.array > 0).sum() < 2.1e6


@pytest.fixture
def a_scene(a_head, tmp_path) -> Scene:
    truth = np.where(a_head.lesion, a_head.array - 600, a_head.array).astype(np.int16)
    parts = {"scan": a_head.array, "truth": truth, "lesion": a_head.lesion, "brain": a_head.foreground}
    for name, content in parts.items():
        write_image(content, a_head.geometry, tmp_path / f"{name}.nii.gz")
    return Scene.at(tmp_path)


def test_every_classical_fill_stands_beside_the_model(a_scene, known_models):
    model = load_model(str(known_models / "brain-mr"))
    mine = generate(a_scene.scan, model, Options(mask=a_scene.mask, foreground=a_scene.brain))
    lines = list(compare(a_scene, model, mine, 1.0))
    assert [line.name for line in lines] == ["brain-mr", *CLASSICAL]
    by_name = {line.name: line for line in lines}
    assert by_name["identity"].mae > 1.5  # 600 of the brain's span of about 350
    assert by_name["biharmonic"].psnr_db > by_name["identity"].psnr_db + 10
    assert by_name["brain-mr"].psnr_db > by_name["identity"].psnr_db + 10


def test_the_picture(a_head):
    before = mpl.get_backend()
    change = np.where(a_head.lesion, 600, 0).astype(np.float32)
    truth = a_head.array - change.astype(np.int16)
    content = demo_picture(a_head.array, truth, truth, change, a_head.lesion, a_head.geometry)
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert min(picture.shape[:2]) > 600
    orange = (picture[..., 0] > picture[..., 2] + 80) & (picture[..., 0] > 150)
    right = orange[:, picture.shape[1] * 3 // 4 :]
    assert right.sum() > 500  # the lesion in the difference
    assert mpl.get_backend() == before
