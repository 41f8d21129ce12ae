"""What the scene's tests share: a host without an application, and volumes on straight, tilted and flipped grids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PseudoNormalLib.hosts import headless
from PseudoNormalLib.scene.case_nodes import CaseNodes, link
from PseudoNormalLib.scene.lesions import new_lesions
from PseudoNormalLib.scene.volumes import new_volume, new_volume_like

SHAPE = (24, 40, 36)

STRAIGHT = np.array([[1.0, 0, 0, -18], [0, 1, 0, -20], [0, 0, 2, 5], [0, 0, 0, 1]])
"""RAS, 1 x 1 x 2 mm."""
LPS = np.diag([-1.0, -1.0, 1.0, 1.0]) @ STRAIGHT
"""As ITK and DICOM have it: x to the left, y to the back."""


def tilted(degrees_x, degrees_z, edges, origin):
    """A grid turned about the patient's left-right and long axes."""
    x, z = np.radians([degrees_x, degrees_z])
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(about_x) @ about_z * edges
    matrix[:3, 3] = origin
    return matrix


OBLIQUE = tilted(17, -31, (0.9, 1.1, 3.3), (12.25, -33.1, 61.7))
"""Tilted about two axes and anisotropic."""
GRIDS = {"straight": STRAIGHT, "lps": LPS, "oblique": OBLIQUE}


@pytest.fixture
def another_host(tmp_path):
    """Makes further hosts, such as the application that a scene is loaded into the next day."""
    hosts = []

    def make():
        hosts.append(headless(tmp_path / f"Daten für Lékař {len(hosts)}"))
        return hosts[-1]

    yield make
    for host in hosts:
        # While everybody who looks at the scene is still whole: not in the midst of a garbage collection.
        host.scene.Clear(True)


@pytest.fixture
def scene_host(another_host):
    """A scene and its logics, all its own."""
    return another_host()


@pytest.fixture
def a_lesion_mask():
    """(D, H, W) two lesions: a larger one towards high x, a smaller one towards low x."""
    z, y, x = np.indices(SHAPE)
    large = (z - 12) ** 2 + (y - 20) ** 2 + (x - 27) ** 2 < 5**2
    small = (z - 10) ** 2 + (y - 14) ** 2 + (x - 8) ** 2 < 3**2
    return large | small


@pytest.fixture
def a_scan_array(a_lesion_mask):
    """(D, H, W) int16: tissue of 500, the larger lesion bright, the smaller one dark, and a corner of air."""
    x = np.indices(SHAPE)[2]
    array = np.full(SHAPE, 500, np.int16)
    array[a_lesion_mask] = np.where(x[a_lesion_mask] > 18, 900, 250)
    array[:3, :3, :3] = 0
    return array


@pytest.fixture(params=sorted(GRIDS))
def a_grid(request):
    """(4, 4) from voxel index to RAS mm; the test runs once for each kind of grid."""
    return GRIDS[request.param].copy()


@pytest.fixture
def a_volume_node(scene_host, a_scan_array):
    """The scan on a straight grid."""
    return new_volume(scene_host.scene, "scan", a_scan_array, STRAIGHT)


@pytest.fixture
def an_oblique_volume_node(scene_host, a_scan_array):
    """The scan on a tilted, anisotropic grid."""
    return new_volume(scene_host.scene, "tilted scan", a_scan_array, OBLIQUE)


@dataclass(frozen=True)
class ACase:
    """A case in a scene, and the arrays it was made of."""

    nodes: CaseNodes
    mask: np.ndarray
    difference_z: np.ndarray


def make_case(host, image, array, mask):
    """A complete case: tissue of 500 is normal, and a robust standard deviation is 50."""
    normal = np.where(mask, 500, array).astype(array.dtype)
    difference = (array.astype(np.float32) - normal).astype(np.float32)
    nodes = CaseNodes(
        image,
        new_volume_like(image, "scan pseudo-normal", normal),
        new_volume_like(image, "scan difference", difference),
        new_volume_like(image, "scan difference (z)", difference / 50),
        new_lesions(host, image, mask, "scan lesions"),
    )
    link(nodes)
    return ACase(nodes, mask, difference / 50)


@pytest.fixture
def a_case(scene_host, a_volume_node, a_scan_array, a_lesion_mask):
    """The straight scan with its results: the larger lesion is 8 robust z too bright, the smaller 5 too dark."""
    return make_case(scene_host, a_volume_node, a_scan_array, a_lesion_mask)
