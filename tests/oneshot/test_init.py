"""The room's front door."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lissnas import oneshot


def test_every_public_name_is_there():
    for name in oneshot.__all__:
        assert getattr(oneshot, name) is not None
    assert set(oneshot.__all__) == set(oneshot._MODULE)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = oneshot.nothing


def test_without_torch_using_it_is_one_line_and_importing_it_is_none():
    code = """
import sys
sys.modules["torch"] = None
from lissnas import oneshot
from lissnas.errors import UserError
oneshot.evolve, oneshot.SAMPLERS, oneshot.digits
try:
    oneshot.Supernet
except UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "this needs the package 'torch', which is not installed: pip install 'lissnas[oneshot]'"


def test_importing_it_loads_no_torch():
    code = "import sys; from lissnas import oneshot; assert not {'torch', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
