"""The oracle's random graphs of 3 to 12 ops."""
import math

import torch

from case_graph import Graph, Rejected, rng
from single_ops import some_axes
from torch_ops import ALONG, BINARY, BINARY_ATTRIBUTES, PARAMETER_REDUCERS, REDUCERS, SCALED, UNARY

# The ops that graphs are drawn from; a new op has its single cases, and does not change the graphs.
UNARIES = """neg square abs reciprocal sign floor ceil round exp expm1 log log1p sqrt rsqrt sin cos tan asin acos atan
sinh cosh tanh erf sigmoid softplus log_sigmoid relu silu gelu gelu_tanh""".split()
SCALERS = "scale shift pow_scalar leaky_relu elu clamp".split()
BINARIES = """add sub mul div div_or_zero maximum minimum pow hypot logaddexp xlogy logaddexp_grad sigmoid_grad tanh_grad
silu_grad gelu_grad gelu_tanh_grad relu_grad leaky_relu_grad elu_grad clamp_grad where add mul sub div""".split()


def in_domain(value, low, high):
    return value.is_floating_point() and value.numel() > 0 and value.min() >= low and value.max() <= high


class Builder:
    """Draws one graph: each step takes a value that is not yet used, if there is one."""

    def __init__(self, g):
        self.g, self.used = g, set()
        for _ in range(rng.randint(1, 2)):
            g.x(rng.choice([(3,), (2, 3), (3, 2), (2, 2), (4,), (2, 2, 2), ()]))

    def take(self):
        floats = [i for i, node in enumerate(self.g.nodes) if node[1].is_floating_point()]
        fresh = [i for i in floats if i not in self.used]
        return rng.choice(fresh if fresh and rng.random() < 0.8 else floats)

    def mate(self, shape):
        """A value that broadcasts with the shape and makes nothing large of it, or a new leaf."""
        fit = [i for i, node in enumerate(self.g.nodes) if node[1].is_floating_point()
               and self.goes_with(tuple(node[1].shape), shape)]
        if fit and rng.random() < 0.7:
            fresh = [i for i in fit if i not in self.used]
            return rng.choice(fresh or fit)
        return self.g.x(shape if rng.random() < 0.6 else shape[1:], 0.2, 2)

    @staticmethod
    def goes_with(one, two):
        try:
            return math.prod(torch.broadcast_shapes(one, two)) <= 12
        except RuntimeError:
            return False

    def step(self):
        i = self.take()
        kind = rng.choice(("unary", "unary", "scaled", "binary", "binary", "binary", "reduce", "along",
                           "layout", "index", "product", "product", "loss"))
        operands, name, a = getattr(self, kind)(i, self.g.nodes[i][1], self.g.shape(i))
        self.g.op(name, *operands, a=a)
        self.used.update(operands)
        value = self.g.nodes[-1][1]
        if value.numel() > 16 or not in_domain(value, -50, 50):
            raise Rejected

    def unary(self, i, value, shape):
        fit = [name for name in UNARIES if in_domain(value, *UNARY[name][1:])]
        if not fit:
            raise Rejected
        return (i,), rng.choice(fit), ()

    def scaled(self, i, value, shape):
        name = rng.choice(SCALERS)
        a = rng.choice([a for a in SCALED[name][1] if a != (0,)])
        if name == "pow_scalar" and not in_domain(value, 0.1, 5):
            raise Rejected
        return (i,), name, a

    def binary(self, i, value, shape):
        name = rng.choice(BINARIES)
        if name == "where":
            return (self.g.k(shape, 2), i, self.mate(shape)), name, ()
        j = self.mate(shape)
        _, first, second = BINARY[name]
        if not in_domain(value, *first) or not in_domain(self.g.nodes[j][1], *second):
            raise Rejected
        return (i, j), name, BINARY_ATTRIBUTES.get(name, ())

    def reduce(self, i, value, shape):
        if not shape:
            raise Rejected
        name = rng.choice(list(REDUCERS) + list(PARAMETER_REDUCERS))
        a = (rng.randrange(2), *some_axes(len(shape)))
        if name in PARAMETER_REDUCERS:
            p = rng.choice((1, 2, math.inf)) if name == "norm" else rng.randrange(2)
            if name != "norm" and math.prod(shape[axis] for axis in a[1:]) < 3:
                raise Rejected
            a = (p, *a)
        return (i,), name + "_over", a

    def along(self, i, value, shape):
        if not shape:
            raise Rejected
        return (i,), rng.choice(list(ALONG)), (rng.randrange(-len(shape), len(shape)),)

    def layout(self, i, value, shape):
        rank = len(shape)
        name = rng.choice(("reshape", "permute", "broadcast_to", "slice", "pad", "concat", "stack"))
        if name == "reshape":
            return (i,), name, (-1,) if rank != 1 else (1, -1)
        if name == "broadcast_to":
            return (i,), name, (2, *shape)
        if rank == 0:
            raise Rejected
        axis = rng.randrange(rank)
        if name == "permute":
            return (i,), name, rng.sample(range(rank), rank)
        if name == "slice":
            begin = rng.randrange(shape[axis])
            return (i,), name, (axis, begin, rng.randint(begin + 1, shape[axis]))
        if name == "pad":
            return (i,), name, (0.5, *[rng.randrange(2) for _ in range(2 * rank)])
        same = [j for j in range(len(self.g.nodes)) if self.g.shape(j) == shape
                and self.g.nodes[j][1].is_floating_point()]
        return (i, rng.choice(same)), name, (axis,)

    def index(self, i, value, shape):
        if not shape:
            raise Rejected
        name = rng.choice(("gather_rows", "scatter_add_rows", "gather"))
        if name == "gather_rows":
            return (i, self.g.k((rng.randint(1, 3),), shape[0])), name, ()
        if name == "scatter_add_rows":
            return (i, self.g.k(shape[:1], 3)), name, (3,)
        axis = rng.randrange(len(shape))
        return (i, self.g.k(shape, shape[axis])), name, (axis,)

    def product(self, i, value, shape):
        if not shape or shape[-1] > 4:
            raise Rejected
        name = rng.choice(("matmul", "matmul", "matmul", "layer_norm"))
        if name == "layer_norm":
            if shape[-1] < 3:
                raise Rejected
            return (i, self.g.x(shape[-1:]), self.g.x(shape[-1:])), name, (0.1,)
        ta, tb = (rng.randrange(2) if len(shape) == 2 else 0), rng.randrange(2)
        inner = shape[-2] if ta else shape[-1]
        n = rng.randint(1, 3)
        return (i, self.g.x((n, inner) if tb else (inner, n), -1, 1)), name, (ta, tb)

    def loss(self, i, value, shape):
        if not shape or not in_domain(value, -6, 6):
            raise Rejected
        name, reduction = rng.choice(("cross_entropy", "bce_with_logits", "mse", "huber")), rng.randrange(3)
        if name == "cross_entropy":
            return (i, self.g.k(shape[:-1], shape[-1])), name, (reduction, rng.choice((0, 0.1)), 0, 0)
        if name == "bce_with_logits":
            return (i, self.g.f(shape, 0, 1)), name, (reduction, 1.5)
        return (i, self.g.x(shape)), name, (reduction,)


def random_graph():
    """3 to 12 ops; steps that do not fit are taken back."""
    b = Builder(Graph("graph"))
    want, tries = rng.randint(3, 12), 0
    while sum(node[0] == "op" for node in b.g.nodes) < want:
        kept, used, tries = len(b.g.nodes), set(b.used), tries + 1
        if tries > 100:
            raise Rejected
        try:
            b.step()
        except Rejected:
            del b.g.nodes[kept:]
            b.used = used
    g = b.g.without_dead()
    if sum(node[0] == "op" for node in g.nodes) < 3:
        raise Rejected
    return g
