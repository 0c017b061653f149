"""The contract of a supernet, as checks. See :class:`lissnas.oneshot.Supernet`."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from lissnas.oneshot.evaluate import evaluating, recalibrate, walk
from lissnas.oneshot.network import initialise
from lissnas.oneshot.norm import calibrating, set_ghost
from lissnas.oneshot.supernet import Supernet, cut
from lissnas.testing.checks import Check, add_tests, ensure, ensure_refused

__all__ = ["SUPERNET_CHECKS", "SupernetContract"]

PATHS, IMAGES = 3, 8
TOLERANCE = 2e-4  # of the logits' or a gradient's largest value


def check_evaluation(supernet: Supernet, rng: np.random.Generator) -> None:
    """Recalibrated, a subnet gives the logits of the network that inherits its weights and statistics."""
    supernet.eval()
    images = _images(supernet)
    for path in _paths(supernet, rng):
        recalibrate(supernet, path, images)
        subnet = supernet.subnet(path)
        with torch.no_grad():
            inside, outside = supernet(images, path), subnet(images)
            _ensure_close(inside, outside, f"the logits of {path}")
        ensure(bool(torch.isfinite(outside).all()), f"the logits of {path} are no numbers")
        with calibrating(subnet, len(images), keep=False):
            _ensure_close(subnet(images), outside, f"the logits of {path}, calibrated outside,")


def check_training(supernet: Supernet, rng: np.random.Generator) -> None:
    """In training mode logits and gradients are those of the network that inherits the weights."""
    supernet.train()
    images = _images(supernet)
    for path in _paths(supernet, rng):
        subnet = supernet.subnet(path)
        for network in (supernet, subnet):
            _without_dropout(network)
        supernet.zero_grad()
        inside, outside = supernet(images, path), subnet(images)
        _ensure_close(inside, outside, f"the logits of {path}")
        inside.square().sum().backward()
        outside.square().sum().backward()
        for part in supernet.inherited(path):
            mine = dict(part.module.named_parameters())
            for name, parameter in subnet.get_submodule(part.name).named_parameters():
                shared = mine[name].grad
                if parameter.grad is None or not parameter.grad.any():
                    continue
                where = f"the gradient of {part.name}.{name} on {path}"
                ensure(shared is not None, f"{where} does not reach the supernet")
                assert shared is not None
                _ensure_gradient(shared, parameter.grad, where)
    supernet.zero_grad()


def check_reach(supernet: Supernet, rng: np.random.Generator) -> None:
    """A step trains ``parameters_of(path)`` and nothing else."""
    supernet.train()
    images = _images(supernet)
    names = {id(parameter): name for name, parameter in supernet.named_parameters()}
    for path in _paths(supernet, rng):
        supernet.zero_grad()
        supernet(images, path).square().sum().backward()
        reached = {name for name, parameter in supernet.named_parameters() if parameter.grad is not None}
        listed = [names[id(parameter)] for parameter in supernet.parameters_of(path)]
        ensure(len(set(listed)) == len(listed), f"parameters_of({path}) lists a parameter twice")
        ensure(reached == set(listed), f"a step on {path} reaches other parameters: {sorted(reached ^ set(listed))[:5]}")
    supernet.zero_grad()


def check_blocks(supernet: Supernet, rng: np.random.Generator) -> None:
    """Blocks of one path are equal each time, with equal hashes, and run one after the other give the same logits."""
    supernet.eval()
    images = _images(supernet)
    for path in _paths(supernet, rng):
        blocks, again = supernet.blocks(path), supernet.blocks(np.array(path, dtype=np.uint8))
        ensure(blocks == again, f"blocks({path}) are others the second time")
        ensure([hash(b) for b in blocks] == [hash(b) for b in again], f"equal blocks of {path} have other hashes")
        with torch.no_grad():
            x = supernet.stem(images)
            for block in blocks:
                x = block(x)
            ensure(torch.equal(supernet.tail(x), supernet(images, path)), f"the blocks of {path} give other logits")


def check_device(supernet: Supernet, rng: np.random.Generator) -> None:
    """Steps and scores are computed where the supernet is, and ask for no number on the way, for which a GPU's host would wait.

    On torch's device "meta" tensors have no numbers: to read one is an error, and so is most that mixes devices.
    """
    paths = _paths(supernet, rng)
    images = _images(supernet).to("meta")
    moved = copy.deepcopy(supernet).to("meta").train()
    set_ghost(moved, IMAGES // 2)
    try:
        for path in paths:
            moved(images, path).square().sum().backward()
        with evaluating(moved), calibrating(moved, IMAGES // 2, keep=False):
            scored = list(walk(moved, [moved.blocks(path) for path in paths], images))
    except RuntimeError as error:
        ensure(False, f"{paths} do not run where nothing can be read: {error}")
    else:
        ensure(all(logits.is_meta for logits in scored), f"the logits of {paths} are elsewhere")


def check_copy(supernet: Supernet, rng: np.random.Generator) -> None:
    """A subnet has a copy of the weights: training it leaves the supernet alone."""
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    subnet = supernet.subnet(_paths(supernet, rng)[0])
    with torch.no_grad():
        for parameter in subnet.parameters():
            parameter.add_(1)
    changed = [name for name, tensor in supernet.state_dict().items() if not torch.equal(tensor, before[name])]
    ensure(not changed, f"a subnet shares {changed[:3]} with its supernet")


def check_seed(supernet: Supernet, rng: np.random.Generator) -> None:  # noqa: ARG001 - every check takes one
    """One seed gives the same initial weights, another one others."""
    one, two = (Supernet(supernet.space.root, seed=5) for _ in range(2))
    ensure(_same_weights(one, two), "one seed gave other weights")
    initialise(two, 6)
    ensure(not _same_weights(one, two), "another seed gave the same weights")


def check_refuses(supernet: Supernet, rng: np.random.Generator) -> None:
    """No architecture of the space has a subnet that is none."""
    wrong = np.array(_paths(supernet, rng)[0], dtype=np.uint8)
    wrong[0] = 255
    ensure_refused("subnet() of an allele that does not exist", lambda: supernet.subnet(wrong))
    ensure_refused("subnet() of two rows", lambda: supernet.subnet(np.stack([wrong, wrong])))


def _paths(supernet: Supernet, rng: np.random.Generator) -> list[list[int]]:
    paths: list[list[int]] = supernet.space.root.sample(PATHS, rng).tolist()
    return paths


def _same_weights(one: nn.Module, two: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def _images(supernet: Supernet) -> Tensor:
    layout = supernet.space.root.layout
    shape = (IMAGES, layout.in_channels, layout.resolution, layout.resolution)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _without_dropout(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def _ensure_close(a: Tensor, b: Tensor, what: str) -> None:
    difference, size = float((a - b).detach().abs().max()), float(b.detach().abs().max())
    ensure(difference <= TOLERANCE * max(size, 1e-6), f"{what} differ by {difference:.3g}, where the largest is {size:.3g}")


def _ensure_gradient(shared: Tensor, own: Tensor, what: str) -> None:
    """A shared gradient is the subnet's, and zero where the path takes no part of the weight."""
    _ensure_close(cut(shared, own.shape), own, what)
    elsewhere = int(torch.count_nonzero(shared) - torch.count_nonzero(cut(shared, own.shape)))
    ensure(elsewhere == 0, f"{what} reaches {elsewhere} entries that are no part of the subnet")


SUPERNET_CHECKS = (
    Check("evaluation", "A recalibrated subnet equals the network that inherits its weights.", check_evaluation),
    Check("training", "In training, logits and gradients equal those of that network.", check_training),
    Check("reach", "A step on a path trains what parameters_of lists, and nothing else.", check_reach),
    Check("blocks", "A path is a chain of blocks that can be compared.", check_blocks),
    Check("device", "Steps and scores stay on a device, and ask it for no number.", check_device),
    Check("copy", "A subnet has a copy of the weights.", check_copy),
    Check("seed", "One seed gives the same weights.", check_seed),
    Check("refuses", "What is no architecture has no subnet.", check_refuses),
)


class SupernetContract:
    """Inherit, and say which supernet: ``def supernet(self): return Supernet(my_space(), seed=0)``. Small images are enough."""


add_tests(SupernetContract, SUPERNET_CHECKS, "supernet")
