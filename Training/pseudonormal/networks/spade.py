"""From a label map to an image with spatially adaptive normalisation (Park 2019, SPADE)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.monai_parts import SPADE, Convolution
from pseudonormal.networks.labels import CHANNELS, LabelEmbedding
from pseudonormal.networks.translators import LATENT, STILL, grey

DOUBLINGS = 4
LEAST = 4  # voxels of an axis on the coarsest grid: thin axes are halved less often
SLOPE = 0.2


class SpadeTranslator(nn.Module):
    """A decoder of SPADE blocks for label maps of any size.

    MONAI's ``SPADENet`` takes maps of one size only and ends in a single map. Here the coarsest grid is the label map's
    own size, halved axis by axis as often as that goes; its first features are the labels there. The random vector
    shifts the labels' vectors: added to the features it would not survive the normalisation that follows.
    """

    def __init__(self, labels: int, spatial_dims: int = 2, width: int = 16) -> None:
        super().__init__()
        self.embedding = LabelEmbedding(labels)
        self.style = nn.Linear(LATENT, CHANNELS)
        wide = [min(width << level, 8 * width) for level in reversed(range(DOUBLINGS + 1))]
        self.first = Convolution(spatial_dims, CHANNELS, wide[0], kernel_size=3, conv_only=True)
        pairs = zip([wide[0], *wide], wide, strict=False)
        self.blocks = nn.ModuleList(_Block(before, after, spatial_dims, width) for before, after in pairs)
        self.last = Convolution(spatial_dims, wide[-1], 1, kernel_size={2: 7, 3: 3}[spatial_dims], conv_only=True)
        # the image shall begin as its labels' greys, whatever the random vector is: both have to be learnt
        weight, _bias = self.last.parameters()
        nn.init.normal_(weight, std=STILL)
        nn.init.normal_(self.style.weight, std=STILL)

    def forward(self, labels: Tensor, latent: Tensor) -> Tensor:
        """Make images.

        :param labels: (B, 1, *S) whole numbers; S = (H, W) or (D, H, W), any size.
        :param latent: (B, 1, LATENT) from N(0, 1).
        :returns: (B, 1, *S), [-1, 1] is black to white, float32.
        """
        style = self.style(latent[:, 0])
        plain = self.embedding(labels)
        semantic = plain + style.view(*style.shape, *[1] * (plain.ndim - 2))
        # label vectors are averaged, so that a lesion of one voxel still counts on the coarsest grid
        seen = [_resized(semantic, size) for size in grids(labels.shape[2:])]
        features = self.first(seen[0])
        for block, here in zip(self.blocks, seen, strict=True):
            if features.shape[2:] != here.shape[2:]:
                features = functional.interpolate(features, size=here.shape[2:], mode="nearest")
            features = block(features, here)
        correction: Tensor = self.last(functional.leaky_relu(features, SLOPE)).float()
        return grey(plain) + correction  # else the random vector would be, first of all, how bright the image is


def grids(size: Sequence[int]) -> list[tuple[int, ...]]:
    """The grids that an image of this size grows through, the coarsest first.

    Axes are halved alike, from the image on; a thin one stops earlier: 24 voxels beside 128 begin as 6 beside 8.
    """
    found = [tuple(size)]
    for _ in range(DOUBLINGS):
        found.append(tuple(-(-n // 2) if -(-n // 2) >= LEAST else n for n in found[-1]))
    return found[::-1]


def _resized(semantic: Tensor, size: Sequence[int]) -> Tensor:
    pool = functional.adaptive_avg_pool2d if semantic.ndim == 4 else functional.adaptive_avg_pool3d
    return pool(semantic, tuple(size))  # type: ignore[arg-type]  # any sequence of as many


class _Block(nn.Module):
    """Residual, with two normalisations; a third for the shortcut where the number of maps changes.

    Between label map and normalisation lie ``hidden`` maps, at every resolution: they take most of the time.
    """

    def __init__(self, before: int, after: int, spatial_dims: int, hidden: int) -> None:
        super().__init__()
        least = min(before, after)
        self.norms = nn.ModuleList(_norm(maps, spatial_dims, hidden) for maps in (before, least))
        self.convolutions = nn.ModuleList(
            Convolution(spatial_dims, *maps, kernel_size=3, conv_only=True)
            for maps in ((before, least), (least, after))
        )
        self.direct = before == after
        if not self.direct:
            self.shortcut_norm = _norm(before, spatial_dims, hidden)
            self.shortcut = Convolution(spatial_dims, before, after, kernel_size=1, bias=False, conv_only=True)

    def forward(self, features: Tensor, semantic: Tensor) -> Tensor:
        changed = features
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            changed = convolution(functional.leaky_relu(norm(changed, semantic), SLOPE))
        if not self.direct:
            features = self.shortcut(self.shortcut_norm(features, semantic))
        answer: Tensor = features + changed
        return answer


def _norm(maps: int, spatial_dims: int, hidden: int) -> nn.Module:
    return SPADE(CHANNELS, maps, spatial_dims=spatial_dims, hidden_channels=hidden)
