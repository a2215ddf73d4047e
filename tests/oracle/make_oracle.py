"""Writes tests/oracle/cases.txt: what PyTorch says to graphs of Wengert's ops.

    python3 tests/oracle/make_oracle.py > build/cases.txt && mv build/cases.txt tests/oracle/cases.txt

The same versions give the same file. Case i of an op is drawn from a seed made of its name and i: a new op adds its
lines, and changes no other. A case is a graph: leaves and ops, a line each, numbered
from 0 in this order; the last op is the result y. Lines are KIND [NAME] [INTEGERS] [: NUMBERS]:

    case NAME               a new case
    x SHAPE : values        a leaf with derivatives, in 64ths
    f SHAPE : values        a constant, in 64ths
    k SHAPE : values        a constant of i64
    op NAME OPERANDS : attributes
    c : values              a cotangent of y, in 64ths
    v : values              a tangent of the next x, in 64ths, a line for each
    y SHAPE : values        the result
    g : values              sum(c * dy/dx) of the next x
    h : values              the Hessian of sum(c * y), times the tangents, of the next x

A list `0` stands for zeros. c to h are left out where y has no derivative because it is i64.

Cases are drawn so that rounding cannot matter much; a case that fails one of these is drawn again:
- In single precision PyTorch's own error is at most 5e-4 of the largest entry of each y, g and h, also after
  changes by about one more round-off of every leaf and value, four times: 1e-12 in double precision, which has
  29 bits more.
- Every leaf and every value on the way is changed by a relative 1e-9 up and down (leaves by a little more, so
  that a 0 moves, too): then no entry moves by more than 1e-6 of the largest, or it sits at a kink. Cases that
  shall sit at kinks (the last member of the tuples in single_ops.py) are exempt: there both libraries
  follow the same convention.
"""
import collections
import platform
import subprocess
import sys

sys.dont_write_bytecode = True # nothing beside the sources

import torch

import single_ops
from case_graph import Graph, Rejected, seed
from random_graphs import random_graph

GRAPHS = 1500


def single(name, make, exact):
    g = Graph(name, exact)
    make(g)
    return g


def drawn(make, *key):
    for attempt in range(1000):
        seed(*key, attempt)
        try:
            return make().lines()
        except Rejected:
            pass
    raise RuntimeError("no case is well conditioned")


def package():
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "python3-torch"], capture_output=True,
                           text=True, check=False)
    return f" (Debian's python3-torch {asked.stdout})" if asked.stdout else ""


def main():
    torch.set_num_threads(1)
    lines = ["# The oracle's cases; written by tests/oracle/make_oracle.py, which tells how to read them.",
             f"# Made with Python {platform.python_version()} and torch {torch.__version__}{package()}, float64."]
    singles = collections.Counter()
    for family in single_ops.FAMILIES:
        for name, make, exact in family():
            try:
                lines += drawn(lambda: single(name, make, exact), name, singles[name])
            except RuntimeError as e:
                raise RuntimeError(f"{name}, {singles[name]}: {e}") from e
            singles[name] += 1
    for i in range(GRAPHS):
        lines += drawn(random_graph, "graph", i)
    print("\n".join(lines))
    print(f"{sum(singles.values())} cases of single ops, {GRAPHS} graphs", file=sys.stderr)


main()
