"""Networks of a space file whose blocks several genes choose together (``mb_k{kernel}e{expand}``), and those known by name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lissnas.formats.hints import nearest
from lissnas.formats.yaml_genes import Declared
from lissnas.formats.yaml_layers import read_channels, read_classes, read_frame, read_resolution, read_stride
from lissnas.formats.yaml_nodes import Node
from lissnas.registry import Registry
from lissnas.spaces import ChainLayout, Expression, Gene
from lissnas.spaces.gene import allele_text
from lissnas.spaces.nats_size import NATSSizeLayout
from lissnas.spaces.templated_chain import TemplatedChainLayout, TemplatedSite

__all__ = ["NAMED", "NetworkLayout", "has_templates", "read_named_network", "read_templated_network"]

NetworkLayout = ChainLayout | TemplatedChainLayout | NATSSizeLayout

# Networks that are no chain of blocks: a class with ``for_genes(genes, resolution, in_channels, classes)`` and ``costs()``.
NAMED = Registry("kind of network", {"nats-size": "lissnas.spaces.nats_size:NATSSizeLayout"})

KEYS = ("resolution", "channels", "classes", "stem", "sites", "head", "features", "activation", "dropout", "classifier_bias")
MAX_SITES = 1000
MAX_JOINT = 4096  # blocks that can stand at one site

_BRACES = re.compile(r"\{([^{}]*)\}")


def read_named_network(node: Node, genes: Sequence[Gene]) -> NetworkLayout:
    """The layout of a network known by name: ``{kind: nats-size, resolution: 32, classes: 10}``.

    Raises:
        UserError: with the line: an unknown kind, or genes that do not fit it.
    """
    node.require_keys("a network with a 'kind'", ("kind", "resolution", "channels", "classes"))
    keys = node.mapping("")
    kind = keys["kind"].text("'kind' must name a network").strip()
    if kind not in NAMED:
        raise keys["kind"].error(f"unknown kind of network '{kind[:40]}': {nearest(kind, NAMED.names())}, or leave it out")
    options = {}
    for key, option, read in (
        ("resolution", "resolution", read_resolution),
        ("channels", "in_channels", read_channels),
        ("classes", "classes", read_classes),
    ):
        if key in keys:
            options[option] = read(keys[key])
    with keys["kind"].located():
        layout: NetworkLayout = NAMED.get(kind).for_genes(genes, **options)
    return layout


def has_templates(node: Node) -> bool:
    """Whether the network has a block with a name in braces, or a layer of features, which go with them."""
    keys = node.value if isinstance(node.value, dict) else {}
    sites = keys["sites"].value if "sites" in keys else None
    return "features" in keys or (isinstance(sites, list) and any(map(_has_braces, sites)))


def _has_braces(site: Node) -> bool:
    block = site.value.get("block") if isinstance(site.value, dict) else None
    return block is not None and isinstance(block.value, str) and "{" in block.value


def read_templated_network(node: Node, genes: Sequence[Gene], declared: Declared) -> TemplatedChainLayout:
    """The layout of a chain whose blocks several genes choose together.

    Raises:
        UserError: with the line: a missing or unknown key, a name in braces that is no gene, a gene without effect, a block
            that is none or cannot stand where it should.
    """
    node.require_keys("the network", KEYS)
    frame = read_frame(node)
    keys = node.mapping("")
    for group in declared.movable:
        raise declared.home[group.genes[0]].error(
            f"the gene '{group.genes[0]}' has a movable identity, which goes with plain blocks only: use 'active'", at_key=True
        )
    sites = _TemplatedSites(genes, declared, frame.stem[0])
    for entry in keys["sites"].entries("'sites' must be a list of places, like [{block: op, channels: 64, repeat: 4}]"):
        sites.add(entry)
    sites.require_all(keys["sites"])
    return TemplatedChainLayout(
        frame.resolution,
        frame.in_channels,
        frame.stem,
        tuple(sites.sites),
        frame.head,
        read_channels(keys["features"]) if "features" in keys else 0,
        frame.classes,
        dropout=frame.dropout,
        activation=frame.activation,
        classifier_bias=frame.classifier_bias,
    )


class _TemplatedSites:
    """The sites read so far, and how many positions of each repeated gene they took."""

    def __init__(self, genes: Sequence[Gene], declared: Declared, channels: int) -> None:
        self.sites: list[TemplatedSite] = []
        self._genes = genes
        self._declared = declared
        self._channels = channels
        self._column = {gene.name: index for index, gene in enumerate(genes)}
        self._taken = dict.fromkeys(declared.positions, 0)
        self._used: set[int] = set()

    def add(self, entry: Node) -> None:
        """The sites of one entry: ``{block: "mb_k{kernel}e{expand}", channels: 64, stride: 2, repeat: 4}``."""
        entry.require_keys("a site", ("block", "channels", "stride", "repeat"))
        keys = entry.mapping("")
        for key in ("block", "channels"):
            if key not in keys:
                raise entry.error(f"a site needs '{key}': {{block: op, channels: 64}}")
        node = keys["block"]
        block = node.text("'block' must name a gene or a block kind").strip()
        if block in self._declared.tables:
            block = f"{{{block}}}"
        width = read_channels(keys["channels"])
        stride = read_stride(keys["stride"]) if "stride" in keys else 1
        repeat = keys["repeat"].whole(f"'repeat' must be 1 to {MAX_SITES}", 1, MAX_SITES) if "repeat" in keys else 1
        if len(self.sites) + repeat > MAX_SITES:
            raise entry.error(f"a network may have at most {MAX_SITES:,} sites: repeat less")
        names = _BRACES.findall(block)
        template = _BRACES.sub("{}", block)
        if "{" in template.replace("{}", "") or "}" in template.replace("{}", ""):
            raise node.error(f"'{block[:60]}' has a brace without its other half: write a gene's name as {{kernel}}")
        for index in range(repeat):
            columns = tuple(self._next(name, node) for name in names)
            if len(set(columns)) < len(columns):
                raise node.error(f"'{block[:60]}' names the gene '{names[0]}' twice: once each")
            self._used |= set(columns)
            self._append(columns, width, stride if index == 0 else 1, template, node)

    def _append(self, columns: tuple[int, ...], width: int, stride: int, template: str, node: Node) -> None:
        genes = [self._genes[column] for column in columns]
        if math.prod(gene.radix for gene in genes) > MAX_JOINT:
            raise node.error(f"at most {MAX_JOINT:,} blocks can stand at one site: let fewer genes choose '{template[:60]}'")
        texts = tuple(tuple(allele_text(allele) for allele in gene.alleles) for gene in genes)
        optional = tuple(gene.active is not None for gene in genes)
        with node.located():
            self.sites.append(TemplatedSite(self._channels, width, stride, template, columns, texts, optional))
        self._channels = width

    def _next(self, name: str, node: Node) -> int:
        """The column of a gene, or of the next position of a repeated one."""
        name = name.strip()
        if name in self._declared.positions:
            positions = self._declared.positions[name]
            place = self._taken[name]
            if place == len(positions):
                raise node.error(f"gene '{name}' has {len(positions)} positions, and all stand at sites already: repeat less")
            self._taken[name] += 1
            return self._column[positions[place]]
        if name not in self._column:
            raise node.error(f"'{{{name[:40]}}}' is no gene: {nearest(name, self._declared.tables)}")
        return self._column[name]

    def require_all(self, node: Node) -> None:
        """Every gene stands at a site, or is read by the condition of one that does."""
        read = set().union(*(Expression(gene.active).names for gene in self._genes if gene.active is not None))
        for column, gene in enumerate(self._genes):
            if column not in self._used and gene.name not in read:
                raise node.error(f"gene '{gene.name}' stands at no site: all genes of a space with a network do", at_key=True)
