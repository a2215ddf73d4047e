/* Owns what verdicts are called and how reports, rates and sweeps are printed, also those of
 * recorded gradients: gradcheck_print.c, which needs a tape, hands them over. */
#include "autograd/check/function_internal.h"

#include "autograd/number_text_internal.h"
#include "autograd/op.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *wg_check_verdict_name(wg_check_verdict verdict)
{
    switch (verdict) {
    case WG_CHECK_PASSED: return "passed";
    case WG_CHECK_FAILED: return "failed";
    case WG_CHECK_VACUOUS: return "vacuous";
    case WG_CHECK_UNRESOLVED: return "unresolved";
    case WG_CHECK_NOT_FINITE: return "not finite";
    case WG_CHECK_INVALID: break;
    }
    return "invalid";
}

/* From the last dimension to the first. */
char *wg_check_index_text(const wg_shape *shape, size_t index, char text[WG_CHECK_INDEX_TEXT])
{
    int64_t at[WG_MAX_DIMS] = {0}, rest = (int64_t)index;
    size_t used = 0;
    for (int i = shape->ndim - 1; i >= 0; i--) {
        at[i] = shape->dim[i] > 0 ? rest % shape->dim[i] : 0;
        rest = shape->dim[i] > 0 ? rest / shape->dim[i] : 0;
    }
    if (shape->ndim == 0)
        snprintf(text, WG_CHECK_INDEX_TEXT, "direction %zu", index);
    for (int i = 0; i < shape->ndim && used < WG_CHECK_INDEX_TEXT; i++)
        used += (size_t)snprintf(text + used, WG_CHECK_INDEX_TEXT - used, "%s%" PRId64 "%s",
                                 i == 0 ? "[" : ", ", at[i], i + 1 == shape->ndim ? "]" : "");
    return text;
}

/* What is to be said of an entry, on two lines under the row of its input. */
static void check_print_entry(FILE *out, const wg_check_report *r)
{
    static const char *const said[] = {"agrees", "is at a kink", "cannot be resolved", "is wrong"};
    const wg_check_entry *e = &r->worst;
    const wg_difference *d = &e->numeric;
    char index[WG_CHECK_INDEX_TEXT];
    fprintf(out, "    %s %s", wg_check_index_text(&r->shape, e->index, index),
            e->meet ? "is where kinks meet" : said[e->outcome]);
    if (e->op)
        fprintf(out,
                e->meet                       ? ", that of %s among them"
                : e->outcome == WG_ENTRY_KINK ? " of %s"
                                              : ", as %s does not move smoothly",
                e->op);
    wg_format_to(out, ": claimed %.10g, ", e->claimed);
    if (d->kink)
        wg_format_to(out, "derivatives %.10g and %.10g", d->left + 0.0, d->right + 0.0);
    else
        wg_format_to(out, "numeric %.10g", d->value);
    wg_format_to(out, " +- %.1e\n        step %.1e, truncation %.1e, round-off %.1e\n",
                 d->truncation + d->roundoff, d->step, d->truncation, d->roundoff);
}

static void check_print_row(FILE *out, const wg_check_report *r)
{
    fprintf(out, "%-16s %9zu %9zu %9zu %10zu %9zu %11zu  %s\n",
            r->name != NULL ? wg_shown_text(r->name).s : "x", r->entries, r->agree, r->kink,
            r->unresolved, r->disagree, r->evaluations, wg_check_verdict_name(r->verdict));
    if (r->entries > 0 && r->worst.outcome != WG_ENTRY_AGREES)
        check_print_entry(out, r);
    if (r->single > 0)
        wg_format_to(out, "    its f32 values are up to %.1e of the largest off those in f64\n",
                     r->single);
    if (r->verdict == WG_CHECK_NOT_FINITE)
        wg_format_to(out, "    f(x) = %g\n", isnan(r->value) ? (double)NAN : r->value);
    if (r->narrow)
        fprintf(out, "    decided in double: in wide floats %s passes through a narrower float\n",
                r->narrow);
    if (r->note)
        fprintf(out, "    %s\n", r->note);
    if (r->blame)
        fprintf(out, "    %s%s\n", r->verdict == WG_CHECK_INVALID ? "" : "enters at ", r->blame);
}

void wg_check_report_print(FILE *out, const wg_check_report *reports, size_t count)
{
    size_t passed = 0;
    if (!out || (!reports && count > 0))
        return;
    fprintf(out, "%-16s %9s %9s %9s %10s %9s %11s  %s\n", "input", "entries", "agree", "kink",
            "unresolved", "disagree", "evaluations", "verdict");
    for (size_t i = 0; i < count; i++) {
        check_print_row(out, &reports[i]);
        passed += reports[i].verdict == WG_CHECK_PASSED;
    }
    fprintf(out, "%s: %zu of %zu inputs passed\n",
            passed == count ? "gradient check passed" : "GRADIENT CHECK NOT PASSED", passed, count);
}

void wg_check_csv_text(FILE *out, const char *text)
{
    const bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    fputs(quoted ? "\"" : "", out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputs(quoted ? "\"" : "", out);
}

void wg_check_entry_csv(const wg_check_entry *e, const wg_check_report *input, void *stream)
{
    static const char *const outcome[] = {"agrees", "kink", "unresolved", "disagrees"};
    char index[WG_CHECK_INDEX_TEXT];
    if (e == NULL) {
        fputs("input,entry,index,outcome,claimed,numeric,left,right,truncation,roundoff,step,wide,"
              "op\n",
              stream);
        return;
    }
    const wg_difference *d = &e->numeric;
    wg_check_csv_text(stream, input->name ? input->name : "x");
    wg_format_to(stream, ",%zu,\"%s\",%s,%.17g,%.17g,%.17g,%.17g,%.3g,%.3g,%.3g,%d,", e->index,
                 wg_check_index_text(&input->shape, e->index, index),
                 e->meet ? "kinks meet" : outcome[e->outcome], e->claimed, d->value, d->left,
                 d->right, d->truncation, d->roundoff, d->step, e->wide);
    wg_check_csv_text(stream, e->op ? e->op : "");
    fputs("\n", stream);
}

/* Where there is no row. */
static void check_print_no_taylor(FILE *out, const wg_check_taylor_report *r)
{
    const char *verdict = wg_check_verdict_name(r->verdict);
    if (!isfinite(r->claimed))
        wg_format_to(out, "the claim is %g: %s\n", isnan(r->claimed) ? (double)NAN : r->claimed,
                     verdict);
    else
        fprintf(out, "no remainders%s: %s\n",
                r->verdict == WG_CHECK_NOT_FINITE   ? ", f(x) is not finite"
                : r->verdict == WG_CHECK_UNRESOLVED ? ", x is not finite"
                                                    : "",
                verdict);
}

void wg_check_taylor_print(FILE *out, const wg_check_taylor_report *report)
{
    if (report->rows[0].t == 0) {
        check_print_no_taylor(out, report);
        return;
    }
    fprintf(out, "%12s %12s %8s\n", "t", "remainder", "rate");
    for (int j = 0; j < WG_CHECK_TAYLOR_ROWS; j++)
        wg_format_to(out, "%12.3e %12.3e %8.3f\n", report->rows[j].t, report->rows[j].remainder,
                     report->rows[j].rate);
    wg_format_to(out, "rate %.3f, %d is right; noise %.1e: %s%s\n", report->rate, report->order,
                 report->noise, wg_check_verdict_name(report->verdict),
                 report->wide ? " by wide differences: kinks or lost digits hide the rate" : "");
}

void wg_check_sweep_print(FILE *out, const wg_check_sweep_row *rows, size_t count)
{
    fprintf(out, "%12s %12s %12s %12s\n", "step", "2 points", "3 points", "5 points");
    for (size_t j = 0; j < count; j++)
        wg_format_to(out, "%12.3e %12.3e %12.3e %12.3e\n", rows[j].h, rows[j].error2,
                     rows[j].error3, rows[j].error5);
}

void wg_check_sweep_csv(FILE *out, const wg_check_sweep_row *rows, size_t count)
{
    fputs("step,error2,error3,error5\n", out);
    for (size_t j = 0; j < count; j++)
        wg_format_to(out, "%.17g,%.6g,%.6g,%.6g\n", rows[j].h, rows[j].error2, rows[j].error3,
                     rows[j].error5);
}
