/* What train says of data, model and results, as text. */
#include "summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 10, WIDTH = 20 }; /* classes and columns that are named; a name's width */

/* ---- The data ------------------------------------------------------------------------------------------ */

void summary_class_counts(const wg_table *table, int64_t count[])
{
    const wg_tensor *classes = wg_table_classes(table);
    memset(count, 0, (size_t)table->class_count * sizeof *count);
    for (int64_t i = 0; i < wg_size(classes); i++)
        count[wg_data_i64(classes)[i]]++;
}

static void print_classes(const wg_table *table)
{
    static int64_t count[SHOWN];
    int64_t k = table->class_count;
    printf("classes     ");
    if (k <= SHOWN)
        summary_class_counts(table, count);
    for (int64_t i = 0; i < k && i < SHOWN; i++)
        if (k <= SHOWN)
            printf("%s %s %" PRId64, i > 0 ? "," : "", wg_shown_text(table->class_names[i]).s,
                   count[i]);
        else
            printf("%s %s", i > 0 ? "," : "", wg_shown_text(table->class_names[i]).s);
    puts(k > SHOWN ? ", ..." : "");
}

static void print_columns(const char *kind, int64_t n, const char *const *name)
{
    if (n == 0)
        return;
    printf("%-12s %" PRId64 ":", kind, n);
    for (int64_t j = 0; j < n && j < SHOWN; j++)
        printf("%s %s", j > 0 ? "," : "", wg_shown_text(name[j]).s);
    puts(n > SHOWN ? ", ..." : "");
}

/* Of one kind of columns: "age 8, fare 4"; returns their sum. */
static int64_t print_counts(int64_t n, const char *const *name, const int64_t *count)
{
    int64_t sum = 0;
    for (int64_t j = 0; count != NULL && j < n; j++) {
        if (count[j] > 0)
            printf("%s %" PRId64 ", ", wg_shown_text(name[j]).s, count[j]);
        sum += count[j];
    }
    return sum;
}

static bool has_missing(int64_t n, const int64_t *count)
{
    for (int64_t j = 0; count != NULL && j < n; j++)
        if (count[j] > 0)
            return true;
    return false;
}

/* How many values were missing, where, and what became of them. */
static void print_missing(const train_arguments *a, const wg_table *t)
{
    if (!has_missing(t->columns, t->missing) && !has_missing(t->string_columns, t->string_missing))
        return;
    printf("missing      ");
    int64_t n = print_counts(t->columns, t->column_names, t->missing);
    n += print_counts(t->string_columns, t->string_names, t->string_missing);
    printf("%" PRId64 " in all: ", n);
    if (a->rows.missing == WG_CSV_MISSING_DROP)
        printf("%" PRId64 " rows were left out\n", t->dropped);
    else if (a->rows.missing == WG_CSV_MISSING_KEEP)
        printf("numbers became their column's %s, strings a category\n", a->missing);
    else
        puts("which is no number");
}

void summary_data(const train_arguments *a, const wg_dataset *data, bool numbers)
{
    const wg_table *table = data->table;
    printf("data         %s: %" PRId64 " rows, %" PRId64 " column%s, ", wg_shown_text(a->data).s,
           wg_dataset_rows(data), wg_dataset_columns(data),
           wg_dataset_columns(data) == 1 ? "" : "s");
    if (numbers)
        printf("%s in numbers\n", wg_shown_text(table->label_name).s);
    else
        printf("%" PRId64 " classes of %s\n", table->class_count,
               wg_shown_text(table->label_name).s);
    if (a->quiet)
        return;
    if (!numbers)
        print_classes(table);
    print_columns("numbers", table->columns, table->column_names);
    print_columns("strings", table->string_columns, table->string_names);
    print_missing(a, table);
}

/* ---- The training --------------------------------------------------------------------------------------- */

/* With patience, or after Ctrl-C, they are those of the best one, however the training ended. */
int64_t summary_epoch(const train_arguments *a, const wg_estimator *e)
{
    const bool best = a->e.fit.patience > 0 || e->fit.stop == WG_FIT_STOPPED;
    return best ? e->fit.best_epoch : e->fit.epochs;
}

/* What may reach the optimum that the iterations did not: more of them, or a method that takes fewer, where it is
 * another one and has the penalty. */
static const char *cure_of_few(const train_arguments *a)
{
    const char *optimizer = a->e.optimizer, *penalty = a->e.penalty;
    const bool newton = optimizer != NULL && strcmp(optimizer, "newton") == 0;
    const bool l1 = penalty != NULL && strcmp(penalty, "l2") != 0;
    return newton || l1 ? "--epochs" : "--epochs, --optimizer newton";
}

void summary_fit(const train_arguments *a, const wg_estimator *e, int64_t trained, int64_t tested)
{
    wg_fit_result r = e->fit;
    const int64_t taken = summary_epoch(a, e);
    const bool whole = isnan(wg_at(r.rate, 0)), best = taken < r.epochs;
    /* It began there; one that was resumed at its end evaluates nothing either. */
    const bool at_optimum = whole && r.epochs == 1 && r.optimum.iterations == 0 &&
                            r.optimum.evaluations > 0;
    printf("model        %s, %" PRId64 " training rows, %" PRId64 " test rows\n", e->model, trained,
           tested);
    printf("%-12s %" PRId64 ", loss %.6f", whole ? "iterations" : "epochs",
           at_optimum ? 0 : r.epochs, wg_at(r.loss, taken - 1));
    if (best)
        printf(" at the best one, %" PRId64, taken);
    if (r.stop == WG_FIT_EPOCHS && whole)
        printf(", not yet at the optimum (%s)", cure_of_few(a));
    puts(r.stop == WG_FIT_CONVERGED ? ", converged" : r.stop == WG_FIT_STOPPED ? ", stopped" : "");
}

static void print_check(const wg_check_report *checks, int n, const char *when)
{
    size_t agree = 0, entries = 0;
    for (int i = 0; i < n; i++) {
        agree += checks[i].agree + checks[i].kink;
        entries += checks[i].entries;
    }
    printf("%zu of %zu %s", agree, entries, when);
}

/* A gradient that is wrong is an error; what is not resolved, or 0 on both sides, is none. */
void summary_checks(const wg_estimator *e)
{
    const int n = e->mlp->params->n;
    if (e->fit.first_check == NULL || e->fit.last_check == NULL)
        return;
    printf("gradient     ");
    print_check(e->fit.first_check, n, "entries agree with differences at the start, ");
    print_check(e->fit.last_check, n, "at the end\n");
}

/* ---- The results ---------------------------------------------------------------------------------------- */

void summary_metrics(const wg_estimator *e, const judged *r)
{
    const wg_head *head = e->head;
    printf("%-12s", r->name);
    for (int i = 0; i < r->n_metrics; i++)
        printf("%s %s %.4f", i > 0 ? "," : "", head->metrics[i].name, r->metric[i]);
    putchar('\n');
}

double summary_roc_auc(const judged *r, int64_t classes)
{
    wg_tape *t = r->p->tape;
    double sum = 0;
    for (int64_t c = classes == 2; wg_tape_status(t) == WG_OK && c < classes; c++) {
        const wg_mark mark = wg_tape_mark(t);
        wg_tensor *p = wg_reshape(wg_slice(r->p, 1, c, c + 1), WG_SHAPE(wg_size(r->truth)));
        wg_tensor *is_class = wg_scalar(t, WG_I64, (double)c);
        sum += wg_roc_auc(p, classes == 2 ? r->truth : wg_equal(r->truth, is_class));
        if (wg_tape_status(t) == WG_OK)
            wg_tape_rewind(t, mark);
    }
    return sum / (double)(classes == 2 ? 1 : classes);
}

/* Why there is no area under the curve. */
static void tell_lacking_class(const wg_estimator *e, const judged *r)
{
    for (int64_t c = 0; c < e->class_count; c++)
        if (wg_class_scores(r->predicted, r->truth, c).support == 0) {
            options_complain("warning: ROC AUC is nan: no row of '%s' is of class '%s'", r->name,
                             wg_shown_text(e->class_names[c]).s);
            return;
        }
}

static void print_scores(const char *name, wg_scores s)
{
    printf("%-*.*s  %9.4f  %6.4f  %6.4f  %7" PRId64 "\n", WIDTH, WIDTH, wg_shown_text(name).s,
           s.precision, s.recall, s.f1, s.support);
}

void summary_classes(const wg_estimator *e, const judged *r)
{
    int64_t k = e->class_count;
    if (k == 0)
        return;
    printf("\n%-*s  precision  recall      f1  support\n", WIDTH, r->name);
    for (int64_t c = 0; c < k && c < 4 * SHOWN; c++)
        print_scores(e->class_names[c], wg_class_scores(r->predicted, r->truth, c));
    if (k > 4 * SHOWN)
        puts("...");
    print_scores("macro", wg_average_scores(r->predicted, r->truth, WG_MACRO, k));
    print_scores("weighted", wg_average_scores(r->predicted, r->truth, WG_WEIGHTED, k));
    if (r->p == NULL) {
        printf("Brier score %.4f; no ROC AUC: probabilities of %" PRId64
               " rows are too many to keep "
               "(--memory)\n",
               r->brier, wg_dataset_rows(&r->rows));
        return;
    }
    const double area = summary_roc_auc(r, k);
    printf("ROC AUC %.4f%s, Brier score %.4f\n", area,
           k == 2 ? "" : " (mean of each class against the others)", r->brier);
    if (isnan(area))
        tell_lacking_class(e, r);
}
