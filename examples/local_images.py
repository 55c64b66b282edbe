"""Pictures in class folders by local functas: python examples/local_images.py photos (photos/cat/1.png, ...)."""

import sys

import fusion

if __name__ == "__main__":
    with fusion.open_dataset("folder", sys.argv[1], modality="image") as photos:
        options = {"kind": "local", "centres": 300, "modality": {"size": (32, 32)}}
        encoded = fusion.encode(photos, "photos.zarr", fusion.encoders.encoder_config(photos, options=options))
    print(f"{encoded.rows} pictures, {encoded.failed} that cannot be used, {encoded.samples_per_second:.0f} pictures/s")
    for sample_id, reason in encoded.failures:
        print(f"  {sample_id}: {reason}")

    result = fusion.train("photos.zarr", "photos-model", preset="linear")
    print(f"accuracy {result.accuracy:.3f} on {result.rows_test} pictures held out")
    result.plot.confusion().figure.savefig("photos.png")
    print("photos.png: which classes are taken for which")
    for prediction in fusion.predict("photos-model", sys.argv[2:]):
        print(f"{prediction.file}: {prediction.label}")
