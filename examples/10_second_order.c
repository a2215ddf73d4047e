/* What a Hessian is good for: how sure a logistic regression is of its coefficients. At the maximum
 * of the likelihood their covariance is the inverse of the Hessian of the negative log-likelihood,
 * n times that of the mean loss; from it come standard errors, z = coefficient / error, and
 * intervals. The numbers are statsmodels' (tests/oracle/second_order.txt) to 1e-8.
 *
 * Run as build/10_second_order. Prints, for two data sets, the first with five of its columns:
 *
 *     examples/data/breast_cancer.csv: log-likelihood -84.61158844 after 9 iterations
 *                          coefficient     std error         z        [0.025        0.975]
 *     mean_radius           6.27525170    1.83576973    3.4183    2.67720916    9.87329425
 *     mean_texture         -0.36410046    0.06004680   -6.0636   -0.48179003   -0.24641089
 *     mean_perimeter       -0.60715660    0.17944137   -3.3836   -0.95885524   -0.25545797
 *     mean_area            -0.04177763    0.01375017   -3.0383   -0.06872747   -0.01482779
 *     mean_smoothness    -118.46209970   20.64933977   -5.7368 -158.93406196  -77.99013745
 *     intercept            12.52617433    8.38567110    1.4938   -3.90943901   28.96178767
 *
 *     examples/data/two_class_300.csv: log-likelihood -52.78560419 after 8 iterations
 *                          coefficient     std error         z        [0.025        0.975]
 *     x1                    1.00126071    0.44445463    2.2528    0.13014564    1.87237577
 *     x2                    4.18331065    0.55194683    7.5792    3.10151475    5.26510656
 *     intercept            -0.88586683    0.59554818   -1.4875   -2.05311980    0.28138615
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

enum { MOST = 6 };

/* The inverse of a symmetric positive definite A [n, n], by Gauss and Jordan, in place. */
static void invert(double a[MOST][MOST], int n)
{
    for (int k = 0; k < n; k++) {
        const double pivot = a[k][k];
        a[k][k] = 1;
        for (int j = 0; j < n; j++)
            a[k][j] /= pivot;
        for (int i = 0; i < n; i++) {
            const double factor = a[i][k];
            if (i == k)
                continue;
            a[i][k] = 0;
            for (int j = 0; j < n; j++)
                a[i][j] -= factor * a[k][j];
        }
    }
}

/* The normal distribution's 0.975 quantile: the interval holds 95 %. */
static const double quantile = 1.959963984540054;

static void print_table(const wg_table *data, wg_tensor *const param[2], double H[MOST][MOST],
                        int d)
{
    const double n = (double)data->rows;
    invert(H, d + 1);
    printf("%-18s %13s %13s %9s %13s %13s\n", "", "coefficient", "std error", "z", "[0.025",
           "0.975]");
    for (int i = 0; i <= d; i++) {
        const double value = i < d ? wg_at(param[0], i) : wg_item(param[1]);
        const double error = sqrt(H[i][i] / n);
        printf("%-18s %13.8f %13.8f %9.4f %13.8f %13.8f\n",
               i < d ? data->column_names[i] : "intercept", value, error, value / error,
               value - quantile * error, value + quantile * error);
    }
}

/* Without a penalty, on the first d columns. */
static wg_status fit(const char *path, int64_t d)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, path, NULL);
    wg_tensor *X = wg_slice(wg_table_features(data), 1, 0, d), *y = wg_table_labels(data);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(d, 1)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    wg_tensor *params[] = {w, b};
    wg_tensor *loss = wg_bce_with_logits(wg_add(wg_matmul(X, w), b), y);
    const wg_optimum o = wg_minimize(
        loss, params, 2, &(wg_minimizer_options){.method = WG_NEWTON_EXACT, .tolerance = 1e-12});
    wg_replay(t);
    wg_tensor *matrix = wg_hessian(loss, params, 2); /* [d + 1, d + 1], w before b */
    double H[MOST][MOST];
    for (int64_t i = 0; i <= d; i++)
        for (int64_t j = 0; j <= d; j++)
            H[i][j] = wg_at(matrix, i * (d + 1) + j);
    printf("%s: log-likelihood %.8f after %d iterations\n", path, -o.value * (double)data->rows,
           (int)o.iterations);
    print_table(data, params, H, (int)d);

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status;
}

int main(void)
{
    wg_status first = fit("examples/data/breast_cancer.csv", 5);
    printf("\n");
    wg_status second = fit("examples/data/two_class_300.csv", 2);
    return first == WG_OK && second == WG_OK ? 0 : 1;
}
