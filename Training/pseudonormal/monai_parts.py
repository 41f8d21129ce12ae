"""The parts of MONAI that this package is built of.

MONAI loads all of itself as soon as a part of it is wanted, and with it every library for plots, tables and classical
learning that it finds: more seconds than torch itself takes, in each process. Nothing that is taken here needs them, so
MONAI is told that they are not there while it loads. Whoever imports MONAI before has it whole, and so has whoever
imported the library before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

NOT_NEEDED = (
    "matplotlib",
    "nibabel",
    "pandas",
    "requests",
    "scipy.signal",
    "scipy.stats",
    "skimage",
    "sklearn",
    "tifffile",
    "torch.utils.tensorboard",
)


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Libraries that are not loaded yet cannot be imported in the block, and can after it."""
    hidden = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None is what Python itself looks for
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _absent(NOT_NEEDED):
    import monai
    from monai.inferers import sliding_window_inference
    from monai.networks.blocks import SPADE, Convolution
    from monai.networks.nets import PatchDiscriminator, UNet, VarAutoEncoder, resnet18, resnet50

VERSION: str = monai.__version__.split("+")[0]

__all__ = [
    "SPADE",
    "VERSION",
    "Convolution",
    "PatchDiscriminator",
    "UNet",
    "VarAutoEncoder",
    "resnet18",
    "resnet50",
    "sliding_window_inference",
]
