"""The ops of the oracle's case language in terms of PyTorch; tests/ops/oracle_ops.c has the same table in terms of
Wengert. An op is a function of (operands, attributes). An elementwise op that PyTorch has under the same name, with
a second derivative, needs no line here: it is found in the lists ops/*.inc, with its domain."""
import math

import torch
import torch.nn.functional as F

from op_rows import KINKED, ROWS

torch.set_default_dtype(torch.float64)


def unary(f):
    return lambda x, a: f(x[0], *a)


def binary(f):
    return lambda x, a: f(x[0], x[1], *a)


def over(f):
    """Attributes: keep, axes."""
    return lambda x, a: f(x[0], [int(i) for i in a[1:]], bool(a[0]))


def parameter_over(f):
    """Attributes: a parameter, keep, axes."""
    return lambda x, a: f(x[0], a[0], [int(i) for i in a[2:]], bool(a[1]))


def prod_over(x, axes, keep):
    for axis in sorted((i % x.dim() for i in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def gelu_tanh_slope(x):
    k = math.sqrt(2 / math.pi)
    u = k * (x + 0.044715 * x**3)
    p = torch.sigmoid(2 * u)
    return p + x * p * (1 - p) * 2 * k * (1 + 3 * 0.044715 * x**2)


def gelu_slope(x):
    return torch.erfc(-x / math.sqrt(2)) / 2 + x * torch.exp(-x**2 / 2) / math.sqrt(2 * math.pi)


def silu_slope(x):
    return torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


def div_or_zero(a, b):
    return torch.where(b == 0, torch.zeros(()), a / torch.where(b == 0, torch.ones(()), b))


def sum_to(x, like):
    return x.sum_to_size(like.shape)


def matmul(a, b, ta, tb):
    return torch.matmul(a.mT if ta and a.dim() > 1 else a, b.mT if tb and b.dim() > 1 else b)


def pad(x, value, *counts):
    before, after = counts[: x.dim()], counts[x.dim():]
    pairs = [int(n) for i in reversed(range(x.dim())) for n in (before[i], after[i])]
    return F.pad(x, pairs, value=value) if pairs else x


def part(x, axis, begin, end):
    places = [slice(None)] * x.dim()
    places[int(axis)] = slice(int(begin), int(end))
    return x[tuple(places)]


def expand_dims(x, *axes):
    rank = x.dim() + len(axes)
    for axis in sorted(int(i) % rank for i in axes):
        x = x.unsqueeze(axis)
    return x


def squeeze(x, *axes):
    for axis in sorted((int(i) % x.dim() for i in axes), reverse=True):
        x = x.squeeze(axis)
    return x


def scatter_add_rows(x, index, rows):
    others = x.shape[index.dim():]
    return x.new_zeros((int(rows), *others)).index_add(0, index.flatten(), x.reshape((-1, *others)))


def diagonal_embed(x, n, m):
    k = x.shape[-1]
    return F.pad(torch.diag_embed(x), (0, int(m) - k, 0, int(n) - k))


def csr_matmul(x, a):
    """Operands: values, starts of rows, columns, b; attributes: transpose, rows, columns."""
    transpose, rows, columns = (int(v) for v in a)
    row = torch.repeat_interleave(torch.arange(rows), x[1].diff())
    dense = x[0].new_zeros(rows, columns).index_put((row, x[2]), x[0])
    return torch.matmul(dense.t() if transpose else dense, x[3])


def layer_norm(x, a):
    gain, bias = (list(x[1:]) + [None, None])[:2]
    return F.layer_norm(x[0], x[0].shape[-1:], gain, bias, a[0])


# Losses: the first attribute is Wengert's reduction.
REDUCTIONS = ("mean", "sum", "none")


def reduced(l, reduction):
    return (l.mean(), l.sum(), l)[int(reduction)]


def bce(x, a):
    weight = torch.tensor(float(a[1])) if len(a) > 1 else None
    how = REDUCTIONS[int(a[0])] if a else "mean"
    return F.binary_cross_entropy_with_logits(x[0], x[1], pos_weight=weight, reduction=how)


def cross_entropy(x, a):
    """Attributes: reduction, smoothing, ignore, ignored label; operands: logits, targets[, weights]."""
    reduction, smoothing, ignore, label = a if a else (0, 0, 0, 0)
    c = x[0].shape[-1]
    rows = x[0].reshape(-1, c)
    indices = not x[1].is_floating_point()
    targets = x[1].flatten() if indices else x[1].reshape(-1, c)
    weights = x[2] if len(x) > 2 else None
    if weights is not None and weights.requires_grad:
        return weighted_cross_entropy(rows, targets, weights, reduction, smoothing, x[0].shape[:-1])
    options = {"ignore_index": int(label)} if ignore else {}
    l = F.cross_entropy(rows, targets, weights, label_smoothing=smoothing,
                        reduction=REDUCTIONS[int(reduction)], **options)
    return l.reshape(x[0].shape[:-1]) if reduction == 2 else l


def weighted_cross_entropy(rows, targets, weights, reduction, smoothing, shape):
    """By its formula, because PyTorch does not differentiate it by the weights."""
    c = rows.shape[-1]
    indices = not targets.is_floating_point()
    t = F.one_hot(targets, c).double() if indices else targets
    l = -(weights * ((1 - smoothing) * t + smoothing / c) * F.log_softmax(rows, -1)).sum(-1)
    if reduction == 0:
        return l.sum() / (weights[targets].sum() if indices else len(rows))
    return l.sum() if reduction == 1 else l.reshape(shape)


def nll(x, a):
    """Without smoothing and of index labels PyTorch's own, else by the formula."""
    reduction, smoothing, ignore, label = a if a else (0, 0, 0, 0)
    c = x[0].shape[-1]
    rows = x[0].reshape(-1, c)
    weights = x[2] if len(x) > 2 else None
    if x[1].is_floating_point():
        t = (1 - smoothing) * x[1].reshape(-1, c) + smoothing / c
        l = -((t if weights is None else t * weights) * rows).sum(-1)
        return l.reshape(x[0].shape[:-1]) if reduction == 2 else reduced(l, reduction)
    options = {"ignore_index": int(label)} if ignore else {}
    l = F.nll_loss(rows, x[1].flatten(), weights, reduction=REDUCTIONS[int(reduction)], **options)
    return l.reshape(x[0].shape[:-1]) if reduction == 2 else l


def kl_divergence(log_p, t, reduction=0):
    l = F.kl_div(log_p, t, reduction="none").sum(-1)
    return reduced(l, reduction)


def huber(x, y, reduction=0, delta=1):
    return F.huber_loss(x, y, delta=float(delta), reduction=REDUCTIONS[int(reduction)])


def hinge(z, y, reduction=0):
    return reduced(F.relu(1 - y * z), reduction)


def named(name):
    """PyTorch's function of the same name."""
    return next((getattr(m, name) for m in (torch, F, torch.special) if hasattr(m, name)), None)


# Only what is not called as in PyTorch. name: (function, where operands are drawn from).
UNARY = {
    "detach": (torch.detach, -2, 2), "cast_f32": (lambda x: x.float().double(), -2, 2),
    "cast_i64": (lambda x: x.detach().long().double(), -3, 3),
    "log_sigmoid": (F.logsigmoid, -6, 6),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), -4, 4),
    "one_minus_square": (lambda x: 1 - x * x, -2, 2),
}
UNARY.update({name: (named(name), *domain.get(0, (-2, 2))) for kind, name, _, domain in ROWS
              if kind in ("UNARY", "UNARY_FLAT") and name not in UNARY})

# name: (function, where its attributes come from).
SCALED = {
    "scale": (lambda x, c: c * x, [(2.5,), (-0.1,), (0,)]),
    "shift": (lambda x, c: x + c, [(0.1,), (-3,)]),
    "pow_scalar": (lambda x, c: torch.pow(x, c), [(2,), (3,), (-1,), (0.5,), (0,), (1,), (-2.5,)]),
    "leaky_relu": (lambda x, c: F.leaky_relu(x, c), [(0.01,), (0.3,), (-0.5,)]),
    "affine": (lambda x, a, b: a * x + b, [(2.5, -0.5), (-1, 0)]),
    "elu": (lambda x, c: F.elu(x, c), [(1,), (0.3,)]),
    "clamp": (torch.clamp, [(-1, 0.5), (0, math.inf), (-math.inf, 1)]),
}

BINARY = {
    "div_or_zero": (div_or_zero, (-2, 2), (0.4, 3)), "weigh": (torch.mul, (-2, 2), (-2, 2)),
    "logaddexp_grad": (lambda a, b: torch.sigmoid(a - b), (-4, 4), (-4, 4)),
    "sigmoid_grad": (lambda d, x: d * torch.sigmoid(x) * torch.sigmoid(-x), (-2, 2), (-5, 5)),
    "tanh_grad": (lambda d, x: d / torch.cosh(x)**2, (-2, 2), (-3, 3)),
    "silu_grad": (lambda d, x: d * silu_slope(x), (-2, 2), (-5, 5)),
    "gelu_grad": (lambda d, x: d * gelu_slope(x), (-2, 2), (-3, 3)),
    "gelu_tanh_grad": (lambda d, x: d * gelu_tanh_slope(x), (-2, 2), (-3, 3)),
    "relu_grad": (lambda d, x: torch.where(x > 0, d, torch.zeros(())), (-2, 2), (-2, 2)),
    "leaky_relu_grad": (lambda d, x, c: torch.where(x > 0, d, c * d), (-2, 2), (-2, 2)),
    "elu_grad": (lambda d, x, c: torch.where(x > 0, d, d * c * torch.exp(x)), (-2, 2), (-2, 2)),
    "clamp_grad": (lambda d, x, low, high: torch.where((x >= low) & (x <= high), d, torch.zeros(())),
                   (-2, 2), (-2, 2)),
}
BINARY_ATTRIBUTES = {"leaky_relu_grad": (0.1,), "elu_grad": (0.7,), "clamp_grad": (-1, 0.5)}
BINARY.update({name: (named(name), domain.get(0, (-2, 2)), domain.get(1, (-2, 2)))
               for kind, name, _, domain in ROWS if kind == "BINARY" and name not in BINARY})
COMPARISONS = {"equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le,
               "greater": torch.gt, "greater_equal": torch.ge}

REDUCERS = {
    "sum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
    "mean": lambda x, axes, keep: x.mean(axes, keepdim=keep),
    "prod": prod_over,
    "amax": lambda x, axes, keep: x.amax(axes, keepdim=keep),
    "amin": lambda x, axes, keep: x.amin(axes, keepdim=keep),
    "logsumexp": lambda x, axes, keep: x.logsumexp(axes, keepdim=keep),
}
PARAMETER_REDUCERS = { # attribute: correction, correction, order
    "var": lambda x, c, axes, keep: torch.var(x, axes, correction=int(c), keepdim=keep),
    "std": lambda x, c, axes, keep: torch.std(x, axes, correction=int(c), keepdim=keep),
    "norm": lambda x, p, axes, keep: torch.linalg.vector_norm(x, p, axes, keepdim=keep),
}
ALONG = {
    "softmax": lambda x, axis: F.softmax(x, axis), "log_softmax": lambda x, axis: F.log_softmax(x, axis),
    "cumsum": lambda x, axis: torch.cumsum(x, axis),
    "cumsum_reverse": lambda x, axis: x.flip(axis).cumsum(axis).flip(axis),
}
LOSSES = {"mse": lambda x, y, r=0: F.mse_loss(x, y, reduction=REDUCTIONS[int(r)]),
          "mae": lambda x, y, r=0: F.l1_loss(x, y, reduction=REDUCTIONS[int(r)]),
          "hinge": hinge, "kl_divergence": kl_divergence, "huber": huber}

OPS = {
    "maximum_grad": lambda x, a: torch.where(x[1] == x[2], x[0] / 2,
                                             torch.where(x[1] > x[2], x[0], torch.zeros(()))),
    "scaled_pow": lambda x, a: x[0] * torch.pow(x[1], x[2]),
    "where": lambda x, a: torch.where(x[0] != 0, x[1], x[2]),
    "argmax": lambda x, a: x[0].argmax(), "argmin": lambda x, a: x[0].argmin(),
    "argmax_over": lambda x, a: x[0].argmax(int(a[0]), keepdim=bool(a[1])),
    "argmin_over": lambda x, a: x[0].argmin(int(a[0]), keepdim=bool(a[1])),
    "reshape": lambda x, a: x[0].reshape([int(n) for n in a]),
    "broadcast_to": lambda x, a: x[0].broadcast_to([int(n) for n in a]),
    "permute": lambda x, a: x[0].permute([int(n) for n in a]),
    "transpose": lambda x, a: x[0].transpose(int(a[0]), int(a[1])), "t": lambda x, a: x[0].t(),
    "squeeze": unary(squeeze), "expand_dims": unary(expand_dims), "sum_to": binary(sum_to),
    "slice": unary(part), "pad": unary(pad),
    "concat": lambda x, a: torch.cat(x, int(a[0])), "stack": lambda x, a: torch.stack(x, int(a[0])),
    "split": lambda x, a: x[0].split([int(n) for n in a[2:]], int(a[0]))[int(a[1])],
    "gather_rows": lambda x, a: x[0][x[1]], "scatter_add_rows": binary(scatter_add_rows),
    "gather": lambda x, a: x[0].gather(int(a[0]), x[1]),
    "scatter_add": lambda x, a: x[0].scatter_add(int(a[0]), x[1], x[2]),
    "one_hot": lambda x, a: F.one_hot(x[0], int(a[0])).double(),
    "diagonal": lambda x, a: x[0].diagonal(0, -2, -1), "diagonal_embed": unary(diagonal_embed),
    "matmul": binary(matmul), "dot": binary(torch.dot), "outer": binary(torch.outer),
    "csr_matmul": csr_matmul,
    "layer_norm": layer_norm,
    "bce_with_logits": bce, "cross_entropy": cross_entropy, "nll": nll,
}
OPS.update({name: unary(row[0]) for name, row in (UNARY | SCALED).items()})
OPS.update({name: binary(row[0]) for name, row in BINARY.items()})
OPS.update({name: lambda x, a, f=f: f(x[0], x[1]).double() for name, f in COMPARISONS.items()})
OPS.update({name + "_over": over(f) for name, f in REDUCERS.items()})
OPS.update({name: lambda x, a, f=f: f(x[0], list(range(x[0].dim())), False)
            for name, f in REDUCERS.items()})
OPS.update({name + "_over": parameter_over(f) for name, f in PARAMETER_REDUCERS.items()})
OPS.update({name: lambda x, a, f=f: f(x[0], a[0] if a else 1, list(range(x[0].dim())), False)
            for name, f in PARAMETER_REDUCERS.items()})
OPS.update({name: lambda x, a, f=f: f(x[0], int(a[0])) for name, f in ALONG.items()})
OPS.update({name: binary(f) for name, f in LOSSES.items()})

for _name, _row in (UNARY | BINARY).items():
    assert _row[0] is not None, f"PyTorch has no {_name}: give it a line"
