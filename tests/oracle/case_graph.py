"""A case of the oracle: a graph, its derivatives, and the lines they are written in."""
import math
import random
import zlib

import torch

from torch_ops import OPS

NOISE, AMPLIFICATION = 1e-9, 1e3
ROUND_OFF = 1e-12 * 2**29 # of single precision: 1e-12 in double, which has 29 bits more
rng = random.Random()
noise = torch.Generator()


def seed(*key):
    """What is drawn from here on depends on the key alone."""
    text = " ".join(map(str, key))
    rng.seed(text)
    noise.manual_seed(zlib.crc32(text.encode()))


class Rejected(Exception):
    """The case is drawn again."""


def draw(shape, low=-2, high=2, step=1):
    """Multiples of step/64 in [low, high]."""
    n = math.prod(shape)
    units = [step * rng.randint(math.ceil(64 * low / step), math.floor(64 * high / step))
             for _ in range(n)]
    return torch.tensor(units, dtype=torch.float64).reshape(shape) / 64


def perturbed(x, by):
    return x * (1 + by * torch.randn(x.shape, generator=noise)) if by and x.is_floating_point() else x


def shaken(x, by):
    """A leaf; a 0, which may stand on a kink, moves, too."""
    return perturbed(x, by) + by * (torch.rand(x.shape, generator=noise) - 0.5)


class Graph:
    """Leaves (kind, value) and ops ("op", value, name, operands, attributes)."""

    def __init__(self, name, exact=False):
        self.name, self.exact, self.nodes = name, exact, []

    def leaf(self, kind, value):
        self.nodes.append((kind, value))
        return len(self.nodes) - 1

    def x(self, shape, low=-2, high=2):
        return self.leaf("x", draw(shape, low, high, 32 if self.exact else 1))

    def f(self, shape, low=-2, high=2):
        return self.leaf("f", draw(shape, low, high))

    def k(self, shape, n):
        return self.leaf("k", torch.tensor([rng.randrange(n) for _ in range(math.prod(shape))],
                                           dtype=torch.int64).reshape(shape))

    def op(self, name, *operands, a=()):
        try:
            value = OPS[name]([self.nodes[i][1] for i in operands], a)
        except (RuntimeError, IndexError) as e:
            raise RuntimeError(f"{name} {operands} {a}: {e}") from e
        self.nodes.append(("op", value, name, operands, a))
        return len(self.nodes) - 1

    def shape(self, i):
        return tuple(self.nodes[i][1].shape)

    def without_dead(self):
        """Only what the last node needs."""
        needed = {len(self.nodes) - 1}
        for i in reversed(range(len(self.nodes))):
            if i in needed and self.nodes[i][0] == "op":
                needed.update(self.nodes[i][3])
        place = {old: new for new, old in enumerate(sorted(needed))}
        g = Graph(self.name, self.exact)
        for i in sorted(needed):
            node = self.nodes[i]
            g.nodes.append(node if node[0] != "op" else
                           (*node[:3], tuple(place[j] for j in node[3]), node[4]))
        return g

    def run(self, c, vs, by=0.0, dtype=torch.float64):
        """y, the gradients and the Hessian-vector products, with noise of the relative size `by`."""
        values, xs = [], []
        for node in self.nodes:
            if node[0] == "op":
                value = perturbed(OPS[node[2]]([values[i] for i in node[3]], node[4]), by)
                values.append(value.to(dtype) if value.is_floating_point() else value)
            elif node[0] == "x":
                xs.append(shaken(node[1], by).to(dtype, copy=True).requires_grad_())
                values.append(xs[-1])
            else:
                values.append(node[1].to(dtype) if node[0] == "f" else node[1])
        y = values[-1]
        if c is None:
            return y, [], []
        gs = slopes((y * c).sum(), xs)
        hs = slopes(sum((g * v).sum() for g, v in zip(gs, vs)), xs)
        return y.detach(), [g.detach() for g in gs], hs

    def lines(self):
        y = self.nodes[-1][1]
        leaves = [node[1] for node in self.nodes if node[0] == "x"]
        c = draw(y.shape) if y.is_floating_point() else None
        vs = [draw(x.shape) for x in leaves]
        y, gs, hs = self.run(c, vs)
        if not all(torch.isfinite(t).all() for t in [y, *gs, *hs]):
            raise Rejected
        for _ in range(0 if c is None else 1 if self.exact else 4):
            by = 0 if self.exact else 2**-24 # other rounding errors each time
            single = self.run(c.float(), [v.float() for v in vs], by, torch.float32)
            self.measure((y, gs, hs), single, ROUND_OFF)
        if not self.exact and c is not None:
            state = noise.get_state() # the same noise with both signs: to both sides of a kink
            self.measure((y, gs, hs), self.run(c, vs, NOISE), NOISE * AMPLIFICATION)
            noise.set_state(state)
            self.measure((y, gs, hs), self.run(c, vs, -NOISE), NOISE * AMPLIFICATION)
        out = ["case " + self.name]
        out += [self.node_line(node) for node in self.nodes]
        if c is not None:
            out += [line("c", (), c * 64)] + [line("v", (), v * 64) for v in vs]
        out += [line("y", y.shape, y)]
        out += [line("g", (), g) for g in gs] + [line("h", (), h) for h in hs]
        return out

    @staticmethod
    def node_line(node):
        if node[0] == "op":
            return line("op " + node[2], node[3], node[4])
        return line(node[0], node[1].shape, node[1] * (1 if node[0] == "k" else 64))

    @staticmethod
    def measure(exact, moved, most):
        for want, other in zip([exact[0], *exact[1], *exact[2]], [moved[0], *moved[1], *moved[2]]):
            if want.numel() == 0:
                continue
            largest = want.abs().max()
            if largest > 1e6 or 0 < largest < 1e-9 or \
                    (other - want).abs().max() > most * largest:
                raise Rejected


def slopes(y, xs):
    if not xs or not y.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    gs = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None or g._is_zerotensor() else g for g, x in zip(gs, xs)]


def number(v):
    """13 digits: an error of 5e-14, beside the bound of 1e-11."""
    v = float(v)
    return str(int(v)) if v.is_integer() and abs(v) < 1e15 else repr(v) if len(repr(v)) < 10 else f"{v:.13g}"


def line(kind, integers, values):
    head = " ".join([kind] + [str(int(i)) for i in integers])
    flat = values.flatten().tolist() if isinstance(values, torch.Tensor) else list(values)
    if not flat and kind[:2] == "op":
        return head
    if len(flat) > 1 and not any(flat) and kind in ("g", "h"):
        flat = [0]
    return head + " : " + " ".join(number(v) for v in flat)
