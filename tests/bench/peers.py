#!/usr/bin/env python3
"""The workloads of the benchmark with NumPy, PyTorch and scikit-learn, beside Wengert's, in one run.

    /usr/bin/python3 tests/bench/peers.py [--bench build/bench] [--threads N]

All run on the same processors (taskset is not needed: this pins itself and what it starts). A library
that is not installed is left out. Inputs: normal features, labels drawn from a random model, fixed seed.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

SAMPLES = 9


def median_seconds(step, least=0.03):
    """Median of several samples of the mean time of a call."""
    step()
    start = time.perf_counter()
    step()
    once = time.perf_counter() - start
    repeats = max(1, int(least / max(once, 1e-9)))
    samples = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        samples.append((time.perf_counter() - start) / repeats)
    return statistics.median(samples)


def numpy_workloads():
    import numpy as np
    rng = np.random.default_rng(1964)
    for dtype in (np.float32, np.float64):
        for n in (256, 512, 1024, 2048):
            a, b = rng.standard_normal((2, n, n)).astype(dtype)
            out = np.empty((n, n), dtype)
            yield "gemm_f%d_%d" % (32 if dtype is np.float32 else 64, n), lambda: np.dot(a, b, out)
    X = rng.standard_normal((1_000_000, 100), dtype=np.float32)
    w = np.zeros(100, np.float32)
    y = (rng.random(1_000_000) < 0.5).astype(np.float32)

    def logreg():
        p = 1 / (1 + np.exp(-(X @ w)))
        return X.T @ (p - y) / len(y)
    yield "logreg_1e6x100", logreg


def torch_training(torch, hidden, adam):
    """A training step on the next batch of 128 rows of 60,000."""
    torch.manual_seed(1964)
    X, y = torch.randn(60000, 784), torch.randint(0, 10, (60000,))
    sizes = [784] + hidden + [10]
    layers = []
    for i in range(len(sizes) - 1):
        layers += [torch.nn.Linear(sizes[i], sizes[i + 1])] + [torch.nn.ReLU()] * (i + 2 < len(sizes))
    model = torch.nn.Sequential(*layers)
    kind = torch.optim.Adam if adam else torch.optim.SGD
    optimizer = kind(model.parameters(), lr=1e-3)
    at = [0]

    def step():
        i = at[0] = 0 if at[0] + 256 > len(X) else at[0] + 128
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X[i:i + 128]), y[i:i + 128]).backward()
        optimizer.step()
    return step


def torch_small(torch):
    x, w = torch.randn(1, 4), torch.randn(4, 1, requires_grad=True)

    def tiny():
        w.grad = None
        torch.sigmoid(x @ w).sum().backward()
    yield "tiny_recorded", tiny
    a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    def chain():
        a.grad = None
        v = a
        for _ in range(1000):
            v = v * a + a
        v.backward()
    yield "scalar_chain_recorded", chain
    X = torch.randn(8, 10, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 1, 0, 1, 2])
    shapes = ((10, 16), (16,), (16, 3), (3,))
    params = [torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in shapes]

    def loss(W1, b1, W2, b2):
        return torch.nn.functional.cross_entropy(torch.tanh(X @ W1 + b1) @ W2 + b2, labels)
    yield "gradcheck_3_points", lambda: torch.autograd.gradcheck(loss, params)


def torch_workloads(threads):
    import torch
    torch.set_num_threads(threads)
    yield from torch_small(torch)
    yield "softmax_784", torch_training(torch, [], False)
    yield "mlp_256", torch_training(torch, [256], False)
    yield "mlp_512_512_adam", torch_training(torch, [512, 512], True)
    X = torch.randn(1_000_000, 100)
    y = (torch.rand(1_000_000, 1) < 0.5).float()
    w = torch.zeros(100, 1, requires_grad=True)

    def logreg():
        w.grad = None
        torch.nn.functional.binary_cross_entropy_with_logits(X @ w, y).backward()
    yield "logreg_1e6x100", logreg


def sklearn_workloads():
    """Whole fits: there is no other way in. Compare with evaluations times iterations."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    rng = np.random.default_rng(1964)
    X = rng.standard_normal((200_000, 50))
    y = rng.random(200_000) < 1 / (1 + np.exp(-X @ rng.standard_normal(50)))
    yield "logreg_fit", lambda: LogisticRegression(tol=1e-4, max_iter=200).fit(X, y)


def wengert_rows(bench):
    output = subprocess.run([bench, "--json"], capture_output=True, text=True, check=True).stdout
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}
    rows = (json.loads(line) for line in output.splitlines())
    return {row["name"]: row["median"] * scale[row["unit"]] for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/bench")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, set(range(arguments.threads)))
    ours = wengert_rows(arguments.bench)
    print("%-24s %-14s %12s %12s %8s" % ("workload", "peer", "peer us", "wengert us", "ratio"))
    peers = (("numpy", numpy_workloads), ("scikit-learn", sklearn_workloads),
             ("torch", lambda: torch_workloads(arguments.threads)))
    per_op = {"scalar_chain_recorded": 2000}
    for peer, workloads in peers:
        try:
            for name, step in workloads():
                seconds = median_seconds(step) / per_op.get(name, 1)
                mine = ours.get(name, float("nan"))
                print("%-24s %-14s %12.2f %12.2f %8.2f"
                      % (name, peer, seconds * 1e6, mine * 1e6, seconds / mine), flush=True)
        except ImportError as missing:
            print("%-24s not installed: %s" % (peer, missing))


if __name__ == "__main__":
    # One thread a library must be said before it is loaded.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    main()
