/* Logistic regression as a class of one's own, with fit, predict_proba and predict(threshold), on 300 points of two
 * classes that overlap; its weights beside scikit-learn's; and what the penalty does. Probabilities as a heat map:
 * build/decision_boundary; precision and recall: build/threshold; one against the rest: build/iris; polynomial
 * features: build/moons.
 *
 *     build/two_class_300 [--svg FILE] [DATA]
 *
 * prints
 *
 *     step   0  loss 0.6931  accuracy 0.5000
 *     step 100  loss 0.2415  accuracy 0.9267
 *     step 200  loss 0.2068  accuracy 0.9233
 *     step 300  loss 0.1946  accuracy 0.9233
 *     step 400  loss 0.1886  accuracy 0.9233
 *     w = (0.34224863, 3.17089155)  b = -0.11621907
 *     accuracy 0.9233
 *
 *     to the optimum  w = (1.00126071, 4.18331065)  b = -0.88586683
 *     scikit-learn    w = (1.00126071, 4.18331065)  b = -0.88586683   (C = 1e10)
 *
 *     p of (0, 0) is 0.2920: class 0 at threshold 0.5, class 1 at 0.2
 *
 *         C  length of w    loss  accuracy
 *      0.01       0.7652  0.4069    0.9267
 *       0.1       2.0253  0.2281    0.9233
 *         1       3.4604  0.1803    0.9300
 *     1e+10       4.3015  0.1760    0.9300
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

/* ---- The class ----------------------------------------------------------------------------------------- */

enum { STEPS = 500 };

typedef struct classifier {
    wg_linear_model model;
    double loss[STEPS]; /* before each step */
} classifier;

/* Plain gradient descent from zero weights; C: the penalty's, 0: none. */
static void fit(classifier *c, wg_tensor *X, wg_tensor *y, double C)
{
    c->model = wg_logistic_new(X, y, &(wg_linear_model_options){.C = C});
    wg_tensor *wrt[] = {c->model.W, c->model.b}, *g[2];
    wg_grad(c->model.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step < STEPS; step++) {
        c->loss[step] = wg_item(c->model.loss);
        if (C == 0 && step % 100 == 0)
            printf("step %3d  loss %.4f  accuracy %.4f\n", step, c->loss[step],
                   wg_linear_model_score(&c->model, X, y));
        wg_optimizer_step(sgd, g);
        wg_replay_to((wg_tensor *[]){c->model.loss, g[0], g[1]}, 3);
    }
}

/* The same to the optimum, from where the weights are. */
static void fit_on(classifier *c)
{
    wg_minimize(c->model.loss, (wg_tensor *[]){c->model.W, c->model.b}, 2,
                &(wg_minimizer_options){.tolerance = 1e-12});
}

/* Of class 1, [m, 1]. */
static wg_tensor *predict_proba(const classifier *c, wg_tensor *X)
{
    return wg_sigmoid(wg_linear_model_logits(&c->model, X));
}

static wg_tensor *predict(const classifier *c, wg_tensor *X, double threshold)
{
    wg_tensor *p = predict_proba(c, X);
    return wg_greater_equal(p, wg_full(p->tape, WG_F64, WG_SCALAR, threshold));
}

/* ---- What is asked of it ------------------------------------------------------------------------------- */

static void print_weights(const char *who, const classifier *c)
{
    printf("%sw = (%.8f, %.8f)  b = %.8f\n", who, wg_at(c->model.W, 0), wg_at(c->model.W, 1),
           wg_item(c->model.b));
}

static void print_origin(const classifier *c, wg_tape *t)
{
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(1, 2), 0);
    printf("\np of (0, 0) is %.4f: class %g at threshold 0.5, class %g at 0.2\n",
           wg_item(predict_proba(c, x)), wg_item(predict(c, x, 0.5)), wg_item(predict(c, x, 0.2)));
}

static void print_penalties(wg_tensor *X, wg_tensor *y)
{
    const double C[] = {0.01, 0.1, 1, 1e10};
    printf("\n    C  length of w    loss  accuracy\n");
    for (int i = 0; i < 4; i++) {
        classifier c;
        fit(&c, X, y, C[i]);
        fit_on(&c);
        double w1 = wg_at(c.model.W, 0), w2 = wg_at(c.model.W, 1);
        printf("%5g  %11.4f  %.4f  %8.4f\n", C[i], hypot(w1, w2), wg_item(c.model.mean_loss),
               wg_linear_model_score(&c.model, X, y));
    }
}

/* The sigmoid, and the loss by steps. */
static bool draw(const picture_arguments *a, const classifier *c)
{
    double z[STEPS], p[STEPS], step[STEPS];
    char title[PICTURE_TITLE];
    svg_plot top = {.title = picture_title(a, "Sigmoid and loss", title),
                    .x = {.label = "z = w x + b", .from = -8, .to = 8},
                    .y = {.label = "probability", .from = 0, .to = 1},
                    .height = 330,
                    .panels = 2};
    svg_plot below = {.x = {.label = "step", .from = 0, .to = STEPS, .whole = true},
                      .y = {.label = "loss", .from = 0, .to = 0.7},
                      .height = 330,
                      .panels = 2,
                      .panel = 1};
    for (int i = 0; i < STEPS; i++) {
        z[i] = -8 + 16.0 * i / (STEPS - 1);
        p[i] = 1 / (1 + exp(-z[i]));
        step[i] = i;
    }
    if (!picture_open(&top, a->svg))
        return false;
    svg_line(&top, 0, NULL, z, p, STEPS);
    svg_end(&top);
    svg_begin(&below, top.file);
    svg_line(&below, 0, NULL, step, c->loss, STEPS);
    return picture_close(&below);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/two_class_300.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    const wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    classifier c;
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    fit(&c, X, y, 0);
    print_weights("", &c);
    printf("accuracy %.4f\n\n", wg_accuracy(predict(&c, X, 0.5), y));
    fit_on(&c);
    print_weights("to the optimum  ", &c);
    printf("scikit-learn    w = (1.00126071, 4.18331065)  b = -0.88586683   (C = 1e10)\n");
    print_origin(&c, t);
    print_penalties(X, y);
    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, &c));
    return picture_end(t, drawn);
}
