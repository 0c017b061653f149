"""RMSprop as TensorFlow has it, against its formula; which weights decay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lissnas.oneshot import Recipe
from lissnas.oneshot.optimizers import RMSpropTF, make_optimizer


def test_rmsprop_is_tensorflows():
    weights = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = RMSpropTF([weights], 0.1, momentum=0.8, alpha=0.9, epsilon=0.5, weight_decay=0.01)
    w, s, m = weights.detach().double().clone(), torch.ones(2).double(), torch.zeros(2).double()
    for step in range(5):
        gradient = torch.tensor([0.3 * step, 1.0 - step])
        weights.grad = gradient.clone()
        optimizer.step()
        g = gradient.double() + 0.01 * w
        s = 0.9 * s + 0.1 * g * g
        m = 0.8 * m + 0.1 * g / (s + 0.5).sqrt()
        w = w - m
        torch.testing.assert_close(weights.detach().double(), w, rtol=1e-6, atol=1e-6)


def test_it_differs_from_torchs_from_the_first_step():
    ours, theirs = (nn.Parameter(torch.ones(1)) for _ in range(2))
    ours.grad = theirs.grad = torch.ones(1)
    RMSpropTF([ours], 0.1, alpha=0.9, epsilon=1e-8).step()
    torch.optim.RMSprop([theirs], 0.1, alpha=0.9).step()
    assert ours.item() == pytest.approx(0.9)  # the mean square starts at 1
    assert theirs.item() == pytest.approx(1 - 0.1 / 0.1**0.5)


@pytest.mark.parametrize("name", ["sgd", "nesterov", "rmsprop"])
def test_norms_and_biases_do_not_decay_and_what_has_no_gradient_stays(name):
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Linear(1, 1))
    optimizer = make_optimizer(network, Recipe(optimizer=name, weight_decay=0.1, learning_rate=0.5))
    before = {key: tensor.clone() for key, tensor in network.named_parameters()}
    for key, parameter in network.named_parameters():
        if not key.startswith("2."):
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    changed = {key for key, tensor in network.named_parameters() if not torch.equal(tensor, before[key])}
    assert changed == {"0.weight"}
    assert (network[0].weight / before["0.weight"] < 1).all()


def test_nesterov_looks_ahead():
    """With one gradient g twice: plain SGD moves g, then (1 + m) g; Nesterov (1 + m) g, then (1 + m + m^2) g."""
    ends = {}
    for name in ("sgd", "nesterov"):
        layer = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(layer.weight)
        optimizer = make_optimizer(layer, Recipe(optimizer=name, momentum=0.5, learning_rate=1.0, weight_decay=0.0))
        for _ in range(2):
            layer.weight.grad = torch.ones(1, 1)
            optimizer.step()
        ends[name] = -layer.weight.item()
    assert ends == {"sgd": 2.5, "nesterov": 3.25}


@pytest.fixture
def memory_full_of_nan(monkeypatch):
    """What torch does not initialise is NaN."""
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", ["sgd", "nesterov"])
@pytest.mark.usefixtures("memory_full_of_nan")
def test_in_fp16_paths_take_turns_and_a_first_step_that_is_skipped_leaves_nothing(name):
    """Fused, as in fp16, a step is that of other precisions, whichever parameters had one before."""
    ends = []
    for precision in ("float32", "fp16"):
        network = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(0.5)
        optimizer = make_optimizer(network, Recipe(optimizer=name, precision=precision, learning_rate=0.1))
        if precision == "fp16":
            for parameter in network[0].parameters():
                parameter.grad = torch.full_like(parameter, torch.inf)
            optimizer.found_inf, optimizer.grad_scale = torch.ones(1), torch.ones(1)
            optimizer.step()
            optimizer.found_inf = optimizer.grad_scale = None
        for path in ([0, 1], [0, 2], [1, 2]):
            optimizer.zero_grad()
            for place in path:
                for parameter in network[place].parameters():
                    parameter.grad = torch.full_like(parameter, 1.0 + place)
            optimizer.step()
        ends.append(network.state_dict())
    torch.testing.assert_close(ends[0], ends[1])
