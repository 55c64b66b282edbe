"""Write a few clips in the layout of ESC-50."""

from __future__ import annotations

from pathlib import Path

from helpers.sound_files import noise, tone, write_sound

CLASSES = ("dog", "rain")


def write_esc50(root: Path, *, folds: int = 5, esc10: tuple[str, ...] = ("dog",)) -> Path:
    """Write two clips of each class and fold, in three formats; `esc10` names the classes that are in ESC-10."""
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for fold in range(1, folds + 1):
        for target, label in enumerate(CLASSES):
            for take in "AB":
                suffix = (".wav", ".ogg", ".flac")[fold % 3]
                name = f"{fold}-{fold}0{target}-{take}-{target}{suffix}"
                lines.append(f"{name},{fold},{target},{label},{label in esc10},{fold}0{target},{take}")
                sound = tone(frequency=300 + 40 * fold) if target == 0 else noise(0.3)
                write_sound(root / "audio" / name, sound)
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    return root
