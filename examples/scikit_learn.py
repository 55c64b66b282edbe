"""Functas inside scikit-learn: windows in memory, encoder and classifier in one pipeline."""

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline

import fusion

if __name__ == "__main__":
    samples = list(fusion.datasets.FigureDataset(fusion.datasets.FigureConfig(subjects=6, test_subjects=2, windows=3)))
    windows = np.stack([sample.raw for sample in samples])
    activities = np.array([sample.label for sample in samples])
    training = np.array([sample.split == "train" for sample in samples])

    pipeline = make_pipeline(
        fusion.FunctaEncoder("sensor", architecture="paper-half"),
        fusion.FunctaFeatures(),
        fusion.FunctaClassifier(n_estimators=20, n_jobs=2),
    )
    pipeline.fit(windows[training], activities[training])
    accuracy = pipeline.score(windows[~training], activities[~training])
    shown = ConfusionMatrixDisplay.from_estimator(pipeline, windows[~training], activities[~training])
    shown.figure_.savefig("activities.png", bbox_inches="tight")
    print(f"accuracy {accuracy:.3f} on {(~training).sum()} windows of two people the model has not met")
