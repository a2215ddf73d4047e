#!/usr/bin/env python3
"""Writes metrics.txt: metrics of 200 random cases with many ties, as scikit-learn computes them.

Run by hand in this directory; the tests read only the file. Each line is a name and numbers; a case
begins with `case`. Doubles are written so that they read back bit for bit.
"""
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics as m

warnings.simplefilter("ignore")
random = np.random.RandomState(7)
out = open("metrics.txt", "w")


def line(name, *values):
    flat = np.concatenate([np.ravel(v) for v in values])
    print(name, *(repr(v.item()) for v in flat), file=out)


def scores_of(average, y, p, **options):
    return m.precision_recall_fscore_support(y, p, average=average, **options)[:3]


def binary(case):
    """Classes 0 and 1 with scores in eighths; every tenth case lacks a class."""
    n = random.randint(1, 31)
    y = random.randint(0, 2, n)
    if case % 10 == 3:
        y[:] = case // 10 % 2
    s = random.randint(0, 9, n) / 8
    if case % 7 == 0:
        s = np.clip(s + (y - 0.5) / 2, 0, 1)
    predicted = (s >= 0.5).astype(int)
    line("binary_truth", y)
    line("binary_scores", s)
    line("binary_accuracy", m.accuracy_score(y, predicted))
    line("binary_prf", m.precision_recall_fscore_support(
        y, predicted, labels=[1], average="macro")[:3])
    line("binary_log_loss", m.log_loss(y, s, labels=[0, 1]))
    line("binary_brier", np.mean((s - y) ** 2) if len(set(y)) < 2 else m.brier_score_loss(y, s))
    line("auc", m.roc_auc_score(y, s) if len(set(y)) == 2 else np.nan)
    fpr, tpr, t = m.roc_curve(y, s, pos_label=1, drop_intermediate=False)
    t[0] = np.inf  # as scikit-learn has it since 1.3
    line("roc", fpr, tpr, t)
    precision, recall, t = m.precision_recall_curve(y, s, pos_label=1)
    line("precision_recall", precision, recall, t)
    line("average_precision", m.average_precision_score(y, s) if y.any() else 0.0)
    f1 = [m.f1_score(y, s >= at) for at in t]
    best = max(range(len(t)), key=lambda i: (round(f1[i], 12), -i))
    line("best_f1", t[best], precision[best], recall[best], f1[best])


def classes():
    """c classes, of which some may never occur; probabilities are sixteenths, some of them 0."""
    n, c = random.randint(1, 31), random.randint(3, 7)
    used = random.permutation(c)[:random.randint(1, c + 1)]
    y, predicted = random.choice(used, n), random.choice(used, n)
    predicted = np.where(random.rand(n) < 0.5, y, predicted)
    p = np.array([random.multinomial(16, np.full(c, 1 / c)) for _ in range(n)]) / 16
    every = list(range(c))
    line("classes", np.array(c))
    line("truth", y)
    line("predicted", predicted)
    line("probabilities", p)
    line("accuracy", m.accuracy_score(y, predicted))
    line("confusion", m.confusion_matrix(y, predicted, labels=every))
    for average in "macro", "micro", "weighted":
        line(average, scores_of(average, y, predicted))
        line(average + "_all", scores_of(average, y, predicted, labels=every))
    line("log_loss", m.log_loss(y, p, labels=every))
    line("brier", np.mean(((p - np.eye(c)[y]) ** 2).sum(axis=1)))
    for k in range(1, 4):
        line("top_%d" % k, m.top_k_accuracy_score(y, p, k=k, labels=every))


print("#", "python", sys.version.split()[0], "numpy", np.__version__, "scikit-learn",
      sklearn.__version__, file=out)
for case in range(200):
    line("case", np.array(case))
    binary(case)
    classes()
