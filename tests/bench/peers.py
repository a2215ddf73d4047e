#!/usr/bin/env python3
"""The workloads of the benchmark with other libraries, beside Wengert's, in one run: NumPy, PyTorch as it is and
compiled, JAX, scikit-learn as it is and Intel's, liblinear (liblinear-official), ADOL-C (peers/adolc.cpp).

    make peers PEERS_ARGS='[--only NAME] [--threads 2]' PYTHON=/usr/bin/python3

Everybody runs on the same processors, and a workload's contestants one right after the other: processor time
with one thread, time on the wall with two. Inputs are drawn from the distributions of the benchmark:
normal features, labels from a random logistic or softmax model. Building inputs and models is not timed.
Ratios are a peer's time by Wengert's: above 1, Wengert is faster. A library that is not installed is left
out. --only takes part of a name.
"""
import argparse
import json
import os
import statistics
import subprocess
import time
import types

SEED, BATCH = 1964, 128
FIT_GRADIENT = {"logreg_fit": 4e-8, "softmax_fit": 2e-6}  # as in tests/bench/work_fit.c


# ---- Data ------------------------------------------------------------------------------------------

class Data:
    """Features and labels, made when they are asked for first."""

    def __init__(self, numpy):
        self.np = numpy
        self.kept = {}

    def normal(self, shape, dtype, key):
        return self.np.random.default_rng([SEED, key]).standard_normal(shape, dtype=dtype)

    def labels(self, X, classes, key):
        """From weights of N(0, 9 / d): 0 and 1 as floats, or the largest of logits with Gumbel noise."""
        np, rng = self.np, self.np.random.default_rng([SEED, key])
        n, d = X.shape
        outputs = classes if classes > 2 else 1
        z = X @ (3 / d ** 0.5 * rng.standard_normal((d, outputs))).astype(X.dtype)
        if classes == 2:
            return (rng.random((n, 1)) < 1 / (1 + np.exp(-z))).astype(X.dtype)
        return np.argmax(z + rng.gumbel(size=z.shape), 1)

    def problem(self, n, d, classes, dtype):
        what = n, d, classes, dtype
        if what not in self.kept:
            self.kept = {}  # one at a time: they are large
            X = self.normal((n, d), dtype, 11)
            self.kept[what] = X, self.labels(X, classes, 12)
        return self.kept[what]

    def of(self, name):
        np = self.np
        return self.problem(*{"logreg_1e6x100": (1_000_000, 100, 2, np.float32),
                              "logreg_fit": (200_000, 50, 2, np.float64)}.get(
                                  name, (60_000, 784, 10, np.float32)))


# ---- NumPy: the formulas written out ---------------------------------------------------------------

def numpy_product(np, data, name):
    dtype = np.float32 if "f32" in name else np.float64
    n = int(name.rsplit("_", 1)[1])
    a, b, out = data.normal((n, n), dtype, 1), data.normal((n, n), dtype, 2), np.empty((n, n), dtype)
    return lambda: np.dot(a, b, out)


def numpy_logistic(np, data, name):
    """Loss and gradient, with L2. Intermediate arrays are made once."""
    X, y = data.of(name)
    y, (n, d) = y[:, 0], X.shape
    w, b = data.normal(d, X.dtype, 31) / np.sqrt(X.dtype.type(d)), X.dtype.type(0)
    z, e, p = np.empty_like(y), np.empty_like(y), np.empty_like(y)

    def evaluate():
        np.dot(X, w, z)
        np.add(z, b, z)
        np.exp(np.negative(np.abs(z, e), e), e)
        loss = (np.log1p(e, p).sum() + np.maximum(z, 0, out=p).sum() - z @ y + w @ w / 2) / n
        np.divide(np.where(z >= 0, 1, e), np.add(e, 1, e), p)
        p.__isub__(y)
        return loss, (p @ X + w) / n, p.sum() / n
    return evaluate


def numpy_softmax(np, data, name):
    """A step of SGD on the next batch."""
    X, y = data.of(name)
    W, b, rows = np.zeros((784, 10), np.float32), np.zeros(10, np.float32), np.arange(BATCH)
    at = [0]

    def step():
        i = at[0] = 0 if at[0] + 2 * BATCH > len(X) else at[0] + BATCH
        x, k = X[i:i + BATCH], y[i:i + BATCH]
        p = x @ W
        p += b
        p -= p.max(1, keepdims=True)
        np.exp(p, p)
        total = p.sum(1, keepdims=True)
        p /= total
        loss = -np.log(p[rows, k]).mean()
        p[rows, k] -= 1
        p *= np.float32(0.1 / BATCH)
        np.subtract(W, x.T @ p, W)
        np.subtract(b, p.sum(0), b)
        return loss
    return step


NUMPY = {"gemm": numpy_product, "softmax_784": numpy_softmax, "logreg_1e6x100": numpy_logistic}


# ---- Objectives of automatic differentiation, as tests/bench/work_ad.c has them ------------------------
# x are their parameters, m the functions of a library.

def ad_mixture(m, x, rows):
    each = x.reshape(25, 111)
    z = (rows(1000, 10) - each[:, None, 1:11]) @ each[:, 11:].reshape(25, 10, 10)
    weight = each[:, 0]
    return m.logsumexp(weight[:, None] - 0.5 * (z * z).sum(2), 0).sum() - 1000 * m.logsumexp(weight, 0)


def ad_k_means(m, x, rows):
    center, X = x.reshape(10, 8), rows(1000, 8)
    return m.amin((center * center).sum(1) - 2 * (X @ center.T), 1).sum() + (X * X).sum()


def ad_euler(m, y, rows):
    for _ in range(10):
        y = y + 0.01 * (y * (1 - y))
    return y.sum()


def ad_determinant(m, x, rows):
    a = [[x[7 * i + k] for k in range(7)] for i in range(7)]

    def cofactors(row, left):
        terms = [a[row][k] * cofactors(row + 1, left - {k}) if row < 6 else a[row][k] for k in sorted(left)]
        return sum(term if i % 2 == 0 else -term for i, term in enumerate(terms[1:], 1)) + terms[0]
    return cofactors(0, frozenset(range(7)))


def ad_lstm(layers, steps):
    def objective(m, x, rows):
        p = x.reshape(-1, 14)
        data, gain, bias, into = rows(steps + 1, 14), p[10 * layers + 1], p[10 * layers + 2], p[10 * layers]

        def step(state, pair):
            h, after = pair[0] * into, []
            for i in range(layers):
                w, (hidden, cell) = p[10 * i:10 * i + 8], state[i]
                forget, out = m.sigmoid(h * w[0] + w[1]), m.sigmoid(h * w[4] + w[5])
                change = m.tanh(hidden * w[6] + w[7])
                cell = cell * forget + m.sigmoid(hidden * w[2] + w[3]) * change
                h = out * m.tanh(cell)
                after.append((h, cell))
            y = h * gain + bias
            return after, (pair[1] * (y - m.logsumexp(y, 0))).sum()
        start = [(p[10 * i + 8], p[10 * i + 9]) for i in range(layers)]
        return m.scan(step, start, (data[:-1], data[1:])).sum() / (-14 * steps)
    return objective


# Of n parameters of N(0, deviation): value and gradient.
AD = {"mixture_10_25_1000": (ad_mixture, 2775, 1), "k_means_8_10_1000": (ad_k_means, 80, 1),
      "euler_10x10000": (ad_euler, 10000, 1), "determinant_7": (ad_determinant, 49, 1),
      "lstm_2x1024": (ad_lstm(2, 1024), 322, 0.5), "lstm_6x4096": (ad_lstm(6, 4096), 882, 0.5)}


def ad_inputs(data, name, convert):
    """The objective, its parameters, and rows(n, d): constants, made once."""
    objective, n, deviation = AD[name]
    kept = {}

    def rows(count, d):
        if (count, d) not in kept:
            kept[count, d] = convert(data.normal((count, d), data.np.float64, 42))
        return kept[count, d]
    return objective, deviation * data.normal(n, data.np.float64, 41), rows


# ---- PyTorch ---------------------------------------------------------------------------------------

def as_it_is(f):
    return f


def torch_training(torch, data, name, wrap=as_it_is):
    """A training step on the next batch of 128 rows of 60,000."""
    X, y = map(torch.from_numpy, data.of(name))
    hidden = {"softmax_784": [], "mlp_256": [256], "mlp_512_512_adam": [512, 512]}[name]
    sizes = [784] + hidden + [10]
    layers = []
    for i in range(len(sizes) - 1):
        layers += [torch.nn.Linear(sizes[i], sizes[i + 1])] + [torch.nn.ReLU()] * (i + 2 < len(sizes))
    model = torch.nn.Sequential(*layers) if hidden else layers[0]
    parameters = list(model.parameters())
    loss = wrap(lambda x, k: torch.nn.functional.cross_entropy(model(x), k))
    optimizer = (torch.optim.Adam(parameters, lr=1e-3, foreach=True) if "adam" in name
                 else torch.optim.SGD(parameters, lr=0.1, foreach=False))  # the faster of both
    at = [0]

    def step():
        i = at[0] = 0 if at[0] + 2 * BATCH > len(X) else at[0] + BATCH
        optimizer.zero_grad(set_to_none=True)
        loss(X[i:i + BATCH], y[i:i + BATCH]).backward()
        optimizer.step()
    return step


def torch_objective(torch, X, y):
    """Parameters, and mean loss + |w|^2 / 2n as a function of them. With a vector of weights a logistic
    model takes half the time that it takes with a matrix of one column."""
    functional, binary = torch.nn.functional, y.ndim == 2
    X, y = torch.from_numpy(X), torch.from_numpy(y[:, 0].copy() if binary else y)
    outputs = () if binary else (10,)
    w = torch.zeros(X.shape[1:] + outputs, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(outputs, dtype=X.dtype, requires_grad=True)
    kind = functional.binary_cross_entropy_with_logits if binary else functional.cross_entropy
    return (w, b), lambda: kind(X @ w + b, y) + w.square().sum() / (2 * len(X))


def torch_evaluation(torch, data, name, wrap=as_it_is):
    params, loss = torch_objective(torch, *data.of(name))
    loss = wrap(loss)
    with torch.no_grad():
        params[0].normal_(0, params[0].shape[0] ** -0.5)
    return lambda: torch.autograd.grad(loss(), params)


def torch_fit(torch, data, name, wrap=as_it_is):
    params, loss = torch_objective(torch, *data.of(name))
    loss = wrap(loss)

    def fit():
        with torch.no_grad():
            for p in params:
                p.zero_()
        optimizer = torch.optim.LBFGS(params, lr=1, max_iter=1000, max_eval=2000, history_size=10,
                                      tolerance_grad=FIT_GRADIENT[name], tolerance_change=0,
                                      line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad(set_to_none=True)
            value = loss()
            value.backward()
            return value
        optimizer.step(closure)
    return fit


def torch_tiny(torch, data, name, wrap=as_it_is):
    x, w = torch.randn(1, 4), torch.randn(4, 1, requires_grad=True)
    f = wrap(lambda w: torch.sigmoid(x @ w).sum())
    return lambda: torch.autograd.grad(f(w), w)


def torch_chain(torch, data, name):
    a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    def chain():
        v = a
        for _ in range(1000):
            v = v * a + a
        torch.autograd.grad(v, a)
    return chain


def torch_gradcheck(torch, data, name):
    X = torch.randn(8, 10, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 1, 0, 1, 2])
    shapes = ((10, 16), (16,), (16, 3), (3,))
    params = [(0.5 * torch.randn(*s, dtype=torch.float64)).requires_grad_() for s in shapes]

    def loss(W1, b1, W2, b2):
        return torch.nn.functional.cross_entropy(torch.tanh(X @ W1 + b1) @ W2 + b2, labels)
    return lambda: torch.autograd.gradcheck(loss, params, check_undefined_grad=False)


def torch_ad(torch, data, name, wrap=as_it_is):
    objective, x, rows = ad_inputs(data, name, torch.from_numpy)
    x = torch.from_numpy(x).requires_grad_()

    def scan(step, state, pairs):
        values = []
        for pair in zip(*pairs):
            state, value = step(state, pair)
            values.append(value)
        return torch.stack(values)
    m = types.SimpleNamespace(sigmoid=torch.sigmoid, tanh=torch.tanh, amin=torch.amin,
                              logsumexp=torch.logsumexp, scan=scan)
    f = wrap(lambda x: objective(m, x, rows))
    return lambda: torch.autograd.grad(f(x), x)


TORCH = {"tiny_recorded": torch_tiny, "scalar_chain_recorded": torch_chain,
         "gradcheck_3_points": torch_gradcheck, "softmax_784": torch_training,
         "mlp_256": torch_training, "mlp_512_512_adam": torch_training,
         "logreg_1e6x100": torch_evaluation, "logreg_fit": torch_fit, "softmax_fit": torch_fit,
         **{name: torch_ad for name in AD}}


def torch_compiled(make):
    return lambda torch, data, name: make(torch, data, name, torch.compile)


# Graphs of thousands of steps compile for minutes, and so does one whose values are all used twice.
TORCH_COMPILED = {name: torch_compiled(make) for name, make in TORCH.items()
                  if name not in ("scalar_chain_recorded", "gradcheck_3_points", "determinant_7",
                                  "euler_10x10000", "lstm_2x1024", "lstm_6x4096")}


# ---- JAX: everything compiled by jit -------------------------------------------------------------------

def jax_call(jax, f, *arguments):
    compiled = jax.jit(f)
    return lambda: jax.block_until_ready(compiled(*arguments))


def jax_ad(jax, data, name):
    objective, x, rows = ad_inputs(data, name, lambda a: a)
    m = types.SimpleNamespace(sigmoid=jax.nn.sigmoid, tanh=jax.numpy.tanh, amin=jax.numpy.min,
                              logsumexp=jax.nn.logsumexp,
                              scan=lambda step, state, pairs: jax.lax.scan(step, state, pairs)[1])
    return jax_call(jax, jax.value_and_grad(lambda x: objective(m, x, rows)), x)


def jax_tiny(jax, data, name):
    x, w = data.normal((1, 4), data.np.float32, 1), data.normal((4, 1), data.np.float32, 2)
    return jax_call(jax, jax.grad(lambda w, x: jax.nn.sigmoid(x @ w).sum()), w, x)


def jax_evaluation(jax, data, name):
    """Loss and gradient of logistic regression, with L2."""
    X, y = data.of(name)
    d = X.shape[1]

    def loss(w, b, X, y):
        z = X @ w + b
        return (jax.numpy.logaddexp(0, z) - y * z).mean() + w @ w / (2 * len(X))
    w = data.normal(d, X.dtype, 31) / data.np.sqrt(X.dtype.type(d))
    return jax_call(jax, jax.value_and_grad(loss, (0, 1)), w, X.dtype.type(0), *map(jax.device_put, (X, y[:, 0])))


def jax_training(jax, data, name):
    """A step on the next batch of 128 rows of 60,000; Adam where the name says so."""
    np, X, y = jax.numpy, *map(jax.device_put, data.of(name))
    sizes = {"softmax_784": [784, 10], "mlp_256": [784, 256, 10], "mlp_512_512_adam": [784, 512, 512, 10]}[name]
    params = [(data.normal((n, k), data.np.float32, n) / n ** 0.5, data.np.zeros(k, data.np.float32))
              for n, k in zip(sizes, sizes[1:])]
    is_adam, zeros = "adam" in name, lambda: jax.tree.map(np.zeros_like, params)

    def loss(params, x, k):
        for W, b in params[:-1]:
            x = jax.nn.relu(x @ W + b)
        z = x @ params[-1][0] + params[-1][1]
        return (jax.nn.logsumexp(z, 1) - np.take_along_axis(z, k[:, None], 1)[:, 0]).mean()

    def step(state, i):
        params, m, v, n = state
        g = jax.grad(loss)(params, jax.lax.dynamic_slice_in_dim(X, i, BATCH),
                           jax.lax.dynamic_slice_in_dim(y, i, BATCH))
        if not is_adam:
            return jax.tree.map(lambda p, g: p - np.float32(0.1) * g, params, g), m, v, n
        m = jax.tree.map(lambda m, g: np.float32(0.9) * m + np.float32(0.1) * g, m, g)
        v = jax.tree.map(lambda v, g: np.float32(0.999) * v + np.float32(0.001) * g * g, v, g)
        n = n + 1
        rate, scale = np.float32(1e-3) / (1 - np.float32(0.9) ** n), 1 - np.float32(0.999) ** n
        return jax.tree.map(lambda p, m, v: p - rate * m / (np.sqrt(v / scale) + np.float32(1e-8)),
                            params, m, v), m, v, n
    compiled = jax.jit(step, donate_argnums=0)
    now = {"state": (jax.device_put(params), zeros(), zeros(), np.float32(0)) if is_adam
           else (jax.device_put(params), 0, 0, 0), "at": 0}

    def run():
        now["at"] = 0 if now["at"] + 2 * BATCH > len(X) else now["at"] + BATCH
        now["state"] = jax.block_until_ready(compiled(now["state"], now["at"]))
    return run


JAX = {"tiny_recorded": jax_tiny, "softmax_784": jax_training, "mlp_256": jax_training,
       "mlp_512_512_adam": jax_training, "logreg_1e6x100": jax_evaluation,
       **{name: jax_ad for name in AD if name != "determinant_7"}}  # 14,000 scalars: compiles for minutes


# ---- scikit-learn ----------------------------------------------------------------------------------

def largest_gradient(np, model, X, y):
    """Of mean loss + |w|^2 / 2n, where a fit has ended."""
    residual = model.predict_proba(X)
    residual = residual[:, 1:] if residual.shape[1] == 2 else residual
    residual -= y if residual.shape[1] == 1 else np.eye(residual.shape[1])[y]
    by_weights = residual.T.astype(np.float64) @ X + model.coef_
    return max(abs(by_weights).max(), abs(residual.sum(0)).max()) / len(X)


def sklearn_fit(linear_model, data, name):
    X, y = data.of(name)
    labels = y[:, 0] if y.ndim == 2 else y
    model = linear_model.LogisticRegression(C=1, tol=1e-4, max_iter=200)
    model.fit(X, labels)
    print("# %s: scikit-learn ends after %d iterations at a gradient of %.2g; the others at %.2g"
          % (name, model.n_iter_[0], largest_gradient(data.np, model, X, y), FIT_GRADIENT[name]))
    return lambda: model.fit(X, labels)


SKLEARN = {"logreg_fit": sklearn_fit, "softmax_fit": sklearn_fit}


# ---- liblinear: the same objective but for the penalty of the intercept, a last column of ones ---------

def liblinear_fit(linear, data, name):
    X, y = data.of(name)
    problem = linear.problem(y[:, 0], X, bias=1)
    options = linear.parameter("-s 0 -c 1 -e 1e-4 -q")
    return lambda: linear.train(problem, options)


LIBLINEAR = {"logreg_fit": liblinear_fit}


# ---- ADOL-C: a program that times itself -----------------------------------------------------------

def adolc_seconds(program, data, name):
    return float(subprocess.run([program, name], capture_output=True, text=True, check=True).stdout)


ADOLC = {name: adolc_seconds for name in AD}


# ---- The table -------------------------------------------------------------------------------------

WORKLOADS = (["gemm_f%d_%d" % (bits, n) for bits in (32, 64) for n in (256, 512, 1024, 2048)]
             + ["tiny_recorded", "scalar_chain_recorded", "gradcheck_3_points", "softmax_784",
                "mlp_256", "mlp_512_512_adam", "logreg_1e6x100", "logreg_fit", "softmax_fit"]
             + list(AD))
WITH_THREADS = {"mlp_256", "mlp_512_512_adam", "logreg_1e6x100", "logreg_fit", "softmax_fit"}
PARTS = {"scalar_chain_recorded": 2000}  # a row of the benchmark is for one op


def median_seconds(step, clock):
    """Median of several samples of the mean time of a call."""
    step()
    start = clock()
    step()
    once = max(clock() - start, 1e-9)
    repeats = max(1, int(0.03 / once))
    samples = []
    for _ in range(9 if once < 0.3 else 3):
        start = clock()
        for _ in range(repeats):
            step()
        samples.append((clock() - start) / repeats)
    return statistics.median(samples)


def wengert_seconds(bench, row):
    output = subprocess.run([bench, "--json", "--only", "=" + row], capture_output=True, text=True,
                            check=True).stdout
    found = json.loads(output)
    return found["median"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}[found["unit"]]


def import_torch():
    import torch
    torch.manual_seed(SEED)
    return torch


def import_jax():
    import jax
    jax.config.update("jax_enable_x64", True)
    return jax


def import_linear_model():
    from sklearn import linear_model
    return linear_model


def import_intel():
    from sklearnex import linear_model
    return linear_model


def import_liblinear():
    from liblinear import liblinearutil
    return liblinearutil


# Name, how it is had, the workloads.
PEERS = (("PyTorch", import_torch, TORCH), ("compiled", import_torch, TORCH_COMPILED), ("JAX", import_jax, JAX),
         ("scikit-learn", import_linear_model, SKLEARN), ("Intel's", import_intel, SKLEARN),
         ("liblinear", import_liblinear, LIBLINEAR))


def peers(adolc):
    """Data, and of each library that is installed: name, what a workload is made with, the workloads."""
    try:
        import numpy
    except ImportError as missing:
        print("#", missing)  # data are made with it: there is no peer
        return None, []
    found = [("NumPy", numpy, NUMPY)]
    for name, take, workloads in PEERS:
        try:
            found.append((name, take(), workloads))
        except ImportError as missing:
            print("#", missing)
    if os.path.exists(adolc):
        found.append(("ADOL-C", adolc, ADOLC))
    return Data(numpy), found


def peer_seconds(library, step, threads, clock):
    """PyTorch's OpenMP threads come on top of OpenBLAS's; it may have the better of none and as many."""
    if isinstance(step, float):
        return step
    if not hasattr(library, "set_num_threads"):
        return median_seconds(step, clock)
    times = []
    for n in {1, threads}:
        library.set_num_threads(n)
        times.append(median_seconds(step, clock))
    return min(times)


def time_text(seconds):
    unit, size = next((u, s) for u, s in (("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))
                      if seconds >= s or u == "ns")
    return "%.3g %s" % (seconds / size, unit)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/bench")
    parser.add_argument("--adolc", default="build/adolc", help="the program of peers/adolc.cpp")
    parser.add_argument("--threads", type=int, choices=(1, 2), default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    threads = arguments.threads
    # One thread a library must be said before it is loaded.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=%s" % str(threads > 1).lower()
    os.environ["OMP_WAIT_POLICY"] = "passive"  # or OpenMP's and OpenBLAS's threads spin for each other
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
    clock = time.process_time if threads == 1 else time.perf_counter
    data, found = peers(arguments.adolc)
    names = [name for name in WORKLOADS if arguments.only in name
             and (threads == 1 or name in WITH_THREADS)]
    print("%-22s %10s" % ("%d thread%s" % (threads, "s" * (threads > 1)), "Wengert")
          + "".join("%20s" % peer for peer, _, _ in found))
    for name in names:
        mine = wengert_seconds(arguments.bench, name + "_2_threads" * (threads > 1))
        line = "%-22s %10s" % (name, time_text(mine))
        for _, library, workloads in found:
            make = workloads.get("gemm" if name.startswith("gemm") else name)
            if make is None:
                line += "%20s" % "-"
                continue
            step = make(library, data, name)
            seconds = peer_seconds(library, step, threads, clock) / PARTS.get(name, 1)
            line += "%11s %7.2fx" % (time_text(seconds), seconds / mine)
        print(line, flush=True)


if __name__ == "__main__":
    main()
