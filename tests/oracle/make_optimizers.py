#!/usr/bin/python3
"""Writes tests/oracle/optimizers.txt, which tests/models/test_optimizer.c, test_schedule.c and test_proximal.c read.

Needs PyTorch and scikit-learn; the tests do not. Run from the root: python3 tests/oracle/make_optimizers.py
Numbers are hexadecimal floats, exact. The file holds blocks:

  problem ROWS IN OUT, then X, W, b, Y        loss = mean of (tanh(X W + b) - Y)^2, all f64
  trace NAME                                  W and b after each of 20 steps of an optimizer
  average NAME                                the exponential average of W and b after each step
  schedule NAME                               rates of steps 0 to 39
  plateau NAME                                losses of 40 epochs, and the rates after them
  elastic NAME L1 L2 OBJECTIVE COUNT          coefficients and intercept at the optimum
"""
import sys
import warnings

import numpy as np
import sklearn
import torch
from sklearn.linear_model import ElasticNet, LogisticRegression

STEPS = 20
out = open("tests/oracle/optimizers.txt", "w")


def line(values):
    print(" ".join(float(v).hex() for v in np.asarray(values, dtype=np.float64).ravel()), file=out)


print(f"# python {sys.version.split()[0]}, torch {torch.__version__}, scikit-learn {sklearn.__version__},"
      f" numpy {np.__version__}; made by tests/oracle/make_optimizers.py", file=out)

# ---- Traces ------------------------------------------------------------------------------------------
random = np.random.RandomState(5)
X, W0 = random.randn(7, 4), random.randn(4, 3)
b0, Y = random.randn(3), random.randn(7, 3)
print("problem 7 4 3", file=out)
for array in (X, W0, b0, Y):
    line(array)


def trace(name, make, norm=0, value=0, decay=0, decay_all=False, average=0):
    """make(groups): an optimizer; decay goes to W, and to b too with decay_all."""
    W, b = (torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (W0, b0))
    groups = [{"params": [W], "weight_decay": decay},
              {"params": [b], "weight_decay": decay if decay_all else 0}]
    optimizer = make(groups)
    print("average" if average else "trace", name, file=out)
    model = torch.nn.ParameterList([W, b])
    averages = torch.optim.swa_utils.AveragedModel(
        model, avg_fn=lambda a, p, n: average * a + (1 - average) * p)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = ((torch.tanh(torch.tensor(X) @ W + b) - torch.tensor(Y)) ** 2).mean()
        loss.backward()
        if norm:
            torch.nn.utils.clip_grad_norm_([W, b], norm)
        if value:
            torch.nn.utils.clip_grad_value_([W, b], value)
        optimizer.step()
        averages.update_parameters(model)
        line(torch.cat([p.detach().ravel() for p in (averages if average else model).parameters()]))


adagrad = torch.optim.Adagrad
sgd, rmsprop, adam, adamw = torch.optim.SGD, torch.optim.RMSprop, torch.optim.Adam, torch.optim.AdamW
trace("sgd", lambda p: sgd(p, lr=0.1))
trace("sgd_momentum", lambda p: sgd(p, lr=0.1, momentum=0.9))
trace("sgd_dampening", lambda p: sgd(p, lr=0.1, momentum=0.9, dampening=0.4))
trace("sgd_nesterov", lambda p: sgd(p, lr=0.1, momentum=0.8, nesterov=True))
trace("sgd_decay", lambda p: sgd(p, lr=0.1, momentum=0.9), decay=0.3)
trace("sgd_decay_all", lambda p: sgd(p, lr=0.1), decay=0.3, decay_all=True)
trace("sgd_clip_norm", lambda p: sgd(p, lr=0.1, momentum=0.9), norm=0.05, decay=0.3)
trace("sgd_clip_value", lambda p: sgd(p, lr=0.1), value=0.01)
trace("sgd_clip_both", lambda p: sgd(p, lr=0.1), norm=0.1, value=0.02)
trace("rmsprop", lambda p: rmsprop(p))
trace("rmsprop_alpha", lambda p: rmsprop(p, lr=0.02, alpha=0.7, eps=1e-3))
trace("rmsprop_centered", lambda p: rmsprop(p, centered=True))
trace("rmsprop_momentum", lambda p: rmsprop(p, momentum=0.9))
trace("rmsprop_all", lambda p: rmsprop(p, momentum=0.5, centered=True), decay=0.1)
trace("adagrad", lambda p: adagrad(p))
trace("adagrad_all", lambda p: adagrad(p, lr=0.3, lr_decay=0.1, initial_accumulator_value=0.05, eps=1e-3), decay=0.1)
trace("adam", lambda p: adam(p))
trace("adam_betas", lambda p: adam(p, lr=0.05, betas=(0.5, 0.9), eps=1e-3))
trace("adam_decay", lambda p: adam(p, lr=0.05), decay=0.2)
trace("adam_amsgrad", lambda p: adam(p, lr=0.3, betas=(0.9, 0.5), amsgrad=True))
trace("adamw", lambda p: adamw(p), decay=0.01)
trace("adamw_decay_all", lambda p: adamw(p, lr=0.05), decay=0.5, decay_all=True)
trace("adamw_amsgrad", lambda p: adamw(p, lr=0.3, betas=(0.9, 0.5), amsgrad=True), decay=0.1)



def rates(p, W, b):
    p[0]["lr"], p[1]["lr"] = W, b
    return p


trace("sgd_rates", lambda p: sgd(rates(p, 0.1, 0.025), lr=1, momentum=0.9))
trace("adamw_rates", lambda p: adamw(rates(p, 0.05, 0.2), lr=1), decay=0.5, decay_all=True)
trace("sgd", lambda p: sgd(p, lr=0.1), average=0.8)

# ---- Schedules ---------------------------------------------------------------------------------------
warnings.simplefilter("ignore")
from torch.optim import lr_scheduler  # noqa: E402


def schedule(name, make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler, rates = make(optimizer), []
    for _ in range(40):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    print("schedule", name, file=out)
    line(rates)


schedule("step", lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5))
schedule("exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.9))
schedule("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 39, eta_min=0.01))



def plateau(name, losses, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler, rates = lr_scheduler.ReduceLROnPlateau(optimizer, **options), []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    print("plateau", name, file=out)
    line(losses)
    line(rates)


noise = np.random.RandomState(9).rand(40)
plateau("default", 1 / (1 + np.minimum(np.arange(40), 5)) + 0.01 * noise * (np.arange(40) > 5))
plateau("all", np.exp(-np.arange(40) / 8) + 0.3 * noise, factor=0.5, patience=2, threshold=0.05, cooldown=3, min_lr=0.02)

# ---- L1 and elastic net ------------------------------------------------------------------------------


def data(name, standard):
    table = np.loadtxt(f"examples/data/{name}.csv", delimiter=",", skiprows=1)
    features, label = table[:, :-1], table[:, -1]
    if standard:
        features = (features - features.mean(0)) / features.std(0)
    return features, label


def elastic(name, l1, l2, loss, w, b):
    w = np.asarray(w).ravel()
    value = loss + l1 * np.abs(w).sum() + l2 / 2 * (w @ w)
    print("elastic", name, float(l1).hex(), float(l2).hex(), float(value).hex(), len(w) + 1, file=out)
    line(np.append(w, b))


def regression(name, alpha, ratio):
    X, y = data("breast_cancer", True)
    m = ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-15, max_iter=1000000).fit(X, y)
    loss = ((m.predict(X) - y) ** 2).mean() / 2
    elastic(name, alpha * ratio, alpha * (1 - ratio), loss, m.coef_, m.intercept_)


def classification(name, table, C, ratio):
    X, y = data(table, True)
    m = LogisticRegression(penalty="elasticnet", solver="saga", C=C, l1_ratio=ratio, tol=1e-13,
                           max_iter=200000, random_state=0).fit(X, y)
    z = X @ m.coef_.ravel() + m.intercept_
    loss = np.mean(np.logaddexp(0, z) - y * z)
    n = len(y)
    elastic(name, ratio / (n * C), (1 - ratio) / (n * C), loss, m.coef_, m.intercept_)


regression("lasso", 0.01, 1)
regression("regression", 0.02, 0.5)
classification("logistic_l1", "two_class_300", 0.05, 1)
classification("logistic", "breast_cancer", 0.1, 0.5)
