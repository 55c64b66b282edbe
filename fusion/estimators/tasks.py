"""What a model is asked for: a class, a number, or a set of labels; all that differs between them is in their modules.

Everything else - reading rows, features, boosters, fusion, evaluation, model folders, reports - asks the task.
"""

from __future__ import annotations

from collections.abc import Mapping

from fusion.errors import ConfigError
from fusion.estimators.classification import Classification
from fusion.estimators.multilabel import Multilabel
from fusion.estimators.regression import Regression
from fusion.estimators.task import Task

__all__ = ["TASKS", "Classification", "Multilabel", "Regression", "Task", "task_of"]

TASKS: Mapping[str, Task] = {task.name: task for task in (Classification(), Regression(), Multilabel())}
"""By name, as they are where nothing else is said."""


def task_of(name: str, *, label_separator: str | None = None) -> Task:
    """Return the task of a name.

    Raises
    ------
    ConfigError
        There is no such task, or a separator is given for one that knows none.

    Examples
    --------
    >>> task_of("multilabel", label_separator="|")
    Multilabel(separator='|')
    """
    if name not in TASKS:
        raise ConfigError(f"task is {name!r}; expected one of {', '.join(TASKS)}.")
    task = TASKS[name]
    if label_separator is None:
        return task
    if not isinstance(task, Multilabel) or not label_separator.strip():
        raise ConfigError(
            f"label_separator is {label_separator!r} and task {name!r}; expected a separator such as ';' with the task "
            "'multilabel' only."
        )
    return Multilabel(label_separator)
