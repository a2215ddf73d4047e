#!/usr/bin/env python3
"""Writes preprocess.txt: polynomial features, standardised, and one-hot columns, by scikit-learn.

Run by hand in this directory; the tests read only the file. A case is the line
    n d degree interaction_only include_bias columns hot_columns
and then X, its polynomial features, these standardised by X's first half, and, of two columns of
texts of which the first has texts of X's first entries and the second their signs, the one-hot columns.
"""
import sys

import numpy as np
import sklearn
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

random = np.random.RandomState(3)
out = open("preprocess.txt", "w")


def line(*values):
    print(*(repr(v.item()) for value in values for v in np.ravel(value)), file=out)


print("#", "python", sys.version.split()[0], "numpy", np.__version__, "scikit-learn",
      sklearn.__version__, file=out)
for d, degree in [(1, 1), (1, 4), (2, 2), (2, 3), (3, 2), (3, 4), (4, 3), (5, 2), (6, 1)]:
    for interaction_only in 0, 1:
        for include_bias in 0, 1:
            n = 2 * random.randint(2, 5)
            X = random.randint(-24, 25, (n, d)) / 8
            Z = PolynomialFeatures(degree, interaction_only=bool(interaction_only),
                                   include_bias=bool(include_bias)).fit_transform(X)
            S = StandardScaler().fit(Z[:n // 2]).transform(Z)
            text = np.array([["%g" % x, "negative" if x < 0 else "positive"] for x in X[:, 0]])
            H = OneHotEncoder(sparse_output=False).fit_transform(text)
            line(np.array([n, d, degree, interaction_only, include_bias, Z.shape[1], H.shape[1]]))
            for values in X, Z, S, H:
                line(values)
