"""Draw reconstruction.png, one sample of each modality beside what its functa gives back: python docs/images/make.py.

The photograph comes with scikit-learn (flower.jpg by dany13, CC BY 2.0); the sound is made here; the film and the
sensor window are the built-in figure's.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image

import fusion
from fusion.encoders.encoder import encoder_config_from_dict
from fusion.encoders.learning import learn_encoder

RATE = 8000
# A SIREN from its own random weights and many steps: settings that reproduce, not those that classify.
SHARP = {"initialisation": "random", "initialiser": "siren"}
FIT = {"steps": 1500, "learning_rate": 0.005, "schedule": "cosine"}


def photograph() -> np.ndarray:
    """Give 64 x 64 pixels of a flower."""
    image = load_sample_image("flower.jpg")[:, 80:507]
    return image[: 6 * 64, : 6 * 64].reshape(64, 6, 64, 6, 3).mean(axis=(1, 3)).astype(np.uint8)


def sound() -> fusion.modalities.Recording:
    """Give a quarter of a second of a falling, fading tone."""
    time = np.arange(RATE // 4) / RATE
    phase = 2 * np.pi * (330 * time - 300 * time**2)
    tone = (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)) * np.exp(-9 * time)
    return fusion.modalities.Recording((0.4 * tone).astype(np.float32), RATE)


def figure(view: str) -> np.ndarray:
    """Give one performance of the built-in figure."""
    people = fusion.datasets.FigureDataset(fusion.datasets.FigureConfig(subjects=2, test_subjects=1, windows=1), view)
    return next(np.asarray(sample.raw) for sample in people if sample.label == "jump")


def reproduced(raw: object, modality: dict[str, object], omegas: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Encode one sample, decode it; give it with its PSNR in dB."""
    config = encoder_config_from_dict({"modality": modality, "omegas": omegas, **SHARP, "fit": FIT})
    sample = fusion.Sample("one", None, "train", None, lambda: raw)
    encoder = learn_encoder(config, [sample])
    rows = encoder.encode([sample]).rows
    return encoder.decode(rows.functas[0]), float(rows.psnr[0])


def film_strip(film: np.ndarray) -> np.ndarray:
    """Lay four frames in a square."""
    first, second, third, fourth = (film[frame] for frame in (1, 4, 6, 11))
    return np.vstack([np.hstack([first, second]), np.hstack([third, fourth])])


def show(axes: Axes, picture: np.ndarray) -> None:
    """Show pixels of 0 to 255."""
    axes.imshow(np.clip(picture, 0, 255).astype(np.uint8), interpolation="nearest")
    axes.set_axis_off()


def curves(axes: Axes, values: np.ndarray) -> None:
    """Draw channels as lines."""
    axes.plot(values, linewidth=0.8)
    axes.set_xticks([])
    axes.tick_params(labelsize=6)


def draw() -> Figure:
    """Encode the four and draw them."""
    image, film, window, recording = photograph(), figure("camera"), figure("sensor"), sound()
    parts = {
        "image": (image, *reproduced(image, {"name": "image"}, (30.0, 10.0)), show),
        "sound": (recording.samples, *reproduced(recording, {"name": "audio", "rate": RATE}, (400.0, 30.0)), curves),
        "video": (film, *reproduced(film, {"name": "video"}, (30.0, 10.0)), lambda axes, x: show(axes, film_strip(x))),
        "sensor": (window[:, 6:], *reproduced(window, {"name": "sensor"}, (30.0, 10.0)), curves),
    }
    page = Figure(figsize=(9.6, 4.4), layout="constrained")
    grid = page.subplots(2, 4)
    for column, (name, (original, decoded, decibel, paint)) in zip(grid.T, parts.items(), strict=True):
        paint(column[0], original)
        paint(column[1], decoded[:, 6:] if name == "sensor" else decoded)
        column[0].set_title(name, fontsize=10)
        column[1].set_title(f"its functa, {decibel:.0f} dB", fontsize=9)
    return page


if __name__ == "__main__":
    draw().savefig(Path(__file__).parent / "reconstruction.png", dpi=110, pil_kwargs={"optimize": True})
