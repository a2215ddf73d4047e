#!/usr/bin/env python3
"""Writes tests/oracle/second_order.txt, which tests/models/test_second_order.c reads.

Needs statsmodels; the tests do not. Run from the root: python3 tests/oracle/make_second_order.py
Numbers are hexadecimal floats. Blocks: NAME and the number of coefficients, the intercept last; then a line
each of log-likelihood, coefficients, standard errors, z, lower and upper ends of the 95 % intervals.
"""
import sys

import numpy as np
import statsmodels
import statsmodels.api as sm

with open("tests/oracle/second_order.txt", "w") as out:
    print(f"# python {sys.version.split()[0]}, statsmodels {statsmodels.__version__}, numpy {np.__version__};"
          " made by tests/oracle/make_second_order.py", file=out)
    for name, columns in (("breast_cancer", 5), ("two_class_300", 2)):
        table = np.loadtxt(f"examples/data/{name}.csv", delimiter=",", skiprows=1)
        X = np.column_stack([table[:, :columns], np.ones(len(table))])
        fit = sm.Logit(table[:, -1], X).fit(method="newton", tol=1e-15, maxiter=200, disp=0)
        print("logit", name, columns + 1, file=out)
        interval = fit.conf_int()
        for values in ([fit.llf], fit.params, fit.bse, fit.tvalues, interval[:, 0], interval[:, 1]):
            print(" ".join(float(v).hex() for v in values), file=out)
