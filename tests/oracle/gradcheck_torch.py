#!/usr/bin/env python3
"""The same wrong rules and right gradients through wg_gradcheck and torch.autograd.gradcheck.

    cc -O2 -I. tests/oracle/gradcheck_torch.c build/libwengert.a -lm -lpthread -o /tmp/cases
    /tmp/cases | python3 tests/oracle/gradcheck_torch.py

prints a table by kind: caught and missed, or accused (README has its sums). Nothing of
the build or the tests needs it. Written with torch 1.13, its defaults (eps 1e-6, atol 1e-5,
rtol 1e-3), in double.
"""
import sys
from collections import OrderedDict

import torch
from torch.autograd import gradcheck

POINT = [0.7, 1.2, 1.8, 0.31, 2.2, 0.4]
WIDE = [0.7, 1.2, 14, 16, 12, 0.4]
OPS = [torch.sin, torch.exp, torch.tanh, torch.sigmoid, torch.log, torch.sqrt, torch.square,
       torch.erf, torch.nn.functional.softplus, torch.atan, torch.cosh, torch.expm1]
BUGS = ["sign", "half", "one entry zero", "times 1.001", "times 1 + 1e-6", "times 1 + 1e-10",
        "plus 1e-6", "one entry times 1 + 1e-6", "small entries zero", "forgets dy", "times |dy|"]
FORMS = [lambda y: y, lambda y: y.sum(), lambda y: torch.logsumexp(torch.sin(y), 0)]


def last(g, value):
    m = torch.ones_like(g)
    m[-1] = value
    return g * m


SPOIL = [lambda g, d: -g, lambda g, d: g / 2, lambda g, d: last(g, 0), lambda g, d: g * 1.001,
         lambda g, d: g * (1 + 1e-6), lambda g, d: g * (1 + 1e-10), lambda g, d: g + 1e-6 * d,
         lambda g, d: last(g, 1 + 1e-6),
         lambda g, d: torch.where(g.abs() < 1e-5, torch.zeros_like(g), g),
         None, lambda g, d: g * d.abs()]


def spoiled(op, bug):
    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return op(x)

        @staticmethod
        def backward(ctx, d):
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                (g,) = torch.autograd.grad(op(x).sum(), x)
            return g if SPOIL[bug] is None else SPOIL[bug](g * d, d)

    return Planted.apply


def passes(f, values):
    x = torch.tensor(values, dtype=torch.double, requires_grad=True)
    return gradcheck(f, (x,), raise_exception=False)


def cases():
    for bug, name in enumerate(BUGS):
        for k, op in enumerate(OPS):
            for form in FORMS:
                if bug != 8 or k in (2, 3):
                    planted = spoiled(op, bug)
                    yield name, passes(lambda x: form(planted(x)), WIDE if bug == 8 else POINT)
    for op in OPS:
        for power in range(-8, 7, 2):
            for form in FORMS:
                x = [v * 10.0 ** power for v in POINT]
                y = form(op(torch.tensor(x, dtype=torch.double)))
                if torch.isfinite(y.sum()):
                    yield "right: scales", passes(lambda x: form(op(x)), x)
    for op in OPS:
        for scale, shift in ((1e-9, 0), (1e9, 1e6), (1e12, 1e9)):
            yield "right: sizes", passes(lambda x: op(x).sum() * scale, POINT)
            yield "right: sizes", passes(lambda x: op(x).sum() + shift, POINT)
    kinks = [torch.relu, torch.abs, lambda x: torch.maximum(x, torch.zeros_like(x)),
             lambda x: torch.amax(x), lambda x: torch.clamp(x, 0, 1),
             lambda x: torch.nn.functional.leaky_relu(x, 0.1), lambda x: torch.relu(3 * x).sum()]
    for f in kinks:
        for x in ([0., 1, -1, 0], [1e-7, 1, -1e-7, 2], [0., 0, 0, 0]):
            yield "right: kinks", passes(f, x)
    hard = [lambda p: p * torch.log(p) + (1 - p) * torch.log(1 - p), lambda x: torch.log1p(x) / x,
            lambda x: torch.sin(1e6 * x), torch.log, torch.reciprocal, torch.sqrt,
            lambda x: torch.sin(1 / x)]
    for f in hard:
        for power in range(-12, -2, 3):
            yield "right: hard", passes(f, [1.3 * 10.0 ** power, 2.7 * 10.0 ** power])


def main():
    ours = [line.rstrip("\n").split(";") for line in sys.stdin]
    theirs = list(cases())
    assert [o[0] for o in ours] == [t[0] for t in theirs], "the two lists differ"
    table = OrderedDict()
    for (kind, _, verdict), (_, good) in zip(ours, theirs):
        row = table.setdefault(kind, [0, 0, 0, 0])
        row[0] += 1
        row[1] += verdict == "failed"
        row[2] += verdict == "unresolved"
        row[3] += not good
    print("| kind | cases | `wg_gradcheck` | `torch.autograd.gradcheck` |\n|---|---|---|---|")
    for kind, (n, failed, unresolved, torch_failed) in table.items():
        word = "accused" if kind.startswith("right") else "caught"
        left = f", {unresolved} left open" if unresolved else ""
        print(f"| {kind} | {n} | {failed} {word}{left} | {torch_failed} {word} |")


main()
