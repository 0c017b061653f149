"""Table 3: how well a supernet of each method's space orders its networks, and the network that a search finds with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lissnas.experiments.experiment import Experiment, Findings, Lab, Shown
from lissnas.experiments.paired import paired_p, spread
from lissnas.experiments.supernet_stages import BALANCED, FULL, SUPERNET_STAGES
from lissnas.experiments.supernets import KNOWN, Row, Supernets
from lissnas.experiments.verdict import Claim, Measured, holds, over_seeds, within

__all__ = ["EXPERIMENT"]

# space -> row -> (Pearson, top-1 in %)
PUBLISHED = {
    "nasbench101": {
        "full": (0.467, 91.0),
        "abs": (0.58, 93.0),
        "nse": (0.56, 92.1),
        "padnas": (0.59, 92.4),
        "lissnas": (0.659, 93.4),
    },
    "shufflenetv2": {
        "full": (0.334, 70.0),
        "abs": (0.397, 72.8),
        "nse": (0.406, 73.0),
        "padnas": (0.355, 69.9),
        "lissnas": (0.429, 74.6),
    },
}
# the supernets of the full space are one row there; Appendix F trains its own with balanced paths
ROW = {"full": BALANCED}
NEEDS = {
    "nasbench101": "supernets of NAS-Bench-101 as wide and as long trained as the paper's (--scale paper, on a GPU)",
    "shufflenetv2": "ImageNet-1k, and a supernet trained on it for the full and each shrunk space",
}
RIVALS = ("abs", "nse", "padnas")
SPACES = {"nasbench201": "nasbench201 (not in the paper)", "nasbench101": "nasbench101", "shufflenetv2": "shufflenetv2, digits"}
_STATISTICS = {
    "pearson": "Pearson over its own networks",
    "kendall": "Kendall tau over its own networks",
    "finer": "Kendall tau of cross entropy over its own networks",
    "common-pearson": "Pearson over the common set",
    "common-kendall": "Kendall tau over the common set",
    "common-finer": "Kendall tau of cross entropy over the common set",
    "top-1": "true score of the best of the ten networks that the search ranks first",
}


def _value(row: Row, statistic: str) -> float | None:
    """One statistic of a supernet; None where there is none."""
    if statistic == "top-1":
        return float(row.found["best"])
    of, _, kind = statistic.rpartition("-")
    found = (row.common if of == "common" else row.own)[kind]
    return None if found is None else float(found["value"])


def _each(seeds: Sequence[Supernets], key: str, statistic: str) -> list[float]:
    """A statistic of one row, seed by seed; empty where a seed has none."""
    values = [_value(one.rows[key], statistic) for one in seeds if key in one.rows]
    known = [value for value in values if value is not None]
    return known if len(known) == len(seeds) else []


def _number(seeds: Sequence[Supernets], key: str, statistic: str) -> Measured:
    return over_seeds(_each(seeds, key, statistic))


def _above(seeds: Sequence[Supernets], statistic: str, others: Sequence[str]) -> Measured:
    """How far LISSNAS is above the best of ``others``, seed by seed."""
    ours = _each(seeds, "lissnas", statistic)
    met = {key: values for key in others if (values := _each(seeds, key, statistic))}
    if not ours or not met:
        return Measured(None)
    best = [max(values) for values in zip(*met.values(), strict=True)]
    differences = [a - b for a, b in zip(ours, best, strict=True)]
    found = over_seeds(differences, note=f"beside {', '.join(met)}")
    # scores are coarse, a few hundred images right or wrong: seeds that agree by chance are no proof
    return replace(found, low=None, high=None) if np.allclose(differences, differences[0], atol=1e-9) else found


def _lost(seeds: Sequence[Supernets], key: str) -> Measured:
    """1 in each seed in which the best network that is known is not in a space, -1 where it is: no score, which seeds could
    share by chance, so seeds that agree are taken as they stand."""
    held = [one.rows[key].holds_best for one in seeds if key in one.rows]
    if not held or None in held:
        return Measured(None)
    return over_seeds([-1.0 if there else 1.0 for there in held], note=f"missing in {held.count(False)} of {len(held)} seeds")


def _measure(lab: Lab) -> Findings:
    values: dict[str, Measured] = {}
    tables: list[Shown] = []
    notes = [
        "The paper claims a Kendall tau in its abstract and prints none: only Pearson is in its tables (F7).",
        "A correlation over the networks of a small space is harder to have than over those of the full one, whose scores are "
        "spread wider (restriction of range): 'mean of its own' says how good those are, and the "
        "common set, drawn from the full space, is the same for all. A supernet of a shrunk space never trained what the other "
        "methods' networks hold, which the common set counts against it.",
        "Few seeds decide little: a paired difference of three is significant at 5% only where it is 2.5 times its spread, of "
        "two only where it is 9 times. Each p-value is that of one comparison, not corrected for how many there are. The "
        "bootstrap over networks stands in the table, and no verdict rests on it.",
        "'LISSNAS has the highest' is beside the best of the others in each seed, which chance raises, so it asks more of "
        "LISSNAS than to be the best on average. 'Best of ten' is the best by the score that networks are judged by, as the "
        "paper trains ten and keeps the best; 'the first' is what the search alone would give.",
        "A supernet is the same to the byte on CPUs of one kind: another one rounds otherwise, even where both have AVX512, "
        "and a training goes its own way from there, as with another seed. So do spaces whose predictor learned from a "
        "supernet.",
    ]
    for stage in SUPERNET_STAGES:
        seeds: Sequence[Supernets] = lab.of(stage.name)
        space = stage.space
        if not seeds:
            continue
        for row in PUBLISHED.get(space, {}):
            for kind in ("pearson", "top-1"):
                found = _number(seeds, ROW.get(row, row), kind)
                values[f"{space}/{row}/{kind}"] = replace(found, needs=NEEDS[space])
        for statistic in _STATISTICS:
            values[f"{space}/highest/{statistic}"] = _above(seeds, statistic, (FULL, BALANCED, *RIVALS))
            values[f"{space}/above-full/{statistic}"] = _above(seeds, statistic, (FULL,))
        if stage.benchmarks:
            for key in ("lissnas", *RIVALS):
                values[f"{space}/best/{key}"] = _lost(seeds, key)
            values[f"{space}/best/lissnas"] = _turned(values[f"{space}/best/lissnas"])
        tables += [_main(space, seeds), _tests(space, seeds), _best_known(space, seeds)]
        notes.append(_how(space, seeds))
    values["kendall"] = values.get("nasbench101/highest/kendall", Measured(None))
    return Findings(values, [table for table in tables if table.rows], notes=notes)


def _turned(measured: Measured) -> Measured:
    """The opposite statement."""
    low, high = (None if bound is None else -bound for bound in (measured.high, measured.low))
    value = None if measured.value is None else -measured.value
    return replace(measured, value=value, low=low, high=high)


def _keys(seeds: Sequence[Supernets]) -> list[str]:
    return list(dict.fromkeys(key for one in seeds for key in one.rows))


def _main(space: str, seeds: Sequence[Supernets]) -> Shown:
    """Every row: mean and standard deviation over seeds, and the bootstrap's interval over networks, its ends' means."""
    rows: list[list[str | float | int | None]] = []
    for key in _keys(seeds):
        held = [one.rows[key] for one in seeds if key in one.rows]
        cells = [f"{held[0].label}", sum(row.size for row in held) / len(held), held[0].own["n"] if held else None]
        for statistic in ("pearson", "kendall", "finer", "common-pearson", "common-kendall", "common-finer"):
            cells.append(_told(held, statistic))
        tops, bests = [float(row.found["top"]) for row in held], [float(row.found["best"]) for row in held]
        ranks = ", ".join(str(row.found["rank"]) for row in held if row.found["rank"] is not None)
        means = [row.mean for row in held if row.mean is not None]
        rows.append([*cells, spread(bests, 2), spread(tops, 2), ranks or None, spread(means, 2) if means else None])
    columns = (
        "supernet on",
        "networks",
        "asked of its own",
        "Pearson, own",
        "Kendall, own",
        "Kendall of cross entropy, own",
        "Pearson, common",
        "Kendall, common",
        "Kendall of cross entropy, common",
        "top-1, best of ten",
        "top-1, the first",
        "rank of the best of ten",
        "mean of its own",
    )
    title = f"{SPACES[space]}: mean ± standard deviation of {len(seeds)} seeds (95% bootstrap interval over networks)"
    return Shown(title, columns, rows)


def _told(held: Sequence[Row], statistic: str) -> str | None:
    of, _, kind = statistic.rpartition("-")
    found = [(row.common if of == "common" else row.own)[kind] for row in held]
    if None in found:
        return None
    low, high = (sum(one[end] for one in found) / len(found) for end in ("low", "high"))
    return f"{spread([one['value'] for one in found], 3)} ({low:.2f} to {high:.2f})"


def _tests(space: str, seeds: Sequence[Supernets]) -> Shown:
    """LISSNAS against every other row, paired over seeds."""
    rows: list[list[str | float | int | None]] = []
    for key in _keys(seeds):
        if key == "lissnas":
            continue
        for statistic, says in _STATISTICS.items():
            ours, theirs = _each(seeds, "lissnas", statistic), _each(seeds, key, statistic)
            if not ours or not theirs:
                continue
            differences = [a - b for a, b in zip(ours, theirs, strict=True)]
            won = sum(d > 0 for d in differences)
            cells = (spread(differences, 3), paired_p(differences), f"{won} of {len(differences)}")
            rows.append([seeds[0].rows[key].label, says, *cells])
    columns = ("LISSNAS less", "of", "difference ± standard deviation", "p (paired t over seeds)", "seeds won")
    return Shown(f"{SPACES[space]}: is LISSNAS's supernet better?", columns, rows)


def _best_known(space: str, seeds: Sequence[Supernets]) -> Shown:
    """Which spaces still have the best networks that are known (Section 5.1)."""
    rows: list[list[str | float | int | None]] = []
    for key in _keys(seeds):
        held = [one.rows[key] for one in seeds if key in one.rows and one.rows[key].holds_best is not None]
        if held:
            there = sum(bool(row.holds_best) for row in held)
            kept = ", ".join(str(row.kept) for row in held)
            rows.append([held[0].label, f"in {there} of {len(held)} seeds", kept])
    known, best = seeds[0].about["known"], seeds[0].about["best_known"]
    title = f"{SPACES[space]}: the best of {known:,} networks of known score ({best:.2f})" if known else space
    return Shown(title, ("space", "it is there", f"of the {KNOWN} best, by seed"), rows)


def _how(space: str, seeds: Sequence[Supernets]) -> str:
    """What was trained, on what, how long."""
    about: Mapping[str, object] = seeds[0].about
    images, recipe, budget = (dict(about[name]) for name in ("images", "recipe", "budget"))  # type: ignore[call-overload]
    network = ", ".join(f"{name} {value}" for name, value in dict(about["options"]).items())  # type: ignore[call-overload]
    refused = "; ".join(f"{key} was refused: {why}" for one in seeds for key, why in one.refused.items())
    return (
        f"{SPACES[space]}: networks of '{about['space']}' ({network or 'as published'}); {images['name']}, {images['train']:,} "
        f"training and {images['validation']:,} validation images of {images['shape'][2]} x {images['shape'][1]} pixels; every "
        f"supernet {recipe['epochs']} epochs in batches of {recipe['batch_size']}, {recipe['optimizer']}, learning rate "
        f"{recipe['learning_rate']}, {recipe['schedule']}, weight decay {recipe['weight_decay']:g}. Truth: {about['truth']}. "
        f"One predictor per seed, {budget['trees']} trees on {budget['pairs']:,} pairs ({about['labels']}), "
        f"{budget['queries']:,} queries for each method; a search scores {budget['search']:,} networks at most, each with "
        f"statistics of its own from {budget['calibration']} training images. "
        f"Seeds {', '.join(str(one.seed) for one in seeds)}." + (f" {refused}." if refused else "")
    )


def _claims() -> Iterator[Claim]:
    for space, rows in PUBLISHED.items():
        for row, (pearson, top1) in rows.items():
            yield Claim(f"{space}/{row}/pearson", f"{space}, {row}: Pearson", pearson, within(0.05), needs=NEEDS[space])
            yield Claim(f"{space}/{row}/top-1", f"{space}, {row}: top-1", top1, within(0.3), "%", needs=NEEDS[space])
    yield Claim("kendall", "best-in-class Kendall tau (abstract; no number is printed)", None, holds())
    for space, name in SPACES.items():
        for statistic, says in _STATISTICS.items():
            yield _ours(f"{space}/highest/{statistic}", f"{name}: LISSNAS has the highest {says}")
            yield _ours(f"{space}/above-full/{statistic}", f"{name}: higher than the full space: {says}")
        if space == "shufflenetv2":
            continue
        yield _ours(f"{space}/best/lissnas", f"{name}: the best known network is in LISSNAS's space")
        for key in RIVALS:
            yield _ours(f"{space}/best/{key}", f"{name}: the best known network is not in {key}'s space")


def _ours(key: str, says: str) -> Claim:
    return Claim(key, says, None, holds(), ours=True)


EXPERIMENT = Experiment(
    name="table3",
    title="One-shot correlation and accuracy on two spaces",
    paper="Table 3, Section 5.1",
    how=(
        "One predictor per seed shrinks the space by every method; a supernet is trained on each space by one recipe, asked "
        "for networks of known score, and searched. Trained only where it is asked for: --space. The scale 'small' has narrow "
        "networks, few and small images and short trainings; its correlations are not the paper's, its comparison is."
    ),
    claims=tuple(_claims()),
    measure=_measure,
    stages=tuple(stage.name for stage in SUPERNET_STAGES),
    cost=0,
)
