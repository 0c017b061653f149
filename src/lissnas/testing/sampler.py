"""The contract of a path sampler, as checks. See :class:`lissnas.oneshot.samplers.PathSampler`.

What is checked is the class, or any function from a space to a sampler: it is tried on a space of each kind, and may refuse
some of them in one line, but not a full product.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lissnas.errors import UserError
from lissnas.oneshot.samplers import PathSampler
from lissnas.spaces import ConstrainedSpace, ExplicitSpace, Gene, ProductSpace, RestrictedSpace, SearchSpace, TableCost
from lissnas.testing.checks import Check, add_tests, ensure

__all__ = ["SAMPLER_CHECKS", "SamplerContract", "sampler_spaces"]

Factory = Callable[[SearchSpace], PathSampler]
STEPS = 30


def sampler_spaces() -> Iterator[SearchSpace]:
    """A product of genes, with FLOPs and parameters; parts of it that are a product, a list, and within limits; one with a gene
    that switches another on."""
    rng = np.random.default_rng(3)
    genes = [Gene(f"op_{index}", tuple("abcd"[:count])) for index, count in enumerate((4, 3, 4, 2, 4, 3))]
    tables = [np.pad(rng.integers(1, 100, size=(len(genes), 4)).astype(float), ((0, 0), (0, 1))) for _ in range(2)]
    for row, gene in enumerate(genes):
        for table in tables:
            table[row, len(gene.alleles) :] = 0
    costs = [TableCost(name, 50, table) for name, table in zip(("flops", "params"), tables, strict=True)]
    full = ProductSpace("sampled", genes, costs=costs)
    yield full
    yield RestrictedSpace(full, {"op_0": [1, 3], "op_4": [0, 2]})
    yield ExplicitSpace.of(full, full.sample(80, rng))
    yield ConstrainedSpace(full, [f"flops <= {np.median(full.cost(full.sample(1000, rng)).flops):g}"])
    tied = [*genes[:4], Gene("depth", (1, 2), ordered=True), Gene("op_5", ("a", "b", "c"), active="depth > 1")]
    yield ProductSpace("sampled-conditional", tied, costs=costs)


def check_paths(make: Factory, rng: np.random.Generator) -> None:
    """Paths are uint8[steps, P, L], architectures of the sampler's space, which is a part of what was given."""
    for space, sampler in _samplers(make):
        paths = sampler.draw(STEPS, rng)
        ensure(paths.dtype == np.uint8 and paths.ndim == 3, f"paths of '{space.name}' are {paths.dtype}{list(paths.shape)}")
        ensure(paths.shape[0] == STEPS, f"{STEPS} steps were asked for, but {paths.shape[0]} are drawn")
        ensure(paths.shape[2] == space.length, f"a path of '{space.name}' has {paths.shape[2]} genes, not {space.length}")
        rows = paths.reshape(-1, space.length)
        ensure(sampler.space.is_valid(rows).all(), f"a path is none of '{sampler.space.name}'")
        ensure(space.is_valid(rows).all(), f"a path is none of '{space.name}', which was given")
        trains = sampler.trains
        ensure(trains is None or 1 <= trains <= paths.shape[1], f"trains is {trains} of {paths.shape[1]} paths")
        ensure(trains is None or not sampler.distils, "a sampler whose candidates are compared has no first path to learn from")
        ensure(sampler.draw(0, rng).shape[0] == 0, "no steps were asked for, but some are drawn")


def check_repeats(make: Factory, rng: np.random.Generator) -> None:
    """The same generator gives the same paths, and all chance comes from it."""
    seed = int(rng.integers(1 << 32))
    for space, sampler in _samplers(make):
        again = make(space)
        one = sampler.draw(STEPS, np.random.default_rng(seed))
        np.random.seed(1)  # noqa: NPY002 - a sampler that takes chance from here would be found out
        ensure((one == again.draw(STEPS, np.random.default_rng(seed))).all(), f"one seed drew other paths of '{space.name}'")
        if space.cardinality > 1000:
            other = make(space).draw(STEPS, np.random.default_rng(seed + 1))
            ensure((one != other).any(), f"another seed drew the same paths of '{space.name}'")


def check_state(make: Factory, rng: np.random.Generator) -> None:
    """A new sampler that takes over the state draws what the old one draws, and says the same of the end."""
    for space, sampler in _samplers(make):
        _advance(sampler, rng)
        state = {name: np.array(value) for name, value in sampler.state().items()}
        other = make(space)
        other.restore(state)
        for name, value in other.state().items():
            same = name in state and np.array_equal(state[name], value)
            ensure(same, f"the state '{name}' is another one when it has been taken over")
        ensure(other.finished() == sampler.finished(), "whether training is finished is another answer after a resume")
        seed = int(rng.integers(1 << 32))
        for _ in range(2):
            one, two = (s.draw(3, np.random.default_rng(seed)) for s in (sampler, other))
            ensure((one == two).all(), f"paths of '{space.name}' are other ones after a resume")


def check_asking(make: Factory, rng: np.random.Generator) -> None:
    """``finished``, ``state`` and ``definition`` only answer: asking changes nothing."""
    for _, sampler in _samplers(make):
        _advance(sampler, rng)
        twin = copy.deepcopy(sampler)
        ensure(len({twin.finished() for _ in range(5)}) == 1, "finished() gives another answer when it is asked again")
        twin.state()
        twin.definition()
        seed = int(rng.integers(1 << 32))
        one, two = (s.draw(3, np.random.default_rng(seed)) for s in (sampler, twin))
        ensure((one == two).all(), "a sampler that was asked draws other paths")


def check_definition(make: Factory, rng: np.random.Generator) -> None:
    """What identifies it is plain JSON data, names the space, and does not change as it is used."""
    for space, sampler in _samplers(make):
        before = json.dumps(sampler.definition(), sort_keys=True)
        ensure(json.loads(before) == sampler.definition(), "the definition is no plain JSON data")
        ensure(sampler.space.fingerprint in before, f"the definition does not name '{space.name}'")
        _advance(sampler, rng)
        ensure(json.dumps(sampler.definition(), sort_keys=True) == before, "the definition changed when paths were drawn")


def _samplers(make: Factory) -> Iterator[tuple[SearchSpace, PathSampler]]:
    """A sampler of each space that it does not refuse."""
    for index, space in enumerate(sampler_spaces()):
        try:
            sampler = make(space)
        except UserError as error:
            ensure(index > 0, f"a full product of genes is refused: {error}")
            ensure("\n" not in str(error) and space.name in str(error), f"'{space.name}' is refused, but not by name: {error}")
            continue
        yield space, sampler


def _advance(sampler: PathSampler, rng: np.random.Generator) -> None:
    """Some steps, as the training takes them."""
    for _ in range(STEPS):
        (paths,) = sampler.draw(1, rng)
        if sampler.trains is not None:
            sampler.observe(paths, _losses(paths))


def _losses(paths: NDArray[np.uint8]) -> NDArray[np.float64]:
    losses: NDArray[np.float64] = paths.astype(np.float64) @ np.linspace(0.1, 1, paths.shape[1])
    return losses


SAMPLER_CHECKS = (
    Check("paths", "Paths have their shape and are architectures of the space.", check_paths),
    Check("repeats", "All chance comes from the generator.", check_repeats),
    Check("state", "A resumed sampler draws the same.", check_state),
    Check("asking", "Asking changes nothing.", check_asking),
    Check("definition", "It is identified by plain data.", check_definition),
)


class SamplerContract:
    """Inherit, and say which sampler: ``def sampler(self): return MySampler``, or a function that makes one of a space."""


add_tests(SamplerContract, SAMPLER_CHECKS, "sampler")
