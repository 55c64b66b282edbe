"""scikit-learn's estimators by the text that makes them, as a command line names them."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from typing import Any

from sklearn.utils import all_estimators

from fusion.errors import ConfigError

__all__ = ["estimator_named"]


def estimator_named(text: str) -> Any:
    """Return an untrained classifier or regressor of scikit-learn.

    Parameters
    ----------
    text : str
        Name of its class, and parameters that are plain values. Nothing of the text is executed.

    Raises
    ------
    ConfigError
        scikit-learn has no such estimator, or it does not take these parameters.

    Examples
    --------
    >>> estimator_named("LogisticRegression(C=0.1)")
    LogisticRegression(C=0.1)
    """
    name, parameters = _read(text)
    known = dict(all_estimators(type_filter=["classifier", "regressor"]))
    if name not in known:
        near = get_close_matches(name, known, n=3) or ["LogisticRegression", "RandomForestClassifier", "Ridge"]
        raise ConfigError(
            f"scikit-learn has no classifier or regressor called {name!r}; expected a name such as {', '.join(near)}."
        )
    try:
        return known[name]().set_params(**parameters)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"the estimator {text!r} cannot be made: {reason}") from error


def _read(text: str) -> tuple[str, dict[str, Any]]:
    try:
        tree: Any = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Name):
            return tree.id, {}
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
            return tree.func.id, {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    raise ConfigError(
        f"estimator is {text!r}; expected a class of scikit-learn with plain values by name, such as "
        "LogisticRegression(max_iter=1000)."
    )
