"""One training in several processes, one per device: who they are, and what they tell each other.

All ranks train on the same path at each step, each on its share of the same batch, and average the gradients of what that path
used. The rest of the supernet has no gradient on any rank, so nothing of it travels. That is one flat all-reduce a step;
torch's DistributedDataParallel, which overlaps sending with the backward pass, would have to search the graph for unused
parameters at every step (``find_unused_parameters``), and sends zeros for them. The rest is the same by construction: chance
comes from the seed, and every rank makes the same steps.

A training is distributed in two ways. ``torchrun --nproc-per-node=8 script.py`` starts as many processes as there are devices
(also on several machines), and each finds out here who it is. ``devices=8`` starts the others from this process, which is
rank 0. Processes on GPUs talk through nccl, those on CPUs through gloo.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from lissnas.engines.worker import die_with_parent
from lissnas.errors import UserError

__all__ = ["RankLostError", "Ranks", "joined", "launched"]

LIMIT = timedelta(minutes=5)  # for one exchange: who waits longer has lost a rank that hangs
FAREWELL = 10.0  # seconds for a process to end, and to say why
PATIENCE = 0.5  # seconds between two looks at the others


class RankLostError(UserError):
    """Another process of this training is gone."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a training, seen from one of them. Where there is only one, nothing is exchanged.

    Attributes:
        device: where this one computes.
        rank: which of them it is; rank 0 alone writes files and reports progress.
        world: how many there are.
    """

    device: torch.device
    rank: int = 0
    world: int = 1

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its mean over all ranks. All must have one dtype."""

        def mean(flat: Tensor) -> None:
            dist.all_reduce(flat)
            flat /= self.world

        self._exchange(tensors, mean)

    def follow(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by that of rank 0. All must have one dtype."""
        self._exchange(tensors, lambda flat: dist.broadcast(flat, 0))

    def same(self, number: int) -> bool:
        """Whether all ranks hold the same number."""
        both = torch.tensor([number, -number], device=self.device)
        self._exchange([both], lambda flat: dist.all_reduce(flat, dist.ReduceOp.MAX))
        return int(both[0]) == -int(both[1])

    @torch.no_grad()
    def _exchange(self, tensors: Sequence[Tensor], operation: Callable[[Tensor], Any]) -> None:
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        try:
            operation(flat)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise RankLostError(
                f"rank {self.rank} of {self.world} cannot reach the others ({reason}): "
                "start the training again, it goes on from its checkpoint"
            ) from error
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(list(tensors), [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)])


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """The ranks that torchrun (or the caller, through ``torch.distributed``) started; this process alone, if nobody did.

    Args:
        device: where this process computes if it is alone, or in a group of the caller's that no GPU takes part in. Else it is
            the GPU of its local rank, if there are any.

    Raises:
        UserError: more processes on this machine than GPUs.
    """
    ours = not dist.is_initialized()
    if ours and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks(device)
        return
    if torch.cuda.is_available() and (ours or "nccl" in dist.get_backend_config()):
        place, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if place >= there:
            raise UserError(
                f"each process takes the GPU of its LOCAL_RANK, but this is {place} and torch sees {there} here: "
                f"start {there} at most, or let each see all of them"
            )
        device = torch.device("cuda", place)
    if ours:
        _meet(device)
    done = False
    try:
        yield Ranks(device, dist.get_rank(), dist.get_world_size())
        done = True
    finally:
        if ours and (done or device.type == "cpu"):  # nccl's waits for the others, for whom one that failed must not wait
            dist.destroy_process_group()


@contextlib.contextmanager
def launched(job: Callable[[Ranks], Any], device: torch.device, devices: int) -> Iterator[Ranks]:
    """This process as rank 0 of ``devices`` ranks; each of the others does ``job`` meanwhile, from a copy of it.

    On leaving, the others have ended. If one of them fails or dies, this one stops with the reason in one line; on GPUs, where
    it cannot be told, the whole process ends with it, and exit code 2.

    Args:
        job: can be pickled; the main module of a script that uses it keeps its work under ``if __name__ == "__main__":``.
        device: where this process computes, the first GPU or the CPU. The others take the GPUs after it, or a share of the CPU.

    Raises:
        UserError: fewer GPUs than asked for, a job that cannot travel, or a rank that failed or died.
    """
    if device.type == "cuda" and devices > torch.cuda.device_count():
        raise UserError(f"devices must be 1 to {torch.cuda.device_count()}, the GPUs of this machine, but got {devices}")
    if dist.is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(f"this process is one of several already (torchrun): leave out devices, but got {devices}")
    try:
        torch.save(job, packed := io.BytesIO())
        payload = packed.getvalue()
    except Exception as error:  # an object's own methods may raise anything
        raise UserError(
            f"the training cannot be sent to {devices - 1} more processes ({error}): start it by torchrun"
        ) from None
    threads = torch.get_num_threads()
    share = max(1, threads // devices) if device.type == "cpu" else threads
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "ranks")
        others: list[_Other] = []
        watch = _Watch(others)
        try:
            for rank in range(1, devices):
                others.append(_Other(payload, rank, devices, device.type, store, share))
            torch.set_num_threads(share)
            for other in others:
                other.wait_until_ready()
            if device.type == "cuda":
                device = torch.device("cuda", 0)
                watch.start()
            _meet(device, store, 0, devices)
            yield Ranks(device, 0, devices)
            if device.type == "cuda":
                dist.destroy_process_group()  # which waits for the others to do the same
            watch.leave()
            for other in others:
                other.process.join(FAREWELL)
        except RankLostError as error:
            watch.leave()
            raise _cause(others, error) from None
        finally:
            watch.leave()
            if device.type == "cuda" and dist.is_initialized():
                _abort()
            for other in others:
                other.stop()
            if device.type == "cpu" and dist.is_initialized():
                dist.destroy_process_group()
            torch.set_num_threads(threads)


def _meet(device: torch.device, store: str | None = None, rank: int = -1, world: int = -1) -> None:
    """Form a group with the other ranks: at ``store``, a file, or where torchrun's environment says."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{store}" if store else None,
        rank=rank,
        world_size=world,
        timeout=LIMIT,
    )


class _Other:
    """One of the other ranks, a process that rank 0 started. It says that it is ready, and if it fails, why."""

    def __init__(self, payload: bytes, rank: int, world: int, kind: str, store: str, threads: int) -> None:
        context = multiprocessing.get_context("spawn")  # neither OpenMP nor CUDA survives a fork
        self.rank = rank
        self._said: BaseException | None = None
        self.connection, theirs = context.Pipe()
        arguments = (theirs, payload, rank, world, kind, store, threads)
        self.process = context.Process(target=_work, args=arguments, name=f"lissnas-rank-{rank}")
        self.process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            guard = "a script that uses devices keeps its work under `if __name__ == '__main__':`"
            raise UserError(f"rank {self.rank} could not start: {guard}") from None
        if said is not None:
            raise said

    def has_spoken(self) -> bool:
        """Whether it said why it fails, or ended."""
        return self.process.exitcode is not None or self.connection.poll()

    def failure(self) -> BaseException | None:
        """Why it ended; None if it did not, or ended well."""
        if self._said is not None:  # a pipe gives it once
            return self._said
        try:
            if self.connection.poll(FAREWELL):
                self._said = self.connection.recv()
                return self._said
        except (EOFError, OSError):
            self.process.join(FAREWELL)
        code = self.process.exitcode
        if not code:
            return None
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        cause = f"{name}, often because memory ran out" if code == -signal.SIGKILL else name
        remedy = "start the training again, and it goes on from its checkpoint"
        return UserError(f"rank {self.rank} died ({cause}), so the others stopped: {remedy}")

    def stop(self) -> None:
        """End it, whatever it does."""
        self.connection.close()
        self.process.terminate()
        self.process.join(FAREWELL)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class _Watch(threading.Thread):
    """Ends this process, and says why, where another one failed and this one does not find out.

    nccl tells nobody: this process waits within torch for what never comes, where nothing reaches it, until torch kills it
    after some minutes. What counts is on disk.
    """

    def __init__(self, others: Sequence[_Other]) -> None:
        super().__init__(daemon=True)
        self._others = others
        self._leaving = threading.Event()

    def run(self) -> None:
        while not self._leaving.wait(PATIENCE):
            spoken = [other for other in self._others if other.has_spoken()]
            if not spoken or self._leaving.wait(FAREWELL):
                continue
            failures = [failure for failure in (other.failure() for other in spoken) if failure is not None]
            if failures and not self._leaving.is_set():
                print(f"lissnas: {_first(failures)}", file=sys.stderr, flush=True)
                sys.stdout.flush()
                os._exit(2)

    def leave(self) -> None:
        """This process leaves the training by itself."""
        self._leaving.set()
        if self.is_alive():
            self.join()


def _abort() -> None:
    """Leave a group of GPUs without waiting for the others; should torch wait all the same, that is not waited for either."""
    thread = threading.Thread(target=dist.distributed_c10d._abort_process_group, daemon=True)
    thread.start()
    thread.join(FAREWELL)


def _cause(others: Sequence[_Other], lost: RankLostError) -> BaseException:
    """What went wrong in the rank that failed first; others only say that they lost it, and so does ``lost``."""
    return _first([*(failure for failure in (other.failure() for other in others) if failure is not None), lost])


def _first(failures: Sequence[BaseException]) -> BaseException:
    """The one that the others come from, which only say that they lost a rank."""
    return next((failure for failure in failures if not isinstance(failure, RankLostError)), failures[-1])


def _work(connection: Connection, payload: bytes, rank: int, world: int, kind: str, store: str, threads: int) -> None:
    """The life of a rank that rank 0 started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal: rank 0 ends the others
    threading.Thread(target=die_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    try:
        # These bytes come from rank 0's memory, from no file, so that they may hold objects of any class. Tensors are unpacked
        # on the CPU: from a network on rank 0's GPU each of the others would begin to use that one.
        job: Callable[[Ranks], Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=False)
        connection.send(None)
        device = torch.device(kind, rank) if kind == "cuda" else torch.device(kind)
        _meet(device, store, rank, world)
        job(Ranks(device, rank, world))
        dist.destroy_process_group()
    except UserError as error:
        connection.send(error)
        sys.exit(2)
    except BaseException:
        connection.send(RuntimeError(f"rank {rank} failed:\n{traceback.format_exc()}"))
        sys.exit(1)
