"""What the user of the module PseudoNormal chose; kept in the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.contrast import guess_contrast
from PseudoNormalLib.generate import GenerateRequest
from PseudoNormalLib.parameters import node_field

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

MODES = ("auto", "void", "guided")


@dataclass(frozen=True)
class Choices:
    """What is to be generated.

    :param image: vtkMRMLScalarVolumeNode, the scan.
    :param lesions: vtkMRMLSegmentationNode whose mask is used; None: the engine finds the lesions.
    :param model: a model's name; empty: the engine's own choice.
    :param mode: one of ``MODES``.
    :param texture: add grain to the pseudo-normal.
    :param contrast: the scan's, by a word of :data:`PseudoNormalLib.contrast.CONTRASTS`; empty: what it tells itself.
    """

    image: Any = node_field()
    lesions: Any = node_field()
    model: str = ""
    mode: str = MODES[0]
    texture: bool = False
    contrast: str = ""

    def contrast_of(self, host: Host) -> str | None:
        """The scan's contrast, chosen or told by the scan itself; None when nothing tells."""
        if self.contrast or self.image is None:
            return self.contrast or None
        return guess_contrast(self.image, host.dicom_files(self.image))

    def request(self, host: Host) -> GenerateRequest:
        """The same for the engine."""
        contrast = self.contrast_of(host)
        return GenerateRequest(self.image, self.lesions, self.model or None, self.mode, self.texture, contrast)
