"""Pictures on one's own axes, and what notebooks show of a result."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fusion.errors import DataError
from fusion.metrics import NumberEvaluation, evaluate_predictions
from fusion.models.figures import ModalityFigures
from fusion.models.results import TrainResult

TRUTH = np.array(["a", "b", "a<i>", "b", "a", "b"], dtype=object)
FOUND = np.array(["a", "b", "b", "b", "a", "a"], dtype=object)


@pytest.fixture
def result() -> TrainResult:
    task = SimpleNamespace(name="classification")
    model = SimpleNamespace(task=task)
    return TrainResult(
        *(6, 6, 1.0, None, 3, 7),
        evaluate_predictions(TRUTH, FOUND),
        model,  # type: ignore[arg-type]
        baselines={"majority": 0.5},
        warnings=("one <b>",),
    )


def test_confusion_and_classes_are_drawn_on_the_axes_that_are_given(result: TrainResult) -> None:
    given = Figure().subplots()
    assert result.plot.confusion(ax=given) is given
    assert [text.get_text() for text in given.get_xticklabels()] == ["a", "a<i>", "b"]
    bars = result.plot.per_class(ax=Figure().subplots())
    assert len(bars.patches) == 6
    assert max(bar.get_width() for bar in bars.patches) == pytest.approx(1.0)


def test_without_axes_there_is_a_figure_of_pyplot(result: TrainResult) -> None:
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        before = plt.get_fignums()
        drawn = result.plot.confusion()
        assert plt.get_fignums() != before
        plt.close(drawn.figure)


def test_modalities_stand_beside_their_fusion(result: TrainResult) -> None:
    with pytest.raises(DataError, match="expected a result of a link table"):
        result.plot.modalities(ax=Figure().subplots())
    alone = ModalityFigures(result.evaluation, 0.1, 0.2, ())
    drawn = replace(result, fusion="late", modalities={"ear": alone, "eye": alone}).plot.modalities(
        ax=Figure().subplots()
    )
    assert [text.get_text() for text in drawn.get_yticklabels()] == ["ear", "eye", "late"]


def test_numbers_have_residuals_and_classes_have_none(result: TrainResult) -> None:
    with pytest.raises(DataError, match="no residuals; expected regression"):
        result.plot.residuals(ax=Figure().subplots())
    table = pd.DataFrame({"label": [1.0, 2.0], "predicted": [1.5, np.nan]})
    numbers = object.__new__(NumberEvaluation)
    drawn = replace(result, evaluation=numbers, predictions=table).plot.residuals(ax=Figure().subplots())
    assert drawn.get_ylabel() == "predicted"
    with pytest.raises(DataError, match="no classes; expected classification"):
        replace(result, evaluation=numbers).plot.confusion(ax=Figure().subplots())


def test_a_notebook_shows_figures_and_escapes_what_others_wrote(result: TrainResult) -> None:
    shown = result._repr_html_()
    assert "0.667" in shown
    assert "majority 0.500" in shown
    assert "one &lt;b&gt;" in shown
