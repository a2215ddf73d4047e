/* Owns what verdicts are called and how reports are printed. */
#include "autograd/check/function.h"

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

/* What is wrong with an entry, on two lines under the row of its input. */
static void check_print_entry(FILE *out, const wg_check_entry *e)
{
    static const char *const said[] = {"agrees", "is at a kink", "cannot be resolved", "is wrong"};
    const wg_difference *d = &e->numeric;
    fprintf(out, "    [%zu] %s: claimed %.10g, ", e->index, said[e->outcome], e->claimed);
    if (d->kink)
        fprintf(out, "derivatives %.10g and %.10g", d->left, d->right);
    else
        fprintf(out, "numeric %.10g", d->value);
    fprintf(out, " +- %.1e\n        step %.1e, truncation %.1e, round-off %.1e\n",
            d->truncation + d->roundoff, d->step, d->truncation, d->roundoff);
}

static void check_print_row(FILE *out, const wg_check_report *r)
{
    fprintf(out, "%-16s %9zu %9zu %9zu %10zu %9zu %11zu  %s\n", r->name ? r->name : "x", r->entries,
            r->agree, r->kink, r->unresolved, r->disagree, r->evaluations,
            wg_check_verdict_name(r->verdict));
    if (r->entries > 0 && r->worst.outcome >= WG_ENTRY_UNRESOLVED)
        check_print_entry(out, &r->worst);
    if (r->single > 0)
        fprintf(out, "    its f32 values are up to %.1e of the largest off those in f64\n",
                r->single);
    if (r->verdict == WG_CHECK_NOT_FINITE)
        fprintf(out, "    f(x) = %g\n", r->value);
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
