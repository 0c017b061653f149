"""What a training asks of a device: precision, memory, and chance of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from lissnas.errors import UserError
from lissnas.oneshot.choices import SlicedConv2d
from lissnas.oneshot.recipe import Recipe

__all__ = [
    "best_device",
    "computing",
    "device_of",
    "enough_memory",
    "memory_order",
    "own_chance",
    "require_parts",
    "require_precision",
    "require_uncompiled",
    "smaller_parts",
]

OUT_OF_MEMORY = (  # said by what raises a plain RuntimeError: torch on a CPU, the driver, cuBLAS and cuDNN
    "can't allocate memory",
    "CUDA error: out of memory",
    "STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
)
REDUCED = {"bf16": torch.bfloat16, "fp16": torch.float16}


def computing(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Within it layers compute in ``precision``; weights stay as they are."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, REDUCED[precision])


def require_precision(precision: str, device: torch.device) -> None:
    """Refuse what the device cannot do.

    Raises:
        UserError: fp16 without a GPU, or bf16 on a device that has none.
    """
    if precision == "fp16" and device.type != "cuda":
        raise UserError(f"precision fp16 takes a GPU, but the network is on '{device}': use bf16 or float32")
    if precision == "bf16":
        able = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else device.type == "cpu"
        if not able:
            remedy = "fp16 or float32" if device.type == "cuda" else "float32"
            raise UserError(f"precision bf16 is nothing that '{device}' can compute in: use {remedy}")


def require_uncompiled(recipe: Recipe) -> None:
    """Refuse to compile a supernet.

    Raises:
        UserError: the recipe says so.
    """
    if recipe.compile:
        raise UserError(
            "compile is for networks of their own: a supernet would be compiled anew for each path, so leave it out"
        )


def memory_order(network: nn.Module, recipe: Recipe, device: torch.device) -> torch.memory_format:
    """The order in memory that a training may use: channels last, where the recipe asks for it and the device computes rightly.

    oneDNN, which computes convolutions on a CPU, writes past its own memory in the backward pass of a 1x1 convolution with a
    stride that takes fewer channels than fit into a vector register, if channels are last: gradients are wrong, or the process
    dies [uxlfoundation/oneDNN#6035]. A network with such a convolution has its channels first.
    """
    if not recipe.channels_last or (device.type == "cpu" and any(map(_may_corrupt, network.modules()))):
        return torch.contiguous_format
    return torch.channels_last


def _may_corrupt(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv2d) or max(module.stride) == 1:
        return False
    block = 16 if "AVX512" in torch.backends.cpu.get_cpu_capability() else 8
    sliced = isinstance(module, SlicedConv2d)  # which may be given fewer channels, or run the middle of its kernel
    smallest = min(getattr(module, "kernels", module.kernel_size))
    return smallest == 1 and (sliced or module.in_channels // module.groups < block)


def require_parts(recipe: Recipe, world: int) -> None:
    """Refuse a recipe that so many devices cannot share: a batch is cut into equal parts of whole ghost batches.

    Raises:
        UserError: the numbers.
    """
    images, rest = divmod(recipe.batch_size, world * recipe.accumulate)
    if rest or (recipe.ghost is not None and images % recipe.ghost):
        raise UserError(
            f"a batch must split into equal parts of whole ghost batches, but got batch_size {recipe.batch_size} on {world} "
            f"devices, accumulate {recipe.accumulate} and ghost {recipe.ghost}: choose a batch_size that they divide"
        )


def device_of(network: nn.Module) -> torch.device:
    """Where its parameters are."""
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))


def best_device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def own_chance(device: torch.device) -> Iterator[None]:
    """Within it torch's generators are ours, and convolutions on a GPU take the fastest of their algorithms."""
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[device] if device.type == "cuda" else []))
        if device.type == "cuda":
            # torch.backends.cudnn.flags would set more than this one, and refuses after some ways of setting TF32
            stack.callback(setattr, torch.backends.cudnn, "benchmark", torch.backends.cudnn.benchmark)
            torch.backends.cudnn.benchmark = True
        yield


@contextmanager
def enough_memory(device: torch.device, settings: str, remedy: str) -> Iterator[None]:
    """Within it, say what to do where memory runs out.

    Args:
        settings: what takes the memory, and its numbers.
        remedy: what to do.

    Raises:
        UserError: it does.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not any(said in str(error) for said in OUT_OF_MEMORY):
            raise
        raise UserError(f"'{device}' has not enough memory for {settings}: {remedy}") from None


def smaller_parts(recipe: Recipe, world: int) -> str:
    """What to do where a batch of ``recipe`` does not fit into memory."""
    for accumulate in range(recipe.accumulate + 1, recipe.batch_size // (2 * world) + 1):  # parts of 2 images have statistics
        try:
            require_parts(replace(recipe, accumulate=accumulate), world)
        except UserError:
            continue
        does = "takes smaller parts, which batch norm then sees," if recipe.ghost is None else "does the same in smaller parts,"
        return f"accumulate {accumulate} {does} or choose a smaller batch_size, and start anew"
    return "choose a smaller batch_size" + ("" if recipe.ghost is None else " or ghost") + ", and start anew"
