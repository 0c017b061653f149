"""The words that commands share: what a space is, what scores it, how a run is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "DataOption",
    "DeviceOption",
    "DevicesOption",
    "EvaluatorOption",
    "ImagesOption",
    "ImagesSetOption",
    "JsonOption",
    "LimitOption",
    "LowerIsBetterOption",
    "OutOption",
    "PredictorOption",
    "PredictorSetOption",
    "RecipeOption",
    "ScoreOption",
    "ScoresOption",
    "SeedOption",
    "SpaceArgument",
    "TaskOption",
    "TreesOption",
    "WorkersOption",
]

SpaceArgument = Annotated[
    str, typer.Argument(metavar="SPACE", help="A name (see: lissnas spaces), a YAML file, or a saved space.")
]
ScoresOption = Annotated[
    Path | None, typer.Option(help="Measured networks: CSV or Parquet, a column per gene and one for the score.")
]
ScoreOption = Annotated[str | None, typer.Option(help="The column that holds the score; not needed where there is only one.")]
LowerIsBetterOption = Annotated[bool, typer.Option("--lower-is-better", help="The score is an error, a loss, a perplexity.")]
EvaluatorOption = Annotated[
    str | None,
    typer.Option(help="What scores networks: a benchmark (see: lissnas data list), or your own module:function."),
]
TaskOption = Annotated[str | None, typer.Option(help="Which score of the benchmark; its first one if not given.")]
DataOption = Annotated[
    Path | None, typer.Option(help="The benchmark's file, where it was not added before (lissnas data add).")
]
LimitOption = Annotated[list[str] | None, typer.Option(help='What every network must meet: "flops <= 330e6". May be repeated.')]
PredictorOption = Annotated[str, typer.Option(help="The predictor: xgboost, linear, mlp, ensemble.")]
PredictorSetOption = Annotated[
    list[str] | None, typer.Option(help="A setting of the predictor by name: labels=rank-normal. May be repeated.")
]
TreesOption = Annotated[int | None, typer.Option(help="Trees of the predictor xgboost.", min=1)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")]
WorkersOption = Annotated[
    int, typer.Option(help="How many processes or threads; the result is the same for any number.", min=1)
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The run directory to make; the next free one in runs/ if not given.")
]
SeedOption = Annotated[int, typer.Option(help="One seed; the same seed gives the same bytes.", min=0)]
ImagesOption = Annotated[str | None, typer.Option("--data", help="The images: digits (if not given), cifar10, ...")]
ImagesSetOption = Annotated[
    list[str] | None, typer.Option("--data-set", help="A setting of the images by name: folder=DIR. May be repeated.")
]
RecipeOption = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the training by name: epochs=50. May be repeated.")
]
DeviceOption = Annotated[str, typer.Option(help="Where networks run: cpu or cuda.")]
DevicesOption = Annotated[int, typer.Option(help="How many devices train one network together, a process on each.", min=1)]
