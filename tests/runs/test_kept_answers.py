from __future__ import annotations

import numpy as np
import pytest

from lissnas import UserError
from lissnas.runs.kept_answers import KeptAnswers
from lissnas.testing.toys import TrueOracle, toy_space


def test_what_was_asked_before_is_answered_without_being_evaluated_again(tmp_path):
    space = toy_space()
    genotypes = space.sample(100, np.random.default_rng(0))
    first = TrueOracle(space)
    told: list[int] = []
    scores = KeptAnswers(first, tmp_path, told.append).evaluate(genotypes)
    assert told == [32, 64, 96, 100]
    assert first.evaluations == 100

    sorted(tmp_path.glob("*.npy"))[-1].unlink()  # as if it was killed in the last chunk
    again = TrueOracle(space)
    kept = KeptAnswers(again, tmp_path, told.append)
    assert kept.evaluate(genotypes).tobytes() == scores.tobytes()
    assert again.evaluations == 4
    asked, answers = kept.asked
    np.testing.assert_array_equal(asked, genotypes)
    np.testing.assert_array_equal(answers, scores)


def test_answers_to_another_question_are_refused(tmp_path):
    space = toy_space()
    genotypes = space.sample(40, np.random.default_rng(0))
    KeptAnswers(TrueOracle(space), tmp_path, print).evaluate(genotypes)
    with pytest.raises(UserError, match="holds the scores of other networks"):
        KeptAnswers(TrueOracle(space), tmp_path, print).evaluate(genotypes[::-1])
