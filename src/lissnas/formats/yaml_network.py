"""The ``network`` of a space file: the chain of blocks behind its genes, from which costs are counted and networks built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lissnas.errors import UserError
from lissnas.formats.hints import nearest
from lissnas.formats.yaml_genes import Declared
from lissnas.formats.yaml_layers import read_channels, read_frame, read_stride
from lissnas.formats.yaml_nodes import Node
from lissnas.formats.yaml_templates import NetworkLayout, has_templates, read_named_network, read_templated_network
from lissnas.spaces import ChainLayout, Gene, Movable, Site
from lissnas.spaces.chain_blocks import BLOCK_KINDS, block_branches, inverted_residual
from lissnas.spaces.gene import Allele, allele_key, allele_text

__all__ = ["read_network"]

KEYS = ("resolution", "channels", "classes", "stem", "blocks", "sites", "head", "activation", "dropout", "classifier_bias")
MAX_SITES = 1000


def read_network(node: Node, genes: Sequence[Gene], declared: Declared) -> NetworkLayout:
    """The layout that the section describes: a chain of blocks, unless it names another ``kind``.

    The sites take the genes in the order in which those are declared; where genes choose a block together, in any order.

    Raises:
        UserError: with the line: a missing or unknown key, a block that is none, a gene at no site or at two, a block that
            cannot stand where it should, a movable identity that would change the network.
    """
    keys = node.mapping("the network must be a mapping: resolution, stem, sites, head, classes")
    if "kind" in keys:
        return read_named_network(node, genes)
    if has_templates(node):
        return read_templated_network(node, genes, declared)
    node.require_keys("the network", KEYS)
    frame = read_frame(node)
    sites = _Sites(genes, declared, _read_blocks(keys["blocks"]) if "blocks" in keys else {}, frame.stem[0])
    for entry in keys["sites"].entries("'sites' must be a list of places, like [{block: op, channels: 64, repeat: 4}]"):
        sites.add(entry)
    sites.require_all(keys["sites"])
    return ChainLayout(
        frame.resolution,
        frame.in_channels,
        frame.stem,
        tuple(sites.sites),
        frame.head,
        frame.classes,
        dropout=frame.dropout,
        activation=frame.activation,
        classifier_bias=frame.classifier_bias,
        counts_norms=True,
    )


class _Sites:
    """The sites read so far, and the genes that are still to be placed."""

    def __init__(self, genes: Sequence[Gene], declared: Declared, blocks: Mapping[str, str], channels: int) -> None:
        self.sites: list[Site] = []
        self._genes = genes
        self._declared = declared
        self._blocks = blocks
        self._channels = channels
        self._home: dict[str, tuple[Node, Site]] = {}  # of each gene that was placed
        for gene in genes:
            entry = declared.home[gene.name]
            if gene.active is not None:
                raise declared.conditions[gene.name].error(
                    f"gene '{gene.name}' cannot be switched off where a network stands behind it: "
                    "give it a skip and 'movable', or leave 'active' out"
                )
            if len(gene.alleles) < 2:
                raise entry.error(
                    f"gene '{gene.name}' leaves no choice: leave it out, and name its block at the site",
                    at_key=True,
                )

    def add(self, entry: Node) -> None:
        """The sites of one entry: ``{block: op, channels: 64, stride: 2, repeat: 4}``."""
        entry.require_keys("a site", ("block", "channels", "stride", "repeat"))
        keys = entry.mapping("")
        for key in ("block", "channels"):
            if key not in keys:
                raise entry.error(f"a site needs '{key}': {{block: op, channels: 64}}")
        name = keys["block"].text("'block' must name a gene or a block kind").strip()
        width = read_channels(keys["channels"])
        stride = read_stride(keys["stride"]) if "stride" in keys else 1
        repeat = keys["repeat"].whole(f"'repeat' must be 1 to {MAX_SITES}", 1, MAX_SITES) if "repeat" in keys else 1
        if len(self.sites) + repeat > MAX_SITES:
            raise entry.error(f"a network may have at most {MAX_SITES:,} sites: repeat less")
        for index in range(repeat):
            gene = self._next_gene(name, keys["block"])
            site_stride = stride if index == 0 else 1
            kinds = (name,) if gene is None else tuple(map(self._kind, gene.alleles))
            for place, kind in enumerate(kinds):
                what = "" if gene is None else f"allele '{allele_text(gene.alleles[place])}' of gene '{gene.name}': "
                self._check(kind, site_stride, width, what, keys["block"])
            site = Site(self._channels, width, site_stride, kinds)
            self.sites.append(site)
            self._channels = width
            if gene is not None:
                self._home[gene.name] = (entry, site)

    def _next_gene(self, name: str, node: Node) -> Gene | None:
        """The gene that stands at the next site called ``name``; None where that is a block kind."""
        names = self._declared.tables.get(name)
        if names is None:
            return None
        free = [one for one in names if one not in self._home]
        if not free:
            raise node.error(f"gene '{name}' stands at {len(names)} sites already, as often as there is one of it: repeat less")
        expected = self._genes[len(self._home)].name
        if free[0] != expected:
            raise node.error(
                f"the next site with a choice must be that of '{expected}', but is that of '{free[0]}': "
                "sites take genes in the order in which they are declared"
            )
        return self._genes[len(self._home)]

    def _kind(self, allele: Allele) -> str:
        text = allele_text(allele)
        return self._blocks.get(allele_key(text), text)

    def _check(self, kind: str, stride: int, width: int, what: str, node: Node) -> None:
        with node.located():
            known = kind in BLOCK_KINDS or inverted_residual(kind) is not None
        if not known:
            is_one = "is no block kind" if what else "is neither a gene nor a block kind"
            names = [*([] if what else self._declared.tables), *BLOCK_KINDS, "mb_k3e6", "mb_k5e3_se"]
            remedy = nearest(kind, names)
            raise node.error(f"{what}'{kind[:40]}' {is_one}: {remedy}" + (", or map it under 'blocks'" if what else ""))
        with node.located():
            try:
                block_branches(kind, self._channels, width, stride)
            except UserError as error:
                raise UserError(f"{what}{error}") from None

    def require_all(self, node: Node) -> None:
        """Every gene has its site, and an identity can move without changing the network."""
        if len(self._home) < len(self._genes):
            missing = self._genes[len(self._home)].name
            raise node.error(f"gene '{missing}' stands at no site: all genes of a space with a network do", at_key=True)
        for group in self._declared.movable:
            self._require_alike(group)

    def _require_alike(self, group: Movable) -> None:
        homes = [self._home[name] for name in group.genes]
        for name, (entry, site) in zip(group.genes, homes, strict=True):
            gene = next(g for g in self._genes if g.name == name)
            kind = site.kinds[gene.alleles.index(group.identity)]
            if kind != "skip":
                raise entry.error(
                    f"the movable identity '{allele_text(group.identity)}' of gene '{name}' must be a skip, but is {kind}"
                )
            if site != homes[0][1]:
                raise entry.error(
                    f"'{name}' and '{group.genes[0]}' are in one movable group, so their sites must be alike: "
                    "the same channels, stride 1"
                )


def _read_blocks(node: Node) -> dict[str, str]:
    """What kind of block each allele means, by the allele's value."""
    entries = node.mapping("'blocks' must be a mapping from alleles to block kinds, like {k3: mb_k3e6}")
    return {
        allele_key(allele): kind.text("a block kind must be a text, like mb_k3e6").strip() for allele, kind in entries.items()
    }
