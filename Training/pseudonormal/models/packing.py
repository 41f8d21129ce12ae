"""From three finished runs to a bundle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pseudonormal.errors import InputError
from pseudonormal.models.bundle import NETWORKS, Calibration, write_bundle

MOST_ROUNDING = 0.02  # of the output's standard deviation
_EXAMPLE_INPUTS = {"brain": (1,), "lesion": (2,), "restore": (1,) * 6}  # channels of each argument
_EXAMPLE_EDGE = 64


def pack(
    runs: Mapping[str, Path],
    folder: Path,
    *,
    card: Mapping[str, Any],
    calibration: Calibration,
    licence: Path,
    full_where_needed: bool = False,
) -> dict[str, float]:
    """Make a bundle of finished runs, with weights in half precision: half the size.

    :param runs: for each of ``NETWORKS`` the folder of its run.
    :param folder: the bundle; replaced as a whole.
    :param card: see :func:`pseudonormal.models.bundle.write_bundle`.
    :param full_where_needed: keep a network that half precision changes as it is, instead of refusing it.
    :returns: for each network the largest change of an output by the rounding, in standard deviations of that output
        (random inputs).
    :raises InputError: a run has not ended, its weights are of another network or are no numbers, or half precision
        changes them.
    """
    changes: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        packed: dict[str, Path] = {}
        for key in NETWORKS:
            weights = _weights(runs[key] / f"{key}.safetensors")
            kept = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
            changes[key] = _change(key, weights, kept, runs[key])
            if not changes[key] <= MOST_ROUNDING:
                if not full_where_needed:
                    raise InputError(
                        f"{runs[key]}: half precision changes its output by {changes[key]:.1%}: train it anew with a "
                        "lower learning rate"
                    )
                changes[key], kept = 0.0, weights
            packed[key] = Path(scratch) / f"{key}.safetensors"
            save_file({name: value.contiguous() for name, value in kept.items()}, packed[key])
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_bundle(folder, packed, card, calibration, licence=licence)
    return changes


def read_calibration(path: Path | None) -> Calibration:
    """Numbers chosen on validation subjects, from JSON; those that it lacks keep their defaults.

    :param path: None: all defaults.
    :raises InputError: it cannot be read or holds something else.
    """
    if path is None:
        return Calibration()
    try:
        return Calibration(**{key: float(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        known = ", ".join(asdict(Calibration()))
        raise InputError(f"{path}: is no calibration: write JSON with numbers for some of {known}") from error


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path}: is missing: let the run end, or --resume it") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: is damaged: --resume the run to write it again") from error
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise InputError(f"{path}: its weights are no numbers any more: train it anew with a lower learning rate")
    return weights


def _change(key: str, weights: Mapping[str, Tensor], half: Mapping[str, Tensor], run: Path) -> float:
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn((1, n, *(_EXAMPLE_EDGE,) * 3), generator=generator) for n in _EXAMPLE_INPUTS[key]]
    outputs = []
    for state in (weights, half):
        network = NETWORKS[key]().eval()
        try:
            network.load_state_dict({name: value.float() for name, value in state.items()})
        except RuntimeError as error:
            raise InputError(
                f"{run}: these weights do not fit the network '{key}': give the run of that recipe"
            ) from error
        with torch.inference_mode():
            result = network(*inputs)
        outputs.append([result] if isinstance(result, Tensor) else [result.normal, result.log_error])
    # a NaN (an overflow of half precision) fails every comparison, so it must not be lost in max()
    changes = [float((a - b).abs().max() / a.std().clamp(min=1e-6)) for a, b in zip(*outputs, strict=True)]
    return max(changes, key=lambda change: float("inf") if change != change else change)  # noqa: PLR0124
