"""Train on a store in a process of its own and print the memory that training took, in bytes of its peak."""

from __future__ import annotations

import sys
import threading

import psutil

from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.xgboost import FunctaClassifier
from fusion.models.training import train


def private_bytes() -> int:
    memory = psutil.Process().memory_info()
    return int(memory.rss - memory.shared)  # pages of mapped files are the system's to take back


def watched(done: threading.Event, peaks: list[int]) -> None:
    while not done.wait(0.01):
        peaks.append(private_bytes())


def main(path: str, external: str) -> None:
    before, peaks, done = private_bytes(), [0], threading.Event()
    watcher = threading.Thread(target=watched, args=(done, peaks))
    watcher.start()
    classifier = FunctaClassifier(n_estimators=2, max_depth=3, max_bin=16, n_jobs=1)
    result = train(path, classifier=classifier, trainer=LocalTrainer(external_memory=external == "external"))
    done.set()
    watcher.join()
    sys.stdout.write(f"{max(peaks) - before} {result.accuracy}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
