"""A report of made-up figures, with labels that try to be markup."""

from __future__ import annotations

import numpy as np

from fusion.metrics import evaluate_predictions
from fusion.reporting.breakdown import Mistake, Part
from fusion.reporting.content import Branch, Exhibit, ModalityPart, ModelFigures, Reconstruction, Report

HOSTILE = ("<script>alert(1)</script>", "quote \" ' & \N{GRINNING FACE} end", "line\nbreak " + "x" * 300)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8ffff3f0005fe02fea7a6a5a80000000049454e44ae426082"
)


def made_report(rows: int = 120, *, labels: tuple[str, ...] = ("walk", "run", *HOSTILE)) -> Report:
    random = np.random.default_rng(0)
    truth = random.choice(labels, rows)
    parts = {"inertial": 0.8, "depth <b>": 0.6}
    models = [_figures("early fusion", 0.95, truth, labels, fused=True)]
    models += [_figures(name, accuracy, truth, labels, fused=False) for name, accuracy in parts.items()]
    correct = (random.random(rows) < 0.9).tolist()
    return Report(
        title="Report of <b>made</b> figures",
        models=models,
        facts={"rows": "80 training, 120 test", "source": '"><img src=x onerror=alert(1)>'},
        branches=[Branch("inertial", {"k": "8,905"}, '{"kind": "functa"}')],
        parameters='{"eta": 0.3}',
        versions={"xgboost": "3.2"},
        created="2026-01-01T00:00:00+00:00",
        link={"joined by": "id", "matched": "200"},
        notes=["a note </p><script>alert(2)</script>"],
        parts=[
            ModalityPart(name, accuracy, accuracy - 0.02, 0.5, [(0.0, 0.95), (0.5, 0.9), (1.0, 0.85)])
            for name, accuracy in parts.items()
        ],
        reconstructions=[Reconstruction(name, random.normal(30, 4, rows).tolist(), correct) for name in parts],
        missing="depth <b> 12",
        baselines={"majority": 0.3, "chance": 0.2},
        groups=[Part(f"person {number} <i>", 30, 0.9) for number in range(4)],
        mistakes=[Mistake("<u>id" + "y" * 90, "person 1", labels[0], labels[-1], 0.99)],
        wrong=60,
        calibration=[Part("80% to 90%", 40, 0.7, 0.86), Part("90% to 100%", 80, 0.98, 0.96)],
        commands=["functa train 'a <b>' --model m"],
        exhibits=[Exhibit("inertial", '"><script>alert(3)</script>', labels[0], labels[-1], PNG)],
    )


def _figures(name: str, share: float, truth: np.ndarray, labels: tuple[str, ...], *, fused: bool) -> ModelFigures:
    random = np.random.default_rng(len(name))
    predicted = np.where(random.random(len(truth)) < share, truth, random.choice(labels, len(truth)))
    found = evaluate_predictions(truth, predicted, groups=[f"person {row % 4}" for row in range(len(truth))])
    return ModelFigures(name, found, fused)
