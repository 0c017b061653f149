"""The surrogates of NAS-Bench-301: a network in ONNX form, or its boosters; and how each wants a drawing written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lissnas.arrays import Genotypes
from lissnas.errors import UserError
from lissnas.spaces.darts import OPERATIONS, DartsSpace
from lissnas.spaces.darts.notation import KINDS, PREFIX

__all__ = ["BoosterEnsemble", "OnnxSurrogate", "Surrogate", "open_surrogate"]

TASKS = ("val_accuracy", "train_seconds")  # in the order of the network's outputs
EPOCHS = 98  # that the networks behind the surrogate were trained for
EDGES = 14  # that a cell could have
BATCH = 1024  # rows at a time: the fastest for the network, in its caches
BOOSTERS = (".json", ".ubj", ".ubjson")
# what automl/nasbench301 writes beside a booster
OTHER_FILES = ("_config.json", "_paths.json", "_preds.json")


class Surrogate(Protocol):
    """What predicts a number for drawings."""

    def predict(self, space: DartsSpace, drawings: Genotypes, task: str) -> NDArray[np.float64]:
        """float64[n], for drawings uint8[n, 22] as they are drawn."""


def open_surrogate(path: Path, threads: int = 1) -> Surrogate:
    """The surrogate in ``path``: an ONNX file, a booster in XGBoost's JSON or UBJ form, or a folder of boosters.

    Raises:
        UserError: it is none of these, or another network or booster.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix in BOOSTERS and not p.name.endswith(OTHER_FILES))
        if not files:
            raise UserError(
                f"'{path}' holds no booster (.json or .ubj): convert NAS-Bench-301's with booster.save_model('0.ubj')"
            )
        return BoosterEnsemble(files, threads)
    if not path.is_file():
        raise UserError(
            f"there is no file '{path}': give the surrogate of NAS-Bench-301 (.onnx), a booster, or a folder of boosters"
        )
    if path.suffix == ".onnx":
        return OnnxSurrogate(path, threads)
    if path.suffix in BOOSTERS:
        return BoosterEnsemble([path], threads)
    raise UserError(
        f"'{path}' must be a surrogate in ONNX form or a booster in XGBoost's JSON or UBJ form; NAS-Bench-301's own .model "
        "files are pickles, which are not read here: open them with nasbench301 and save them with booster.save_model('0.ubj')"
    )


def edge_alleles(space: DartsSpace, drawings: Genotypes) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each cell, int64[n, 14]: the operation on every edge that there could be, -1 where there is none; and int64[n, 3],
    which pair of inputs the nodes 3, 4 and 5 take."""
    cells = []
    for structure, labels in space.drawn(drawings):
        edges = np.full((len(drawings), EDGES), -1, dtype=np.int64)
        np.put_along_axis(edges, space.tables.places[structure], labels.astype(np.int64), axis=1)
        cells.append((edges, space.tables.choices[structure][:, 1:].astype(np.int64)))
    return cells


class OnnxSurrogate:
    """A network with inputs int32[n, 34] and float32[n, 1] and the outputs accuracy (%) and training time (s).

    The integers are the edges of the normal cell, of the reduction cell, then the inputs of the nodes 3 to 5 of both, each
    counted from 1 in alphabetical order, 0 where inactive; the number is that of epochs.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise UserError(
                "the surrogate of NAS-Bench-301 needs onnxruntime, which is not installed: pip install 'lissnas[benchmarks]'"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise UserError(f"'{path}' is no ONNX file: {' '.join(str(error).split())[:120]}") from None
        inputs = {put.type: put for put in self.session.get_inputs()}
        outputs = self.session.get_outputs()
        shapes = [inputs[kind].shape if kind in inputs else [] for kind in ("tensor(int32)", "tensor(float)")]
        if [shape[1:] for shape in shapes] != [[2 * EDGES + 6], [1]] or len(outputs) != 1 or outputs[0].shape[1:] != [2]:
            raise UserError(
                f"'{path}' is another network: the surrogate of NAS-Bench-301 takes int32[n, 34] and float32[n, 1] and gives "
                "float32[n, 2]"
            )
        self._names = [inputs[kind].name for kind in ("tensor(int32)", "tensor(float)")]
        # as it is published it takes one row at a time, or as many as its first axis says
        self._batch = shapes[0][0] if isinstance(shapes[0][0], int) else None
        # alphabetical numbers, from 1; 0 for the last, which is no edge
        self._number = np.array([*(sorted(OPERATIONS).index(name) + 1 for name in OPERATIONS), 0], dtype=np.int32)

    def columns(self, space: DartsSpace, drawings: Genotypes) -> NDArray[np.int32]:
        """int32[n, 34], what the network is given."""
        cells = edge_alleles(space, drawings)
        edges = [self._number[edges] for edges, _ in cells]
        return np.concatenate([*edges, *(inputs.astype(np.int32) + 1 for _, inputs in cells)], axis=1)

    def predict(self, space: DartsSpace, drawings: Genotypes, task: str) -> NDArray[np.float64]:
        column = TASKS.index(task)
        step = self._batch or BATCH
        scores = np.empty(len(drawings))
        for low in range(0, len(drawings), BATCH):
            table = self.columns(space, drawings[low : low + BATCH])
            for first in range(0, len(table), step):
                rows = table[first : first + step]
                missing = step - len(rows) if self._batch else 0
                given = np.pad(rows, ((0, missing), (0, 0)))
                answers = self.session.run(None, dict(zip(self._names, (given, self._epochs(len(given))), strict=True)))[0]
                scores[low + first : low + first + len(rows)] = answers[: len(rows), column]
        return scores

    @staticmethod
    def _epochs(n: int) -> NDArray[np.float32]:
        return np.full((n, 1), EPOCHS, dtype=np.float32)


class BoosterEnsemble:
    """The mean of XGBoost boosters that were trained by automl/nasbench301.

    Their features are ConfigSpace's vector (56 numbers, :data:`VECTOR`): first the names without conditions, then those with
    conditions, both in alphabetical order [ConfigSpace 0.4 configuration_space.py]; a choice is its place in the list of
    ``nasbench301/configspace.json``, a number its place between its bounds; what is inactive is -1
    [nasbench301/surrogate_models/gradient_boosting/xgboost.py]. That all networks were trained alike is so in NAS-Bench-301's
    data; numbers of the training have the values of ``nasbench301/api.py``.

    A booster does not say what it predicts: accuracy (``xgb``) or training time (``xgb_time``) is what it is asked for as.
    """

    def __init__(self, paths: Sequence[Path], threads: int = 1) -> None:
        import xgboost

        self.boosters: list[Any] = []
        for path in paths:
            booster = xgboost.Booster({"nthread": threads})
            try:
                booster.load_model(str(path))
            except xgboost.core.XGBoostError as error:
                lines = str(error).strip().splitlines()
                raise UserError(
                    f"'{path}' is no booster of XGBoost: {lines[0][:120] if lines else 'it cannot be read'}"
                ) from None
            if booster.num_features() != len(VECTOR):
                raise UserError(
                    f"a booster of NAS-Bench-301 has {len(VECTOR)} features (ConfigSpace's vector), but '{path}' has "
                    f"{booster.num_features()}: it was trained on something else"
                )
            booster.feature_names = booster.feature_types = None  # by place
            self.boosters.append(booster)

    def columns(self, space: DartsSpace, drawings: Genotypes) -> NDArray[np.float32]:
        """float32[n, 56], what the boosters are given."""
        vector = np.empty((len(drawings), len(VECTOR)), dtype=np.float32)
        named = {}
        for kind, (edges, inputs) in zip(KINDS, edge_alleles(space, drawings), strict=True):
            named.update({f"{PREFIX}edge_{kind}_{edge}": values for edge, values in enumerate(edges.T)})
            named.update(
                {f"{PREFIX}inputs_node_{kind}_{node}": values for node, values in zip((3, 4, 5), inputs.T, strict=True)}
            )
        for column, name in enumerate(VECTOR):
            vector[:, column] = named[name] if name in named else TRAINING[name]
        return vector

    def predict(self, space: DartsSpace, drawings: Genotypes, task: str) -> NDArray[np.float64]:  # noqa: ARG002
        vector = self.columns(space, drawings)
        scores: NDArray[np.float64] = np.mean([b.inplace_predict(vector) for b in self.boosters], axis=0, dtype=np.float64)
        return scores


def _whole(value: int, low: int, high: int, log: bool = False) -> float:
    """Where a whole number stands between its bounds, as ConfigSpace counts."""
    return _between(value, low - 0.49999, high + 0.49999, log)


def _between(value: float, low: float, high: float, log: bool = False) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


# What is the same for all networks, in ConfigSpace's numbers; a name that offers no choice, or whose first is taken, is 0.
TRAINING: dict[str, float] = {
    "CreateImageDataLoader:batch_size": _whole(96, 64, 128, log=True),
    "ImageAugmentation:augment": 0,
    "ImageAugmentation:autoaugment": 0,
    "ImageAugmentation:cutout": 0,
    "ImageAugmentation:cutout_holes": _whole(1, 1, 3),
    "ImageAugmentation:cutout_length": _whole(16, 1, 50),
    "ImageAugmentation:fastautoaugment": 0,
    "LossModuleSelectorIndices:loss_module": 0,
    f"{PREFIX}auxiliary": 0,
    f"{PREFIX}drop_path_prob": 0,
    f"{PREFIX}init_channels": _whole(32, 1, 10_000),
    f"{PREFIX}layers": _whole(8, 1, 10_000),
    "NetworkSelectorDatasetInfo:network": 0,
    "OptimizerSelector:optimizer": 0,
    "OptimizerSelector:sgd:learning_rate": math.log(0.025),
    "OptimizerSelector:sgd:momentum": _between(0.9, 0.1, 0.99),
    "OptimizerSelector:sgd:weight_decay": math.log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": _whole(100, 1, 10_000),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": _between(1e-8, 0, 10_000),
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0,
    "SimpleTrainNode:batch_loss_computation_technique": 0,
    "SimpleTrainNode:mixup:alpha": _between(0.2, 0.01, 0.7, log=True),
}
_ALWAYS = [f"edge_{kind}_{edge}" for kind in KINDS for edge in (0, 1)]
_ALWAYS += [f"inputs_node_{kind}_{node}" for kind in KINDS for node in (3, 4, 5)]
_SOMETIMES = [f"edge_{kind}_{edge}" for kind in KINDS for edge in range(2, EDGES)]
# The features of a booster in order.
VECTOR: tuple[str, ...] = (
    *sorted([*TRAINING, *(PREFIX + name for name in _ALWAYS)]),
    *sorted(PREFIX + name for name in _SOMETIMES),
)
