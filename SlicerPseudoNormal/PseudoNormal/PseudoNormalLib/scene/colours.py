"""The difference map's colours: blue where the scan is darker than its pseudo-normal, red where it is brighter."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

TABLE = "PseudoNormalDifference"
ENTRIES = 256
"""Slicer's display brings values to bytes before it looks up their colour."""
BLUE, WHITE, RED = (0.05, 0.25, 0.85), (1.0, 1.0, 1.0), (0.85, 0.10, 0.05)
LEAST_LIMIT = 3.0
"""A window of at least 3 robust standard deviations each way: noise alone must not look like a lesion."""


def diverging_table(scene: Any) -> Any:
    """The scene's blue-white-red colour table; made when first asked for.

    :returns: vtkMRMLColorTableNode of 256 entries; entries 127 and 128 around the middle are transparent.
    """
    node = scene.GetSingletonNode(TABLE, "vtkMRMLColorTableNode")
    if node is None:
        node = slicer.vtkMRMLColorTableNode()
        node.SetTypeToUser()
        node.SetName("Difference (blue-white-red)")
        node.SetSingletonTag(TABLE)
        node.SetAttribute("Category", "PseudoNormal")
        node.SetHideFromEditors(True)
        node.SetNumberOfColors(ENTRIES)
        for entry, (red, green, blue) in enumerate(_colours()):
            node.SetColor(entry, f"{entry}", red, green, blue, 1.0)
        node = scene.AddNode(node)
        hide_middle(node, 0.0)
    return node


def hide_middle(table: Any, fraction: float) -> None:
    """Make the colours of small differences transparent.

    :param table: the node of :func:`diverging_table`.
    :param fraction: of the window's half: 0 hides nothing but the middle itself, 1 everything.
    """
    lookup = table.GetLookupTable()
    # Entry i stands for the values around 2 i / 255 - 1 of the window's half.
    size = np.abs(2.0 * np.arange(ENTRIES) / (ENTRIES - 1) - 1.0)
    shown = (size >= fraction) & (size > 1.0 / (ENTRIES - 1))
    for entry, visible in enumerate(shown):
        red, green, blue, _ = lookup.GetTableValue(entry)
        lookup.SetTableValue(entry, red, green, blue, float(visible))
    lookup.Modified()
    table.Modified()


def symmetric_limit(difference: np.ndarray, least: float = LEAST_LIMIT) -> float:
    """Where the colours end, so that the window is -limit to limit: the 99th percentile of what differs.

    :param difference: (D, H, W) difference map; 0 where nothing was changed.
    :param least: the limit is never below it; the default suits robust z.
    """
    sizes = np.abs(difference[difference != 0])
    sizes = sizes[np.isfinite(sizes)]
    return max(least, float(np.percentile(sizes, 99))) if sizes.size else least


def _colours() -> np.ndarray:
    """(256, 3) from blue over white to red, each half linear."""
    at = np.linspace(-1.0, 1.0, ENTRIES)
    return np.stack(
        [np.interp(at, (-1.0, 0.0, 1.0), channel) for channel in zip(BLUE, WHITE, RED, strict=True)], axis=1
    )
