import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import entropy

from lissnas.errors import UserError
from lissnas.quality import cosine_diversity, gene_entropy
from lissnas.spaces import ExplicitSpace, Gene, ProductSpace

SPACE = ProductSpace("toy", [Gene(f"g{i}", ("a", "b", "c", "d")) for i in range(6)])


def test_values_are_scipys(rng):
    space = ExplicitSpace.of(SPACE, SPACE.sample(40, rng))
    vectors = SPACE.embed(space.genotypes)
    pairs = [cosine(a, b) for a, b in itertools.combinations(vectors, 2)]
    found = cosine_diversity(space, rng)
    assert found.n == len(space.codes)
    assert found.mean == pytest.approx(np.mean(pairs))
    assert found.maximum == pytest.approx(max(pairs))
    furthest = [max(cosine(a, b) for j, b in enumerate(vectors) if j != i) for i, a in enumerate(vectors)]
    assert found.d1000 == pytest.approx(1000 * np.mean(furthest))


def test_distances_never_exceed_one(rng):
    found = cosine_diversity(SPACE, rng)
    assert found.n == 1000
    assert 0 < found.mean < found.maximum <= 1


def test_one_architecture_has_no_pair(rng):
    with pytest.raises(UserError, match="at least 2"):
        cosine_diversity(ExplicitSpace.of(SPACE, SPACE.sample(1, rng)), rng)


def test_entropy_is_scipys(rng):
    x = SPACE.sample(500, rng)
    x[:, 2] = 1
    found = gene_entropy(SPACE, x)
    assert found[2] == 0
    assert found[0] == pytest.approx(entropy(np.bincount(x[:, 0]), base=2))
