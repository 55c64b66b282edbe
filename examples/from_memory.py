"""From memory to a fused model: arrays and plain columns of the same people, joined by group, without any file."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import fusion

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "from-memory")
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    names = [f"person-{number}" for number in range(10)]
    people = pd.DataFrame({"id": names, "age": random.integers(20, 70, 10), "sex": random.choice(["f", "m"], 10)})

    time, windows, labels, groups = np.linspace(0, 4, 64), [], [], []
    for place in range(80):
        labels.append(("slow", "fast")[place % 2])
        groups.append(names[place % 10])
        wave = np.sin(2 * np.pi * (1 + 3 * (place % 2)) * time + random.uniform(0, 6))
        windows.append((wave + random.normal(0, 0.3, 64))[:, None])
    data = fusion.datasets.ArrayDataset(windows, labels=labels, groups=groups, modality="sensor")

    fusion.encode(data, folder / "windows.zarr")
    fusion.encode(fusion.datasets.FrameDataset(people), folder / "people.zarr")
    linked = fusion.link([folder / "windows.zarr", folder / "people.zarr"], on="group")
    result = fusion.train(linked, folder / "model", classifier=fusion.FunctaClassifier(n_estimators=20, n_jobs=1))
    print(f"accuracy {result.accuracy:.3f} on {result.rows_test} windows of people the model has not met")
    result.plot.modalities().figure.savefig(folder / "modalities.png")
    rows = {
        name: fusion.open_store(folder / f"{name}.zarr").read(list(linked.column(name))).functas
        for name in linked.stores
    }
    for column, share in fusion.models.column_shares(fusion.load_model(folder / "model"), rows)["people"].items():
        print(f"{column}: {share:.1%} of what the model says")
