"""Writes tests/oracle/wide.txt: elementwise ops at points, by mpmath with 60 digits.

    python3 tests/oracle/make_wide.py > build/wide.txt && mv build/wide.txt tests/oracle/wide.txt

A line is NAME, the number of attributes and they, the number of operands and they (all exact doubles), the value as
a sum of three doubles, and the size of the largest term that it is a sum of. The functions below are mathematics, and
know nothing of the stable forms in ops/*.inc; an op that mpmath has under the same name needs no line.
"""
import random
import sys

sys.dont_write_bytecode = True # nothing beside the sources

from mpmath import mp, mpf

from op_rows import ROWS

mp.dps = 60
POINTS = 16
ATTRIBUTES = {"scale": (-1.25,), "shift": (0.75,), "affine": (-1.25, 0.75), "clamp": (-1, 1.25), "clamp_grad": (-1, 1.25),
              "pow_scalar": (2.5,), "leaky_relu": (0.125,), "leaky_relu_grad": (0.125,), "elu": (1.5,),
              "elu_grad": (1.5,), "bce_with_logits": (2.5,), "bce_grad": (2.5,)}
K = mpf("0.044715")
# SELU's fixed point (Klambauer et al. 2017, appendix, eqs. 14): mean 0 and variance 1 stay so.
E = mp.erfc(1 / mp.sqrt(2)) * mp.exp(0.5)
C = -mp.sqrt(2 / mp.pi) / (E - 1)
S = (1 - E) * mp.sqrt(2 * mp.pi) / mp.sqrt(2 * mp.erfc(mp.sqrt(2)) * mp.exp(2) + mp.pi * E**2 - 2 * (2 + mp.pi) * E +
                                           mp.pi + 2)


def p(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log(1 + mp.exp(x))


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def v(x):
    return 2 * mp.sqrt(2 / mp.pi) * (x + K * x**3)


def dv(x):
    return 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * K * x**2)


FORMULAS = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "div_or_zero": lambda a, b: a / b if b else 0, "weigh": lambda c, x: c * x, "neg": lambda x: -x,
    "scale": lambda x, c: c * x, "shift": lambda x, c: x + c, "affine": lambda x, a, b: a * x + b,
    "square": lambda x: x * x, "reciprocal": lambda x: 1 / x, "one_minus_square": lambda x: 1 - x * x,
    "abs": abs, "round": mp.nint, "maximum": max, "minimum": min,
    "maximum_grad": lambda u, a, b: u if a > b else u / 2 if a == b else 0,
    "clamp": lambda x, low, high: min(max(x, low), high),
    "clamp_grad": lambda u, x, low, high: u if low <= x <= high else 0,
    "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b, "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
    "where": lambda c, a, b: a if c else b,
    "log2": lambda x: mp.log(x, 2), "rsqrt": lambda x: 1 / mp.sqrt(x), "pow": lambda a, b: a**b,
    "scaled_pow": lambda c, a, b: c * a**b, "pow_scalar": lambda x, c: x**c,
    "tanh_grad": lambda u, x: u / mp.cosh(x)**2, "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "logaddexp_grad": lambda a, b: p(a - b), "xlogy": lambda a, b: a * mp.log(b) if a else 0,
    "sigmoid": p, "sigmoid_grad": lambda u, x: u * p(x) * p(-x), "softplus": softplus,
    "log_sigmoid": lambda x: -softplus(-x), "relu": lambda x: max(x, 0), "relu_grad": lambda u, x: u if x > 0 else 0,
    "leaky_relu": lambda x, c: x if x > 0 else c * x, "leaky_relu_grad": lambda u, x, c: u if x > 0 else c * u,
    "elu": lambda x, c: x if x > 0 else c * mp.expm1(x), "elu_grad": lambda u, x, c: u if x > 0 else u * c * mp.exp(x),
    "relu6": lambda x: min(max(x, 0), 6), "selu": lambda x: S * (x if x > 0 else C * mp.expm1(x)),
    "softsign": lambda x: x / (1 + abs(x)), "hardswish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "mish": lambda x: x * mp.tanh(softplus(x)), "silu": lambda x: x * p(x),
    "silu_grad": lambda u, x: u * p(x) * (1 + x * p(-x)), "gelu": lambda x: x * normal(x),
    "gelu_grad": lambda u, x: u * (normal(x) + x * density(x)), "gelu_tanh": lambda x: x * p(v(x)),
    "gelu_tanh_grad": lambda u, x: u * p(v(x)) * (1 + x * p(-v(x)) * dv(x)),
    "bce_with_logits": lambda z, t, w: (1 - t) * softplus(z) + w * t * softplus(-z),
    "bce_grad": lambda u, z, t, w: u * ((1 - t) * p(z) - w * t * p(-z)),
}
TERMS = {
    "add": lambda a, b: max(abs(a), abs(b)), "sub": lambda a, b: max(abs(a), abs(b)),
    "shift": lambda x, c: max(abs(x), abs(c)), "affine": lambda x, a, b: max(abs(a * x), abs(b)),
    "logaddexp": lambda a, b: max(abs(a), abs(b), 1), "silu_grad": lambda u, x: abs(u), "gelu_grad": lambda u, x: abs(u),
    "gelu_tanh_grad": lambda u, x: abs(u), "bce_grad": lambda u, z, t, w: abs(u) * w,
}


def three(x):
    """x as a sum of doubles."""
    parts = []
    for _ in range(3):
        parts.append(float(x))
        x -= parts[-1]
    return parts


def drawn(rng, domain):
    """In the op's domain; where that is everywhere, large and small, too."""
    x = rng.uniform(*domain)
    return x * rng.choice((1, 1, 8, 1e-9)) if domain == (-2, 2) else x


def main():
    print("# Elementwise ops at points; written by tests/oracle/make_wide.py, which tells how to read it.")
    for kind, name, _, domain in ROWS:
        f = FORMULAS.get(name) or getattr(mp, name)
        arity = {"U": 1, "B": 2, "T": 3}[kind[0]]
        a = ATTRIBUTES.get(name, ())
        rng = random.Random(name)
        for _ in range(POINTS):
            x = [drawn(rng, domain.get(i, (-2, 2))) for i in range(arity)]
            every = [mpf(value) for value in (*x, *a)]
            y = mpf(f(*every))
            term = max(abs(y), mpf(TERMS[name](*every)) if name in TERMS else 0)
            numbers = [len(a), *map(float.hex, map(float, a)), arity, *map(float.hex, x), *map(float.hex, three(y)),
                       f"{float(term):.3g}"]
            print(name, *numbers)


main()
