"""What a space promises about values: costs, features, and a definition that builds it again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from lissnas.errors import UserError
from lissnas.spaces import ExplicitSpace, LearnedCost, SearchSpace, from_definition
from lissnas.testing.checks import Check, SkipCheck, ensure, ensure_refused
from lissnas.testing.listing import distinct

__all__ = ["VALUE_CHECKS"]

SAMPLE = 300


def check_cost(space: SearchSpace, rng: np.random.Generator) -> None:
    """Every cost is a finite number per row, the same whichever rows are beside it, and readable by name."""
    if not space.cost_names:
        raise SkipCheck("this space has no cost")
    x = space.sample(SAMPLE, rng)
    costs = space.cost(x)
    ensure(tuple(costs) == space.cost_names, f"cost gave {', '.join(costs)}, but cost_names are {', '.join(space.cost_names)}")
    low, high = space.cost(x[: SAMPLE // 3]), space.cost(x[SAMPLE // 3 :])
    unlearned = _unlearned(space)
    for name, values in costs.items():
        ensure(values.dtype == np.float64 and values.shape == (SAMPLE,), f"cost '{name}' is {values.dtype}{list(values.shape)}")
        finite = np.isfinite(values)
        if name in unlearned:
            continue
        ensure(
            finite.all(), f"cost '{name}' is {values[~finite][:1]} for {space.format(x[~finite][:1])}: a cost must be finite"
        )
        ensure(np.array_equal(np.concatenate([low[name], high[name]]), values), f"cost '{name}' depends on the rows beside it")
        ensure(np.array_equal(getattr(costs, name), values), f"costs.{name} is not costs['{name}']")
    ensure("no such cost" not in costs and not hasattr(costs, "no_such_cost"), "a cost that does not exist is there")


def check_features(space: SearchSpace, rng: np.random.Generator) -> None:
    """Features are float32[n, F] and finite; a feature table gives the same features, and tells architectures apart."""
    x = space.sample(SAMPLE, rng)
    features = space.features(x)
    ensure(features.dtype == np.float32 and features.ndim == 2 and len(features) == SAMPLE, f"{features.dtype}{features.shape}")
    ensure(np.isfinite(features).all(), "a feature is not finite")
    ensure(np.array_equal(space.features(x[5:6]), features[5:6]), "the features of a row depend on the rows beside it")
    table = space.feature_table
    if table is None:
        return
    ensure(
        len(table.names) == len(table.genes) == len(table.values) == features.shape[1], "the feature table has other columns"
    )
    ensure(len(set(table.names)) == len(table.names), "two features have the same name")
    ensure(len(np.unique(features, axis=0)) == distinct(space.encode(x)), "different architectures have the same features")
    from_table = table.values[np.arange(len(table.genes)), x[:, table.genes]]
    ensure(np.array_equal(from_table, features), "the feature table does not give the features")


def check_feature_kinds(space: SearchSpace, rng: np.random.Generator) -> None:
    """Every named encoding is float32[n, F], finite, a row's own, and tells architectures apart where it names every gene."""
    x = space.sample(SAMPLE, rng)
    ensure({"one-hot", "ordinal", "op-coded"} <= set(space.feature_kinds), f"feature_kinds: {space.feature_kinds}")
    for kind in space.feature_kinds:
        features = space.features(x, kind)
        ensure(features.dtype == np.float32 and features.ndim == 2 and len(features) == SAMPLE, f"{kind}: {features.shape}")
        ensure(np.isfinite(features).all(), f"a feature of '{kind}' is not finite")
        ensure(np.array_equal(space.features(x[5:6], kind), features[5:6]), f"'{kind}' depends on the rows beside it")
        if kind in ("one-hot", "ordinal"):
            different = len(np.unique(features, axis=0))
            ensure(different == distinct(space.encode(x)), f"different architectures have the same features '{kind}'")
    ensure_refused("features() of a kind that does not exist", lambda: space.features(x, "no such kind"), "one-hot")


def check_diagram(space: SearchSpace, rng: np.random.Generator) -> None:
    """An architecture can be drawn: nodes with labels, edges that only lead onwards."""
    for row in space.sample(20, rng):
        nodes, edges, groups = space.diagram(row)
        ensure(len(nodes) > 0 and all(isinstance(node, str) and node for node in nodes), f"nodes: {nodes}")
        ensure(all(0 <= a < b < len(nodes) for a, b, _ in edges), f"edges must lead from a node to a later one: {edges}")
        ensure(len(groups) in (0, len(nodes)), f"{len(groups)} groups of {len(nodes)} nodes")


def check_embed(space: SearchSpace, rng: np.random.Generator) -> None:
    """The embedding is float32[n, E] and finite, and a row's does not depend on the rows beside it."""
    x = space.sample(SAMPLE, rng)
    vectors = space.embed(x)
    ensure(
        vectors.dtype == np.float32 and vectors.ndim == 2 and len(vectors) == SAMPLE,
        f"embed gave {vectors.dtype}{vectors.shape}",
    )
    ensure(np.isfinite(vectors).all(), "an embedding is not finite")
    ensure(np.array_equal(space.embed(x[5:6]), vectors[5:6]), "the embedding of a row depends on the rows beside it")


def check_definition(space: SearchSpace, rng: np.random.Generator) -> None:
    """The definition is plain JSON, and what is built from it is the same space: fingerprint, genes, draws, strings."""
    definition = space.definition()
    try:
        again = json.loads(json.dumps(definition, allow_nan=False))
    except (TypeError, ValueError) as error:
        ensure(False, f"the definition is not plain JSON: {error}")
    ensure(again == definition, "the definition changes on its way through JSON: it holds tuples, or keys that are no text")
    ensure(
        len(space.fingerprint) == 16 and set(space.fingerprint) <= set("0123456789abcdef"), f"fingerprint: {space.fingerprint}"
    )
    try:
        twin = _rebuild(space, again)
    except UserError as reason:
        rebuilt = definition.get("kind") in ("published", "product", "constrained", "restricted", "explicit")
        if not rebuilt or _learned(space) or '"explicit"' in json.dumps(definition.get("parent")):
            raise SkipCheck(f"cannot be built from its definition alone: {reason}") from None
        raise
    ensure(twin.fingerprint == space.fingerprint, "a space built from the definition has another fingerprint")
    ensure(
        twin.genes == space.genes and twin.cardinality == space.cardinality, "a space built from the definition is another one"
    )
    seed = int(rng.integers(1 << 32))
    one, two = (s.sample(SAMPLE, np.random.default_rng(seed)) for s in (space, twin))
    ensure(np.array_equal(one, two), "a space built from the definition draws other architectures with the same seed")
    ensure(space.format(one) == twin.format(one), "a space built from the definition writes other strings")
    for name in set(space.cost_names) - _learned(space):
        ensure(np.array_equal(space.cost(one)[name], twin.cost(one)[name]), f"rebuilt, the cost '{name}' is another")


def check_empty(space: SearchSpace, rng: np.random.Generator) -> None:
    """A batch of no rows is a batch: every function answers it with no rows."""
    none = space.sample(0, rng)
    ensure(none.shape == (0, space.length) and none.dtype == np.uint8, f"sample(0) gave {none.dtype}{list(none.shape)}")
    ensure(space.canonicalize(none).shape == none.shape, "canonicalize of no rows")
    ensure(space.is_valid(none).shape == (0,), "is_valid of no rows")
    codes = space.encode(none)
    ensure(len(codes) == 0 and space.decode(codes).shape == none.shape, "encode and decode of no rows")
    ensure(
        space.format(none) == [] and space.parse([]).shape == none.shape and space.to_dicts(none) == [], "strings of no rows"
    )
    for near in (space.neighbors(none, 1, rng), space.neighbors(none, 2, rng), space.all_neighbors(none)):
        ensure(near.genotypes.shape == none.shape and near.parents.shape == (0,), "neighbors of no rows")
    ensure(space.distance(none, none).shape == (0,), "distance of no rows")
    width = space.features(space.sample(1, rng)).shape[1]
    ensure(space.features(none).shape == (0, width) and len(space.embed(none)) == 0, "features of no rows")
    ensure(all(values.shape == (0,) for values in space.cost(none).values()), "costs of no rows")


def _rebuild(space: SearchSpace, definition: dict[str, Any]) -> SearchSpace:
    if isinstance(space, ExplicitSpace) and "parent" in definition:  # its architectures are in its file, not in its definition
        return ExplicitSpace(_rebuild(space.parent, definition["parent"]), space.codes, definition["name"])
    return from_definition(definition)


def _learned(space: SearchSpace) -> set[str]:
    """Costs that are learned from measurements, and so are not part of a definition, and those computed from them."""
    costs = getattr(space.root, "costs", ())
    names = {cost.name for cost in costs if isinstance(cost, LearnedCost)}
    for cost in costs:
        if names & set(getattr(getattr(cost, "expression", None), "names", ())):
            names.add(cost.name)
    return names


def _unlearned(space: SearchSpace) -> set[str]:
    costs = getattr(space.root, "costs", ())
    waiting = any(isinstance(cost, LearnedCost) and cost.model is None for cost in costs)
    return _learned(space) if waiting else set()


VALUE_CHECKS = (
    Check("costs", "Every cost is one finite number per architecture.", check_cost),
    Check("features", "Features are finite numbers, and equal the feature table.", check_features),
    Check("named features", "Every named encoding tells of each row alone.", check_feature_kinds),
    Check("diagram", "An architecture is drawn as nodes and edges.", check_diagram),
    Check("embedding", "The embedding is a vector of finite numbers.", check_embed),
    Check("definition", "A space built from the definition is the same space.", check_definition),
    Check("empty batch", "A batch of no rows is answered with no rows.", check_empty),
)
