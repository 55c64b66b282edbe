from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.options import EncodeOptions
from fusion.encoders.survey import survey_samples, training_samples
from fusion.errors import DataError
from fusion.modalities.audio import AudioModality


def test_a_data_set_is_counted_from_names_alone(made: MadeSamples) -> None:
    for index in range(36):
        made = made.broken(index)  # reading any of them would raise
    found = survey_samples(made, EncodeOptions(), seed=42)
    assert (found.wanted, found.chosen, found.groups) == (36, None, 4)
    assert found.splits == {"train": 24, "test": 12}
    assert found.classes == {"class-1": 12, "class-2": 12, "class-3": 12}


def test_some_are_chosen_by_a_hash_and_not_by_their_place(made: MadeSamples) -> None:
    few = survey_samples(made, EncodeOptions(limit=5), seed=42).chosen
    turned = MadeSamples(made.samples[::-1])
    assert few is not None
    assert survey_samples(turned, EncodeOptions(limit=5), seed=42).chosen == few
    assert survey_samples(made, EncodeOptions(limit=5), seed=43).chosen != few
    assert few < survey_samples(made, EncodeOptions(limit=9), seed=42).chosen


def test_shards_are_each_other_s_rest(made: MadeSamples) -> None:
    counts = [survey_samples(made, EncodeOptions(shard=(number, 3)), seed=42).wanted for number in (1, 2, 3)]
    assert sum(counts) == 36
    assert min(counts) > 0


def test_training_samples_are_those_of_the_training_splits(made: MadeSamples, config: FunctaConfig) -> None:
    found = training_samples(made, EncodeOptions(), config)
    assert [sample.split for sample in found] == ["train"] * 24
    assert [sample.split for sample in training_samples(made, EncodeOptions(train_splits=("test",)), config)] == [
        "test"
    ] * 12


def test_where_nothing_is_learned_folds_need_no_training_split(made: MadeSamples, config: FunctaConfig) -> None:
    folds = MadeSamples([replace(sample, split=f"fold-{number % 3}") for number, sample in enumerate(made)])
    fixed = FunctaConfig(AudioModality(rate=8000.0, seconds=0.1), initialisation="random")
    assert training_samples(folds, EncodeOptions(), fixed) is folds
    with pytest.raises(DataError, match=r"no samples in split train; got fold-0, fold-1, fold-2\. The start"):
        training_samples(folds, EncodeOptions(), config)


def labelled(made: MadeSamples, *odd: str) -> MadeSamples:
    """Give samples whose labels are numbers, but for the first few."""
    names = [*odd, *(str(number) for number in range(len(made.samples) - len(odd)))]
    return MadeSamples([replace(sample, label=name) for sample, name in zip(made, names, strict=True)])


def test_words_for_a_missing_number_among_numbers_are_no_labels(made: MadeSamples) -> None:
    samples = labelled(made, "NA", "nan")
    found = survey_samples(samples, EncodeOptions(), seed=42)
    assert found.numbers is not None
    assert (found.numbers.rows, found.numbers.told_by) == (34, "label")
    assert found.classes["none"] == 2
    assert found.notes == ("labels 'NA', 'nan' among numbers are taken as none: 2 rows",)
    completed = [found.completed(sample) for sample in samples]
    assert [(sample.label, sample.target) for sample in completed[:3]] == [(None, None), (None, None), ("0", 0.0)]


def test_a_label_that_is_no_number_among_numbers_is_told(made: MadeSamples) -> None:
    found = survey_samples(labelled(made, "1,234", "NA"), EncodeOptions(), seed=42)
    assert found.numbers is None
    assert found.no_labels == {"NA"}
    assert found.notes[1].startswith("labels are numbers in 34 rows, and no numbers in 1 ('1,234'): none is taken")


def test_na_among_words_is_a_class(made: MadeSamples) -> None:
    names = MadeSamples([replace(sample, label="NA" if place else "walk") for place, sample in enumerate(made)])
    found = survey_samples(names, EncodeOptions(), seed=42)
    assert (found.no_labels, found.notes, found.classes) == (frozenset(), (), {"walk": 1, "NA": 35})
