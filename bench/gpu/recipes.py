"""Part of an epoch of each recipe of the paper's Appendix F, on images made of noise: images/s, memory, projected hours.

Forward, backward and the optimizer's step, without loading, clipping and averages, which ``training.py`` beside this file has.

python bench/gpu/recipes.py [NAME...]      imagenet-shufflenetv2, imagenet-fairnas-se-330m, cifar10-nasbench101; all if none
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from lissnas.formats import get_space
from lissnas.oneshot.devices import computing, own_chance
from lissnas.oneshot.network import layout_of
from lissnas.oneshot.norm import set_ghost
from lissnas.oneshot.optimizers import make_optimizer
from lissnas.oneshot.samplers import get_sampler
from lissnas.runs.main_config import read_config
from lissnas.runs.one_shot import new_supernet
from lissnas.runs.recipes import find_job

IMAGES = {"imagenet-shufflenetv2": 1_271_167, "imagenet-fairnas-se-330m": 1_271_167, "cifar10-nasbench101": 45_000}
STEPS, WARM = 40, 10


def main(names: list[str]) -> None:
    """Print the table."""
    if not torch.cuda.is_available():
        sys.exit("bench/gpu/recipes.py: this measures a GPU, and torch sees none here: run it on a machine with one")
    print(torch.cuda.get_device_name(), "\n")
    print("| recipe | batch on this GPU | images/s | GB at most | epochs | hours of one GPU for a supernet |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in names or list(IMAGES):
        _row(name)


def _row(name: str) -> None:
    config = read_config(find_job(Path(name)), None, "bench")
    recipe, device = config.supernet, torch.device("cuda")
    space = get_space(config.space)
    layout = layout_of(space)
    batch = recipe.batch_size // config.devices
    ghost = None if recipe.ghost is None else min(recipe.ghost, batch)
    shape = (batch, layout.in_channels, layout.resolution, layout.resolution)
    images = torch.randn(shape, device=device).to(memory_format=torch.channels_last)
    labels = torch.randint(layout.classes, (batch,), device=device)
    supernet = new_supernet(space, config.shots, seed=0).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    supernet.train()
    set_ghost(supernet, ghost)
    optimizer = make_optimizer(supernet, recipe)
    drawn = get_sampler(config.sampler, space, **config.sampler_settings).draw(WARM + STEPS, np.random.default_rng(0))
    torch.cuda.reset_peak_memory_stats()
    with own_chance(device):
        for step, paths in enumerate(drawn.tolist()):
            if step == WARM:
                torch.cuda.synchronize()
                start = time.perf_counter()
            optimizer.zero_grad()
            for path in paths:
                with computing(recipe.precision, device):
                    logits = supernet(images, path)
                loss = functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)
                loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        speed = STEPS * batch / (time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated() / 2**30
    hours = IMAGES[name] * recipe.epochs / speed / 3600
    print(f"| {name} | {batch} | {speed:,.0f} | {memory:.1f} | {recipe.epochs} | {hours:,.1f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
