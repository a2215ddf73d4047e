"""The oracle's cases of single ops: generators of (name, function that draws the graph, whether on kinks)."""
import math

import torch

from case_graph import Rejected, draw, rng, seed
from torch_ops import (ALONG, BINARY, BINARY_ATTRIBUTES, COMPARISONS, KINKED, LOSSES, PARAMETER_REDUCERS, REDUCERS,
                       SCALED, UNARY)

SHAPES = [(), (5,), (2, 3), (1,), (19,), (3, 1, 2), (0,), (2, 2), (4,), (3,)]
PAIRS = [((), ()), ((4,), (4,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,)), ((3,), ()), ((1,), (2, 2)),
         ((2, 1, 2), (3, 1)), ((17,), (17,)), ((0,), (1,)), ((2, 2), (2, 2)), ((3, 1), (3, 2))]
# Without those whose kink is one point of the plane, and whose second derivative follows no common convention.
KINKS = (KINKED | {"cast_i64", "clamp", "clamp_grad"}) - {"div_or_zero", "hypot", "atan2", "elu", "selu"}


def unary_cases():
    for name, (_, low, high) in UNARY.items():
        for shape in SHAPES:
            yield name, lambda g: g.op(name, g.x(shape, low, high)), False
        for shape in [(9,), (2, 4)] if name in KINKS else []:
            yield name, lambda g: g.op(name, g.x(shape, low, high)), True


def scaled_cases():
    for name, (_, lists) in SCALED.items():
        low = 0.2 if name == "pow_scalar" else -2
        for a in lists:
            for shape in SHAPES[:8]:
                yield name, lambda g: g.op(name, g.x(shape, low, 2.5), a=a), False
            if name in KINKS:
                yield name, lambda g: g.op(name, g.x((9,)), a=a), True
    for c in (2, 3, 4): # negative bases
        yield "pow_scalar", lambda g: g.op("pow_scalar", g.x((6,)), a=(c,)), False


def binary_cases():
    for name, (_, first, second) in BINARY.items():
        a = BINARY_ATTRIBUTES.get(name, ())
        both = (max(first[0], second[0]), min(first[1], second[1]))
        for one, two in PAIRS:
            yield name, lambda g: g.op(name, g.x(one, *first), g.x(two, *second), a=a), False
        if name not in ("maximum", "minimum", "div", "div_or_zero", "hypot", "atan2"): # ties; 0 by cancellation
            yield name, lambda g: g.op(name, *[g.x((5,), *both)] * 2, a=a), False
        for shape in [(9,), (2, 4)] if name in KINKS else []:
            yield name, lambda g: g.op(name, g.x(shape, *first), g.x(shape, *second), a=a), True
    yield "div_or_zero", lambda g: g.op("div_or_zero", g.x((9,)), g.x((9,), -1, 1)), True
    for name in COMPARISONS:
        for one, two in PAIRS[:6]:
            yield name, lambda g: g.op(name, g.x(one, -1, 1), g.x(two, -1, 1)), True
    for one, two in PAIRS:
        yield "where", lambda g: g.op("where", g.k(one, 2), g.x(one), g.x(two)), False
        yield "where", lambda g: g.op("where", g.x(one, -1, 1), g.x(two), g.x(one)), True
        yield "maximum_grad", lambda g: g.op("maximum_grad", g.x(one), g.x(one), g.x(two)), False
        yield "maximum_grad", lambda g: g.op("maximum_grad", g.x(two), g.x(one), g.x(two)), True
        yield "scaled_pow", lambda g: g.op("scaled_pow", g.x(two), g.x(one, 0.2, 3), g.x(two)), False


def some_axes(rank):
    axes = rng.sample(range(rank), rng.randint(1, rank))
    return tuple(i - rank if rng.random() < 0.3 else i for i in axes)


REDUCED = [(5,), (2, 3), (3, 4), (2, 3, 2), (19,), (4, 2), (1, 5), (2, 2, 2, 2)]


def reduction_cases():
    for name in REDUCERS:
        for shape in REDUCED + [()]:
            yield name, lambda g: g.op(name, g.x(shape)), False
        for shape in REDUCED * 2:
            yield name, lambda g: g.op(name + "_over", g.x(shape), a=(rng.randrange(2),
                                                                      *some_axes(len(shape)))), False
        for shape in [(9,), (2, 4), (3, 3)] if name in ("amax", "amin", "prod") else []:
            yield name, lambda g: g.op(name + "_over", g.x(shape, -1, 1), a=(0, -1)), True
    for name, values in {"var": (1, 0), "std": (1, 0), "norm": (1, 2, math.inf)}.items():
        for shape in [(5,), (2, 3), (3, 4), (19,)]:
            yield name, lambda g: g.op(name, g.x(shape), a=(2,) if name == "norm" else ()), False
        for p in values:
            for shape in REDUCED * 2:
                seed(name, p, shape)
                axes = some_axes(len(shape))
                n = math.prod(shape[i] for i in axes) # of fewer the Hessian is 0 by cancellation
                if n > (2 if name != "norm" else 1 if p == 2 else 0):
                    yield name, lambda g: g.op(name + "_over", g.x(shape),
                                               a=(p, rng.randrange(2), *axes)), False
    for p in (1, math.inf):
        for shape in [(9,), (2, 4), (3, 3)]:
            yield "norm", lambda g: g.op("norm_over", g.x(shape, -1, 1), a=(p, 0, -1)), True
    for name in ("argmax", "argmin"):
        for shape in REDUCED:
            yield name, lambda g: g.op(name, g.x(shape, -1, 1)), True
            yield name, lambda g: g.op(name + "_over", g.x(shape), a=(rng.randrange(len(shape)),
                                                                      rng.randrange(2))), False
    for name in ALONG:
        for shape in REDUCED * 2:
            seed(name, shape)
            axis = rng.randrange(-len(shape), len(shape))
            yield name, lambda g: g.op(name, g.x(shape), a=(axis,)), False


def layout_cases():
    for shape, to in [((6,), (2, 3)), ((2, 3), (3, 2)), ((), (1, 1)), ((4,), (2, 2)), ((2, 3), (-1,)),
                      ((0, 2), (2, 0)), ((2, 2, 3), (4, 3)), ((1,), ()), ((12,), (2, -1, 2))]:
        yield "reshape", lambda g: g.op("reshape", g.x(shape), a=to), False
    for shape, to in [((3,), (2, 3)), ((), (4,)), ((2, 1), (2, 3)), ((1, 3), (2, 2, 3)), ((1,), (0,)),
                      ((2, 1, 2), (2, 3, 2)), ((2,), (2,)), ((1, 1), (3, 2))]:
        yield "broadcast_to", lambda g: g.op("broadcast_to", g.x(shape), a=to), False
        yield "sum_to", lambda g: g.op("sum_to", g.x(to), g.f(shape)), False
    for shape in [(3,), (2, 3), (2, 3, 2), (1, 2, 3), (2, 2, 2, 2), (5, 9)]:
        seed("permute", shape)
        axes = rng.sample(range(len(shape)), len(shape))
        yield "permute", lambda g: g.op("permute", g.x(shape), a=axes), False
        two = tuple(rng.randrange(-len(shape), len(shape)) for _ in range(2))
        yield "transpose", lambda g: g.op("transpose", g.x(shape), a=two), False
        if len(shape) == 2:
            yield "t", lambda g: g.op("t", g.x(shape)), False
    for shape, axes in [((1, 3), (0,)), ((2, 1, 2), (1,)), ((1, 2, 1), (0, -1)), ((1,), (0,))]:
        yield "squeeze", lambda g: g.op("squeeze", g.x(shape), a=axes), False
    for shape, axes in [((3,), (0,)), ((2, 2), (1,)), ((2,), (0, -1)), ((), (0,))]:
        yield "expand_dims", lambda g: g.op("expand_dims", g.x(shape), a=axes), False
    for shape, a in [((5,), (0, 1, 4)), ((4, 2), (0, 1, 3)), ((2, 5), (1, -3, -1)), ((3, 2), (0, 2, 100)),
                     ((2, 3, 2), (1, 0, 2)), ((3,), (0, 2, 1)), ((1, 4), (1, 1, 3)), ((6,), (-1, -4, 100))]:
        yield "slice", lambda g: g.op("slice", g.x(shape), a=a), False
    for shape, a in [((3,), (0, 1, 2)), ((2, 2), (0.5, 1, 0, 0, 2)), ((2, 3), (-1, 0, 0, 1, 1)),
                     ((1, 2, 2), (0, 1, 0, 0, 0, 1, 1)), ((), (1,))]:
        yield "pad", lambda g: g.op("pad", g.x(shape), a=a), False
    for shapes, axis in [([(2,), (3,)], 0), ([(2, 2), (2, 1)], 1), ([(1, 2), (2, 2), (1, 2)], 0),
                         ([(3,)], 0), ([(2, 1, 2), (2, 2, 2)], -2), ([(0,), (2,)], 0)]:
        yield "concat", lambda g: g.op("concat", *[g.x(s) for s in shapes], a=(axis,)), False
    yield "concat", lambda g: g.op("concat", *[g.x((2, 2))] * 3, a=(1,)), False
    for shape, n, axis in [((3,), 2, 0), ((2,), 3, 1), ((2, 2), 2, -1), ((), 4, 0), ((2, 3), 1, 1)]:
        yield "stack", lambda g: g.op("stack", *[g.x(shape) for _ in range(n)], a=(axis,)), False
    for shape, axis, sizes in [((5,), 0, (2, 3)), ((2, 6), 1, (1, 2, 3)), ((4, 2), 0, (2, 0, 2))]:
        for i in range(len(sizes)):
            yield "split", lambda g: g.op("split", g.x(shape), a=(axis, i, *sizes)), False


def index_cases():
    for shape, index in [((4,), (3,)), ((3, 2), (4,)), ((3, 2), (2, 2)), ((5,), ()), ((2, 2, 2), (3,)),
                         ((3, 1), (0,)), ((9, 2), (6,))]:
        others = shape[1:]
        yield "gather_rows", lambda g: g.op("gather_rows", g.x(shape), g.k(index, shape[0])), False
        yield "scatter_add_rows", lambda g: g.op("scatter_add_rows", g.x(index + others),
                                                 g.k(index, shape[0]), a=(shape[0],)), False
    for shape, axis, index in [((4,), 0, (3,)), ((3, 2), 0, (2, 2)), ((3, 4), 1, (3, 2)), ((2, 3), 1, (1, 5)),
                               ((2, 3, 2), -2, (2, 1, 2)), ((3, 2), 0, (7, 1))]:
        n = shape[axis]
        yield "gather", lambda g: g.op("gather", g.x(shape), g.k(index, n), a=(axis,)), False
        yield "scatter_add", lambda g: g.op("scatter_add", g.x(shape), g.k(index, n), g.x(index),
                                            a=(axis,)), False
    for shape, n in [((4,), 3), ((2, 2), 2), ((), 5), ((0,), 3)]:
        yield "one_hot", lambda g: g.op("one_hot", g.k(shape, n), a=(n,)), False
    for shape in [(3, 3), (2, 4), (4, 2), (2, 2, 3), (1, 1)]:
        yield "diagonal", lambda g: g.op("diagonal", g.x(shape)), False
    for shape, to in [((3,), (3, 3)), ((2,), (2, 4)), ((2,), (3, 2)), ((2, 2), (2, 2))]:
        yield "diagonal_embed", lambda g: g.op("diagonal_embed", g.x(shape), a=to), False


def product_cases():
    for one, two in [((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)),
                     ((2, 2, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((1, 4), (4, 1)), ((2, 0), (0, 2)),
                     ((3,), (2, 3, 1)), ((9, 3), (3, 11)), ((3, 17), (17, 2)), ((1, 1), (1, 5))]:
        for ta, tb in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            a = one[:-2] + one[:-3:-1] if ta and len(one) > 1 else one
            b = two[:-2] + two[:-3:-1] if tb and len(two) > 1 else two
            yield "matmul", lambda g: g.op("matmul", g.x(a), g.x(b), a=(ta, tb)), False
    yield "matmul", lambda g: g.op("matmul", *[g.x((3, 3))] * 2, a=(0, 0)), False
    yield "matmul", lambda g: g.op("matmul", *[g.x((2, 4))] * 2, a=(1, 0)), False
    for rows, columns, k in [(3, 4, 2), (4, 3, 1), (2, 5, 3), (5, 5, 2), (1, 3, 9), (9, 4, 1)]:
        for transpose in (0, 1):
            yield "csr_matmul", lambda g: csr_case(g, rows, columns, k, transpose), False
    for n in (1, 3, 17):
        yield "dot", lambda g: g.op("dot", g.x((n,)), g.x((n,))), False
        yield "outer", lambda g: g.op("outer", g.x((n,)), g.x((3,))), False
    yield "dot", lambda g: g.op("dot", *[g.x((4,))] * 2), False
    yield "outer", lambda g: g.op("outer", *[g.x((3,))] * 2), False
    for shape in [(4,), (2, 3), (3, 5), (2, 2, 4)]:
        for n in (0, 1, 2):
            for epsilon in (1e-5, 0.1):
                yield "layer_norm", lambda g: g.op("layer_norm", g.x(shape), *[g.x(shape[-1:])
                                                   for _ in range(n)], a=(epsilon,)), False


def csr_case(g, rows, columns, k, transpose):
    """Each row has some of the columns, perhaps none; some row has at least one."""
    each = [sorted(rng.sample(range(columns), rng.randint(r == 0, columns))) for r in range(rows)]
    starts = [sum(map(len, each[:r])) for r in range(rows + 1)]
    values = g.x(starts[-1:])
    start, column = g.leaf("k", torch.tensor(starts)), g.leaf("k", torch.tensor(sum(each, [])))
    b = g.x((rows if transpose else columns, k))
    g.op("csr_matmul", values, start, column, b, a=(transpose, rows, columns))


def loss_cases():
    for name in LOSSES:
        for shape in [(4,), (2, 3), (5, 2), (7,), (2, 2, 3)]:
            for a in [(), (0,), (1,), (2,)] + ([(r, d) for r in range(3) for d in (0.5, 1.5)]
                                               if name == "huber" else []):
                target = (0.05, 1) if name == "kl_divergence" else (-2, 2)
                yield name, lambda g: g.op(name, g.x(shape, -3, 2), g.x(shape, *target), a=a), False
    yield "mae", lambda g: g.op("mae", g.x((9,)), g.x((9,)), a=(2,)), True
    for reduction in range(3):
        yield "hinge", lambda g: g.op("hinge", g.x((9,)), g.leaf("f", draw((9,), -1, 1, 128) + 0),
                                      a=(reduction,)), True
    for shape in [(4,), (3, 1), (2, 3), (), (17,)]:
        for a in [()] + [(r, w) for r in range(3) for w in (1, 2.5, 0.3)]:
            seed("bce_with_logits", shape, a)
            kind = rng.choice(("x", "f"))
            yield "bce_with_logits", lambda g: g.op("bce_with_logits", g.x(shape, -5, 5),
                                                    g.leaf(kind, draw(shape, 0, 1)), a=a), False
        yield "bce_with_logits", lambda g: g.op("bce_with_logits", g.x(shape, -5, 5),
                                                g.leaf("f", draw(shape, 0, 1, 64))), False


def class_cases():
    for name in ("cross_entropy", "nll"):
        for shape in [(3, 4), (2, 2), (5,), (2, 2, 3), (4, 9)]:
            for soft in (False, True):
                for reduction in range(3):
                    for smoothing in (0, 0.1):
                        for weights in ("", "f", "x"):
                            if name == "nll" and not soft and (smoothing or weights == "x"):
                                continue # PyTorch has no such thing
                            if weights == "x" and len(shape) == 1 and not reduction and not soft:
                                continue # the weight cancels; its slope is 0 or round-off
                            yield name, lambda g: class_case(g, name, shape, soft, weights,
                                                             (reduction, smoothing, 0, 0)), False
                    for weights in ("", "f") if not soft else ():
                        yield name, lambda g: class_case(g, name, shape, soft, weights, (
                            reduction, 0.2 if name == "cross_entropy" else 0, 1, rng.randrange(2))), False
                yield name, lambda g: class_case(g, name, shape, soft, "", ()), False


def class_case(g, name, shape, soft, weights, a):
    """An ignored label is at least once not the only one."""
    z = g.x(shape, -4, 4 if name == "cross_entropy" else 0)
    t = g.x(shape, 0.02, 1) if soft else g.k(shape[:-1], shape[-1])
    if a and a[2] and (g.nodes[t][1] == a[3]).all():
        raise Rejected
    operands = (z, t) + ((g.leaf(weights, draw(shape[-1:], 0.2, 2)),) if weights else ())
    g.op(name, *operands, a=a)


FAMILIES = (unary_cases, scaled_cases, binary_cases, reduction_cases, layout_cases, index_cases, product_cases,
            loss_cases, class_cases)
