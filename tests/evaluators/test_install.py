"""A benchmark's file becomes a table, once; and what is installed is only used by who can read it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from lissnas import UserError, get_space
from lissnas.evaluators import BENCHMARKS, install, store, table
from lissnas.evaluators.benchmark import Benchmark, Source, benchmark_space, find_benchmark, genes_key, shown_size
from lissnas.evaluators.install import install as install_file
from lissnas.evaluators.install import require_installed

NAME = "transnasbench101-micro"
pytestmark = pytest.mark.usefixtures("data_folder")


@pytest.fixture
def micro() -> Benchmark:
    return find_benchmark(NAME)


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was converted."""
    done: list[str] = []
    converter = install._converter

    def counted(benchmark: Benchmark):
        done.append(benchmark.name)
        return converter(benchmark)

    monkeypatch.setattr(install, "_converter", counted)
    return done


def test_is_converted_once(micro, micro_csv, conversions):
    one = install_file(micro, micro_csv)
    assert install_file(micro, micro_csv) == one
    assert require_installed(micro) == one == require_installed(micro, micro_csv)
    assert conversions == [NAME]


def test_by_many_at_once(micro, micro_csv, conversions):
    threads = [threading.Thread(target=install_file, args=(micro, micro_csv)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert conversions == [NAME]
    assert store.verify(NAME).rows == 4096


def test_another_file_takes_its_place(micro, micro_csv, conversions, tmp_path):
    install_file(micro, micro_csv)
    (tmp_path / "less.csv").write_text("arch,class_scene_final\n000000,1\n333333,2\n")
    assert install_file(micro, tmp_path / "less.csv").rows == 2
    assert len(conversions) == 2


def test_a_folder_is_searched_for_the_known_names(micro, micro_csv):
    assert install_file(micro, micro_csv.parent).origin.source.name == "micro.csv"
    with pytest.raises(UserError, match=r"folder '.*' holds no file of 'gpt-s': it looks for gpt_s.csv; name the file"):
        install_file(find_benchmark("gpt-s"), micro_csv.parent)


def test_what_is_damaged_is_installed_again(micro, micro_csv, conversions):
    install_file(micro, micro_csv)
    store.kept_files(NAME)[0].write_bytes(b"")
    install_file(micro, micro_csv)
    assert len(conversions) == 2
    store.verify(NAME)


def test_a_file_beside_counts_as_a_part(conversions, tmp_path):
    cells = find_benchmark("nasbench201")
    (tmp_path / "accuracy.csv").write_text("arch,c10_val\n000000,40\n222222,90\n")
    assert list(table.TableEvaluator(cells, data=tmp_path).columns) == ["cifar10-valid"]
    (tmp_path / "zero_cost.csv").write_text("arch,synflow\n222222,7\n")
    proxies = table.TableEvaluator(cells, data=tmp_path).columns["zc_synflow"]
    assert sorted(proxies.tolist(), key=np.isnan) == [7, pytest.approx(np.nan, nan_ok=True)]
    assert len(conversions) == 2


def test_data_of_another_version_is_refused_with_the_remedy(micro, micro_csv):
    install_file(micro, micro_csv)
    newer = replace(micro, version=micro.version + 1)
    with pytest.raises(UserError, match=rf"another version of lissnas.*lissnas data add {NAME} FILE again .*micro.csv"):
        require_installed(newer)
    assert install_file(newer, micro_csv).origin.version == newer.version
    require_installed(newer)


class TestNotInstalled:
    def test_says_how_to_add_it(self, micro):
        with pytest.raises(UserError, match=rf"data of '{NAME}' is not here: lissnas data add {NAME} FILE \(get the file from"):
            require_installed(micro)

    def test_says_how_to_fetch_it(self, micro):
        fetchable = replace(micro, sources=(Source("https://a.org/b.csv", size=499_000_000),))
        with pytest.raises(
            UserError, match=rf"is not here: lissnas data fetch {NAME} \(499 MB\), or lissnas data add {NAME} FILE"
        ):
            require_installed(fetchable)


MISTAKES = {
    "no file": (None, r"cannot read '.*' \(no such file or directory\): check the path"),
    "a page": ("<!DOCTYPE html>\n<title>Sign in</title>\n", r"is a web page, not the file"),
    "no architectures": ("architecture,class_scene_final\n000000,1\n", r"has no column 'arch': it has architecture"),
    "no scores": ("arch,score\n000000,1\n", r"has none of the columns class_scene_final, .*: is it TransNAS"),
    "an architecture": ("arch,class_scene_final\n000000,1\n000004,1\n", r"micro\.csv:3: edge 2 -> 3: an operation is a digit"),
    "of another space": ("arch,class_scene_final\n1114,1\n", r"micro\.csv:2: a cell has 6 digits"),
    "a number": ("arch,class_scene_final\n000000,1\n000001,high\n", r"micro\.csv:3: 'class_scene_final' must be a number or"),
    "twice": ("arch,class_scene_final\n000000,1\n000001,2\n000000,1\n", r"holds the architecture .*0_00_000 twice: keep one"),
    "no rows": ("arch,class_scene_final\n", r"holds no rows"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file_is_one_line(micro, tmp_path, mistake):
    text, message = MISTAKES[mistake]
    if text is not None:
        (tmp_path / "micro.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        install_file(micro, tmp_path / "micro.csv")
    assert "\n" not in str(error.value)
    assert store.installed(NAME) is None


@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_every_benchmark_says_what_must_be_known(name):
    benchmark = find_benchmark(name)
    assert benchmark.name == name
    assert all([benchmark.about, benchmark.paper, benchmark.license, benchmark.metrics, benchmark.sources, benchmark.files])
    for source in benchmark.sources:
        assert source.url.startswith("https://")
        assert source.sha256 is None or len(source.sha256) == 64
    assert benchmark.metric(None)[0] == next(iter(benchmark.metrics))
    with pytest.raises(UserError, match=rf"'{name}' has no metric 'beauty': it has {next(iter(benchmark.metrics))}"):
        benchmark.metric("beauty")


def test_a_space_must_have_the_benchmarks_genes(micro):
    space = get_space(NAME)
    assert benchmark_space(micro, space) is space
    assert benchmark_space(micro).name == NAME
    with pytest.raises(UserError, match=rf"'{NAME}' scores architectures of '{NAME}', but got the space 'nasbench201'"):
        benchmark_space(micro, get_space("nasbench201"))
    assert genes_key(space) == genes_key(get_space(NAME))


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (1500, "1.5 kB"), (499_000_000, "499 MB"), (1_950_000_000, "1.95 GB")]
)
def test_sizes_are_shown_short(size, text):
    assert shown_size(size) == text
