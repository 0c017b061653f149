"""A network as a folder in the layout of the Hugging Face Hub: written here, and uploaded by whoever wants to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lissnas.oneshot.weights import unpack_weights

__all__ = ["hub_files", "run_metrics"]


def run_metrics(network: Path) -> dict[str, Any]:
    """What the run that ``network`` lies in found of its best network (``retrained.json``); nothing where there is no run."""
    found = network.parent.parent / "retrained.json"
    if network.parent.name != "networks" or not found.is_file():
        return {}
    best: dict[str, Any] = json.loads(found.read_text("utf-8"))["ours"]
    return best


def hub_files(weights: bytes, metrics: Mapping[str, Any], licence: str | None) -> dict[str, bytes]:
    """``config.json``, ``model.safetensors`` and the model card ``README.md``, by name.

    Args:
        weights: the network, as the bytes of its safetensors file.
        metrics: ``test`` in percent and ``costs``, where they are known: see :func:`run_metrics`.
        licence: of the weights, an identifier of the Hub; not stated if None.
    """
    header = unpack_weights(weights)[1]
    config = {"library_name": "lissnas", **header}
    return {
        "config.json": (json.dumps(config, indent=2, sort_keys=True) + "\n").encode(),
        "model.safetensors": weights,
        "README.md": _card(header, metrics, licence).encode(),
    }


def _card(header: Mapping[str, Any], metrics: Mapping[str, Any], licence: str | None) -> str:
    space = str(header["space"].get("name", "a space of its own"))
    accuracies = {"validation": header.get("validation", {}).get("accuracy"), "test": metrics.get("test")}
    known = {split: round(float(value), 3) for split, value in accuracies.items() if value is not None}
    name = f"lissnas-{space}-{header['data']}"
    front: dict[str, Any] = {
        "library_name": "lissnas",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "neural-architecture-search", "lissnas"],
        "datasets": [header["data"]],
    }
    if licence is not None:
        front["license"] = licence
    if known:
        results = [
            {
                "task": {"type": "image-classification"},
                "dataset": {"name": header["data"], "type": header["data"], "split": split},
                "metrics": [{"type": "accuracy", "value": value, "name": f"{split} accuracy, %"}],
            }
            for split, value in known.items()
        ]
        front["model-index"] = [{"name": name, "results": results}]
    fed, scale = header["input"], header["normalisation"]
    training = header.get("training", {})
    rows = [
        f"| architecture | `{header['architecture']}` |",
        f"| search space | {space} |",
        f"| data | {header['data']}, {header['classes']} classes |",
        *(f"| {split} accuracy | {value:.2f}% |" for split, value in known.items()),
        *(f"| {cost} | {value:,.0f} |" for cost, value in metrics.get("costs", {}).items()),
        f"| seed | {training.get('seed', 'not stated')} |",
        f"| licence | {licence or 'not stated by who trained it'} |",
    ]
    recipe = "\n".join(f"{key}: {json.dumps(value)}" for key, value in training.get("recipe", {}).items())
    channels, side = fed["channels"], fed["resolution"]
    return f"""---
{yaml.safe_dump(front, sort_keys=False).rstrip()}
---

# {name}

A network that was searched and trained with lissnas.

| | |
|---|---|
{chr(10).join(rows)}

## How to use it

```python
import lissnas
import torch

network = lissnas.load_network("FOLDER")      # the folder with model.safetensors, in evaluation mode
mean = torch.tensor({scale["mean"]}).view(-1, 1, 1)
deviation = torch.tensor({scale["deviation"]}).view(-1, 1, 1)
images = torch.zeros(1, {channels}, {side}, {side})             # pixels of 0 to 255
logits = network((images - mean) / deviation)   # {header["classes"]} classes
```

## How it was trained

On its own, from scratch; the recipe:

```yaml
{recipe or "# not stated"}
```
"""
