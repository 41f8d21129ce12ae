"""What the user of the module PseudoNormal chose; kept in the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.contrast import CONTRASTS, guess_contrast
from PseudoNormalLib.generate import GenerateRequest
from PseudoNormalLib.i18n import _
from PseudoNormalLib.parameters import ParameterNode, node_field

if TYPE_CHECKING:
    from PseudoNormalLib.engine.replies import ModelInfo
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


def choose_scan(parameters: ParameterNode[Choices], image: Any) -> None:
    """Make a volume node, or None, the scan; what was said of another scan's contrast says nothing of it."""
    if image is not parameters.values.image:
        parameters.update(image=image, contrast="")


def contrast_offers(host: Host, chosen: Choices) -> list[tuple[str, str]]:
    """What the contrast can be said to be: text and word; what the scan tells itself comes first, with no word."""
    told = replace(chosen, contrast="").contrast_of(host)
    automatic = _("Automatic ({contrast})").format(contrast=CONTRASTS[told] if told else _("not known"))
    first = automatic if chosen.image is not None else _("Automatic")
    return [(first, ""), *((text, word) for word, text in CONTRASTS.items())]


def model_offers(models: Sequence[ModelInfo]) -> list[tuple[str, str]]:
    """What the model can be: text and name; the engine's own choice comes first, with no name."""
    own = next((model.name for model in models if model.default), "")
    first = _("Automatic ({name})").format(name=own) if own else _("Automatic")
    return [(first, ""), *((f"{model.name} {model.version}", model.name) for model in models)]


def mode_offers() -> list[tuple[str, str]]:
    """How a lesion can be restored: text and word of ``MODES``."""
    texts = (_("Automatic"), _("Void: the lesion's own voxels are not seen"), _("Guided: they are seen"))
    return list(zip(texts, MODES, strict=True))


def about_model(host: Host, models: Sequence[ModelInfo], chosen: Choices) -> str:
    """What should be known of the model that would be used; empty where the engine has not said which there are."""
    fitting = [model for model in models if (model.name == chosen.model if chosen.model else model.default)]
    if not fitting:
        return ""
    model = fitting[0]
    if model.knows(chosen.contrast_of(host)):
        return model.description
    doubt = _("{name} was not trained for this contrast: look at its findings with more doubt.")
    if not chosen.model:
        doubt = _("{name} was not trained for this contrast: a model that was is taken, where the engine has one.")
    return doubt.format(name=model.name)
