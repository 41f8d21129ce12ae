"""What images are compared by: functions from slices to features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.errors import InputError
from pseudonormal.monai_parts import resnet18, resnet50
from pseudonormal.networks.encoder import SliceEncoder
from pseudonormal.shipped import SHIPPED

FeatureFunction = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""(N, H, W) slices in [-1, 1], -1 outside the organ, to (N, d) features."""

ENCODER = SHIPPED / "features" / "slice-encoder.safetensors"
TOGETHER = 64
RESNETS = {"resnet18": resnet18, "resnet50": resnet50}
_PREFIX = "encoder."
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures that such weights come from


def default_features() -> dict[str, FeatureFunction]:
    """The encoder that ships, and the same with random weights, which nobody has taught what to look at.

    :raises InputError: its weights are missing or damaged.
    """
    torch.manual_seed(0)
    untaught = SliceEncoder().eval()
    taught = SliceEncoder().eval()
    weights = {name.removeprefix(_PREFIX): value for name, value in _weights(ENCODER).items()}
    taught.load_state_dict({name: value.float() for name, value in weights.items() if not name.startswith("answers")})
    return {"encoder": _function(taught), "random": _function(untaught)}


def named_features(words: Sequence[str]) -> dict[str, FeatureFunction]:
    """Networks that somebody brings along, as ``KIND=FILE``; see ``docs/recipes/um.md``.

    :param words: KIND is resnet18 or resnet50, FILE holds their weights as safetensors, keys as in torchvision.
    :raises InputError: a word or a file cannot be used.
    """
    found: dict[str, FeatureFunction] = {}
    for word in words:
        kind, equals, path = word.partition("=")
        if not equals or kind not in RESNETS:
            raise InputError(f"--features {word}: write KIND=FILE with a KIND of {', '.join(RESNETS)}")
        network = RESNETS[kind](
            spatial_dims=2,
            n_input_channels=3,
            shortcut_type="B",
            bias_downsample=False,
            feed_forward=False,
            conv1_t_stride=2,
        )
        try:
            missing = network.load_state_dict(
                {name: value for name, value in _weights(Path(path)).items() if not name.startswith("fc.")}
            )
        except RuntimeError as error:
            raise InputError(f"{path}: these weights do not fit {kind}: give those of torchvision's") from error
        assert not missing.missing_keys
        found[kind] = _function(_Coloured(network.eval()))
    return found


def at_resolution(slices: NDArray[np.float32], edge: int) -> NDArray[np.float32]:
    """(N, H, W) slices, (N, edge, edge), smoothed where that is smaller."""
    tensor = functional.interpolate(
        torch.from_numpy(slices)[:, None], size=(edge, edge), mode="bilinear", antialias=True, align_corners=False
    )
    return np.asarray(tensor[:, 0].numpy(), np.float32)


def features_of(
    slices: NDArray[np.float32], functions: Mapping[str, FeatureFunction], resolutions: Sequence[int]
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """Features by extractor and resolution."""
    shown = {edge: at_resolution(slices, edge) for edge in resolutions}
    return {(name, edge): function(shown[edge]) for name, function in functions.items() for edge in resolutions}


class _Coloured(nn.Module):
    """A network for colour pictures that is shown grey ones, and whose last maps are pooled."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, slices: Tensor) -> Tensor:
        """(B, 1, H, W) to (B, d)."""
        mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
        coloured = (((slices + 1) / 2).expand(-1, 3, -1, -1) - mean) / deviation
        pooled: Tensor = self.network(coloured)
        return pooled


def _function(network: nn.Module) -> FeatureFunction:
    def features(slices: NDArray[np.float32]) -> NDArray[np.float64]:
        answers = []
        with torch.inference_mode():
            for first in range(0, len(slices), TOGETHER):
                some = torch.from_numpy(np.ascontiguousarray(slices[first : first + TOGETHER]))
                answers.append(network(some[:, None]).double().numpy())
        return np.concatenate(answers)

    return features


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing: give a safetensors file") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot be read as safetensors: export the weights again") from error
