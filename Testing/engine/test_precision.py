"""Half precision is for processors that have it."""

from __future__ import annotations

import pytest
import torch

from pseudonormal.networks import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("known", "fast"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"architecture": "aarch64", "neon": True}, False),
    ],
)
def test_it_is_used_only_where_the_processor_has_it(monkeypatch, known, fast):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert precision.is_bfloat16_fast(CPU) is fast
    with precision.fast_precision(CPU):
        answer = torch.nn.Conv3d(1, 1, 3)(torch.zeros(1, 1, 4, 4, 4))
    assert answer.dtype == (torch.bfloat16 if fast else torch.float32)


def test_this_processor_answers():
    assert precision.is_bfloat16_fast(CPU) in (True, False)
