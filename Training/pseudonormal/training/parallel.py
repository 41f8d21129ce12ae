"""The processes that train together: one, or as many as ``torchrun`` has started, on processors or GPUs.

Fabric finds the devices, brings the processes together and chooses the precision. The networks are not wrapped in
``DistributedDataParallel``: that counts on one forward pass through every network before each backward pass, and here
a loss calls some networks several times and lets others rest. Instead the gradients are added up once after the
backward pass, in one message. That cannot overlap with the backward pass, but is right for any loss.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch import Tensor, distributed, nn

from pseudonormal.errors import InputError
from pseudonormal.networks.precision import is_bfloat16_fast
from pseudonormal.training.settings import Settings

Value = TypeVar("Value")

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


class Processes:
    """This process among those that train together.

    :ivar rank: its number; 0 alone writes and tells.
    :ivar count: how many there are.
    """

    def __init__(self, fabric: Fabric) -> None:
        """Take a launched Fabric; in all processes at the same time."""
        self._fabric = fabric
        self.rank, self.count, self.device = fabric.global_rank, fabric.world_size, fabric.device
        # Numbers that only processors need do not wait for the GPUs; batches are made in a thread of their own, whose
        # messages may not get in between those of the main thread.
        alone = self.count == 1
        self._words: Any = None if alone else distributed.new_group(backend="gloo")
        self._batches: Any = None if alone else distributed.new_group(backend="gloo")

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision that was asked for."""
        return self._fabric.autocast()

    def gather(self, value: Value) -> list[Value]:
        """What each process says, in their order; all have to ask, each in its main thread."""
        if self.count == 1:
            return [value]
        said: list[Any] = [None] * self.count
        distributed.all_gather_object(said, value, group=self._words)
        return said

    def agree_on_batch(self, value: Value) -> Value:
        """What process 0 says; all have to ask, each in the thread that makes its batches."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, group=self._batches)
        return box[0]

    def add_up(self, numbers: Tensor) -> Tensor:
        """The sum over all processes of a tensor of the same shape in each."""
        if self.count > 1:
            distributed.all_reduce(numbers)
        return numbers

    def add_up_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every process the sum of all processes' gradients; one that no process has stays away."""
        if self.count == 1:
            return
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        there = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        together = self.add_up(torch.cat([*(part.reshape(-1).float() for part in parts), there]))
        sums = together.split([*(p.numel() for p in parameters), len(parameters)])
        for parameter, total, known in zip(parameters, sums, sums[-1].tolist(), strict=False):
            parameter.grad = total.view(parameter.shape).to(parameter.dtype) if known else None


@contextmanager
def processes(settings: Settings) -> Iterator[Processes]:
    """Find the others that ``torchrun`` started, if it did, and part from them in the end.

    :raises InputError: a batch has fewer samples than there are processes, or all were given the same GPU.
    """
    together = TorchElasticEnvironment.detect()
    count = int(os.environ["WORLD_SIZE"]) if together else 1
    here = int(os.environ["LOCAL_WORLD_SIZE"]) if together else 1
    device, chosen = torch.device(settings.device), ":" in settings.device
    if settings.batch < count:
        raise InputError(
            f"--set batch={settings.batch}: is too small for {count} processes: each needs a sample at least; "
            f"give batch={count} or more"
        )
    if together and chosen:
        raise InputError(f"--device {device}: every process would take it: give --device cuda and each takes its own")
    fabric = Fabric(
        accelerator=device.type,
        devices=[device.index] if chosen else here,
        num_nodes=count // here,
        strategy="ddp" if together else "auto",
        precision="bf16-mixed" if settings.bfloat16 and is_bfloat16_fast(device) else "32-true",
        plugins=[TorchElasticEnvironment() if together else LightningEnvironment()],
    )
    fabric.launch()
    try:
        yield Processes(fabric)
    finally:
        if together:
            distributed.destroy_process_group()
