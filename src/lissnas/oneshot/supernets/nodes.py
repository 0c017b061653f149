"""What a cell's nodes hold while a path runs, and what has been computed from each: nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

__all__ = ["Node", "Nodes", "enter"]


class Node:
    """The value of a node, and what operations made of it so far. Paths that share the node share that too."""

    __slots__ = ("_made", "value")

    def __init__(self, value: Tensor) -> None:
        self.value = value
        self._made: dict[Hashable, Tensor] = {}

    def made(self, key: Hashable, operation: Callable[[Tensor], Tensor]) -> Tensor:
        """``operation`` of the value; ``key`` says which operation it is."""
        result = self._made.get(key)
        if result is None:
            result = self._made[key] = operation(self.value)
        return result

    @property
    def rectified(self) -> Tensor:
        """The value behind a ReLU."""
        return self.made("relu", torch.relu)


Nodes = dict[int, Node]  # those of a cell that there are so far, by number


def enter(x: Tensor) -> Nodes:
    """The first block of a cell: its input is node 0. On its own, so that paths which part after it share the node."""
    return {0: Node(x)}
