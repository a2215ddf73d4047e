/* Pictures of a training: its history, confusion matrix, precision against recall. */
#include "charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

/* ---- History ------------------------------------------------------------------------------------------ */

/* Values that there are not are NaN, and so are all of them then. */
static bool has_values(const wg_tensor *values)
{
    return values != NULL && !isnan(wg_at(values, 0));
}

/* A panel of one or two curves over 1, 2, ..., n. */
static bool draw_curves(svg_plot *p, const double *step, const wg_tensor *trained,
                        const wg_tensor *held)
{
    int n = (int)wg_size(trained);
    bool two = has_values(trained) && has_values(held);
    if (has_values(trained))
        svg_line(p, 0, two ? "training" : NULL, step, wg_data_f64(trained), n);
    if (has_values(held))
        svg_line(p, 1, "validation", step, wg_data_f64(held), n);
    return svg_end(p);
}

static void widen(svg_axis *a, const wg_tensor *values)
{
    for (int64_t i = 0; values != NULL && i < wg_size(values); i++) {
        a->from = fmin(a->from, wg_at(values, i));
        a->to = fmax(a->to, wg_at(values, i));
    }
}

static bool draw_history(FILE *file, const double *step, const wg_fit_result *r, const char *name)
{
    svg_plot loss = {.title = "Training",
                     .x = {.label = name, .from = 1, .to = (double)r->epochs, .whole = true},
                     .y = {.label = "loss", .from = 0},
                     .height = 330,
                     .panels = 1 + (has_values(r->accuracy) || has_values(r->validation_score))};
    svg_plot accuracy = loss;
    widen(&loss.y, r->loss);
    widen(&loss.y, r->validation_loss);
    loss.y.to = loss.y.to > loss.y.from ? 1.05 * loss.y.to : loss.y.from + 1;
    svg_begin(&loss, file);
    if (!draw_curves(&loss, step, r->loss, r->validation_loss) || loss.panels == 1)
        return !ferror(file);
    accuracy.title = NULL;
    accuracy.panel = 1;
    accuracy.legend = SVG_BOTTOM_RIGHT;
    accuracy.y = (svg_axis){.label = "accuracy", .from = 1, .to = 1};
    widen(&accuracy.y, r->accuracy);
    widen(&accuracy.y, r->validation_score);
    accuracy.y.from = fmax(0, fmin(0.9, accuracy.y.from) - 0.02);
    accuracy.y.to = 1.02;
    svg_begin(&accuracy, file);
    return draw_curves(&accuracy, step, r->accuracy, r->validation_score);
}

bool chart_history(const char *path, const wg_fit_result *r, const char *step)
{
    if (r->loss == NULL || r->epochs < 2) {
        fprintf(stderr, "%s: no curve to draw: one %s is too few\n", path, step);
        return false;
    }
    double *x = malloc((size_t)r->epochs * sizeof *x);
    FILE *file = x != NULL ? fopen(path, "w") : NULL;
    for (int64_t i = 0; x != NULL && i < r->epochs; i++)
        x[i] = (double)(i + 1);
    bool done = file != NULL && draw_history(file, x, r, step);
    done = (file == NULL || fclose(file) == 0) && done;
    if (!done)
        fprintf(stderr, "%s: cannot be written\n", path);
    free(x);
    return done;
}

/* ---- Confusion matrix --------------------------------------------------------------------------------- */

enum { FONT = 13, CHARACTER = 8 }; /* pixels; of a digit, about */

/* The longest name's width, in pixels. */
static double longest(const char *const names[], int64_t k)
{
    double most = CHARACTER;
    for (int64_t i = 0; i < k; i++)
        most = fmax(most, svg_text_width(names[i], FONT));
    return most;
}

/* A unit of the x axis, in pixels. */
static double unit(const svg_plot *p)
{
    return (p->right - p->left) / (p->x.to - p->x.from);
}

static void draw_counts(svg_plot *p, double left, const wg_tensor *C, int64_t row, double y)
{
    char text[32];
    int64_t k = wg_dim(C, 0);
    double sum = 0;
    for (int64_t j = 0; j < k; j++)
        sum += wg_at(C, row * k + j);
    for (int64_t j = 0; j < k; j++) {
        double count = wg_at(C, row * k + j), share = sum > 0 ? count / sum : 0;
        double x = left + (double)j;
        snprintf(text, sizeof text, "%.0f", count);
        svg_cell(p, x, y - 0.5, x + 1, y + 0.5, 0, 0.05 + 0.95 * share);
        if (CHARACTER * (double)strlen(text) >= unit(p))
            continue;
        bool both = unit(p) >= 2.5 * FONT && sum > 0; /* the share below the count */
        svg_text(p, x + 0.5, y + (both ? 0.5 * FONT / unit(p) : 0), share > 0.6, text);
        snprintf(text, sizeof text, "%.0f %%", 100 * share);
        if (both)
            svg_text(p, x + 0.5, y - 0.7 * FONT / unit(p), share > 0.6, text);
    }
}

void chart_matrix(svg_plot *p, double left, const wg_tensor *C, const char *const names[])
{
    int64_t k = wg_dim(C, 0);
    bool turned = longest(names, k) + 4 > unit(p);
    for (int64_t i = 0; i < k; i++) {
        double row = (double)(k - i) - 0.5, column = left + (double)i + 0.5, gap = 8 / unit(p);
        if (turned)
            svg_text_up(p, column, -gap, names[i]);
        else
            svg_text(p, column, -1.5 * gap, false, names[i]);
        if (left <= 0)
            svg_text_before(p, -gap, row, names[i]);
        draw_counts(p, left, C, i, row);
    }
}

/* Cells are squares of so many pixels that all fit; the names have the room they need. */
bool chart_confusion(const char *path, const wg_tensor *C, const wg_estimator *e)
{
    const char **names = calloc((size_t)wg_dim(C, 0) + 1, sizeof *names);
    if (names == NULL || wg_dim(C, 0) == 0)
        return false;
    for (int64_t i = 0; i < wg_dim(C, 0); i++)
        names[i] = e->class_names[i];
    double k = (double)wg_dim(C, 0), cell = fmin(fmax(480 / k, 18), 90);
    double name = longest(names, wg_dim(C, 0)) + 12;
    double below = (name - 12 > cell ? name : 20) / cell;
    svg_plot p = {.title = "Confusion matrix",
                  .x = {.label = "predicted (shares: of the true class)",
                        .from = -name / cell,
                        .to = fmax(k, 250 / cell),
                        .bare = true},
                  .y = {.label = "true", .from = -below, .to = k, .bare = true},
                  .width = (int)(name + fmax(k * cell, 250)) + 80 + 25,
                  .height = (int)((k + below) * cell) + 48 + 58};
    bool opened = picture_open(&p, path);
    if (opened)
        chart_matrix(&p, 0, C, names);
    free(names);
    return opened && picture_close(&p);
}

/* ---- Precision and recall ----------------------------------------------------------------------------- */

bool chart_precision_recall(const char *path, const wg_tensor *p, const wg_tensor *truth,
                            const char *name)
{
    wg_precision_recall curve = wg_precision_recall_curve(p, truth);
    wg_best_threshold best = wg_best_f1(p, truth);
    char title[128], label[64];
    snprintf(title, sizeof title, "Class %.40s: average precision %.4f", name,
             wg_average_precision(p, truth));
    snprintf(label, sizeof label, "best F1: %.4f, at p >= %.4f", best.f1, best.threshold);
    svg_plot plot = {.title = title,
                     .x = {.label = "recall", .from = 0, .to = 1.02},
                     .y = {.label = "precision", .from = 0, .to = 1.02},
                     .legend = SVG_BOTTOM_LEFT};
    if (wg_size(curve.precision) == 0 || !picture_open(&plot, path))
        return false;
    svg_line(&plot, 0, NULL, wg_data_f64(curve.recall), wg_data_f64(curve.precision),
             (int)wg_size(curve.recall));
    svg_points(&plot, 7, label, &best.recall, &best.precision, 1, 5);
    return picture_close(&plot);
}
