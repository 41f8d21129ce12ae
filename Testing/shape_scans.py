"""Small scans with a bright object in a brain, as files and in the frame, for the tests of recipe ``shape``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pseudonormal.cases import COLUMNS
from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.painting.ovals import oval_picture
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image

EDGE = 32
MODEL = Ellipses((0.16, 0.26), (1.0, 1.3), 0.12)
VOXEL_MM = 3.0
TILTED = (0.9848, -0.1736, 0.0, 0.1736, 0.9848, 0.0, 0.0, 0.0, 1.0)  # ten degrees about the body's axis
HEADER = ",".join([*COLUMNS, "contrast"])


def drawn_material(count: int = 24, seed: int = 0) -> ShapeMaterial:
    """Slices with a bright disc each, and an ellipse model."""
    rng = np.random.default_rng(seed)

    def some(number: int) -> list[Framed]:
        masks = [MODEL.draw((EDGE, EDGE), rng) for _ in range(number)]
        pictures = [oval_picture(mask, "disc", rng) for mask in masks]
        everywhere = np.ones((1, EDGE, EDGE), bool)
        return [
            Framed(f"disc{n}", image[None], everywhere, mask[None])
            for n, (mask, image) in enumerate(zip(masks, pictures, strict=True))
        ]

    return ShapeMaterial(some(count), MODEL, some(8))


def geometry_of(shape: tuple[int, ...], spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Geometry:
    """A tilted grid of 2 mm, LPS."""
    return Geometry(shape[::-1], spacing, (-30.0, -40.0, 5.0), TILTED)


def write_scan(folder: Path, name: str, rng: np.random.Generator) -> np.ndarray:
    """``NAME.nii.gz`` with a bright ball in a brain, ``NAME_brain.nii.gz``; returns the ball, (D, H, W)."""
    shape = (36, 40, 38)
    points = np.indices(shape) - np.reshape((np.array(shape) - 1) / 2, (3, 1, 1, 1))
    brain = ((points / np.reshape([15, 17, 16], (3, 1, 1, 1))) ** 2).sum(0) <= 1
    centre = rng.uniform(-4, 4, 3).reshape(3, 1, 1, 1)
    ball = ((points - centre) ** 2).sum(0) <= rng.uniform(5, 8) ** 2
    image = np.where(brain, 400 + 30 * rng.standard_normal(shape) + 300 * (ball & brain), 0).astype(np.int16)
    write_image(image, geometry_of(shape), folder / f"{name}.nii.gz")
    write_image(brain, geometry_of(shape), folder / f"{name}_brain.nii.gz")
    return ball & brain


def write_cases(folder: Path, scans: int = 5, masks: int = 4) -> Path:
    """A list of scans without a mask and of masks of other subjects; in folder "truth" what is in the scans."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    lines = [HEADER]
    for number in range(scans + masks):
        name = f"s{number}"
        ball = write_scan(folder, name, rng)
        if number < scans:
            write_image(ball, geometry_of(ball.shape), folder / "truth" / f"{name}.nii.gz")
            lines.append(f"{name},{name},train,{name}.nii.gz,,,{name}_brain.nii.gz,flair")
        else:
            write_image(ball, geometry_of(ball.shape), folder / f"{name}_mask.nii.gz")
            lines.append(f"{name},{name},train,,{name}_mask.nii.gz,,{name}_brain.nii.gz,")
    path = folder / "cases.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
