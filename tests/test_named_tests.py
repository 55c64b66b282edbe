"""Tests where one looks for them: a module has a test file of its name in the mirroring folder, or a reason."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHORT = 60
"""Lines up to which a module may be tested with those that use it."""

ELSEWHERE = {
    "fusion/baselines/*.py": "test_baselines.py: every baseline keeps one contract",
    "fusion/comparing/*.py": "test_compare.py: the steps of a comparison; test_candidates.py: what is compared",
    "fusion/datasets/archives.py": "test_unpacking.py and test_archives_hostile.py: what may and what may not come out",
    "fusion/datasets/base.py": "test_sample.py: its one class",
    "fusion/datasets/column_table.py": "encoders/test_columns.py: tables of persons, from file to row",
    "fusion/datasets/columns.py": "test_table_names.py and test_table_channels.py: in tables that are read by it",
    "fusion/datasets/cutting.py": "test_sensor_table.py and test_table_times.py: seen in the windows that are cut",
    "fusion/datasets/figure/*.py": "test_figure.py and, for each part, test_figure_*.py",
    "fusion/datasets/files.py": "test_folder.py and test_file_table.py: its two users differ in nothing else",
    "fusion/datasets/folder_walk.py": "test_folder.py and tests/cli/test_predicting.py: its two users",
    "fusion/datasets/frame.py": "test_memory.py: data that lie in memory",
    "fusion/datasets/open.py": "test_reader_options.py, test_folder.py and tests/test_plugins.py: opened as users do",
    "fusion/datasets/options.py": "test_reader_options.py: by the readers' own options",
    "fusion/datasets/plain_pickle.py": "test_cifar10.py: hostile batches, and those of every protocol",
    "fusion/datasets/reading_plan.py": "test_table_channels.py and test_table_names.py: the plan of made tables",
    "fusion/datasets/table_*.py": "test_table_names.py, test_table_channels.py and test_table_times.py",
    "fusion/datasets/time_series.py": "test_window_files.py and test_sensor_table.py: its two users",
    "fusion/datasets/vector_table.py": "encoders/test_vectors.py: vectors made elsewhere, from file to row",
    "fusion/encoders/functa.py": "test_encoding.py, test_config.py and test_meta_start.py: each kind of start",
    "fusion/encoders/interrupts.py": "tests/cli/test_signals.py: signals reach a process",
    "fusion/encoders/learning.py": "test_encoding.py and test_meta_start.py: what is learned, and what must not be",
    "fusion/encoders/local/*.py": "test_local_encoder.py and test_local_folding.py",
    "fusion/encoders/options.py": "test_encoding.py and test_shards.py: each option by what it does",
    "fusion/encoders/part_writing.py": "cluster/test_pool.py: by workers of a cluster",
    "fusion/encoders/store_opening.py": "test_encoding.py, test_resume.py of tests/cli: stores made and gone on with",
    "fusion/encoders/plain.py": "test_columns.py and test_vectors.py: its two kinds",
    "fusion/estimators/boosted.py": "test_xgboost.py, test_regressor.py and test_linear.py: what its estimators share",
    "fusion/estimators/classification.py": "test_tasks.py and models/test_imbalance.py: the contract, weights",
    "fusion/estimators/multilabel.py": "test_tasks.py and models/test_multilabel.py: the contract, and trained",
    "fusion/estimators/regression.py": "test_tasks.py and models/test_regression.py: the contract, and trained",
    "fusion/estimators/task.py": "test_tasks.py: by its three kinds",
    "fusion/estimators/labeller.py": "models/test_multilabel.py: trained as users do",
    "fusion/estimators/objectives.py": "test_linear.py and test_regressor.py: seen in what is chosen by it",
    "fusion/metrics/intervals.py": "metrics/test_classification.py and metrics/test_regression.py: its intervals",
    "fusion/errors.py": "tests/cli/test_bad_input.py: exit codes and lines as users see them",
    "fusion/estimators/gram.py": "test_glm.py: what is solved with it",
    "fusion/features/fitted.py": "tests/cli/test_predicting.py: says what the transformer says",
    "fusion/features/items.py": "models/test_training.py: which rows are trained on and tested",
    "fusion/inr/bilevel.py": "test_meta.py and test_modulation.py: what is learned by it",
    "fusion/inr/cuda/*.py": "test_cuda_plan.py, test_cuda_simulator.py and test_cuda_device.py: parts of one kernel",
    "fusion/inr/*_engine.py": "test_engine.py: every engine keeps one contract",
    "fusion/inr/settings.py": "test_architecture.py and test_engine.py: beside what they are settings of",
    "fusion/linking/*.py": "test_linking*.py and test_streaming.py: the steps of a join",
    "fusion/modalities/base.py": "the test file of each modality: all keep its contract",
    "fusion/modalities/arrays.py": "test_sensor.py and datasets/test_window_files.py",
    "fusion/modalities/clips.py": "test_video.py and test_video_files.py",
    "fusion/modalities/column_choice.py": "encoders/test_columns.py: which columns of a table are taken",
    "fusion/modalities/columns.py": "encoders/test_columns.py",
    "fusion/modalities/nifti.py": "test_gridded.py: a round trip",
    "fusion/modalities/registry.py": "test_sensor.py and tests/test_plugins.py",
    "fusion/modalities/vectors.py": "encoders/test_vectors.py",
    "fusion/modalities/column_facts.py": "datasets/test_table_names.py: what is told of columns",
    "fusion/modalities/films.py": "test_video_files.py",
    "fusion/modalities/image_files.py": "test_image.py and test_image_mutants.py",
    "fusion/modalities/plots.py": "test_sensor.py, test_audio.py, test_image.py and test_video.py: each draws with it",
    "fusion/modalities/recording.py": "test_audio.py",
    "fusion/modalities/scaling.py": "test_sensor.py",
    "fusion/modalities/sensor_files.py": "test_sensor.py and datasets/test_window_files.py",
    "fusion/modalities/spectra.py": "test_audio.py",
    "fusion/modalities/column_cells.py": "datasets/test_table_names.py and test_table_channels.py: in what is read",
    "fusion/modalities/tables.py": "datasets/test_sensor_table.py and test_table_names.py",
    "fusion/modalities/times.py": "datasets/test_table_times.py",
    "fusion/models/booster_*.py": "test_foreign_models.py: boosters that somebody else made",
    "fusion/models/column_shares.py": "test_columns_fused.py: shares of columns by name",
    "fusion/models/concluding.py": "test_training.py and test_records.py: the result of a run and its folder",
    "fusion/models/given_files.py": "tests/cli/test_predicting.py: files as users give them",
    "fusion/models/marked_rows.py": "test_shared_groups.py and test_same_data.py: the two kinds of marked rows",
    "fusion/models/pieces.py": "tests/cli/test_predicting.py: recordings cut as training cut them",
    "fusion/models/prediction_files.py": "tests/cli/test_predicting.py: tables of predictions",
    "fusion/models/repeating.py": "reporting/test_page.py: the commands on the page",
    "fusion/models/figures.py": "test_fitting.py: figures of modalities beside each other",
    "fusion/models/predicted.py": "tests/cli/test_predicting.py: what is said of files and how often it is right",
    "fusion/models/prediction.py": "tests/cli/test_commands.py and tests/test_readme.py: from files, as users do",
    "fusion/reporting/*.py": "test_page.py: the page, of which each makes a part",
    "fusion/reproduction/*.py": "test_tables.py, test_reproduce_har.py and test_every_table.py: one contract",
}
"""Modules of which the tests have other names: where they are, and why."""

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "fusion").rglob("*.py")
    if path.name != "__init__.py" and len(path.read_text().splitlines()) > SHORT
)


def named_test(module: str) -> Path:
    path = ROOT / "tests" / module
    return path.with_name(f"test_{path.name}")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test_file_of_its_name_or_a_reason(module: str) -> None:
    assert named_test(module).exists() or any(fnmatch(module, pattern) for pattern in ELSEWHERE), (
        f"expected {named_test(module).relative_to(ROOT)}, or a line of ELSEWHERE that says where its tests are and why"
    )


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_a_reason_is_of_a_module_that_needs_it_and_names_files_that_exist(pattern: str) -> None:
    assert any(fnmatch(module, pattern) and not named_test(module).exists() for module in MODULES)
    told = ELSEWHERE[pattern].partition(":")[0]
    if told.startswith("test"):
        names = [word.rstrip(",:") for word in told.split() if word.rstrip(",:").endswith(".py")]
        assert names
        for name in names:
            assert list((ROOT / "tests").rglob(name.removeprefix("tests/"))), name
