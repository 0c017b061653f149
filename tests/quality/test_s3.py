import numpy as np
import pytest

from lissnas import UserError
from lissnas.quality import expected_top_error


def test_by_hand():
    """Errors 1 to 10: mean 5.5, the best two 1.5, half of both 3.5."""
    result = expected_top_error(np.arange(10.0, 0, -1), top=2)
    assert (result.expected, result.top, result.value) == (5.5, 1.5, 3.5)


def test_too_few_for_a_top_tier():
    result = expected_top_error(np.array([1.0, 2.0]), top=3)
    assert result.expected == 1.5
    assert result.top is None
    assert result.value is None


def test_nothing_to_measure():
    with pytest.raises(UserError, match="needs errors"):
        expected_top_error(np.zeros(0))
