"""A new user's mistakes on the real command line: exit code 2, one line with rule, value and remedy, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lissnas import UserError
from lissnas.formats import load_space, read_space

SHRINK = "shrink toy.yaml --out r --trees 5 --budget 2000"
SCORED = f"{SHRINK} --scores measured.csv"
ASKED = f"{SHRINK} --evaluations 40 --evaluator bad_evaluators:"

MISTAKES = [
    # -- spaces
    ("spaces shuflenetv2", "unknown space 'shuflenetv2'", "did you mean shufflenetv2"),
    ("sample shuflenetv2 --out o.csv", "did you mean shufflenetv2"),
    ("check shuflenetv2", "did you mean shufflenetv2"),
    ("export shuflenetv2 --out o.csv", "did you mean shufflenetv2"),
    ("shrink shuflenetv2 --scores measured.csv", "did you mean shufflenetv2"),
    ("spaces no.yaml", "cannot read the space file 'no.yaml' (no such file or directory)", "check the path"),
    ("spaces no.parquet", "cannot read 'no.parquet'", "check the path"),
    ("spaces measured.csv", "must end in .yaml or .parquet", "'measured.csv'"),
    ("spaces key.yaml", "key.yaml:2: a space file has no key 'geens': did you mean genes?"),
    ("sample empty.yaml --out o.csv", "empty.yaml:3: gene 'op' needs a list of at least one allele, but got an empty list"),
    ("check twice.yaml", "twice.yaml:4: the gene 'op' stands twice, first in line 3: keep one"),
    ("export cycle.yaml --out o.csv", "cycle.yaml:3: conditions depend on one another in a circle (a -> b -> a)"),
    ("shrink key.yaml --scores measured.csv", "key.yaml:2: a space file has no key 'geens'"),
    (
        "spaces nothing.yaml",
        "nothing.yaml:6: no architecture of 'toy' meets size <= 1: size goes from 16 to",
        "relax the limits",
    ),
    ("export torn.parquet --out o.csv", "torn.parquet is truncated or damaged", "copy or save it again"),
    ("shrink torn.parquet --scores measured.csv", "torn.parquet is truncated or damaged"),
    # -- options
    ("shrnk", "No such command 'shrnk'. Did you mean 'shrink'? (see: lissnas --help)"),
    ("sample toy.yaml --otu o.csv", "No such option: --otu", "--out"),
    ("sample", "Missing argument 'SPACE'. (see: lissnas sample --help)"),
    ("sample toy.yaml", "Missing option '--out'"),
    ("run a.yaml b.yaml", "unexpected extra argument"),
    ("sample toy.yaml --out o.csv -n many", "'-n'", "a whole number, but got 'many'"),
    ("sample toy.yaml --out o.csv -n 0", "'-n'", "greater than or equal to 1, but got '0'"),
    ("sample toy.yaml --out o.csv --seed -1", "'--seed'", "greater than or equal to 0, but got '-1'"),
    ("export toy.yaml --out o.csv --seed -1", "'--seed'", "but got '-1'"),
    (f"{SCORED} --size x", "'--size'", "a whole number, but got 'x'"),
    (f"{SCORED} --workers 0", "'--workers'", "but got '0'"),
    # -- sample and export
    ("sample toy.yaml --out o.csv -n 5000", "has only 2,187 architectures, fewer than the 5,000 asked for: lower -n"),
    (["sample", "toy.yaml", "--out", "o.csv", "-n", "900", "--limit", "size <= 16"], "only 729 different", "the 900 asked for"),
    (["sample", "toy.yaml", "--out", "o.csv", "--limit", "siz <= 1"], "names 'siz'", "its costs are size"),
    (["sample", "toy.yaml", "--out", "o.csv", "--limit", "size <"], "cannot read the formula 'size <': write it like"),
    (
        ["sample", "toy.yaml", "--out", "o.csv", "--limit", "size"],
        "a limit must compare, like 'flops <= 330e6', but got 'size'",
    ),
    (["sample", "toy.yaml", "--out", "o.csv", "--limit", "size <= 1"], "no architecture of 'toy' meets size <= 1"),
    ("sample toy.yaml --out o.txt", "written as .csv or .parquet, but got 'o.txt': change its ending"),
    ("sample toy.yaml --out measured.csv", "'measured.csv' exists already: choose another --out"),
    ("export toy.yaml --out measured.csv", "'measured.csv' exists already: choose another --out"),
    ("export shufflenetv2 --out o.csv", "1,099,511,627,776 architectures", "-n 10000"),
    ("sample toy.yaml --out toy.yaml/o.csv", "cannot read or write 'toy.yaml'", "choose a place that can be written"),
    # -- scores
    (f"{SHRINK} --scores no.csv", "no.csv' (no such file or directory): check the path"),
    (f"{SHRINK} --scores toy.yaml", "a table must be a .csv or .parquet file", "toy.yaml': convert it"),
    (f"{SHRINK} --scores torn.parquet", "torn.parquet is not a whole Parquet file"),
    (f"{SHRINK} --scores column.csv", "no column for the gene 'op_3': did you mean opp_3?"),
    (f"{SHRINK} --scores allele.csv", "allele.csv:9: gene 'op_", "has no allele 'konv': it has conv, pool, skip"),
    (f"{SHRINK} --scores nan.csv", "nan.csv:7: a score must be a finite number, but 'accuracy' is 'nan'", "remove the row"),
    (f"{SHRINK} --scores two.csv", "two.csv:62: this architecture has the accuracy 99 here", "in line 4", "keep one row"),
    (f"{SHRINK} --scores equal.csv", "all 60 scores in the column 'accuracy'", "are 1: nothing can be learned"),
    (f"{SHRINK} --scores few.csv", "at least 20 different measured networks, but got 12: measure more"),
    (f"{SHRINK} --scores scores.csv", "which column of", "accuracy, loss: name one, --score COLUMN"),
    (f"{SCORED} --score acuracy", "has no column 'acuracy' for the score: did you mean accuracy?"),
    (f"{SCORED} --score width", "the column 'width'", "it is no score"),
    (SHRINK, "--scores FILE", "--evaluator NAME or module:function", "lissnas sample"),
    (f"{SCORED} --evaluator bad_evaluators:good", "a file (--scores FILE) or an evaluator", "give one"),
    (f"{SCORED} --evaluations 40", "--evaluations is for --evaluator, but got 40 with --scores"),
    ("shrink learned.yaml --scores measured.csv --out r", "'latency' is learned from the column 'latency'", "accuracy"),
    (
        "shrink learned.yaml --scores latencies.csv --score accuracy --out r",
        "the cost 'latency' cannot be learned from the column 'latency'",
        "at least 20 different measured networks, but got 9",
    ),
    # -- sizes and methods
    (f"{SCORED} --budget nan", "a budget must be small, medium, large or a whole number", "'nan'"),
    (f"{SCORED} --budget 1e400", "a budget must be small, medium, large or a whole number", "'1e400'"),
    (f"{SCORED} --budget medum", "'medum'"),
    (f"{SCORED} --budget 100", "a budget of 100 is smaller than one iteration: it takes at least 2,000"),
    (f"{SCORED} --budget 100 --as-in-paper", "a budget of 100 is smaller than one iteration"),
    (f"{SCORED} --size 2001", "2,001 architectures cannot come out of 2,000 queries"),
    (f"{SCORED} --budget 5000 --size 3000", "3,000 architectures were asked for and 'toy' has 2,187: ask for a smaller size"),
    (f"{SCORED} --method naive --size 2001", "cannot come out of 2,000 queries"),
    (f"{SCORED} --method query-all", "2,187 architectures, more than the 2,000 queries", "a larger budget"),
    (f"{SCORED} --trees 1000000", "trees must be a whole number from 1 to 100,000, but got 1000000"),
    (f"{SCORED} --method lisnas", "unknown shrinker 'lisnas': did you mean lissnas"),
    (f"{SCORED} --method naive --as-in-paper", "only the method lissnas", "got 'naive'"),
    (f"{SCORED} --set drews=3", "the method 'lissnas' has no setting 'drews': did you mean draws?"),
    (f"{SCORED} --method naive --set draws=3", "the method 'naive' has no setting 'draws': there are share"),
    (f"{SCORED} --set draws", "name=value, but got 'draws'"),
    (f"{SCORED} --set draws=[", "the value of 'draws'", "'['"),
    (f"{SCORED} --set draws=x", "the setting 'draws' is wrong: it must be a whole number, but got 'x'"),
    (f"{SCORED} --set draws=2.5", "it must be a whole number, but got 2.5"),
    (f"{SCORED} --set draws=0", "draws must be at least 1, but got 0"),
    (f"{SCORED} --set proposal=best", "it must be 'neighbors', 'random' or 'none', but got 'best'"),
    (f"{SCORED} --set plateau=.nan", "it must be finite, but got nan"),
    (f"{SCORED} --set queries=3", "'queries' is not given as a setting of the method, but by --budget"),
    (f"{SCORED} --set strata_cost=flops", "must be a cost of 'toy', but got 'flops': its costs are size"),
    (f"{SCORED} --method naive --set share=2", "share must be between 0 and 1, but got 2"),
    # -- limits
    ([*SCORED.split(), "--limit", "size <= 1"], "no architecture of 'toy' meets size <= 1", "relax the limits"),
    ([*SCORED.split(), "--limit", "flops <= 1"], "names 'flops', which 'toy' does not have: its costs are size"),
    ([*SCORED.split(), "--limit", "op_0 < 3"], "mixes text and numbers: compare text with == or != only"),
    ([*SCORED.split(), "--limit", "size <= 16 and"], "cannot read the formula"),
    # -- evaluators that cannot be called
    (f"{ASKED}god", "has no function 'god': did you mean good?"),
    (f"{ASKED}number", "'bad_evaluators:number' is no function, but int"),
    (f"{ASKED}good --score accuracy", "--score names a column of --scores"),
    (f"{SHRINK} --evaluator no_module:score", "there is no module 'no_module'", "check 'no_module:score'"),
    (f"{SHRINK} --evaluator measured.csv", "measured networks are given by --scores"),
    (f"{SHRINK} --evaluator bench", "unknown evaluator 'bench'", "module:function"),
    ("shrink learned.yaml --evaluator bad_evaluators:good --out r", "the cost 'latency' is learned", "give --scores"),
    ("shrink tiny.yaml --evaluator bad_evaluators:good --out r", "at least 20 different networks, but 'a' has only 2"),
    # -- places
    ("shrink toy.yaml --scores measured.csv --out toy.yaml", "'toy.yaml' exists already and is not a directory"),
    ("shrink toy.yaml --scores measured.csv --out .", "'.' exists already, is not empty and is not a run"),
    ("shrink toy.yaml --scores measured.csv --out toy.yaml/r", "not a directory"),
    ("resume nope", "'nope' does not exist"),
    ("report nope", "'nope' does not exist"),
    ("resume .", "is not a run directory (it has no config.yaml)"),
    ("report toy.yaml", "is not a run directory"),
]


@pytest.mark.parametrize(("command", "parts"), [(command, parts) for command, *parts in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_nothing(folder, lissnas, command, parts):
    before = tree(folder)
    said = lissnas(*(command.split() if isinstance(command, str) else command))
    refused(said, *parts)
    assert tree(folder) == before


CONFIGS = [
    ("epochs: 3", "there is no setting 'epochs'"),
    ("supernet: {epoks: 3}", "c.yaml: there is no setting 'supernet.epoks': did you mean epochs?"),
    ("data: {nam: digits}", "the data 'digits' has no setting 'nam': it has train, validation"),
    ("supernet: {epochs: x}", "the setting 'supernet.epochs' is wrong: it must be a whole number, but got 'x'"),
    ("supernet: {ghost: none}", "it must be a whole number, but got the text 'none': none is written null"),
    ("supernet: {compile: true}", "compile is for networks of their own"),
    ("supernet: 3", "the setting 'supernet' is wrong: it must be a group of settings", "but got 3"),
    ("supernet: {ghost: 7}", "the settings of 'supernet' are wrong: ghost must be 2 or more and divide batch_size"),
    ("network: {batch_size: 99999}", "the settings of 'network' are wrong: a batch must be 1 to", "but got 99999"),
    ("data: {name: mnist}", "there are no images 'mnist': there are digits, cifar10, imagenet-folder"),
    ("data: {folder: x}", "the data 'digits' has no setting 'folder'"),
    ("data: {name: cifar10, folder: nope}", "nope", "is missing"),
    ("data: {train: 5000}", "there are 1797 images to split"),
    ("search: {parents: 60}", "parents=60"),
    ("queries: 1500", "smaller than one iteration"),
    ("size: 50000", "50,000 architectures cannot come out of"),
    ("settings: {drews: 3}", "has no setting 'drews': did you mean draws?"),
    ("limits: ['flop <= 3']", "names 'flop'"),
    ("limits: ['flops <= 3']", "no architecture of 'digits-shuffle' meets flops <= 3"),
    ("limits: flops <= 3", "the setting 'limits' is wrong: it must be a list"),
    ("trees: 1000000", "trees must be a whole number from 1 to 100,000"),
    ("seed: -1", "the setting 'seed' is wrong: it must be greater than or equal to 0, but got -1"),
    ("space: toy.yaml", "'toy' says nothing of layers", "use a space with a layout"),
    ("space: shufflenetv2", "images of 3 x 224 x 224 in 1000 classes, but digits has 1 x 8 x 8 in 10"),
    ("a: [", "c.yaml:1: this is not YAML"),
    ("- a", "but got a list"),
    ("1: 2", "there is no setting '1'"),
]


@pytest.mark.parametrize(("text", "parts"), [(text, parts) for text, *parts in CONFIGS])
def test_a_mistake_in_the_settings_of_the_main_job(folder, lissnas, text, parts):
    pytest.importorskip("torch")
    Path("c.yaml").write_text(text)
    before = tree(folder)
    refused(lissnas("run", "c.yaml", "--out", "r"), *parts)
    assert tree(folder) == before


def test_settings_that_are_no_file(folder, lissnas):
    refused(lissnas("run", "no.yaml"), "cannot read 'no.yaml' (no such file or directory): check the path")


FIRST = "op_0=pool"  # the first architecture that the functions fail on has this


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("raises", ["raised ZeroDivisionError(no such layer) for the architecture", FIRST]),
        ("short", ["must return 3 numbers", "the shape [2] for the architecture op_0="]),
        ("nan", ["must return finite numbers, but gave nan for the architecture", FIRST]),
        ("leaves", ["raised SystemExit(3) for the architecture op_0="]),
        ("texts", ["must return one number per architecture, but returned list for the architecture op_0="]),
    ],
)
def test_an_evaluator_that_fails_is_named_with_the_architecture_and_can_be_mended(folder, lissnas, name, parts, monkeypatch):
    monkeypatch.delitem(sys.modules, "bad_evaluators", raising=False)
    said = lissnas(*f"{ASKED}{name}".split())
    refused(said, f"bad_evaluators:{name}", *parts, "mend it, then `lissnas resume r` goes on", spoken_before=True)
    mended = (folder / "bad_evaluators.py").read_text() + f"\n{name} = good\n"
    (folder / "bad_evaluators.py").write_text(mended)
    monkeypatch.delitem(sys.modules, "bad_evaluators")
    assert lissnas("resume", "r").code == 0


# -- run directories and saved spaces -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["config.yaml", "evaluations.parquet", "predictor.ubj", "shrunk.parquet", "shrinking.json", "metrics.json"]
)
@pytest.mark.parametrize("how", ["cut", "changed"])
def test_a_file_of_a_run_that_was_changed(run, lissnas, name, how):
    file = run / name
    data = file.read_bytes()
    half = len(data) // 2
    file.write_bytes(data[:half] if how == "cut" else data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :])
    refused(lissnas("resume", "run"), f"'run/{name}'", "restore it, or start a new run")


@pytest.mark.parametrize("command", ["resume", "report"])
def test_a_run_of_a_newer_version(run, lissnas, command):
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("run_format: 1", "run_format: 99"))
    before = tree(run)
    refused(lissnas(command, "run"), "'run' was written by a newer lissnas", "run format 99", "upgrade lissnas")
    assert tree(run) == before


def test_a_report_of_changed_numbers(run, lissnas):
    (run / "metrics.json").write_text((run / "metrics.json").read_text().replace("toy", "joy", 1))
    refused(lissnas("report", "run"), "'run/metrics.json' was changed", "restore it")


def test_a_report_of_a_run_without_numbers(run, lissnas):
    (run / "metrics.json").unlink()
    refused(lissnas("report", "run"), "metrics.json, which 'run' does not have yet", "`lissnas resume run`")
    assert lissnas("resume", "run").code == 0
    assert lissnas("report", "run").code == 0


def test_a_run_is_not_begun_over_another(run, lissnas):
    before = tree(run)
    refused(lissnas(*SCORED.replace("--out r", "--out run").split()), "'run' exists already", "`lissnas resume run`")
    assert tree(run) == before


@pytest.mark.parametrize("at", [-1, 400])
def test_a_saved_space_that_is_torn(run, lissnas, at):
    file = run / "shrunk.parquet"
    data = file.read_bytes()
    file.write_bytes(data[:-20] if at < 0 else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for command in ("spaces run/shrunk.parquet", "shrink run/shrunk.parquet --scores measured.csv --out r"):
        refused(lissnas(*command.split()), "shrunk.parquet is truncated or damaged", "copy or save it again")


def test_a_saved_space_of_another_parent(run):
    other = read_space("tiny.yaml")
    with pytest.raises(
        UserError, match=rf"was saved for 'toy' \(fingerprint \w+\), but the space given is 'a' .*{other.fingerprint}"
    ):
        load_space(run / "shrunk.parquet", other)


def test_scores_are_no_saved_space(run, lissnas):
    refused(lissnas("spaces", "run/evaluations.parquet"), "no saved space: a file of scores goes to --scores")


# -- extras that are not installed ----------------------------------------------------------------------------------------


def test_without_the_extra_that_draws(run, lissnas, monkeypatch):
    page = (run / "report.html").read_bytes()
    monkeypatch.setitem(sys.modules, "altair", None)
    refused(lissnas("report", "run"), "needs the package 'altair', which is not installed: pip install 'lissnas[report]'")
    assert (run / "report.html").read_bytes() == page
    said = lissnas(*SCORED.split())
    assert said.code == 0
    assert "no report was drawn" in said.err[-1]
    assert "then: lissnas report r" in said.err[-1]
    assert Path("r/metrics.json").exists()


@pytest.mark.parametrize("package", ["torch", "sklearn", "onnx"])
def test_without_the_extra_that_trains(folder, lissnas, monkeypatch, package):
    pytest.importorskip("torch")
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    refused(lissnas("run", "--out", "r"), f"needs the package '{package}'", "pip install 'lissnas[oneshot]'")
    assert not Path("r").exists()


def test_a_new_process_without_torch(folder):
    blocker = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(f\"No module named '{name}'\", name=name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(blocker)
    done = subprocess.run(
        [sys.executable, "-m", "lissnas", "run", "--out", "r"],
        env={**os.environ, "PYTHONPATH": str(folder / "hook")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "lissnas: this needs the package 'torch', which is not installed: pip install 'lissnas[oneshot]'\n"
    assert not Path("r").exists()


def refused(said, *parts, spoken_before=False):
    """Exit code 2, nothing on stdout, one line on stderr (progress before it, if it ``spoken_before``) that has all parts."""
    assert said.code == 2, said
    assert said.out == ""
    assert said.err[-1].startswith("lissnas: ")
    assert spoken_before or len(said.err) == 1, said.err
    for part in parts:
        assert part in said.err[-1]


def tree(folder):
    """Every file below a folder, with its bytes."""
    files = sorted(p for p in folder.rglob("*") if "__pycache__" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in files if p.name != ".lock"}
