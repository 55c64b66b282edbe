from __future__ import annotations

import os
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from helpers.sound_files import FORMATS, broken_files, encoded, mutated, noise, tone, unusual_files, wav, write_sound
from threadpoolctl import threadpool_limits

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities import modality_from_dict, recording, spectra
from fusion.modalities.audio import AudioModality
from fusion.modalities.recording import Recording, read_recording

CLIP = AudioModality(rate=8000, seconds=0.3)
MAPS = ("log-mel", "mfcc")


def test_a_sound_becomes_values_and_comes_back() -> None:
    scaling = CLIP.fixed_scaling()
    values = scaling.normalise(CLIP.prepare(Recording(tone(), 8000)))
    assert (CLIP.grid, CLIP.d_in, CLIP.d_out, CLIP.coordinates().shape) == ((2400,), 1, 1, (2400, 1))
    assert 0.2 < values.min() < 0.3
    assert 0.7 < values.max() < 0.8
    np.testing.assert_allclose(CLIP.restore(values, scaling, CLIP.grid)[:, 0], tone(), atol=1e-6)


def test_open_sizes_are_those_of_the_first_clip() -> None:
    assert AudioModality().resolved(Recording(tone(0.5), 8000)) == AudioModality(rate=8000, seconds=0.5)
    modality = AudioModality(transform="mfcc", rate=4000).resolved(Recording(tone(0.5), 8000))
    assert (modality.seconds, modality.hop, modality.fft, modality.grid) == (0.5, 20, 128, (100, 20))
    with pytest.raises(ConfigError, match="rate and length are not known yet"):
        AudioModality().grid  # noqa: B018


def test_a_time_between_frames_makes_frames_of_any_clip() -> None:
    asked = AudioModality(transform="log-mel", hop_seconds=0.02)
    for rate, hop in ((8000, 160), (22_050, 441)):
        modality = asked.resolved(Recording(tone(0.5, rate=rate), rate))
        assert (modality.hop, modality.grid) == (hop, (25, 40))
        assert "hop_seconds" not in modality.to_dict()
    assert AudioModality(hop=10, hop_seconds=0.02).hop_seconds is None


def test_a_sound_of_another_rate_is_the_same_sound() -> None:
    prepared = CLIP.prepare(Recording(tone(rate=44_100), 44_100))
    np.testing.assert_allclose(prepared[:, 0], tone(), atol=0.01)


def test_channels_are_averaged_and_arrays_have_the_rate_of_the_modality() -> None:
    stereo = np.stack([tone(), 0.5 * tone()], axis=1)
    np.testing.assert_allclose(CLIP.prepare(stereo)[:, 0], 0.75 * tone(), atol=1e-7)
    with pytest.raises(SampleError, match="an array without a sampling rate; expected a Recording, or set the rate"):
        AudioModality().resolved(tone())
    with pytest.raises(SampleError, match=r"sound of shape \(2, 2, 2\) and type float64; expected"):
        CLIP.prepare(np.zeros((2, 2, 2)))
    with pytest.raises(SampleError, match=r"sound of shape \(3,\) and type <U1; expected numbers"):
        CLIP.prepare(np.array(["a", "b", "c"]))


def test_the_end_is_padded_with_silence_or_trimmed() -> None:
    short, long = tone(0.1), np.concatenate([tone(), tone()])
    padded = CLIP.prepare(Recording(short, 8000))[:, 0]
    np.testing.assert_array_equal(padded, np.pad(short, (0, 1600)))
    np.testing.assert_array_equal(CLIP.prepare(Recording(long, 8000))[:, 0], tone())


def test_a_tone_stands_in_its_mel_band_and_loudness_does_not_matter() -> None:
    modality = AudioModality(transform="log-mel", rate=8000, seconds=1.0)
    low, high = (modality.prepare(tone(1.0, frequency=f))[50, :, 0].argmax() for f in (300.0, 2000.0))
    assert low < 10 < 25 < high
    faint = modality.prepare(1e-3 * tone(1.0))
    np.testing.assert_allclose(faint, modality.prepare(tone(1.0)), atol=1e-3)
    assert faint.max() == 0.0


@pytest.mark.parametrize("transform", MAPS)
@pytest.mark.parametrize("samples", [1, 7, 500, 2400, 9000])
def test_maps_keep_their_grid_and_their_limits_for_every_length(transform: str, samples: int) -> None:
    modality = AudioModality(transform=transform, rate=8000, seconds=0.3)
    prepared = modality.prepare(Recording(noise(2.0)[:samples], 8000))
    assert prepared.shape == (100, 40 if transform == "log-mel" else 20, 1)
    scaling = modality.fixed_scaling()
    assert prepared.min() >= scaling.low[0]
    assert prepared.max() <= scaling.high[0]


def test_silence_is_at_the_floor() -> None:
    for transform in MAPS:
        modality = AudioModality(transform=transform, rate=8000, seconds=0.3)
        prepared = modality.prepare(np.zeros(2400, np.float32))
        assert prepared.min() == pytest.approx(modality.fixed_scaling().low[0], rel=1e-6)


@pytest.mark.parametrize(("kind", "full", "middle"), [("int16", 32768, 0), ("int32", 2**31, 0), ("uint8", 128, 128)])
def test_whole_numbers_are_brought_to_full_scale_by_their_type(kind: str, full: int, middle: int) -> None:
    whole = (tone() * 0.5 * full + middle).astype(kind)
    for raw in (whole, Recording(whole, 8000), np.stack([whole, whole], axis=1)):
        np.testing.assert_allclose(CLIP.prepare(raw)[:, 0], tone() * 0.5, atol=1.1 / full)


def test_whole_numbers_without_a_full_scale_are_refused() -> None:
    with pytest.raises(SampleError, match="sound of type int64, which tells no full scale; expected floats from -1 to"):
        CLIP.prepare(np.arange(8))


def test_bands_narrower_than_the_window_can_tell_are_refused() -> None:
    modality = AudioModality(transform="log-mel", rate=8000, seconds=0.3, fft=64)
    with pytest.raises(ConfigError, match=r"40 mel bands at 8000 .* a window of 64 samples tells apart 125 Hz; set"):
        modality.prepare(tone())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transform": "fft"}, "modality 'audio' option transform is 'fft'; expected 'mfcc' or 'log-mel'"),
        ({"rate": 5}, "audio rate is 5.0; expected 1,000 to 768,000"),
        ({"seconds": 0}, "audio seconds is 0.0; expected"),
        ({"seconds": float("nan")}, "audio seconds is nan"),
        ({"rate": 8000, "seconds": 1e6}, "audio length is 8,000,000,000 samples; expected 1 to 33,554,432"),
        ({"transform": "mfcc", "coefficients": 41}, "audio coefficients is 41; expected 40 bands or fewer"),
        ({"hop": 0}, "audio hop is 0"),
        ({"hop_seconds": 0.0}, "audio hop_seconds is 0.0; expected a time above 0"),
        ({"hertz": 5}, "unknown modality 'audio' option hertz; expected some of transform, rate"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        modality_from_dict({"name": "audio", **options})


def test_options_survive_their_dictionary() -> None:
    modality = AudioModality(transform="mfcc", rate=8000, seconds=0.3, hop=30)
    assert modality_from_dict(modality.to_dict()) == modality
    assert modality.preset == "audio-mfcc"


def test_decoded_sound_opens_in_another_program_at_any_rate(tmp_path: Path) -> None:
    CLIP.write(2.0 * tone()[:, None], tmp_path / "a.wav")
    CLIP.write(tone(rate=16_000)[:, None], tmp_path / "b.wav")
    with wave.open(str(tmp_path / "a.wav")) as opened:
        assert (opened.getframerate(), opened.getnframes(), opened.getsampwidth()) == (8000, 2400, 2)
        samples = np.frombuffer(opened.readframes(2400), "<i2") / 32768
    np.testing.assert_allclose(samples, np.clip(2.0 * tone(), -1, 1), atol=1e-4)
    with wave.open(str(tmp_path / "b.wav")) as opened:
        assert (opened.getframerate(), opened.getnframes()) == (16_000, 4800)


@pytest.mark.parametrize("transform", [None, *MAPS])
def test_each_kind_is_written_and_drawn(tmp_path: Path, transform: str | None) -> None:
    modality = AudioModality(transform=transform, rate=8000, seconds=0.3)
    prepared = modality.prepare(tone())
    modality.plot(prepared, prepared[::2], tmp_path / "plot.png", "a $ title")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    modality.write(prepared, tmp_path / "values.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "values.npy"), prepared[..., 0])
    wrong, message = (".wav", f"cannot write a map of {transform} as .wav; expected .png or .npy")
    if transform is None:
        wrong, message = (".png", "cannot write a sound as .png; expected .wav or .npy")
    else:
        modality.write(prepared, tmp_path / "map.png")
        assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match=message):
        modality.write(prepared, tmp_path / f"x{wrong}")


def test_every_unusual_sound_can_be_prepared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for transform in (None, *MAPS):
        modality = AudioModality(transform=transform, rate=8000, seconds=0.3)
        for name in unusual_files(tmp_path):
            prepared = modality.prepare(modality.read(tmp_path / name))
            assert prepared.shape == (*modality.grid, 1), name
            assert np.isfinite(prepared).all(), name
    assert capfd.readouterr().err == ""


def test_every_broken_file_says_why_and_nothing_else_does(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, reason in broken_files(tmp_path).items():
        with pytest.raises(SampleError) as caught:
            CLIP.prepare(CLIP.read(tmp_path / name))
        assert str(caught.value).startswith(reason)
    for name, reason in (("absent.wav", "absent.wav is missing"), ("a.txt", "a.txt is no sound by its name")):
        with pytest.raises(SampleError, match=reason):
            CLIP.read(tmp_path / name)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(SampleError, match=r"pipe.wav is no regular file"):
        CLIP.read(tmp_path / "pipe.wav")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sound(tmp_path / "locked.wav")

    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SampleError, match=r"read: locked.wav cannot be opened: Permission denied"):
        read_recording(path)


def test_no_more_is_read_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_SAMPLES", 3000)
    monkeypatch.setattr(recording, "_BLOCK_VALUES", 2048)
    read = read_recording(write_sound(tmp_path / "long.flac", np.stack([noise(9.0)] * 2, axis=1)))
    assert len(read.samples) == 3000
    np.testing.assert_allclose(read.samples, noise(9.0)[:3000], atol=1e-4)


def _fuzz(suffix: str, folder: Path, files: int) -> None:
    random = np.random.default_rng(0)
    originals = [encoded(suffix), encoded(suffix, np.stack([noise(1.0)] * 2, axis=1), 22_050)]
    path = folder / f"x{suffix}"
    usable = 0
    for number in range(files):
        path.write_bytes(mutated(originals[number % 2], random))
        begin = time.perf_counter()
        try:
            usable += np.isfinite(CLIP.prepare(CLIP.read(path))).all()
        except SampleError as error:
            assert error.reason  # noqa: PT017 - either outcome is right
        assert time.perf_counter() - begin < 10
    assert 0 < usable < files


@pytest.mark.parametrize("suffix", FORMATS)
def test_mutated_files_are_read_or_refused(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    _fuzz(suffix, tmp_path, 60)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_thousands_of_mutated_files_are_read_or_refused_in_little_memory(tmp_path: Path, suffix: str) -> None:
    resource = pytest.importorskip("resource")
    _fuzz(suffix, tmp_path, 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _fuzz(suffix, tmp_path, 5000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_a_header_that_claims_hours_costs_nothing(tmp_path: Path) -> None:
    tracemalloc = pytest.importorskip("tracemalloc")
    (tmp_path / "bomb.wav").write_bytes(wav(b"\1\2" * 1000, claimed=0xFFFFFF00))
    tracemalloc.start()
    assert len(read_recording(tmp_path / "bomb.wav").samples) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 << 20


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one way to add up")
def test_a_spectrum_does_not_depend_on_the_number_of_threads() -> None:
    samples = np.random.default_rng(0).normal(size=22050 * 5).astype(np.float32)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(spectra.log_mel(samples, rate=22050, bands=40, hop=1103, fft=4096))
    assert np.array_equal(*found)
