"""What the user of the module PseudoNormal chose; kept in the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PseudoNormalLib.generate import GenerateRequest
from PseudoNormalLib.parameters import node_field

MODES = ("auto", "void", "guided")


@dataclass(frozen=True)
class Choices:
    """What is to be generated.

    :param image: vtkMRMLScalarVolumeNode, the scan.
    :param lesions: vtkMRMLSegmentationNode whose mask is used; None: the engine finds the lesions.
    :param model: a model's name; empty: the engine's own choice.
    :param mode: one of ``MODES``.
    :param texture: add grain to the pseudo-normal.
    """

    image: Any = node_field()
    lesions: Any = node_field()
    model: str = ""
    mode: str = MODES[0]
    texture: bool = False

    @property
    def request(self) -> GenerateRequest:
        """The same for the engine."""
        return GenerateRequest(self.image, self.lesions, self.model or None, self.mode, self.texture)
