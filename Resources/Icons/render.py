"""Renders the icons' drawings (SVG) to the PNG files that Slicer shows: ``python Resources/Icons/render.py``."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

HERE = Path(__file__).resolve().parent
EXTENSION = HERE.parents[1] / "SlicerPseudoNormal"
SIDE = 128  # px, what the extensions index asks for

PICTURES = {
    HERE / "PseudoNormal.png": "PseudoNormal.svg",
    EXTENSION / "PseudoNormal/Resources/Icons/PseudoNormal.png": "PseudoNormal.svg",
    EXTENSION / "PseudoNormalReview/Resources/Icons/PseudoNormalReview.png": "PseudoNormalReview.svg",
    EXTENSION / "PseudoNormalTraining/Resources/Icons/PseudoNormalTraining.png": "PseudoNormalTraining.svg",
}


def render(drawing: Path) -> QImage:
    """The drawing on a transparent square of ``SIDE`` pixels."""
    picture = QImage(SIDE, SIDE, QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    QSvgRenderer(str(drawing)).render(painter)
    painter.end()
    return picture


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication([])
    for target, drawing in PICTURES.items():
        if not render(HERE / drawing).save(str(target)):
            raise SystemExit(f"{target}: could not be written")
