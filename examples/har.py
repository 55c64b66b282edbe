"""Train and test on UCI-HAR: python examples/har.py "UCI HAR Dataset"."""

import sys

import fusion

if __name__ == "__main__":
    windows = fusion.datasets.UciHar(sys.argv[1])
    config = fusion.encoders.encoder_config(windows)
    encoded = fusion.encode(windows, "har.zarr", config)
    print(f"{encoded.rows} functas, {encoded.psnr_mean:.1f} dB, {encoded.samples_per_second:.0f} windows/s")

    result = fusion.train("har.zarr", "har-model")
    print(f"accuracy {result.accuracy:.3f} on {result.rows_test} windows of other people")
    result.plot.confusion().figure.savefig("har.png")
    print("har.png: which activities are taken for which")
