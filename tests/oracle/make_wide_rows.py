"""Writes tests/oracle/wide_rows.txt: ops of rows, by mpmath with 60 digits.

    python3 tests/oracle/make_wide_rows.py > tests/oracle/wide_rows.txt

A line is NAME, the number n of a row's entries, n of the first operand x and n of the second u (exact doubles), the
number of results and they, each as a sum of three doubles and the size of the largest term that it is a sum of.
"""
import random
import sys

sys.dont_write_bytecode = True # nothing beside the sources

from mpmath import mp, mpf

mp.dps = 60
LABEL = 1 # of the losses; the gradients' dl is u[0]


def softmax(x):
    total = sum(mp.exp(v) for v in x)
    return [mp.exp(v) / total for v in x]


def logsumexp(x):
    return mp.log(sum(mp.exp(v) for v in x))


def hot(x):
    return [mpf(i == LABEL) for i in range(len(x))]


# Each gives pairs: a result, and the sum of its terms' magnitudes.
OPS = {
    "sum": lambda x, u: [(sum(x), sum(map(abs, x)))],
    "norm": lambda x, u: [(mp.sqrt(sum(v * v for v in x)), 0)],
    "logsumexp": lambda x, u: [(logsumexp(x), max(map(abs, x)))],
    "softmax": lambda x, u: [(p, p * max(map(abs, x))) for p in softmax(x)],
    "log_softmax": lambda x, u: [(v - logsumexp(x), abs(v) + max(map(abs, x))) for v in x],
    "log_softmax_jvp": lambda x, u: [(v - sum(p * w for p, w in zip(softmax(x), u)), 8 * max(map(abs, u))) for v in u],
    "cross_entropy": lambda x, u: [(logsumexp(x) - x[LABEL], 2 * max(map(abs, x)))],
    "cross_entropy_grad": lambda x, u: [(u[0] * (p - h), abs(u[0]) * p * 16) for p, h in zip(softmax(x), hot(x))],
    "soft_cross_entropy": lambda x, u: [(sum(w * (logsumexp(x) - v) for v, w in zip(x, u)), 16 * sum(map(abs, u)))],
    "soft_cross_entropy_grad": lambda x, u: [(w - sum(u) * p, 16 * sum(map(abs, u))) for p, w in zip(softmax(x), u)],
    "cumsum": lambda x, u: [(sum(x[:i + 1]), sum(map(abs, x[:i + 1]))) for i in range(len(x))],
    "scatter_rows": lambda x, u: [(sum(x[i::2]), sum(map(abs, x[i::2]))) for i in range(2)], # index i modulo 2
    "matmul": lambda x, u: [(sum(v * w for v, w in zip(x, u)), sum(abs(v * w) for v, w in zip(x, u)))],
    "csr_times": lambda x, u: [(sum(v * w for v, w in zip(x, u)), sum(abs(v * w) for v, w in zip(x, u)))],
}


def three(x):
    """x as a sum of doubles."""
    parts = []
    for _ in range(3):
        parts.append(float(x))
        x -= parts[-1]
    return parts


def main():
    print("# Ops of rows; written by tests/oracle/make_wide_rows.py, which tells how to read it.")
    for name, f in OPS.items():
        rng = random.Random(name)
        for n, scale in ((2, 1), (3, 8), (5, 1), (17, 1), (300, 0.5)):
            x = [scale * rng.uniform(-2, 2) for _ in range(n)]
            u = [rng.uniform(-2, 2) for _ in range(n)]
            ys = f([mpf(v) for v in x], [mpf(v) for v in u])
            numbers = [*map(float.hex, x), *map(float.hex, u), len(ys)]
            for y, term in ys:
                numbers += [*map(float.hex, three(y)), f"{float(max(abs(y), term)):.3g}"]
            print(name, n, *numbers)


main()
