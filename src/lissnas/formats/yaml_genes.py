"""The ``genes`` of a space file: alleles, repeated genes, and movable identities."""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lissnas.errors import UserError
from lissnas.formats.yaml_nodes import Node, compose
from lissnas.spaces import Gene, Movable
from lissnas.spaces.gene import Allele, allele_key, allele_text

__all__ = ["MAX_GENES", "Declared", "check_name", "read_genes"]

MAX_GENES = 1000
RESERVED = ("index", "true", "false", "and", "or", "not")
KEYS = ("alleles", "repeat", "active", "ordered", "skip", "movable")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORT = re.compile(r"(?P<repeat>[0-9]+)\s*[x×]\s*(?P<alleles>\[.*\])", re.DOTALL)
_FORMS = "a list of alleles, a text like '20 x [k3, k5]', or a mapping {alleles: [...], repeat: ..., active: ...}"


@dataclass(frozen=True)
class Declared:
    """What the file says about genes, before conditions are looked at.

    Attributes:
        genes: one per column; ``active`` is still as written, with ``index`` in it.
        positions: the name of each repeated gene -> the names of its positions.
        index: the position of each gene that is one of a repeated gene's.
        conditions: the node of each gene's ``active``.
        movable: groups among which an identity may move.
        home: the node in which each gene is declared.
    """

    genes: list[Gene] = field(default_factory=list)
    positions: dict[str, list[str]] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, Node] = field(default_factory=dict)
    movable: list[Movable] = field(default_factory=list)
    home: dict[str, Node] = field(default_factory=dict)

    def add(self, gene: Gene, home: Node) -> None:
        """Take a gene in, once its name is free."""
        if gene.name in self.home:
            first = self.home[gene.name].key_line
            raise home.error(f"the gene '{gene.name}' stands twice, first in line {first}: rename one", at_key=True)
        if len(self.genes) == MAX_GENES:
            raise home.error(f"a space may have at most {MAX_GENES:,} genes: repeat less", at_key=True)
        self.genes.append(gene)
        self.home[gene.name] = home

    @property
    def tables(self) -> dict[str, list[str]]:
        """What a table of costs may name: each gene, and each repeated gene for all of its positions."""
        return {**{gene.name: [gene.name] for gene in self.genes}, **self.positions}


def check_name(name: str, what: str, node: Node) -> str:
    """Return ``name``, or say why no formula could use it."""
    if not _NAME.fullmatch(name):
        raise node.error(f"the name of a {what} must be letters, digits and _, but got '{name[:40]}': rename it", at_key=True)
    if name.lower() in RESERVED or keyword.iskeyword(name):
        raise node.error(f"the name '{name}' has a meaning in formulas, so it can be no {what}: rename it", at_key=True)
    return name


def read_genes(node: Node) -> Declared:
    """All genes of the file."""
    declared = Declared()
    for name, entry in node.mapping("genes must be a mapping from names to alleles").items():
        check_name(name, "gene", entry)
        match entry.value:
            case list():
                _add_single(declared, name, entry, entry, None)
            case str() if short := _SHORT.fullmatch(entry.value.strip()):
                _read_repeated(declared, name, entry, int(short["repeat"][:9]), _short_alleles(entry, short["alleles"]), None)
            case dict():
                _read_long(declared, name, entry)
            case _:
                raise entry.error(f"gene '{name}' must be {_FORMS}, but got {entry.shown()}", at_key=True)
    return declared


def _read_long(declared: Declared, name: str, entry: Node) -> None:
    entry.require_keys(f"gene '{name}'", KEYS)
    keys = entry.mapping("")
    if "alleles" not in keys:
        raise entry.error(f"gene '{name}' needs alleles: alleles: [a, b]", at_key=True)
    if "repeat" in keys:
        repeat = keys["repeat"].whole(f"repeat must be a whole number from 1 to {MAX_GENES}", 1, MAX_GENES)
        _read_repeated(declared, name, entry, repeat, keys["alleles"], keys.get("active"))
        return
    for key in ("skip", "movable"):
        if key in keys:
            raise keys[key].error(f"'{key}' is for repeated genes, but gene '{name}' has no 'repeat': add it", at_key=True)
    _add_single(declared, name, entry, keys["alleles"], keys.get("active"))


def _add_single(declared: Declared, name: str, entry: Node, alleles: Node, active: Node | None) -> None:
    declared.add(_gene(name, _alleles(name, alleles), entry, active), entry)
    if active is not None:
        declared.conditions[name] = active


def _read_repeated(declared: Declared, name: str, entry: Node, repeat: int, alleles_node: Node, active: Node | None) -> None:
    if not 1 <= repeat <= MAX_GENES:
        raise entry.error(f"gene '{name}' must be repeated 1 to {MAX_GENES} times, but got {repeat}")
    if name in declared.home:
        raise entry.error(
            f"the gene '{name}' stands twice, first in line {declared.home[name].key_line}: rename one", at_key=True
        )
    alleles = _alleles(name, alleles_node)
    names = [f"{name}_{index}" for index in range(repeat)]
    identity, groups = _read_movable(name, entry, alleles, repeat)
    moving = {index for group in groups for index in group}
    if groups and active is not None:
        raise active.error(
            f"gene '{name}' cannot have both 'movable' and 'active': a skipped layer is a movable identity", at_key=True
        )
    for index, position in enumerate(names):
        # an identity stands only where it may move
        here = alleles if not groups or index in moving else tuple(a for a in alleles if a != identity)
        declared.add(_gene(position, here, entry, active), entry)
        declared.index[position] = index
        if active is not None:
            declared.conditions[position] = active
    declared.positions[name] = names
    declared.movable.extend(Movable(identity, tuple(names[index] for index in group)) for group in groups)


def _gene(name: str, alleles: tuple[Allele, ...], entry: Node, active: Node | None) -> Gene:
    ordered = False
    if isinstance(entry.value, dict) and "ordered" in entry.value:
        flag = entry.value["ordered"]
        if not isinstance(flag.value, bool):
            raise flag.error(f"'ordered' must be true or false, but got {flag.shown()}")
        ordered = flag.value
    condition = None
    if active is not None:
        condition = active.text(f"'active' must be a condition like 'index < layers'; gene '{name}' can leave it out")
    with entry.located(at_key=True):
        return Gene(name, alleles, ordered, condition)


def _alleles(name: str, node: Node) -> tuple[Allele, ...]:
    seen: dict[str, Node] = {}
    alleles = []
    for item in node.entries(f"gene '{name}' needs a list of at least one allele"):
        value = item.value
        if value is None or isinstance(value, (list, dict)):
            raise item.error(f"an allele of gene '{name}' must be a text, a number or a boolean, but got {item.shown()}")
        if isinstance(value, str) and (not value or re.search(r"\s", value)):
            raise item.error(f"an allele of gene '{name}' must be a text without spaces, but got {item.shown()}: use _")
        key = allele_key(value)
        if key in seen:
            raise item.error(
                f"gene '{name}' lists the allele {allele_text(value)} twice (line {seen[key].line}): each value once"
            )
        seen[key] = item
        alleles.append(value)
    return tuple(alleles)


def _short_alleles(entry: Node, text: str) -> Node:
    """The list in ``20 x [k3, k5]``, each item at the line of the gene."""
    try:
        tree = compose(" ".join(text.split()), entry.source)
    except UserError as error:
        reason = str(error).partition(":1: ")[2]
        raise entry.error(f"the alleles {text[:60]} cannot be read: {reason}") from None

    def at_entry(node: Node) -> Node:
        value = [at_entry(child) for child in node.value] if isinstance(node.value, list) else node.value
        return Node(entry.source, entry.line, entry.key_line, value)

    return at_entry(tree)


def _read_movable(name: str, entry: Node, alleles: tuple[Allele, ...], repeat: int) -> tuple[Allele, list[list[int]]]:
    """The identity of a repeated gene, and the groups of positions among which it may move."""
    keys = entry.value if isinstance(entry.value, dict) else {}
    if ("skip" in keys) != ("movable" in keys):
        given, missing = ("skip", "movable") if "skip" in keys else ("movable", "skip")
        remedy = "movable: [[1, 2, 3]] names the positions" if missing == "movable" else "skip: identity names the allele"
        raise keys[given].error(f"gene '{name}' has '{given}' and no '{missing}': {remedy}", at_key=True)
    if "skip" not in keys:
        return "", []
    skip = keys["skip"]
    found = [a for a in alleles if skip.value is not None and allele_key(a) == _key(skip)]
    if not found or len(alleles) < 2:
        known = ", ".join(map(allele_text, alleles))
        raise skip.error(
            f"'skip' must name one of the alleles of gene '{name}' beside another ({known}), but got {skip.shown()}"
        )
    groups = list(_read_groups(name, keys["movable"], repeat))
    return found[0], groups


def _key(node: Node) -> str:
    return allele_key(node.value) if isinstance(node.value, (str, int, float, bool)) else ""


def _read_groups(name: str, node: Node, repeat: int) -> Iterator[list[int]]:
    taken: set[int] = set()
    for item in node.entries("'movable' must be a list of groups of positions, like [[1, 2, 3], [5, 6, 7]]"):
        rule = f"a position of gene '{name}' must be a whole number from 0 to {repeat - 1}"
        nodes = item.entries("a movable group must be a list of positions, like [1, 2, 3]")
        group = [position.whole(rule, 0, repeat - 1) for position in nodes]
        if any(b != a + 1 for a, b in itertools.pairwise(group)):
            raise item.error(
                f"the positions of a movable group must follow one another, but got {group}: "
                "an identity cannot move past a layer that stays"
            )
        again = taken & set(group)
        if again:
            raise item.error(f"position {min(again)} of gene '{name}' stands in two movable groups: one at most")
        taken |= set(group)
        yield group
