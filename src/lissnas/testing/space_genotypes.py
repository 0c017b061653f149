"""What a space promises about genotypes: one per network, codes, strings, uniform draws, a complete list."""

from __future__ import annotations

import numpy as np

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces import SearchSpace
from lissnas.testing.checks import Check, SkipCheck, assert_uniform, ensure
from lissnas.testing.listing import distinct, listing

__all__ = ["GENOTYPE_CHECKS"]

SAMPLE = 500


def check_canonical(space: SearchSpace, rng: np.random.Generator) -> None:
    """Samples are canonical and valid, and ``canonicalize`` changes nothing twice."""
    x = space.sample(SAMPLE, rng)
    ensure(x.dtype == np.uint8 and x.shape == (SAMPLE, space.length), f"sample gave {x.dtype}{list(x.shape)}")
    valid = space.is_valid(x)
    ensure(valid.dtype == bool and valid.shape == (SAMPLE,), f"is_valid gave {valid.dtype}{list(valid.shape)}")
    ensure(valid.all(), f"sampled an architecture that is not valid: {_shown(x[~valid])}")
    ensure(np.array_equal(space.canonicalize(x), x), "a sampled genotype is not canonical")
    alleles = np.array([gene.radix for gene in space.genes])
    anything = (rng.random((SAMPLE, space.length)) * alleles).astype(np.uint8)
    try:
        once = space.canonicalize(anything)
    except UserError:
        return  # a space in which some genotypes stand for no network may say so
    ensure(np.array_equal(space.canonicalize(once), once), "canonicalize changes what it made canonical itself")
    networks = space.root.is_valid(once)
    stray = networks & (space.root.is_valid(anything) != (anything == once).all(axis=1))
    ensure(not stray.any(), f"is_valid and canonicalize disagree on {_shown(anything[stray])}")


def check_codes(space: SearchSpace, rng: np.random.Generator) -> None:
    """``decode`` undoes ``encode``, and different genotypes have different codes."""
    x = space.sample(SAMPLE, rng)
    codes = space.encode(x)
    ensure(
        codes.dtype == np.uint64 and codes.ndim == 2 and len(codes) == SAMPLE, f"encode gave {codes.dtype}{list(codes.shape)}"
    )
    ensure(np.array_equal(space.decode(codes), x), "decode does not undo encode")
    ensure(
        distinct(codes) == len(np.unique(x, axis=0)), "different genotypes have the same code, or equal ones different codes"
    )
    ensure(np.array_equal(space.encode(x[7:9]), codes[7:9]), "the code of a row depends on the rows beside it")
    ensure(np.array_equal(space.root.encode(x), codes), "a space and its root give one architecture different codes")


def check_code_order(space: SearchSpace, rng: np.random.Generator) -> None:
    """Sorted by code, genotypes are in lexicographic order."""
    x = space.sample(SAMPLE, rng)
    codes = space.encode(x)
    by_code = np.lexsort(codes.T[::-1])
    by_gene = np.lexsort(x.T[::-1])
    ensure(np.array_equal(x[by_code], x[by_gene]), "the order of codes is not the lexicographic order of genotypes")


def check_strings(space: SearchSpace, rng: np.random.Generator) -> None:
    """``parse`` undoes ``format``, and different architectures have different strings."""
    x = space.sample(SAMPLE, rng)
    texts = space.format(x)
    ensure(len(texts) == SAMPLE and all(isinstance(t, str) and "\n" not in t for t in texts), "format must give a line per row")
    ensure(np.array_equal(space.parse(texts), x), "parse does not undo format")
    ensure(len(set(texts)) == distinct(space.encode(x)), "different architectures have the same string")


def check_dicts(space: SearchSpace, rng: np.random.Generator) -> None:
    """``to_dicts`` names each active gene's allele, and different architectures have different dicts."""
    x = space.sample(SAMPLE, rng)
    rows = space.to_dicts(x)
    ensure(len(rows) == SAMPLE, f"to_dicts gave {len(rows)} dicts of {SAMPLE} rows")
    for gene_values, genotype in zip(rows, x, strict=True):
        for gene, allele in zip(space.genes, genotype, strict=True):
            if allele < len(gene.alleles):
                ensure(gene_values.get(gene.name) == gene.alleles[allele], f"to_dicts gave gene '{gene.name}' another allele")
            else:
                ensure(gene.name not in gene_values, f"to_dicts names gene '{gene.name}', which is inactive")
    ensure(
        len({repr(sorted(r.items())) for r in rows}) == distinct(space.encode(x)), "different architectures have the same dict"
    )


def check_uniform(space: SearchSpace, rng: np.random.Generator) -> None:
    """``sample`` draws every architecture equally often (listed spaces), or repeats none more than chance does (large ones)."""
    if not space.is_uniform:
        raise SkipCheck("it is a distribution, and draws some architectures more often")
    if space.cardinality <= 2_000:
        members = listing(space)
        drawn = members.place(space.sample(20 * len(members) + 1000, rng))
        ensure((drawn >= 0).all(), "sampled an architecture that enumerate does not list")
        assert_uniform(np.bincount(drawn, minlength=len(members)), "architectures")
        return
    if not space.cardinality_is_exact:
        raise SkipCheck("the cardinality is an estimate, so how often draws should repeat is not known")
    n = 20_000
    _, repeats = np.unique(space.encode(space.sample(n, rng)), axis=0, return_counts=True)
    pairs = int((repeats * (repeats - 1) // 2).sum())
    expected = n * (n - 1) / 2 / space.cardinality
    most = expected + 7 * np.sqrt(expected) + 6  # a Poisson count goes beyond with a chance below 1e-7
    ensure(
        pairs <= most,
        f"{n:,} draws from {space.cardinality:,} architectures met one again {pairs} times; chance: {expected:.2g}",
    )
    ensure(
        pairs >= expected - 7 * np.sqrt(expected) - 6, f"{n:,} draws met one again only {pairs} times; chance: {expected:.0f}"
    )


def check_enumerate(space: SearchSpace, rng: np.random.Generator) -> None:  # noqa: ARG001 - every check takes one
    """``enumerate`` lists exactly ``cardinality`` different valid architectures."""
    members = listing(space)
    ensure(not members.repeated, "enumerate lists an architecture twice")
    if space.cardinality_is_exact:
        ensure(
            len(members) == space.cardinality, f"enumerate lists {len(members)} architectures; cardinality: {space.cardinality}"
        )
    valid = space.is_valid(members.genotypes)
    ensure(valid.all(), f"enumerate lists an architecture that is not valid: {_shown(members.genotypes[~valid])}")
    blocks = list(space.enumerate(7)) if len(members) <= 2_000 else []
    ensure(all(len(block) <= 7 for block in blocks), "enumerate(7) gave a block of more than 7 rows")
    ensure(not blocks or sum(map(len, blocks)) == len(members), "enumerate(7) lists another number of architectures")


def check_counts(space: SearchSpace, rng: np.random.Generator) -> None:  # noqa: ARG001
    """``cardinality`` and ``encodings`` are Python integers, and no network is counted that cannot be written down."""
    for name in ("cardinality", "encodings", "max_edits"):
        ensure(type(getattr(space, name)) is int, f"{name} must be a Python int, but is {type(getattr(space, name)).__name__}")
    ensure(space.cardinality >= 1, f"cardinality is {space.cardinality}")
    ensure(space.cardinality <= space.root.cardinality, "a shrunk space cannot hold more than its root")
    written = 1
    for gene in space.genes:
        written *= gene.radix
    ensure(
        space.cardinality <= written,
        f"cardinality is {space.cardinality:,}, but only {written:,} genotypes can be written down",
    )
    names = [gene.name for gene in space.genes]
    ensure(len(set(names)) == len(names), "two genes have the same name")


def check_same_chance(space: SearchSpace, rng: np.random.Generator) -> None:
    """The same seed gives the same draws, and inputs are left as they were."""
    seed = int(rng.integers(1 << 32))
    one, two = (space.sample(64, np.random.default_rng(seed)) for _ in range(2))
    ensure(np.array_equal(one, two), "sample gave different draws with the same seed")
    before = one.copy()
    one.flags.writeable = False
    for edits in (1, 2):
        first, second = (space.neighbors(one, edits, np.random.default_rng(seed)) for _ in range(2))
        same = np.array_equal(first.genotypes, second.genotypes) and np.array_equal(first.parents, second.parents)
        ensure(same, "neighbors gave different draws with the same seed")
    space.canonicalize(one), space.encode(one), space.features(one), space.embed(one), space.cost(one), space.format(one)
    codes = space.encode(one)
    codes.flags.writeable = False
    decoded = space.decode(codes)
    ensure(decoded.flags.writeable, "decode gave an array that cannot be written to")
    for result in (space.sample(3, rng), space.canonicalize(one), space.neighbors(one, 1, rng).genotypes):
        own = len(result) == 0 or (not np.shares_memory(result, one) and result.flags.writeable)
        ensure(own, "a result shares its memory with the input")
    ensure(np.array_equal(one, before), "an input was changed")


def _shown(rows: Genotypes) -> str:
    return " ".join(map(str, rows[0])) if len(rows) else ""


GENOTYPE_CHECKS = (
    Check(
        "canonical form",
        "A genotype is canonical: making it so again changes nothing, and every sample is valid.",
        check_canonical,
    ),
    Check("codes", "A code is an architecture's identity: it decodes to the same genotype, and no two share one.", check_codes),
    Check("order of codes", "Codes sort as genotypes do.", check_code_order),
    Check("strings", "An architecture's string reads back as the same architecture.", check_strings),
    Check("dicts", "An architecture as a dict names each active gene and its allele.", check_dicts),
    Check("uniform sampling", "Every architecture is drawn equally often.", check_uniform),
    Check("enumerate", "A small space lists each of its architectures exactly once.", check_enumerate),
    Check("counts", "The number of architectures is exact and possible.", check_counts),
    Check("determinism", "The same seed gives the same draws, and nothing given is changed.", check_same_chance),
)
