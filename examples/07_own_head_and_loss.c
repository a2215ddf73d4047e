/* A head of one's own: Poisson regression, for counts. A head turns a model's outputs z into a loss
 * and into predictions; this one says: the expected count is exp(z) (the log link), and a row's loss
 * is the negative log likelihood of its count y but for what does not depend on z: exp(z) - y z. It
 * then trains, stops, is saved and loaded as the built-in heads are.
 *
 * The counts are drawn from a Poisson distribution of mean exp(0.5 + x1 - 0.7 x2). Run as
 * build/07_own_head_and_loss [FILE]; FILE is where the model is saved. Prints:
 *
 *     fitted      mean = exp(0.5325 +0.9590 x1 -0.6126 x2)
 *     optimum     expected less observed counts, summed: 0.0000
 *     deviance    1.1526 a row
 *     loaded      the deviance again: 1.1526
 *     without it  estimator: the head 'poisson' is unknown
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

enum { ROWS = 500 };

/* ---- The head. -------------------------------------------------------------------------------- */

/* Counts are not negative: looked at once, where the labels come in. */
static wg_tensor *poisson_targets(wg_tensor *y, int64_t k, wg_dtype dtype)
{
    (void)k, (void)dtype;
    for (int64_t i = 0; i < wg_size(y); i++)
        if (!(wg_at(y, i) >= 0))
            return wg_fail(y->tape, WG_E_VALUE, "poisson: row %d has the count %g", (int)i + 1,
                           wg_at(y, i));
    return y;
}

static wg_tensor *poisson_loss(wg_tensor *Z, wg_tensor *y, wg_tensor *weights, wg_reduction how)
{
    wg_tensor *l = wg_sum_over(wg_sub(wg_exp(Z), wg_mul(y, Z)), WG_AXES(1), false);
    if (weights != NULL)
        l = wg_mul(l, weights);
    return how == WG_SUM ? wg_sum(l) : wg_mean(l);
}

/* Mean deviance: 2 (y log(y / mean) - y + mean), 0 where all counts are as expected. */
static double poisson_deviance(const wg_tensor *mean, const wg_tensor *P, const wg_tensor *y)
{
    double sum = 0;
    (void)P;
    for (int64_t i = 0; i < wg_size(y); i++) {
        double count = wg_at(y, i), m = wg_at(mean, i);
        sum += 2 * ((count > 0 ? count * log(count / m) : 0) - count + m);
    }
    return sum / (double)wg_size(y);
}

static const wg_head_metric metrics[] = {{"deviance", poisson_deviance}};
static const wg_head poisson = {.name = "poisson",
                                .kind = WG_HEAD_NUMBERS,
                                .targets = poisson_targets,
                                .loss = poisson_loss,
                                .predict = wg_exp,
                                .metrics = metrics,
                                .n_metrics = 1};

/* ---- Data. ------------------------------------------------------------------------------------ */

/* The count at which the distribution function passes u. */
static double draw_count(double mean, double u)
{
    double p = exp(-mean), below = p;
    int count = 0;
    while (u >= below && count < 100) {
        p *= mean / ++count;
        below += p;
    }
    return count;
}

static wg_dataset draw(wg_tape *t)
{
    static double x[2 * ROWS], y[ROWS];
    for (uint64_t i = 0; i < ROWS; i++) {
        x[2 * i] = 2 * wg_random_uniform(7, 0, i) - 1;
        x[2 * i + 1] = 2 * wg_random_uniform(7, 1, i) - 1;
        y[i] = draw_count(exp(0.5 + x[2 * i] - 0.7 * x[2 * i + 1]), wg_random_uniform(7, 2, i));
    }
    return (wg_dataset){.X = wg_constant(t, WG_F64, WG_SHAPE(ROWS, 2), x),
                        .y = wg_constant(t, WG_F64, WG_SHAPE(ROWS), y)};
}

/* ---- Training, saving, loading. --------------------------------------------------------------- */

static void report(const wg_estimator *e, const wg_dataset *data)
{
    const wg_tensor *w = wg_params_get(e->mlp->params, "fc1.weight");
    const wg_tensor *b = wg_params_get(e->mlp->params, "fc1.bias");
    printf("fitted      mean = exp(%.4f %+.4f x1 %+.4f x2)\n", wg_item(b), wg_at(w, 0),
           wg_at(w, 1));
    double sum = 0;
    const wg_tensor *mean = wg_estimator_predict(e, data);
    for (int64_t i = 0; i < ROWS; i++)
        sum += wg_at(mean, i) - wg_at(data->y, i);
    /* the gradient by the bias; also the sum of what was left unexplained */
    printf("optimum     expected less observed counts, summed: %.4f\n", fabs(sum));
    printf("deviance    %.4f a row\n", wg_estimator_score(e, data));
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "build/poisson.safetensors";
    wg_tape *t = wg_tape_new(NULL);
    wg_dataset data = draw(t);
    wg_estimator_options o = {.head = &poisson, .C = (double)INFINITY, .raw = true};
    wg_estimator *e = wg_estimator_fit(&data, &o);
    report(e, &data);
    wg_estimator_save(e, path);
    const wg_head *const own[] = {&poisson, NULL};
    wg_estimator *loaded = wg_estimator_load(t, path, own);
    printf("loaded      the deviance again: %.4f\n", wg_estimator_score(loaded, &data));
    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    else {
        wg_estimator_load(t, path, NULL);
        printf("without it  %.40s\n", strstr(wg_tape_message(t), "estimator: "));
    }
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
