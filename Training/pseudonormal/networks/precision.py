"""Half precision where it is faster."""

from __future__ import annotations

import torch

# Elsewhere it is emulated, which is several times slower than float32.
_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def is_bfloat16_fast(device: torch.device) -> bool:
    """Whether the processor has instructions for bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in _INSTRUCTIONS)


def fast_precision(device: torch.device) -> torch.autocast:
    """Within it networks compute in bfloat16 where the device is faster so, else in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_bfloat16_fast(device))
