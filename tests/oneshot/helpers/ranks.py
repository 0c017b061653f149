"""A training under torchrun's environment: ``ranks.py STORE FOLDER``. First it works; then rank 1 kills itself half-way."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from lissnas.errors import UserError
from lissnas.oneshot import ImageData, Recipe, Split, build_network, train_network
from lissnas.oneshot.distributed import Ranks
from lissnas.oneshot.train import Training
from lissnas.spaces.shufflenetv2 import shuffle_chain

RECIPE = Recipe(epochs=2, batch_size=32, ghost=8, ema=0.9)


def main(store: str, folder: Path) -> None:
    torch.set_num_threads(1)
    rank = int(os.environ["RANK"])
    space = shuffle_chain("even", resolution=8, in_channels=1, stem=(4, 1), stages=((2, 8, 2), (1, 16, 2)), head=16, classes=10)
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 17, size=(96, 1, 8, 8), dtype=np.uint8), rng.integers(0, 10, size=96))
    data = ImageData("random", split, split, split, classes=10, shift=1)

    # as torchrun would say where to meet, but without a port of the machine
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    network, told = build_network(space, [0, 1, 3], seed=rank), []  # rank 0's weights count
    train_network(network, data, RECIPE, seed=1, on_progress=told.append)
    alone = build_network(space, [0, 1, 3], seed=0)
    Training(alone, None, data, RECIPE, 1, None).run(Ranks(torch.device("cpu")))
    pairs = zip(network.state_dict().values(), alone.state_dict().values(), strict=True)
    print("equal:", all(torch.allclose(mine, theirs, rtol=1e-3, atol=1e-5) for mine, theirs in pairs), flush=True)
    print("told:", len(told), flush=True)

    if rank == 1:
        network.register_forward_hook(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    try:
        train_network(network, data, replace(RECIPE, epochs=1), seed=1, checkpoint_dir=folder / f"rank-{rank}")
    except UserError as mistake:
        print("mistake:", mistake, flush=True)
    os._exit(0)  # the group has lost a member, and would wait for it


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
