/* Symmetric positive semidefinite systems, by Cholesky's factorization with pivots. Source: Higham
 * 2002, "Accuracy and stability of numerical algorithms", sec. 10.3. */
#include "models/optim/minimize_internal.h"

#include <float.h>
#include <math.h>

/* ---- Factoring. ------------------------------------------------------------------------------ */

static int64_t semidefinite_pivot(int64_t n, const double a[], int64_t from)
{
    int64_t best = from;
    for (int64_t i = from; i < n; i++)
        if (!(a[i * n + i] <= a[best * n + best]))
            best = i;
    return best;
}

/* Of the part that is not yet factored, whose lower triangle counts; NaN where it has one. */
static double semidefinite_largest(int64_t n, const double a[], int64_t from)
{
    double largest = 0;
    for (int64_t i = from; i < n; i++)
        for (int64_t j = from; j <= i; j++)
            if (!(fabs(a[i * n + j]) <= largest))
                largest = fabs(a[i * n + j]);
    return largest;
}

static void semidefinite_exchange(double *a, double *b)
{
    const double t = *a;
    *a = *b;
    *b = t;
}

/* Rows and columns i < k change places, in the lower triangle. */
static void semidefinite_swap(int64_t n, double a[], int64_t order[], int64_t i, int64_t k)
{
    const int64_t former = order[i];
    order[i] = order[k];
    order[k] = former;
    for (int64_t j = 0; j < i; j++)
        semidefinite_exchange(&a[i * n + j], &a[k * n + j]);
    for (int64_t j = i + 1; j < k; j++)
        semidefinite_exchange(&a[j * n + i], &a[k * n + j]);
    for (int64_t j = k + 1; j < n; j++)
        semidefinite_exchange(&a[j * n + i], &a[j * n + k]);
    semidefinite_exchange(&a[i * n + i], &a[k * n + k]);
}

/* Column k of L, and what remains to be factored without it. */
static void semidefinite_eliminate(int64_t n, double a[], int64_t k)
{
    const double root = sqrt(a[k * n + k]);
    a[k * n + k] = root;
    for (int64_t i = k + 1; i < n; i++)
        a[i * n + k] /= root;
    for (int64_t i = k + 1; i < n; i++)
        for (int64_t j = k + 1; j <= i; j++)
            a[i * n + j] -= a[i * n + k] * a[j * n + k];
}

/* Pivots below `rank_limit` are round-off of A's own elements. What remains then is round-off, too,
 * unless A has negative eigenvalues: in a semidefinite matrix no element is larger than the
 * diagonal. */
int64_t wg_semidefinite_factor(int64_t n, double a[], int64_t order[])
{
    const double largest = semidefinite_largest(n, a, 0);
    const double rank_limit = 16 * (double)n * DBL_EPSILON * largest;
    if (!isfinite(largest))
        return -1;
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t k = 0; k < n; k++) {
        const int64_t pivot = semidefinite_pivot(n, a, k);
        if (!(a[pivot * n + pivot] > rank_limit))
            return semidefinite_largest(n, a, k) <= 1e-10 * largest ? k : -1;
        if (pivot != k)
            semidefinite_swap(n, a, order, k, pivot);
        semidefinite_eliminate(n, a, k);
    }
    return n;
}

/* ---- Solving. -------------------------------------------------------------------------------- */

/* L x = b and L' x = b in place, with the leading [r, r] of L, rows of `row`. */
static void semidefinite_forward(int64_t r, const double l[], int64_t row, double x[])
{
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j < i; j++)
            x[i] -= l[i * row + j] * x[j];
        x[i] /= l[i * row + i];
    }
}

static void semidefinite_backward(int64_t r, const double l[], int64_t row, double x[])
{
    for (int64_t i = r - 1; i >= 0; i--) {
        x[i] /= l[i * row + i];
        for (int64_t j = 0; j < i; j++)
            x[j] -= l[i * row + j] * x[i];
    }
}

/* sum_i L_ij L_ik over the rows of the lower trapezium L [n, rank]. */
static double semidefinite_inner(int64_t n, const double l[], int64_t j, int64_t k)
{
    double sum = 0;
    for (int64_t i = j > k ? j : k; i < n; i++)
        sum += l[i * n + j] * l[i * n + k];
    return sum;
}

/* G = L'L, factored in place: it is positive definite, and its eigenvalues are those of A that are
 * not 0. */
static void semidefinite_gram(int64_t n, int64_t rank, const double l[], double g[])
{
    for (int64_t j = 0; j < rank; j++)
        for (int64_t k = 0; k <= j; k++)
            g[j * rank + k] = semidefinite_inner(n, l, j, k);
    for (int64_t k = 0; k < rank; k++)
        semidefinite_eliminate(rank, g, k);
}

/* The pseudo-inverse of L L' is L (L'L)^-2 L'. */
static void semidefinite_shortest(int64_t n, int64_t rank, const double l[], double c[],
                                  double work[])
{
    double *z = work, *g = work + rank;
    for (int64_t j = 0; j < rank; j++) {
        z[j] = 0;
        for (int64_t i = j; i < n; i++)
            z[j] += l[i * n + j] * c[i];
    }
    semidefinite_gram(n, rank, l, g);
    for (int twice = 0; twice < 2; twice++) {
        semidefinite_forward(rank, g, rank, z);
        semidefinite_backward(rank, g, rank, z);
    }
    for (int64_t i = 0; i < n; i++) {
        c[i] = 0;
        for (int64_t j = 0; j < rank && j <= i; j++)
            c[i] += l[i * n + j] * z[j];
    }
}

void wg_semidefinite_solve(int64_t n, int64_t rank, const double l[], const int64_t order[],
                           const double b[], double x[], double work[])
{
    double *c = work;
    for (int64_t i = 0; i < n; i++)
        c[i] = b[order[i]];
    if (rank == n) {
        semidefinite_forward(n, l, n, c);
        semidefinite_backward(n, l, n, c);
    } else {
        semidefinite_shortest(n, rank, l, c, work + n);
    }
    for (int64_t i = 0; i < n; i++)
        x[order[i]] = c[i];
}
