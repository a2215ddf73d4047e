/* Owns the audit: every node's value against its value in wide floats, and what each op loses by
 * itself. */
#include "autograd/check/audit_internal.h"

#include "autograd/check/function_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/number_text_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_FAIR  3.0 /* digits that a y may lose before anything is explained */
#define AUDIT_BLAME 3.0 /* digits that an op must lose by itself to be explained */
#define AUDIT_ROWS  10  /* of the printed table */

#if WG_HAS_WIDE

static double audit_most(wg_dtype dtype)
{
    return dtype == WG_F32 ? 7.22 : 15.95;
}

#define AUDIT_ABS(x) WG_F(wide, fabs)(x)

/* An audit in progress: the user's tape and its wide copy, whose scratch it works in. */
typedef struct audit {
    wg_tape *t, *wide;
    bool *needed; /* [last + 1] */
    int64_t last;
} audit;

/* Right digits of a value: full where it is as near as the dtype can be, or below its smallest
 * number. */
static double audit_digits(double value, wg_wide exact, wg_dtype dtype)
{
    const double most = audit_most(dtype), least = dtype == WG_F32 ? 0x1p-149 : 0x1p-1074;
    const wg_wide off = AUDIT_ABS((wg_wide)value - exact);
    const double beyond = dtype == WG_F32 ? 0x1p128 : (double)INFINITY;
    if ((isnan(value) && exact != exact) || off <= (wg_wide)least || (wg_wide)value == exact)
        return most;
    if (isnan(value) || exact != exact)
        return 0;
    if (isinf(value) || fabs(value) >= beyond)
        return AUDIT_ABS(exact) > (wg_wide)(dtype == WG_F32 ? 0x1p128 : 0x1.fffffffffffffp1023)
                   ? most
                   : 0;
    const double relative = (double)(off / AUDIT_ABS(exact));
    const double digits = relative > 0 ? -log10(relative) : most;
    return !(digits > 0) ? 0 : digits > most ? most : digits;
}

static wg_wide audit_exact(const wg_tensor *wide, int64_t i)
{
    return ((const wg_wide *)wide->data)[i];
}

static bool audit_has_value(const wg_tensor *x)
{
    return (x->dtype == WG_F32 || x->dtype == WG_F64) && x->data != NULL && x->size > 0 &&
           !(x->state & WG_NODE_ABSTRACT);
}

/* The worst entry of a node. */
static void audit_compare(const wg_tensor *x, const wg_tensor *wide, wg_audit_row *row)
{
    *row = (wg_audit_row){.node = x, .digits = (double)INFINITY};
    for (int64_t i = 0; i < x->size; i++) {
        const double value = wg_element(x, i),
                     digits = audit_digits(value, audit_exact(wide, i), x->dtype);
        if (!(digits < row->digits))
            continue;
        row->digits = digits;
        row->entry = i;
        row->value = value;
        row->exact = (double)audit_exact(wide, i);
        row->overflow = !isfinite(value) && isfinite(row->exact);
    }
}

/* ---- One op alone ---------------------------------------------------------------------------- */

static void audit_round(const wg_tensor *wide, wg_dtype dtype, void *to)
{
    for (int64_t i = 0; i < wide->size; i++)
        if (dtype == WG_F32)
            ((float *)to)[i] = (float)audit_exact(wide, i);
        else
            ((double *)to)[i] = (double)audit_exact(wide, i);
}

/* Digits that x's op loses given the exact operands, rounded: the most of any entry. */
static void audit_local(audit *a, wg_tensor *x, wg_audit_row *row)
{
    wg_arena *scratch = &a->wide->scratch;
    const wg_tensor *wide = a->wide->node[x->index];
    wg_arena_mark empty = wg_arena_height(scratch);
    void **values = wg_arena_take(scratch, (size_t)x->n_operands * sizeof *values, 16);
    bool complete = values != NULL;
    for (int k = 0; complete && k < x->n_operands; k++) {
        const wg_tensor *operand = x->operand[k];
        values[k] = NULL;
        if (!audit_has_value(operand))
            continue;
        values[k] = wg_arena_take(scratch, (size_t)operand->size * wg_dtype_size(operand->dtype),
                                  WG_ALIGNMENT);
        complete = values[k] != NULL;
        if (complete)
            audit_round(a->wide->node[operand->index], operand->dtype, values[k]);
    }
    void *result = complete ? wg_check_run_on(x, values, scratch) : NULL;
    for (int64_t i = 0; result != NULL && i < x->size; i++) {
        const double value = x->dtype == WG_F32 ? (double)((float *)result)[i]
                                                : ((double *)result)[i];
        const double lost = audit_most(x->dtype) -
                            audit_digits(value, audit_exact(wide, i), x->dtype);
        row->lost = lost > row->lost ? lost : row->lost;
    }
    wg_arena_rewind(scratch, empty);
}

/* Is x discrete, and would exact operands have chosen otherwise? */
static bool audit_is_rounded(audit *a, const wg_tensor *x, wg_audit_row *row)
{
    wg_arena *scratch = &a->wide->scratch;
    wg_tensor exact = *a->wide->node[x->index];
    wg_arena_mark empty = wg_arena_height(scratch);
    const size_t list = (size_t)x->n_operands * sizeof(void *);
    void **values = wg_is_discrete(x) ? wg_arena_take(scratch, list, 16) : NULL;
    bool rounded = false;
    if (values != NULL && x->data != NULL) {
        memset(values, 0, list);
        exact.data = wg_check_run_on(&exact, values, scratch);
    }
    for (int64_t i = 0; values != NULL && exact.data != NULL && i < x->size && !rounded; i++) {
        rounded = wg_element(x, i) != wg_element(&exact, i);
        *row = (wg_audit_row){.node = x,
                              .entry = i,
                              .value = wg_element(x, i),
                              .exact = wg_element(&exact, i),
                              .lost = audit_most(WG_F64),
                              .pattern = "decided by rounding",
                              .cure = "a margin, or what does not depend on the last digit"};
    }
    wg_arena_rewind(scratch, empty);
    return rounded;
}

/* The condition at the row's entry: each operand's values are moved up by the root of the wide
 * epsilon, relatively, and the entry is looked at. */
static void audit_condition(audit *a, wg_audit_row *row)
{
    wg_arena *scratch = &a->wide->scratch;
    wg_tensor *x = a->wide->node[row->node->index];
    const wg_wide tiny = WG_F(wide, sqrt)(WG_WIDE_EPSILON), exact = audit_exact(x, row->entry);
    for (int k = 0; k < x->n_operands; k++) {
        const wg_tensor *operand = x->operand[k];
        wg_arena_mark empty = wg_arena_height(scratch);
        void **values = wg_arena_take(scratch, (size_t)x->n_operands * sizeof *values, 16);
        wg_wide *moved = wg_arena_take(scratch, (size_t)operand->size * sizeof *moved,
                                       WG_ALIGNMENT);
        if (values != NULL && moved != NULL && operand->dtype == WG_WIDE && exact != 0) {
            memset(values, 0, (size_t)x->n_operands * sizeof *values);
            values[k] = moved;
            for (int64_t i = 0; i < operand->size; i++)
                moved[i] = audit_exact(operand, i) + tiny * AUDIT_ABS(audit_exact(operand, i));
            const wg_wide *result = wg_check_run_on(x, values, scratch);
            if (result != NULL)
                row->condition += (double)(AUDIT_ABS(result[row->entry] - exact) /
                                           (tiny * AUDIT_ABS(exact)));
        }
        wg_arena_rewind(scratch, empty);
    }
}

/* The first NaN; -1: none. */
static int64_t audit_nan(const wg_tensor *x)
{
    for (int64_t i = 0; audit_has_value(x) && i < x->size; i++)
        if (isnan(wg_element(x, i)))
            return i;
    return -1;
}

/* A NaN that x's op makes of numbers has lost all digits, although wide floats have it, too. */
static void audit_makes_nan(const wg_tensor *x, wg_audit_row *row)
{
    const int64_t at = audit_nan(x);
    for (int k = 0; k < x->n_operands && at >= 0; k++)
        if (audit_nan(x->operand[k]) >= 0)
            return;
    if (at < 0)
        return;
    row->entry = at;
    row->value = row->exact = (double)NAN;
    row->digits = 0;
    row->lost = audit_most(x->dtype);
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* What loses most comes first; of equals, what is further off. */
static bool audit_before(const wg_audit_row *a, const wg_audit_row *b)
{
    return a->lost != b->lost ? a->lost > b->lost : a->digits < b->digits;
}

static size_t audit_insert(wg_audit_row rows[], size_t count, size_t most, const wg_audit_row *row)
{
    size_t at = count;
    while (at > 0 && audit_before(row, &rows[at - 1]))
        at--;
    if (at >= most)
        return count;
    const size_t kept = count < most ? count : most - 1;
    memmove(rows + at + 1, rows + at, (kept - at) * sizeof *rows);
    rows[at] = *row;
    return kept + 1;
}

/* Has some y lost more digits than is fair? */
static bool audit_is_poor(const audit *a, wg_tensor *const ys[], int n)
{
    bool poor = false;
    for (int i = 0; i < n; i++) {
        wg_audit_row row;
        if (!audit_has_value(ys[i]))
            continue;
        audit_compare(ys[i], a->wide->node[ys[i]->index], &row);
        poor = poor || audit_nan(ys[i]) >= 0 || audit_most(ys[i]->dtype) - row.digits > AUDIT_FAIR;
    }
    return poor;
}

static size_t audit_nodes(audit *a, wg_tensor *const ys[], int n, wg_audit_row rows[], size_t most)
{
    const bool explain = audit_is_poor(a, ys, n);
    size_t count = 0;
    for (int64_t i = 0; i <= a->last; i++) {
        wg_tensor *x = a->t->node[i];
        wg_audit_row row;
        if (!a->needed[i] || (x->op->flags & (WG_OP_LEAF | WG_OP_VIEW)))
            continue;
        if (!audit_is_rounded(a, x, &row)) {
            if (!audit_has_value(x))
                continue;
            audit_compare(x, a->wide->node[i], &row);
            audit_local(a, x, &row);
            audit_makes_nan(x, &row);
        }
        count = audit_insert(rows, count, most, &row);
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].pattern != NULL)
            continue;
        audit_condition(a, &rows[i]);
        if (explain && (rows[i].lost >= AUDIT_BLAME || rows[i].overflow))
            wg_audit_explain(&rows[i]);
    }
    return count;
}

static const char *audit_misfit(wg_tensor *const ys[], int n)
{
    if (ys == NULL || n < 1)
        return "there is no y";
    for (int i = 0; i < n; i++)
        if (wg_is_inert(ys[i]) || ys[i]->tape != ys[0]->tape)
            return "a y is NULL, inert or of another tape";
        else if (wg_is_stale(ys[i]))
            return "a y is out of date: replay first";
    return ys[0]->tape->status != WG_OK ? "the tape has an error" : NULL;
}

static int64_t audit_last(wg_tensor *const ys[], int n)
{
    int64_t last = 0;
    for (int i = 0; i < n; i++)
        last = ys[i]->index > last ? ys[i]->index : last;
    return last;
}

size_t wg_audit(wg_tensor *const ys[], int n, wg_audit_row rows[], size_t most, const char **why)
{
    const char *ignored;
    why = why != NULL ? why : &ignored;
    if ((*why = audit_misfit(ys, n)) != NULL || rows == NULL || most == 0)
        return 0;
    audit a = {.t = ys[0]->tape, .last = audit_last(ys, n)};
    const wg_tape_options options = a.t->options;
    a.t->options.on_error = NULL;
    a.t->options.check_finite = false;
    const wg_arena_mark empty = wg_arena_height(&a.t->scratch);
    a.needed = wg_arena_take(&a.t->scratch, (size_t)a.last + 1, 1);
    if (a.needed != NULL)
        wg_mark_needed(a.t, ys, n, a.last, a.needed);
    a.wide = wg_tape_copy_part(a.t, WG_WIDE, a.last + 1, a.needed, false);
    size_t count = 0;
    bool no_memory = a.needed == NULL || a.wide->status == WG_E_NOMEM;
    if (!no_memory && a.wide->status != WG_OK)
        *why = "an op of the tape has no wide form";
    else if (!no_memory && wg_check_narrow(a.wide, &no_memory) != NULL)
        *why = "an op of the tape passes through a narrower float in wide ones";
    else if (no_memory)
        *why = "out of memory";
    else
        count = audit_nodes(&a, ys, n, rows, most);
    wg_tape_free(a.wide);
    wg_arena_rewind(&a.t->scratch, empty);
    a.t->options = options;
    return count;
}

#undef AUDIT_ABS

#else

size_t wg_audit(wg_tensor *const ys[], int n, wg_audit_row rows[], size_t most, const char **why)
{
    (void)ys, (void)n, (void)rows, (void)most;
    if (why != NULL)
        *why = "this platform has no floats wider than double";
    return 0;
}

#endif

/* ---- Printing -------------------------------------------------------------------------------- */

static void audit_print_row(FILE *out, const wg_audit_row *r)
{
    char index[WG_CHECK_INDEX_TEXT] = "[]";
    if (r->node->shape.ndim > 0)
        wg_check_index_text(&r->node->shape, (size_t)r->entry, index);
    wg_format_to(out, "%-28s %8s %13.6g %13.6g %7.1f %7.1f %10.1e\n", wg_tensor_text(r->node).s,
                 index, r->value, r->exact, r->digits, r->lost, r->condition);
    if (r->pattern != NULL)
        fprintf(out, "    %s%s: use %s\n", r->overflow ? "overflows: " : "", r->pattern, r->cure);
}

double wg_audit_print(FILE *out, wg_tensor *const ys[], int n)
{
    wg_audit_row rows[AUDIT_ROWS];
    const char *why = NULL;
    const size_t count = wg_audit(ys, n, rows, AUDIT_ROWS, &why);
    double worst = (double)INFINITY;
    if (count == 0) {
        fprintf(out, "audit: %s\n", why != NULL ? why : "nothing was computed");
        return (double)NAN;
    }
    fprintf(out, "%-28s %8s %13s %13s %7s %7s %10s\n", "node", "entry", "value", "exact", "digits",
            "lost", "condition");
    for (size_t i = 0; i < count; i++) {
        audit_print_row(out, &rows[i]);
        worst = fmin(worst, rows[i].digits);
    }
    return worst;
}

void wg_audit_csv(FILE *out, const wg_audit_row rows[], size_t count)
{
    fputs("node,op,entry,value,exact,digits,lost,condition,pattern,cure\n", out);
    for (size_t i = 0; i < count; i++) {
        const wg_audit_row *r = &rows[i];
        fprintf(out, "%" PRId64 ",", r->node->index);
        wg_check_csv_text(out, r->node->op->name);
        wg_format_to(out, ",%" PRId64 ",%.17g,%.17g,%.2f,%.2f,%.3g,\"%s\",\"%s\"\n", r->entry,
                     r->value, r->exact, r->digits, r->lost, r->condition,
                     r->pattern != NULL ? r->pattern : "", r->cure != NULL ? r->cure : "");
    }
}

#undef AUDIT_FAIR
#undef AUDIT_BLAME
#undef AUDIT_ROWS
