"""Read a store of functas: by ID, block by block, and back to data."""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fusion

if __name__ == "__main__":
    with fusion.open_store(sys.argv[1]) as store:
        first = store.ids[0]
        row = store.get(first)
        print(f"{len(store)} functas of {store.k} weights; {first!r} is {row.labels[0]!r} at {row.psnr[0]:.1f} dB")

        layers = fusion.inr.unflatten(row.functas[0], store.header.layout)
        print("layers:", ", ".join(f"{name} {array.shape}" for name, array in layers.items()))

        distance = [np.linalg.norm(block.functas - store.state["start"], axis=1) for block in store.iter_blocks()]
        print(f"mean distance from the shared start: {np.concatenate(distance).mean():.3f}")
    plt.hist(np.concatenate(distance), bins=30)
    plt.xlabel("distance from the shared start")
    plt.savefig("distances.png")

    print(fusion.decode(sys.argv[1], first, "decoded.csv", scale=2.0))
