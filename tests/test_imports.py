"""Rooms import only downwards, and ``import lissnas`` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lissnas

SOURCE = Path(lissnas.__file__).resolve().parent

# From the ground floor up; rooms on one floor may import each other.
FLOORS = [
    {"_version", "errors", "registry", "disk"},
    {"engines"},
    {"arrays"},
    {"spaces"},
    {"formats"},
    {"evaluators"},
    {"predictors"},
    {"locality"},
    {"quality"},
    {"shrinkers"},
    {"oneshot"},
    {"runs"},
    {"experiments"},
    {"reports"},
    {"testing"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ANYWHERE = {"__init__", "__main__"}  # these may import any room

HEAVY = (
    "torch",
    "xgboost",
    "sklearn",
    "altair",
    "pyarrow",
    "numba",
    "scipy.stats",
    "scipy.optimize",
    "yaml",
    "pydantic",
    "onnx",
)


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> list[tuple[int, str]]:
    """Each import of a room of this package in a file, with its line; those inside functions count too."""
    package = ("lissnas", *path.relative_to(SOURCE).parts[:-1])
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            modules = [f"lissnas.{alias.name}" for alias in node.names] if module == "lissnas" else [module]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            if parts[0] == "lissnas":
                found.append((node.lineno, parts[1] if len(parts) > 1 else "__init__"))
    return found


def wrong_imports() -> list[str]:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        room = room_of(path)
        if room in ANYWHERE:
            continue
        place = f"{path.relative_to(SOURCE.parent)}"
        if room not in FLOOR:
            wrong.append(f"{place}: '{room}' is no room of the house: give it a floor in tests/test_imports.py")
            continue
        for line, other in imported_rooms(path):
            if other == "__init__" or other not in FLOOR:
                # names of the package itself: only what lies on the ground floor is there without importing upwards
                if other not in ("__version__", "UserError"):
                    wrong.append(f"{place}:{line}: imports '{other}', which is no room below '{room}'")
            elif FLOOR[other] > FLOOR[room]:
                wrong.append(f"{place}:{line}: '{room}' imports '{other}', which stands above it")
    return wrong


def test_rooms_import_only_downwards() -> None:
    wrong = wrong_imports()
    assert not wrong, "imports point down only:\n" + "\n".join(wrong)


def test_every_room_says_what_it_is_for() -> None:
    missing = [
        f"{path.relative_to(SOURCE.parent)}: no docstring"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "_version.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not missing, "\n".join(missing)


def test_the_core_needs_no_torch() -> None:
    """Only ``oneshot`` (and what stands above it, inside functions) may import torch."""
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        if room_of(path) in FLOOR and FLOOR[room_of(path)] < FLOOR["oneshot"]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                wrong += [f"{path.relative_to(SOURCE.parent)}:{node.lineno}" for n in names if n.split(".")[0] == "torch"]
    assert not wrong, f"torch is imported below 'oneshot': {wrong}"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(result.stdout.split())


@pytest.mark.parametrize("statement", ["import lissnas", "import lissnas; lissnas.list_spaces()", "import lissnas.spaces"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert loaded_by(statement) == set()


def test_checking_a_space_loads_no_torch_and_no_trees() -> None:
    space = "ProductSpace('s', [Gene('a', (1, 2))])"
    statement = f"from lissnas.testing import run_checks; from lissnas.spaces import *; run_checks({space})"
    assert loaded_by(statement) & {"torch", "xgboost", "sklearn", "altair", "pyarrow", "pytest"} == set()


def test_every_public_name_is_there() -> None:
    missing = []
    for name in lissnas.__all__:
        try:
            getattr(lissnas, name)
        except Exception as error:
            missing.append(f"{name}: {type(error).__name__}: {error}")
    assert not missing, "\n".join(missing)
    with pytest.raises(AttributeError):
        lissnas.no_such_name  # noqa: B018
