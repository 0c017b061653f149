"""Order, seeds, failures and interruption are the same for any number of workers."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lissnas.engines import ENGINES, Engine, child_seed, get_engine, map_chunks, split
from lissnas.errors import UserError

HELPERS = Path(__file__).parent / "helpers"


@pytest.fixture
def functions(monkeypatch):
    monkeypatch.syspath_prepend(str(HELPERS))
    return importlib.import_module("engine_functions")


def gone(pid: int, patience: float = 5.0) -> bool:
    """Whether the process ends within ``patience`` seconds (a zombie has ended)."""
    for _ in range(int(patience / 0.05)):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


class TestSplit:
    @pytest.mark.parametrize(("n", "size", "lengths"), [(0, 4, []), (4, 4, [4]), (9, 4, [4, 4, 1]), (3, 10, [3])])
    def test_lengths(self, n, size, lengths):
        assert [part.stop - part.start for part in split(n, size)] == lengths

    def test_covers_everything_once(self):
        rows = np.arange(103)
        assert np.array_equal(np.concatenate([rows[part] for part in split(103, 10)]), rows)

    @pytest.mark.parametrize(("n", "size"), [(-1, 2), (3, 0)])
    def test_rejects(self, n, size):
        with pytest.raises(ValueError, match="must hold"):
            split(n, size)


class TestSeeds:
    def test_children_are_those_of_spawn(self):
        spawned = np.random.SeedSequence(7).spawn(5)
        assert [child.generate_state(4).tolist() for child in spawned] == [
            child_seed(7, index).generate_state(4).tolist() for index in range(5)
        ]

    def test_seed_sequence_is_left_as_it_is(self, functions):
        seed, chunks = np.random.SeedSequence(3).spawn(2)[1], [np.ones(3)] * 4
        first = list(map_chunks(functions.draw, chunks, seed=seed))
        assert np.array_equal(first, list(map_chunks(functions.draw, chunks, seed=seed)))
        assert seed.n_children_spawned == 0


class TestSameBytes:
    @pytest.mark.parametrize("workers", [2, 5])
    @pytest.mark.parametrize("threads", [False, True])
    def test_any_number_of_workers(self, functions, workers, threads):
        rows = np.linspace(0, 1, 997)
        chunks = [rows[part] for part in split(len(rows), 64)]
        alone = b"".join(part.tobytes() for part in map_chunks(functions.draw, chunks, seed=11))
        together = map_chunks(functions.draw, chunks, seed=11, workers=workers, threads=threads)
        assert b"".join(part.tobytes() for part in together) == alone

    @pytest.mark.parametrize("workers", [1, 2])
    def test_start_keeps_the_seeds(self, functions, workers):
        chunks = [np.ones(4)] * 6
        whole = list(map_chunks(functions.draw, chunks, seed=5))
        assert np.array_equal(list(map_chunks(functions.draw, chunks, seed=5, workers=workers, start=4)), whole[4:])

    @pytest.mark.parametrize("workers", [1, 3])
    def test_nothing_to_do(self, functions, workers):
        assert list(map_chunks(functions.product, [], workers=workers)) == []
        assert list(map_chunks(functions.product, [1, 2], workers=workers, start=2)) == []


class TestOrderAndLaziness:
    def test_order_where_the_first_is_slowest(self, functions):
        results = list(map_chunks(functions.slow_first, list(range(12)), workers=2))
        assert [chunk for chunk, _ in results] == list(range(12))
        assert len({pid for _, pid in results}) <= 2  # one, where the second is slow to start
        assert os.getpid() not in {pid for _, pid in results}

    def test_one_worker_computes_only_what_is_asked_for(self):
        seen = []
        results = map_chunks(lambda chunk: seen.append(chunk), [1, 2, 3])
        next(results)
        assert seen == [1]

    def test_closing_ends_the_workers(self, functions):
        results = map_chunks(functions.slow_first, list(range(100)), workers=2)
        pid = next(results)[1]
        results.close()
        assert gone(pid)

    def test_environment_of_workers(self, functions, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
        assert (
            list(map_chunks(functions.environment, [0, 1], workers=2))
            == [{"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}] * 2
        )
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "MKL_NUM_THREADS" not in os.environ


class TestFailures:
    @pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 3}, {"workers": 3, "threads": True}])
    def test_first_in_order_after_all_before_it(self, functions, options):
        results = map_chunks(functions.fails_late_and_early, list(range(9)), **options)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(UserError, match=r"^rule, value, remedy$"):
            next(results)
        assert list(results) == []

    def test_foreign_exception_tells_where_it_came_from(self, functions):
        with pytest.raises(RuntimeError, match="Picky: this and that") as caught:
            list(map_chunks(functions.fails_unpicklable, [0, 1], workers=2))
        assert "fails_unpicklable" in caught.value.__notes__[0]

    def test_dead_worker_names_the_chunk(self, functions):
        results = map_chunks(functions.dies, list(range(6)), workers=2)
        assert next(results) == 0
        with pytest.raises(UserError, match=r"died in chunk 2 of 6 \(SIGKILL, often because memory ran out\)"):
            list(results)

    def test_worker_that_leaves(self, functions):
        with pytest.raises(UserError, match=r"died in chunk 1 of 2 \(exit code 3\)"):
            list(map_chunks(functions.leaves, [0, 1], workers=2))

    @pytest.mark.parametrize(("chunk", "line"), [(0, "the function .* cannot be sent"), (lambda: 0, "chunk 1 cannot be sent")])
    def test_what_cannot_be_sent(self, functions, chunk, line):
        function = functions.product if callable(chunk) else lambda chunk: chunk
        with pytest.raises(UserError, match=line):
            list(map_chunks(function, [chunk, chunk], workers=2))

    def test_result_that_cannot_be_sent(self, functions):
        with pytest.raises(UserError, match=r"a result \(lock\) cannot leave"):
            list(map_chunks(functions.returns_lock, [0, 1], workers=2))

    def test_script_without_guard(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            "from lissnas.engines import map_chunks\nfrom lissnas.errors import UserError\n"
            "def double(chunk):\n    return 2 * chunk\n"
            "try:\n    print(list(map_chunks(double, [1, 2], workers=2)))\nexcept UserError as error:\n    print(error)\n"
        )
        answer = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
        assert "if __name__ == '__main__':" in answer.stdout
        assert "Traceback" not in answer.stderr

    def test_workers_and_engine_are_checked_at_once(self):
        with pytest.raises(UserError, match="workers must be 1 or more, but got 0"):
            map_chunks(len, [], workers=0)
        with pytest.raises(UserError, match="unknown engine 'locale': did you mean local"):
            map_chunks(len, [], engine="locale")


class TestInterruption:
    def start(self, folder):
        command = [sys.executable, HELPERS / "engine_functions.py", folder]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, **pipes, text=True, start_new_session=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def pids(self, folder):
        """The workers' process ids, once two of them are at work in a long chunk."""
        for _ in range(400):
            names = [path.name.split("-") for path in folder.iterdir()]
            if sum(index != "0" for index, _ in names) >= 2:
                return [int(pid) for _, pid in names]
            time.sleep(0.05)
        raise AssertionError("the workers did not begin")

    def test_ctrl_c_stops_everything_without_a_traceback(self, tmp_path):
        process = self.start(tmp_path)
        pids = self.pids(tmp_path)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (130, "first\nstopped\n", "")
        assert all(gone(pid) for pid in pids)

    @pytest.mark.parametrize("delay", [0, 0.003, 0.01, 0.03, 0.1])
    def test_ctrl_c_while_workers_start(self, tmp_path, delay):
        process = self.start(tmp_path)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (130, "")

    def test_workers_do_not_outlive_a_killed_parent(self, tmp_path):
        process = self.start(tmp_path)
        pids = self.pids(tmp_path)
        process.kill()
        process.communicate(timeout=20)
        assert all(gone(pid) for pid in pids)


class TestRegistry:
    @pytest.mark.parametrize("name", ENGINES.names())
    def test_every_engine_keeps_the_contract(self, functions, name):
        engine = get_engine(name)
        assert isinstance(engine, Engine)
        seeds = [child_seed(0, index) for index in range(4)]
        chunks = [np.ones(3)] * 4
        alone = list(engine.map(functions.draw, chunks, seeds, workers=1, start=1))
        assert np.array_equal(alone, list(engine.map(functions.draw, chunks, seeds, workers=2, start=1)))
        assert len(alone) == 3
