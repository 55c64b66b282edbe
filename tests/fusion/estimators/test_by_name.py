from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge

from fusion.errors import ConfigError
from fusion.estimators import estimator_named


def test_a_name_with_plain_values_makes_the_estimator():
    found = estimator_named("RandomForestClassifier(n_estimators=7, max_depth=None, criterion='entropy')")
    assert isinstance(found, RandomForestClassifier)
    assert (found.n_estimators, found.max_depth, found.criterion) == (7, None, "entropy")
    assert isinstance(estimator_named("Ridge"), Ridge)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LogisticRegresion", "no classifier or regressor called 'LogisticRegresion'; .* such as LogisticRegression"),
        ("SVC(foo=1)", "'SVC.foo=1.' cannot be made: Invalid parameter 'foo'"),
        ("VotingClassifier", "cannot be made: .*estimators"),
        ("Ridge(alpha=__import__('os').getpid())", "plain values by name"),
        ("Ridge(2)", "plain values by name"),
        ("os.system('ls')", "plain values by name"),
        ("", "plain values by name"),
    ],
)
def test_what_is_no_such_text_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        estimator_named(text)
