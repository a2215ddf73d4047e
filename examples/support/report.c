/* A training and its results as one HTML page: tables and pictures, all in the file itself. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "charts.h"
#include "output.h"
#include "progress.h"
#include "summary.h"

enum { CLASSES = 40, COLUMNS = 200 }; /* at most so many lines a table */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"
    "body { font: 15px/1.5 sans-serif; color: #222; margin: 0 auto; padding: 12px; max-width: "
    "1500px }\n"
    "h1 { font-size: 22px; overflow-wrap: anywhere } h2 { font-size: 18px; margin: 28px 0 8px; "
    "border-bottom: 1px solid #ccc }\n"
    "div.scroll { overflow-x: auto } table { border-collapse: collapse; margin: 0 0 14px; "
    "font-variant-numeric: "
    "tabular-nums }\n"
    "td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid #eee; white-space: "
    "nowrap }\n"
    "td:first-child, th:first-child { text-align: left; padding-left: 0 } th { font-weight: 600; "
    "border-bottom: 1px solid #aaa }\n"
    "div.pictures { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start }\n"
    "svg { max-width: min(100%, 640px); height: auto; border: 1px solid #eee }\n"
    "span.bar { display: inline-block; height: 10px; background: #0072b2 } span.minus { "
    "background: #d55e00 }\n</style>\n";

/* ---- Elements ------------------------------------------------------------------------------------------ */

static void put_cell(FILE *f, const char *tag, const char *text)
{
    fprintf(f, "<%s>", tag);
    svg_put_text(f, text);
    fprintf(f, "</%s>", tag);
}

static void put_number(FILE *f, double number)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", number);
    put_cell(f, "td", isnan(number) ? "" : text);
}

/* With four digits behind the point. */
static void put_share(FILE *f, double share)
{
    char text[40];
    snprintf(text, sizeof text, "%.4f", share);
    put_cell(f, "td", text);
}

static void put_whole(FILE *f, int64_t number)
{
    fprintf(f, "<td>%" PRId64 "</td>", number);
}

/* Names with bars between them. */
static void begin_table(FILE *f, const char *columns)
{
    char name[64];
    fputs("<div class=\"scroll\"><table>\n<tr>", f);
    for (size_t n; *columns != '\0'; columns += n + (columns[n] == '|')) {
        n = strcspn(columns, "|");
        snprintf(name, sizeof name, "%.*s", (int)n, columns);
        put_cell(f, "th", name);
    }
    fputs("</tr>\n", f);
}

static void end_table(FILE *f)
{
    fputs("</table></div>\n", f);
}

static void put_row(FILE *f, const char *name, const char *value)
{
    fputs("<tr>", f);
    put_cell(f, "td", name);
    put_cell(f, "td", value);
    fputs("</tr>\n", f);
}

/* ---- The data ------------------------------------------------------------------------------------------ */

static void put_classes(FILE *f, const wg_table *table)
{
    int64_t k = table->class_count, count[CLASSES];
    if (k > CLASSES)
        return;
    summary_class_counts(table, count);
    begin_table(f, "class|rows|share");
    for (int64_t i = 0; i < k; i++) {
        fputs("<tr>", f);
        put_cell(f, "td", table->class_names[i]);
        put_whole(f, count[i]);
        put_share(f, (double)count[i] / (double)table->rows);
        fputs("</tr>\n", f);
    }
    end_table(f);
}

/* Of a column of numbers: minimum, mean, maximum. */
static void put_column(FILE *f, const wg_table *table, int64_t j)
{
    double low = HUGE_VAL, high = -HUGE_VAL, sum = 0, n = 0;
    for (int64_t i = 0; i < table->rows; i++) {
        double x = wg_at(table->features, i * table->columns + j);
        if (isnan(x))
            continue;
        low = fmin(low, x);
        high = fmax(high, x);
        sum += x;
        n++;
    }
    fputs("<tr>", f);
    put_cell(f, "td", table->column_names[j]);
    put_cell(f, "td", "numbers");
    put_whole(f, table->missing != NULL ? table->missing[j] : 0);
    put_number(f, low);
    put_number(f, n > 0 ? sum / n : (double)NAN);
    put_number(f, high);
    fputs("</tr>\n", f);
}

static void put_columns(FILE *f, const wg_table *table)
{
    begin_table(f, "column|kind|missing|least|mean|largest");
    for (int64_t j = 0; j < table->columns && j < COLUMNS; j++)
        put_column(f, table, j);
    for (int64_t j = 0; j < table->string_columns && j < COLUMNS; j++) {
        fputs("<tr>", f);
        put_cell(f, "td", table->string_names[j]);
        put_cell(f, "td", "strings");
        put_whole(f, table->string_missing != NULL ? table->string_missing[j] : 0);
        fputs("<td></td><td></td><td></td></tr>\n", f);
    }
    end_table(f);
    if (table->columns > COLUMNS || table->string_columns > COLUMNS)
        fprintf(f, "<p>The first %d of %" PRId64 ".</p>\n", COLUMNS,
                table->columns + table->string_columns);
}

static int64_t sum_of(const int64_t *count, int64_t n)
{
    int64_t sum = 0;
    for (int64_t j = 0; count != NULL && j < n; j++)
        sum += count[j];
    return sum;
}

/* What became of missing values, if there were any. */
static void put_missing(FILE *f, const report *r)
{
    const wg_table *t = r->data->table;
    int64_t numbers = sum_of(t->missing, t->columns);
    int64_t strings = sum_of(t->string_missing, t->string_columns);
    if (t->dropped > 0)
        fprintf(f, "%" PRId64 " rows were left out for missing values.\n", t->dropped);
    else if (numbers + strings > 0)
        fprintf(f,
                "Of missing values, %" PRId64 " numbers became their column's %s, %" PRId64
                " strings a category.\n",
                numbers, r->arguments->missing, strings);
}

static void put_data(FILE *f, const report *r)
{
    const wg_table *table = r->data->table;
    fputs("<h2>Data</h2>\n<p>", f);
    fprintf(f, "%" PRId64 " rows, %" PRId64 " columns; to be predicted: ", wg_dataset_rows(r->data),
            wg_dataset_columns(r->data));
    svg_put_text(f, table->label_name);
    fputs(".\n", f);
    put_missing(f, r);
    fputs("</p>\n", f);
    if (r->estimator->class_count > 0)
        put_classes(f, table);
    put_columns(f, table);
}

/* ---- Model and training -------------------------------------------------------------------------------- */

static void put_model(FILE *f, const report *r)
{
    const wg_estimator *e = r->estimator;
    const wg_fit_result *fit = &e->fit;
    char text[64];
    int64_t weights = 0;
    for (int i = 0; i < e->mlp->params->n; i++)
        weights += wg_size(e->mlp->params->param[i]);
    fputs("<h2>Model</h2>\n", f);
    begin_table(f, "what|value");
    put_row(f, "model", e->model);
    snprintf(text, sizeof text, "%" PRId64, weights);
    put_row(f, "parameters", text);
    snprintf(text, sizeof text, "%" PRId64, fit->epochs);
    const bool whole = isnan(wg_at(fit->rate, 0));
    put_row(f, whole ? "iterations" : "epochs", text);
    const int64_t taken = summary_epoch(r->arguments, e);
    snprintf(text, sizeof text, "%" PRId64, taken);
    if (taken < fit->epochs)
        put_row(f,
                whole ? "best iteration, whose weights it has" : "best epoch, whose weights it has",
                text);
    snprintf(text, sizeof text, "%.6f", wg_at(fit->loss, taken - 1));
    put_row(f, "loss, with the penalty", text);
    snprintf(text, sizeof text, "%g", r->arguments->e.C);
    put_row(f, "C", r->arguments->e.C != 0 ? text : "default");
    snprintf(text, sizeof text, "%" PRIu64, r->arguments->e.seed);
    put_row(f, "seed", text);
    put_row(f, "ended",
            fit->stop == WG_FIT_CONVERGED  ? "at the optimum"
            : fit->stop == WG_FIT_PATIENCE ? "no better for so long"
            : fit->stop == WG_FIT_STOPPED  ? "by Ctrl-C"
                                           : "after all epochs");
    end_table(f);
}

static void put_curves(FILE *f, const report *r)
{
    const wg_estimator *e = r->estimator;
    const char *step = progress_step(wg_at(e->fit.rate, 0));
    fputs("<h2>Training</h2>\n<div class=\"pictures\">\n", f);
    if (e->fit.epochs > 1) {
        chart_history_to(f, &e->fit, step);
        chart_gradient_norms(f, &e->fit, e->mlp->params->param, step);
    }
    fputs("</div>\n", f);
}

static void put_check(FILE *f, const char *when, const wg_check_report *checks, int n)
{
    for (int i = 0; checks != NULL && i < n; i++) {
        fputs("<tr>", f);
        put_cell(f, "td", when);
        put_cell(f, "td", checks[i].name != NULL ? checks[i].name : "");
        put_whole(f, (int64_t)checks[i].entries);
        put_whole(f, (int64_t)checks[i].agree);
        put_whole(f, (int64_t)checks[i].kink);
        put_whole(f, (int64_t)checks[i].unresolved);
        put_number(f, fabs(checks[i].worst.claimed - checks[i].worst.numeric.value));
        put_cell(f, "td", wg_check_verdict_name(checks[i].verdict));
        fputs("</tr>\n", f);
    }
}

static void put_checks(FILE *f, const report *r)
{
    const wg_fit_result *fit = &r->estimator->fit;
    int n = r->estimator->mlp->params->n;
    fputs("<h2>Gradient check</h2>\n<p>The gradient of the loss of the first training rows, "
          "against differences.</p>\n",
          f);
    begin_table(f, "when|parameter|entries|agree|kinks|unresolved|worst difference|verdict");
    put_check(f, "before the first epoch", fit->first_check, n);
    put_check(f, "after the last", fit->last_check, n);
    end_table(f);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

static void put_metrics(FILE *f, const report *r)
{
    const wg_head *h = r->estimator->head;
    const judged *const parts[] = {r->trained, r->tested};
    begin_table(f, "rows|number");
    for (int k = 0; k < 2; k++)
        for (int i = 0; parts[k] != NULL && i < parts[k]->n_metrics; i++) {
            char name[64];
            snprintf(name, sizeof name, "%s: %s", parts[k]->name, h->metrics[i].name);
            fputs("<tr>", f);
            put_cell(f, "td", name);
            put_share(f, parts[k]->metric[i]);
            fputs("</tr>\n", f);
        }
    end_table(f);
}

static void put_scores(FILE *f, const char *name, wg_scores s)
{
    fputs("<tr>", f);
    put_cell(f, "td", name);
    put_share(f, s.precision);
    put_share(f, s.recall);
    put_share(f, s.f1);
    put_whole(f, s.support);
    fputs("</tr>\n", f);
}

static void put_class_scores(FILE *f, const wg_estimator *e, const judged *j)
{
    int64_t k = e->class_count;
    begin_table(f, "class|precision|recall|F1|rows");
    for (int64_t c = 0; c < k && c < CLASSES; c++)
        put_scores(f, e->class_names[c], wg_class_scores(j->predicted, j->truth, c));
    put_scores(f, "macro", wg_average_scores(j->predicted, j->truth, WG_MACRO, k));
    put_scores(f, "weighted", wg_average_scores(j->predicted, j->truth, WG_WEIGHTED, k));
    end_table(f);
    if (j->p != NULL)
        fprintf(f, "<p>ROC AUC %.4f, Brier score %.4f.</p>\n", summary_roc_auc(j, k), j->brier);
    else
        fprintf(f,
                "<p>Brier score %.4f; no ROC AUC and no curves: the probabilities of all rows are "
                "too many to keep (--memory).</p>\n",
                j->brier);
}

static void put_results(FILE *f, const report *r)
{
    const wg_estimator *e = r->estimator;
    const judged *j = r->tested != NULL ? r->tested : r->trained;
    int64_t k = e->class_count;
    fprintf(f, "<h2>Results on %s rows</h2>\n", j->name);
    put_metrics(f, r);
    if (k > 0)
        put_class_scores(f, e, j);
    fputs("<div class=\"pictures\">\n", f);
    if (k > 0) {
        chart_confusion_to(f, wg_confusion_matrix(j->predicted, j->truth, k), e->class_names);
    }
    if (k > 0 && j->p != NULL) {
        chart_roc(f, j->p, j->truth, k, e->class_names);
        chart_recall(f, j->p, j->truth, k, e->class_names);
        chart_calibration(f, j->p, j->truth, k);
    }
    if (k == 0)
        chart_numbers(f, j->predicted, j->truth);
    fputs("</div>\n", f);
}

static void put_bar(FILE *f, double weight, double most)
{
    double width = most > 0 ? 90 * fabs(weight) / most : 0;
    fprintf(f,
            "<td>%.6g</td><td style=\"text-align:left\"><span class=\"bar%s\" style=\"width:"
            "%.0fpx\"></span></td>",
            weight, weight < 0 ? " minus" : "", width);
}

static void put_coefficients(FILE *f, const report *r)
{
    const coefficients *c = r->weights;
    if (c->columns == 0 || c->outputs > CLASSES)
        return;
    double most = 0;
    for (int64_t i = 0; i < c->columns * c->outputs; i++)
        most = fmax(most, fabs(wg_at(c->W, i)));
    fputs("<h2>Coefficients</h2>\n<p>Of columns ", f);
    fprintf(f, "%s; the largest first.</p>\n",
            r->estimator->pipeline->n_steps > 0 ? "that are standardized" : "as they are");
    fputs("<div class=\"scroll\"><table><tr><th>column</th>", f);
    for (int64_t j = 0; j < c->outputs; j++) {
        put_cell(f, "th", coefficients_output(c, r->estimator, j));
        fputs("<th></th>", f);
    }
    fputs("</tr>\n<tr><td>(intercept)</td>", f);
    for (int64_t j = 0; j < c->outputs; j++)
        fprintf(f, "<td>%.6g</td><td></td>", wg_at(c->b, j));
    for (int64_t i = 0; i < c->columns && i < COLUMNS; i++) {
        fputs("</tr>\n<tr>", f);
        put_cell(f, "td", c->name[c->order[i]]);
        for (int64_t j = 0; j < c->outputs; j++)
            put_bar(f, wg_at(c->W, j * c->columns + c->order[i]), most);
    }
    fputs("</tr>\n", f);
    end_table(f);
}

bool report_write(const char *path, const report *r)
{
    FILE *f = output_open(path);
    if (f == NULL)
        return false;
    fputs(head, f);
    put_cell(f, "title", r->arguments->data);
    fputs("</head><body>\n", f);
    put_cell(f, "h1", strcmp(r->arguments->data, "-") == 0 ? "standard input" : r->arguments->data);
    put_data(f, r);
    put_model(f, r);
    put_curves(f, r);
    put_checks(f, r);
    put_results(f, r);
    put_coefficients(f, r);
    fputs("</body></html>\n", f);
    return output_close(f, true);
}
