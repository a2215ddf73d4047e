/* Symmetric positive semidefinite systems, by Cholesky's factorization with pivots. Source: Higham
 * 2002, "Accuracy and stability of numerical algorithms", sec. 10.3, and 10.1 for the scaling. */
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

/* Powers of two that bring A's diagonal to [1/2, 2), and A's elements times both of theirs: what is
 * round-off beside one variable's curvature may be all that there is of another's, whose unit is a
 * million times as large. What has no positive curvature is held against the largest. */
static void semidefinite_scale(int64_t n, double a[], double scale[])
{
    const double largest = semidefinite_largest(n, a, 0);
    int exponent;
    for (int64_t i = 0; i < n; i++) {
        const double own = a[i * n + i];
        frexp(own > 0 ? own : largest > 0 ? largest : 1, &exponent);
        scale[i] = ldexp(1, -(int)floor(exponent / 2.0));
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            a[i * n + j] = a[i * n + j] * scale[i] * scale[j]; /* their product may overflow */
}

/* L of what was scaled becomes that of A. */
static void semidefinite_unscale(int64_t n, int64_t rank, double l[], const int64_t order[],
                                 const double scale[])
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i && j < rank; j++)
            l[i * n + j] /= scale[order[i]];
}

/* The rank of A, whose diagonal is of size 1: pivots below `limit` are round-off. What remains then
 * is round-off, too, unless A has negative eigenvalues: in a semidefinite matrix no element is
 * larger than the diagonal. */
static int64_t semidefinite_reduce(int64_t n, double a[], double limit, int64_t order[])
{
    for (int64_t k = 0; k < n; k++) {
        const int64_t pivot = semidefinite_pivot(n, a, k);
        if (!(a[pivot * n + pivot] > limit))
            return semidefinite_largest(n, a, k) <= fmax(1e-10, 2 * limit) ? k : -1;
        if (pivot != k)
            semidefinite_swap(n, a, order, k, pivot);
        semidefinite_eliminate(n, a, k);
    }
    return n;
}

int64_t wg_semidefinite_factor(int64_t n, double a[], double noise, int64_t order[], double work[])
{
    if (!isfinite(semidefinite_largest(n, a, 0)))
        return -1;
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    semidefinite_scale(n, a, work);
    const double limit = fmax(32 * (double)n * DBL_EPSILON, 2 * noise);
    const int64_t rank = semidefinite_reduce(n, a, limit, order);
    if (rank > 0)
        semidefinite_unscale(n, rank, a, order, work);
    return rank;
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

/* The null space of L' [rank, n], which is A's: its columns are N over the identity, N [rank, n -
 * rank]. */
static void semidefinite_null(int64_t n, int64_t rank, const double l[], double null[], double x[])
{
    const int64_t m = n - rank;
    for (int64_t k = 0; k < m; k++) {
        for (int64_t i = 0; i < rank; i++)
            x[i] = -l[(rank + k) * n + i];
        semidefinite_backward(rank, l, n, x);
        for (int64_t i = 0; i < rank; i++)
            null[i * m + k] = x[i];
    }
}

/* N' N + I [m, m], factored. */
static void semidefinite_gram(int64_t rank, int64_t m, const double null[], double g[])
{
    for (int64_t j = 0; j < m; j++)
        for (int64_t k = 0; k <= j; k++) {
            g[j * m + k] = j == k;
            for (int64_t i = 0; i < rank; i++)
                g[j * m + k] += null[i * m + j] * null[i * m + k];
        }
    for (int64_t k = 0; k < m; k++)
        semidefinite_eliminate(m, g, k);
}

/* Takes from c what lies in the null space. */
static void semidefinite_project(int64_t rank, int64_t m, const double null[], const double g[],
                                 double c[], double z[])
{
    for (int64_t k = 0; k < m; k++) {
        z[k] = c[rank + k];
        for (int64_t i = 0; i < rank; i++)
            z[k] += null[i * m + k] * c[i];
    }
    semidefinite_forward(m, g, m, z);
    semidefinite_backward(m, g, m, z);
    for (int64_t k = 0; k < m; k++) {
        c[rank + k] -= z[k];
        for (int64_t i = 0; i < rank; i++)
            c[i] -= null[i * m + k] * z[k];
    }
}

/* A solution that has zeros where there is no pivot, of b in A's range, and what of it is
 * orthogonal to the null space: the shortest. */
static void semidefinite_shortest(int64_t n, int64_t rank, const double l[], double c[],
                                  double work[])
{
    const int64_t m = n - rank;
    double *z = work, *null = z + n, *g = null + rank * m;
    semidefinite_null(n, rank, l, null, z);
    semidefinite_gram(rank, m, null, g);
    semidefinite_project(rank, m, null, g, c, z);
    semidefinite_forward(rank, l, n, c);
    semidefinite_backward(rank, l, n, c);
    for (int64_t i = rank; i < n; i++)
        c[i] = 0;
    semidefinite_project(rank, m, null, g, c, z);
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
