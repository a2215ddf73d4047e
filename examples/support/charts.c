/* Pictures of a training and of what came of it. */
#include "charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "picture.h"

enum {
    PAGE_WIDTH = 480,
    PAGE_HEIGHT = 360
}; /* of pictures of a page, to be read on a phone, too */

static char *title_of(const char *data, const char *what, char title[PICTURE_TITLE])
{
    return picture_title(&(picture_arguments){.data = data}, what, title);
}

/* ---- History ------------------------------------------------------------------------------------------ */

/* Values that were never computed are NaN, all of them or none. */
static bool has_values(const wg_tensor *values)
{
    return values != NULL && !isnan(wg_at(values, 0));
}

/* Epochs or iterations 1, 2, ..., n, and before them the start of iterations, if they are all of one call. */
typedef struct steps {
    double *at, *loss; /* [1 + n], of the start and all steps */
    int first;         /* 0: there is a start */
} steps;

/* Of one step alone a point. */
static void draw_curve(svg_plot *p, int colour, const char *label, const double *x, const double *y,
                       int n)
{
    if (n == 1)
        svg_points(p, colour, label, x, y, 1, 4);
    else
        svg_line(p, colour, label, x, y, n);
}

/* A panel of one or two curves. */
static bool draw_curves(svg_plot *p, const steps *s, const double *trained, const wg_tensor *held,
                        int64_t epochs)
{
    int n = (int)epochs, first = trained == s->loss ? s->first : 1;
    if (trained != NULL)
        draw_curve(p, 0, has_values(held) ? "training" : NULL, s->at + first,
                   trained == s->loss ? trained + first : trained, n + 1 - first);
    if (has_values(held))
        draw_curve(p, 1, "validation", s->at + 1, wg_data_f64(held), n);
    return svg_end(p);
}

static void widen(svg_axis *a, const wg_tensor *values)
{
    for (int64_t i = 0; values != NULL && i < wg_size(values); i++) {
        a->from = fmin(a->from, wg_at(values, i));
        a->to = fmax(a->to, wg_at(values, i));
    }
}

static bool draw_history(FILE *file, const svg_plot *look, const steps *s, const wg_fit_result *r)
{
    svg_plot loss = {
        .title = look->title,
        .x = {.label = look->x.label, .from = s->first, .to = (double)r->epochs, .whole = true},
        .y = {.label = "loss", .from = 0, .to = s->first == 0 ? s->loss[0] : 0},
        .width = look->width,
        .height = look->height,
        .panels = 1 + (has_values(r->accuracy) || has_values(r->validation_score))};
    svg_plot accuracy = loss;
    widen(&loss.y, r->loss);
    widen(&loss.y, r->validation_loss);
    loss.y.to = loss.y.to > loss.y.from ? 1.05 * loss.y.to : loss.y.from + 1;
    svg_begin(&loss, file);
    if (!draw_curves(&loss, s, s->loss, r->validation_loss, r->epochs) || loss.panels == 1)
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
    return draw_curves(&accuracy, s, has_values(r->accuracy) ? wg_data_f64(r->accuracy) : NULL,
                       r->validation_score, r->epochs);
}

static bool put_history(FILE *file, const svg_plot *look, const wg_fit_result *r)
{
    size_t n = (size_t)r->epochs + 1;
    steps s = {malloc(n * sizeof(double)), malloc(n * sizeof(double)),
               r->optimum.iterations == r->epochs ? 0 : 1};
    for (int64_t i = 0; s.at != NULL && s.loss != NULL && i < (int64_t)n; i++) {
        s.at[i] = (double)i;
        s.loss[i] = i > 0 ? wg_at(r->loss, i - 1) : r->optimum.start;
    }
    bool done = s.at != NULL && s.loss != NULL && draw_history(file, look, &s, r);
    free(s.at);
    free(s.loss);
    return done;
}

bool chart_history_to(FILE *file, const wg_fit_result *r, const char *step)
{
    const svg_plot look = {
        .title = "Loss", .x.label = step, .width = PAGE_WIDTH, .height = PAGE_HEIGHT * 2 / 3};
    return put_history(file, &look, r);
}

bool chart_history(const char *path, const char *data, const wg_fit_result *r, const char *step)
{
    char title[PICTURE_TITLE];
    const svg_plot look = {
        .title = title_of(data, "Training", title), .x.label = step, .height = 330};
    FILE *file = output_open(path);
    return file != NULL && output_close(file, put_history(file, &look, r));
}

/* The norms of all parameters' gradients, one curve each, on a logarithmic axis. */
bool chart_gradient_norms(FILE *file, const wg_fit_result *r, wg_tensor *const params[],
                          const char *step)
{
    int n = (int)wg_dim(r->gradient_norm, 0), m = (int)wg_dim(r->gradient_norm, 1);
    double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
    svg_plot p = {.title = "Norms of the gradients",
                  .x = {.label = step, .from = 1, .to = n, .whole = true},
                  .y = {.label = "norm", .from = HUGE_VAL, .to = 0, .log = true},
                  .width = PAGE_WIDTH,
                  .height = PAGE_HEIGHT * 2 / 3};
    for (int64_t i = 0; i < wg_size(r->gradient_norm); i++) {
        double norm = fmax(wg_at(r->gradient_norm, i), 1e-16);
        p.y.from = fmin(p.y.from, norm / 2);
        p.y.to = fmax(p.y.to, 2 * norm);
    }
    svg_begin(&p, file);
    for (int k = 0; x != NULL && y != NULL && k < m && k < 8; k++) {
        for (int i = 0; i < n; i++) {
            x[i] = i + 1;
            y[i] = wg_at(r->gradient_norm, (int64_t)i * m + k);
        }
        svg_line(&p, k, params[k]->name, x, y, n);
    }
    free(x);
    free(y);
    return svg_end(&p);
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
static svg_plot confusion_plot(const wg_tensor *C, const char *const names[], const char *title)
{
    double k = (double)wg_dim(C, 0), cell = fmin(fmax(480 / k, 18), 90);
    double name = longest(names, wg_dim(C, 0)) + 12;
    double below = (name - 12 > cell ? name : 20) / cell;
    return (svg_plot){.title = title,
                      .x = {.label = "predicted (shares: of the true class)",
                            .from = -name / cell,
                            .to = fmax(k, 250 / cell),
                            .bare = true},
                      .y = {.label = "true", .from = -below, .to = k, .bare = true},
                      .width = (int)(name + fmax(k * cell, 250)) + 40 + 25,
                      .height = (int)((k + below) * cell) + 48 + 58};
}

bool chart_confusion_to(FILE *file, const wg_tensor *C, const char *const names[])
{
    svg_plot p = confusion_plot(C, names, "Confusion matrix");
    svg_begin(&p, file);
    chart_matrix(&p, 0, C, names);
    return svg_end(&p);
}

bool chart_confusion(const char *path, const char *data, const wg_tensor *C,
                     const char *const names[])
{
    char title[PICTURE_TITLE];
    svg_plot p = confusion_plot(C, names, title_of(data, "Confusion matrix", title));
    if (wg_dim(C, 0) == 0 || !picture_open(&p, path))
        return false;
    chart_matrix(&p, 0, C, names);
    return picture_close(&p);
}

/* ---- Precision and recall ----------------------------------------------------------------------------- */

/* What is drawn: the curve of one class against the others. */
static svg_plot recall_plot(const char *title)
{
    return (svg_plot){.title = title,
                      .x = {.label = "recall", .from = 0, .to = 1.02},
                      .y = {.label = "precision", .from = 0, .to = 1.02},
                      .legend = SVG_BOTTOM_LEFT};
}

bool chart_precision_recall(const char *path, const char *data, const wg_tensor *p,
                            const wg_tensor *truth, const char *name)
{
    wg_precision_recall curve = wg_precision_recall_curve(p, truth);
    wg_best_threshold best = wg_best_f1(p, truth);
    char what[96], title[PICTURE_TITLE], label[64];
    snprintf(what, sizeof what, "Average precision %.4f of %.40s", wg_average_precision(p, truth),
             name);
    snprintf(label, sizeof label, "best F1: %.4f, at p >= %.4f", best.f1, best.threshold);
    svg_plot plot = recall_plot(title_of(data, what, title));
    if (wg_size(curve.precision) == 0 || !picture_open(&plot, path))
        return false;
    svg_line(&plot, 0, NULL, wg_data_f64(curve.recall), wg_data_f64(curve.precision),
             (int)wg_size(curve.recall));
    svg_points(&plot, 7, label, &best.recall, &best.precision, 1, 5);
    return picture_close(&plot);
}

/* ---- Curves of all classes, each against the others ------------------------------------------------------- */

typedef struct chart_class {
    wg_tensor *p, *is; /* [n]: its probability; is a row of it? */
} chart_class;

static chart_class class_of(wg_tensor *P, wg_tensor *truth, int64_t c)
{
    int64_t n = wg_size(truth);
    return (chart_class){wg_reshape(wg_slice(P, 1, c, c + 1), WG_SHAPE(n)),
                         wg_equal(truth, wg_full(P->tape, WG_I64, WG_SHAPE(n), (double)c))};
}

bool chart_roc(FILE *file, wg_tensor *P, wg_tensor *truth, int64_t k, const char *const names[])
{
    const double diagonal[] = {0, 1};
    svg_plot p = {.title = "ROC curve",
                  .x = {.label = "false positive rate", .from = 0, .to = 1},
                  .y = {.label = "true positive rate", .from = 0, .to = 1.02},
                  .width = PAGE_WIDTH,
                  .height = PAGE_HEIGHT,
                  .legend = SVG_BOTTOM_RIGHT};
    svg_begin(&p, file);
    svg_line(&p, 7, NULL, diagonal, diagonal, 2);
    for (int64_t c = k == 2; c < k && c < 8; c++) {
        chart_class one = class_of(P, truth, c);
        wg_roc roc = wg_roc_curve(one.p, one.is);
        if (wg_size(roc.threshold) > 0)
            svg_line(&p, (int)c % 7, names[c], wg_data_f64(roc.false_positive_rate),
                     wg_data_f64(roc.true_positive_rate), (int)wg_size(roc.threshold));
    }
    return svg_end(&p);
}

bool chart_recall(FILE *file, wg_tensor *P, wg_tensor *truth, int64_t k, const char *const names[])
{
    svg_plot p = recall_plot("Precision and recall");
    p.width = PAGE_WIDTH;
    p.height = PAGE_HEIGHT;
    svg_begin(&p, file);
    for (int64_t c = k == 2; c < k && c < 8; c++) {
        chart_class one = class_of(P, truth, c);
        wg_precision_recall curve = wg_precision_recall_curve(one.p, one.is);
        if (wg_size(curve.precision) > 0)
            svg_line(&p, (int)c % 7, names[c], wg_data_f64(curve.recall),
                     wg_data_f64(curve.precision), (int)wg_size(curve.recall));
    }
    return svg_end(&p);
}

/* ---- Calibration ----------------------------------------------------------------------------------------- */

enum { BINS = 10 };

/* Of the probabilities that lie in a tenth, their mean, and the share of rows of the class. */
bool chart_calibration(FILE *file, wg_tensor *P, const wg_tensor *truth, int64_t k)
{
    const double diagonal[] = {0, 1};
    double sum[BINS] = {0}, right[BINS] = {0}, count[BINS] = {0}, x[BINS], y[BINS];
    int n = 0;
    for (int64_t i = 0; i < wg_size(truth); i++)
        for (int64_t c = k == 2; c < k; c++) {
            double p = wg_at(P, i * k + c);
            int bin = (int)fmin(BINS - 1, floor(p * BINS));
            sum[bin] += p;
            right[bin] += wg_data_i64(truth)[i] == c;
            count[bin]++;
        }
    for (int bin = 0; bin < BINS; bin++)
        if (count[bin] > 0) {
            x[n] = sum[bin] / count[bin];
            y[n++] = right[bin] / count[bin];
        }
    svg_plot p = {.title = "Calibration",
                  .x = {.label = "mean of the predicted probabilities", .from = 0, .to = 1},
                  .y = {.label = "share of rows that are so", .from = 0, .to = 1.02},
                  .width = PAGE_WIDTH,
                  .height = PAGE_HEIGHT,
                  .legend = SVG_TOP_LEFT};
    svg_begin(&p, file);
    svg_line(&p, 7, NULL, diagonal, diagonal, 2);
    svg_line(&p, 0, NULL, x, y, n);
    svg_points(&p, 0, "in tenths", x, y, n, 4);
    return svg_end(&p);
}

/* ---- Numbers --------------------------------------------------------------------------------------------- */

bool chart_numbers(FILE *file, const wg_tensor *predicted, const wg_tensor *truth)
{
    int n = (int)wg_size(truth);
    double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int i = 0; x != NULL && y != NULL && i < n; i++) {
        x[i] = wg_at(truth, i);
        y[i] = wg_at(predicted, i);
        low = fmin(low, fmin(x[i], y[i]));
        high = fmax(high, fmax(x[i], y[i]));
    }
    const double diagonal[] = {low, high}, margin = 0.05 * (high - low);
    svg_plot p = {.title = "Predicted against true",
                  .x = {.label = "true", .from = low - margin, .to = high + margin},
                  .y = {.label = "predicted", .from = low - margin, .to = high + margin},
                  .width = PAGE_WIDTH,
                  .height = PAGE_HEIGHT};
    svg_begin(&p, file);
    svg_line(&p, 7, NULL, diagonal, diagonal, 2);
    if (x != NULL && y != NULL)
        svg_points(&p, 0, NULL, x, y, n, 3);
    free(x);
    free(y);
    return svg_end(&p);
}
