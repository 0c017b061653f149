"""The paper's contradictions and gaps (reconstruction F): each settled by a measurement here, or open."""

from __future__ import annotations

from dataclasses import dataclass

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown

__all__ = ["CONTRADICTIONS", "EXPERIMENT", "Contradiction"]


@dataclass(frozen=True)
class Contradiction:
    """One of them.

    Attributes:
        number: of reconstruction F.
        says: what does not fit.
        resolution: what is done about it here.
        evidence: claims that settle it once all have a verdict of their own, as (experiment, key).
        settled: it needs no measurement: a rule was chosen, or arithmetic decides.
    """

    number: int
    says: str
    resolution: str
    evidence: tuple[tuple[str, str], ...] = ()
    settled: bool = False


CONTRADICTIONS = (
    Contradiction(
        1,
        "NAS-Bench-101's accuracy: text says maximum validation, tables cannot be that",
        "the highest test accuracy of three is the default; the mean of the full space by one validation run is beside it, and "
        "the official file decides the maximum",
        (("table4", "nasbench101/full/mean"), ("table4", "nasbench101/full/best")),
    ),
    Contradiction(2, "the two recipes of Appendix F are swapped", "read swapped; each is a recipe by name, and takes a GPU"),
    Contradiction(
        3,
        "naive Top-x% has implausibly low means",
        "judged by held-out true scores with the same predictor, and with weaker ones",
        (("table9", "top-30/gain"), ("table9", "top-5/gain"), ("table9", "lissnas-above-top-5")),
    ),
    Contradiction(
        4,
        "the accuracy difference at one edit is below what NAS-Bench-101's own paper implies",
        "measured from all networks, from those above 90%, and from the best 2%",
        (("table8", "uniform/any/1"), ("table8", "good/any/1"), ("table8", "seeds/any/1")),
    ),
    Contradiction(
        5,
        "Table 3's top-1 of 93.4 beside 'finds the best network' (94.6)",
        "one is a retrained network, one a table's: not the same quantity",
        (("table3", "nasbench101/lissnas/top-1"),),
    ),
    Contradiction(
        6,
        "ShuffleNetV2's mean is a supernet's, its best a stand-alone network's",
        "needs an ImageNet supernet",
        (("table4", "shufflenetv2/full/mean"),),
    ),
    Contradiction(7, "Kendall tau is claimed and never printed", "nothing to compare with", (("table3", "kendall"),)),
    Contradiction(8, "27 million years to query FairNAS", "arithmetic", (("appendix-h3", "years"),)),
    Contradiction(
        9,
        "6.1M parameters in FairNAS",
        "the largest network of the plain space has 5.09M; with SE there is room",
        (("table2", "plain-holds-params"), ("table2", "se-holds-params"), ("table2", "se-holds-both")),
    ),
    Contradiction(
        10,
        "TransNASBench is 'macro' in 3.2 and 7,352 networks in C.3",
        "the sum of both spaces; they are run apart",
        (("spaces", "size/transnas"), ("spaces", "size/transnasbench101-macro")),
    ),
    Contradiction(
        11,
        "'up to 5 nodes and 9 edges'",
        "5 interior vertices beside input and output: so 423,624 are counted",
        (("spaces", "size/nasbench101"),),
    ),
    Contradiction(
        12,
        "seeds, neighbors and iterations are not stated",
        "settings; as written the plateau leaves far fewer networks than 13,000, one iteration about as many",
        (("table4", "nasbench101/as-written/size"), ("table4", "nasbench101/lissnas/size")),
    ),
    Contradiction(
        13,
        "the range of FLOPs is kept 'inherently'",
        "measured without strata",
        (("figure5", "nasbench101/all"), ("figure5", "nasbench301/all"), ("figure5", "nasbench101/cheap")),
    ),
    Contradiction(
        14,
        "predicted or true mean?",
        "predicted drives the algorithm, true scores judge it",
        (("figure3", "nasbench101/mean"), ("table4", "nasbench101/better-than-full")),
    ),
    Contradiction(
        15,
        "the predictor's 10,000 pairs come from the table that is judged",
        "they are counted apart from queries; on NAS-Bench-101's sample they judge nothing",
        settled=True,
    ),
    Contradiction(16, "does the new space hold the seeds?", "yes: 4.3 (2b) says so", settled=True),
    Contradiction(17, "neighbors at exactly d or up to d?", "up to d, drawn uniformly", settled=True),
    Contradiction(
        18,
        "the size must fall, but neighbors could exceed it",
        "the iteration is refused where it does not fall",
        (("figure3", "nasbench101/size"), ("figure3", "nasbench301/size")),
    ),
    Contradiction(19, "5.2 cites EDFs 'in Table 4'", "Figure 4 is meant", settled=True),
    Contradiction(
        20,
        "ABS's space is worse (80.2) than the full one (90.4)",
        "ABS by the same predictor is judged",
        (("table4", "nasbench101/abs/mean"),),
    ),
    Contradiction(
        21,
        "GreedyNAS makes no explicit space",
        "its pool or final distribution is judged",
        (("table1", "nasbench101/highest"),),
    ),
    Contradiction(
        22,
        "the population of Table 3's Pearson is not stated",
        "open: where supernets are trained (table3 --space), over a space's own networks and over a common set",
    ),
)
_DECIDED = ("reproduced", "differs", "contradicts")


def _measure(lab: Lab) -> Findings:
    rows = []
    for one in CONTRADICTIONS:
        found = []
        for experiment, key in one.evidence:
            result = lab.result(experiment)
            claim = next((c for c in (result or {}).get("claims", ()) if c["key"] == key), None)
            if claim is not None:
                found.append((experiment, claim))
        settled = one.settled or (bool(found) and all(claim["verdict"] in _DECIDED for _, claim in found))
        told = "; ".join(_told(experiment, claim) for experiment, claim in found) or ("" if one.settled else "not run")
        rows.append(
            [f"F{one.number}", one.says, one.resolution, told if one.evidence else "", "settled" if settled else "open"]
        )
    columns = ("", "what does not fit", "what is done here", "measured", "state")
    return Findings(tables=[Shown("Contradictions and gaps", columns, rows)])


def _told(experiment: str, claim: dict[str, object]) -> str:
    value, published = claim["value"], claim["published"]
    ours = "no value" if not isinstance(value, (int, float)) else f"{value:.4g}"
    theirs = f", published {published:.4g}" if isinstance(published, (int, float)) else ""
    return f"{experiment}: {claim['says']}: {ours}{theirs} ({claim['verdict']})"


EXPERIMENT = Experiment(
    name="contradictions",
    title="The paper's contradictions",
    paper="throughout",
    how="Reads what the other experiments of the same run found; what was not run is open.",
    claims=(),
    measure=_measure,
)
