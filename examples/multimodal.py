"""A sensor and a camera observe the same people: encode both, link them by ID, fuse, report."""

import sys
from pathlib import Path

import fusion

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "multimodal")
    folder.mkdir(exist_ok=True)
    people = fusion.datasets.FigureConfig(subjects=6, test_subjects=2, windows=2)
    for view in ("sensor", "camera"):
        dataset = fusion.datasets.FigureDataset(people, view)
        encoded = fusion.encode(dataset, folder / f"{view}.zarr", fusion.encoders.encoder_config(dataset))
        print(f"{view}: {encoded.rows} functas, {encoded.psnr_mean:.1f} dB")

    table = fusion.link([folder / "sensor.zarr", folder / "camera.zarr"], on="id")
    table.save(folder / "link.parquet")
    print(table)

    for kind in ("early", "late", "stacked"):
        result = fusion.train(table, folder / f"model-{kind}", fusion=kind, preset="fast")
        low, high = result.accuracy_interval
        print(f"{kind} fusion: accuracy {result.accuracy:.3f} ({low:.3f} to {high:.3f})")
    for name, figures in result.modalities.items():
        print(f"{name} alone: {figures.accuracy:.3f}, fusion without it: {figures.accuracy_without:.3f}")
    result.plot.modalities().figure.savefig(folder / "modalities.png")
    print(f"{folder / 'modalities.png'}: what each modality reaches alone and fused")
    print(fusion.report(folder / "model-stacked"))
