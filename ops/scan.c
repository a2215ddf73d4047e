/* The loop as an op: its shape rule, and how it is run. */
#include "ops/scan_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autograd/compile/program_internal.h"
#include "autograd/cpu_internal.h"
#include "ops/describe_internal.h"

/* ---- Shape ----------------------------------------------------------------------------------- */

/* Is the input what operand k is, or a row of it? */
static bool scan_input_fits(wg_tensor *y, const wg_tensor *input, int k)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tensor *x = y->operand[k];
    wg_shape row = x->shape;
    if (k > a->carries && k <= a->carries + a->xs) {
        if (row.ndim < 1 || row.dim[0] != a->n)
            return wg_op_fail(y, WG_E_SHAPE, "operand %d has no %" PRId64 " rows", k, a->n);
        memmove(row.dim, row.dim + 1, (size_t)--row.ndim * sizeof *row.dim);
    }
    return (input->op == &wg_op_input && input->dtype == x->dtype &&
            wg_shape_same(&input->shape, &row)) ||
           wg_op_fail(y, WG_E_SHAPE, "operand %d is not what the body was recorded for", k);
}

/* Outputs are flat views; a next carry is as large as its carry. Adds to the size. */
static bool scan_output_fits(wg_tensor *y, int k)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tensor *output = wg_scan_flat_output(y, k),
                    *x = y->operand[k < a->carries ? 1 + k : 0];
    int64_t size;
    if (!(output->op->flags & WG_OP_VIEW) || output->shape.ndim != 1 ||
        (k < a->carries && (output->dtype != x->dtype || output->size != x->size)))
        return wg_op_fail(y, WG_E_SHAPE, "output %d is not like its carry", k);
    if (output->dtype == WG_I64 || (k > 0 && output->dtype != y->dtype))
        return wg_op_fail(y, WG_E_DTYPE, "carries and ys must be floats of one dtype");
    if (!wg_size_multiply(wg_scan_rows(a, k), output->size, &size) ||
        size > INT64_MAX - y->shape.dim[0])
        return wg_op_fail(y, WG_E_SHAPE, "%" PRId64 " steps are too many", a->n);
    y->dtype = output->dtype;
    y->shape.dim[0] += size;
    return true;
}

/* Counts of anything: none may be larger than the body, whose size is no great number. */
static bool scan_counts_fit(const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tensor *leaf = y->operand[0];
    if (leaf->op != &wg_op_body)
        return wg_op_fail(y, WG_E_VALUE, "the first operand is no body");
    const int64_t inputs = y->n_operands - 1, size = wg_body_of(leaf)->size;
    const int64_t counts[] = {a->carries, a->xs, a->ys, a->sums};
    bool fit = a->n >= 0 && a->n < INT64_MAX;
    for (int i = 0; i < 4; i++)
        fit = fit && counts[i] >= 0 && counts[i] <= size;
    fit = fit && a->carries + a->xs <= inputs && a->carries + a->ys + a->sums >= 1 &&
          inputs + a->carries + a->ys + a->sums <= size;
    return fit || wg_op_fail(y, WG_E_VALUE, "the body has not so many inputs and outputs");
}

static bool scan_shape(wg_tensor *y)
{
    if (!scan_counts_fit(y))
        return false;
    const wg_tape *body = wg_body_of(y->operand[0]);
    y->shape = (wg_shape){.ndim = 1};
    for (int k = 1; k < y->n_operands; k++)
        if (!scan_input_fits(y, body->node[k - 1], k))
            return false;
    for (int k = 0; k < wg_scan_outputs(y->attrs); k++)
        if (!scan_output_fits(y, k))
            return false;
    return true;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* A step as a program of this node's own, which reads carries and rows from `input`. */
typedef struct scan_plan {
    wg_program *step;
    void **input;   /* [carries + xs] */
    double *sum;    /* of all sums, one behind the other; NULL in wide floats */
    double *rest;   /* what their additions lost */
    int64_t *start; /* [outputs] where they begin in the result, in elements */
} scan_plan;

static size_t scan_bytes(const wg_tensor *x)
{
    return (size_t)x->size * wg_dtype_size(x->dtype);
}

/* Memory for one carry each and one row of each of the xs, to which the program's inputs are
 * bound. */
static bool scan_plan_inputs(const wg_tensor *y, scan_plan *plan, wg_tape *t)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tape *body = wg_body_of(y->operand[0]);
    const int n = (int)(a->carries + a->xs);
    plan->input = wg_tape_take(t, (size_t)n * sizeof *plan->input);
    for (int k = 0; plan->input != NULL && k < n; k++) {
        plan->input[k] = wg_tape_take(t, scan_bytes(body->node[k]));
        wg_program_rebind(plan->step, body->node[k], plan->input[k]);
    }
    return t->status == WG_OK;
}

static bool scan_plan_outputs(const wg_tensor *y, scan_plan *plan, wg_tape *t)
{
    const wg_scan_attrs *a = y->attrs;
    const int n = wg_scan_outputs(a), first_sum = n - (int)a->sums;
    int64_t sums = 0;
    plan->start = wg_tape_take(t, (size_t)n * sizeof *plan->start);
    for (int k = 0; plan->start != NULL && k < n; k++) {
        plan->start[k] = wg_scan_start(y, k);
        sums += k >= first_sum ? wg_scan_size(y, k) : 0;
    }
    if (y->dtype != WG_WIDE) {
        plan->sum = wg_tape_take(t, (size_t)sums * sizeof *plan->sum);
        plan->rest = wg_tape_take(t, (size_t)sums * sizeof *plan->rest);
    }
    return t->status == WG_OK;
}

static void scan_plan_fill(const wg_tensor *y)
{
    wg_tape *host = y->tape, *t = host->stands_for != NULL ? host->stands_for : host;
    scan_plan *plan = y->plan;
    *plan = (scan_plan){.step = NULL};
    if (y->state & WG_NODE_ABSTRACT)
        return;
    const int n = wg_scan_outputs(y->attrs);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **output = wg_arena_take(&t->scratch, (size_t)n * sizeof *output, sizeof(void *));
    if (output == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    for (int k = 0; output != NULL && k < n; k++)
        output[k] = wg_scan_flat_output(y, k);
    if (output != NULL)
        plan->step = wg_program_make(t, wg_body_of(y->operand[0]), output, n, host, NULL);
    wg_arena_rewind(&t->scratch, empty);
    if (plan->step != NULL && scan_plan_inputs(y, plan, t))
        scan_plan_outputs(y, plan, t);
}

/* sum += x: in f64 with what each addition loses kept (Knuth's two-sum), as in wg_add_n; doubles
 * have room enough for sums of f32. */
#define SCAN_ADD(set, target)                                                                      \
    target static void scan_add_##set(const wg_tensor *x, double *restrict sum,                    \
                                      double *restrict rest)                                       \
    {                                                                                              \
        const float *f32 = x->data;                                                                \
        const double *f64 = x->data;                                                               \
        for (int64_t i = 0; x->dtype == WG_F32 && i < x->size; i++)                                \
            sum[i] += (double)f32[i];                                                              \
        for (int64_t i = 0; x->dtype == WG_F64 && i < x->size; i++) {                              \
            const double s = sum[i], t = s + f64[i], part = t - s;                                 \
            rest[i] += (s - (t - part)) + (f64[i] - part);                                         \
            sum[i] = t;                                                                            \
        }                                                                                          \
    }

SCAN_ADD(baseline, )
#ifdef WG_ISA_X86
SCAN_ADD(avx2, __attribute__((target("avx2"))))
#endif
#undef SCAN_ADD

static void scan_add(const wg_tensor *x, double *sum, double *rest)
{
#ifdef WG_ISA_X86
    if (wg_cpu_isa() >= WG_ISA_AVX2) {
        scan_add_avx2(x, sum, rest);
        return;
    }
#endif
    scan_add_baseline(x, sum, rest);
}

/* Where output k's row is. */
static char *scan_at(const wg_tensor *y, int k, int64_t row)
{
    const scan_plan *plan = y->plan;
    const int64_t at = plan->start[k] + row * wg_scan_size(y, k);
    return (char *)y->data + at * (int64_t)wg_dtype_size(y->dtype);
}

static void scan_move(void *to, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

static void scan_begin(const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const scan_plan *plan = y->plan;
    const wg_tape *body = wg_body_of(y->operand[0]);
    const int64_t before = a->keep && a->reverse ? a->n : 0;
    int64_t sums = 0;
    for (int k = 0; k < a->carries; k++) {
        const wg_tensor *carry = y->operand[1 + k];
        scan_move(plan->input[k], carry->data, scan_bytes(carry));
        scan_move(scan_at(y, k, before), carry->data, scan_bytes(carry));
    }
    for (int k = (int)(a->carries + a->xs); k < y->n_operands - 1; k++)
        wg_program_rebind(plan->step, body->node[k], y->operand[1 + k]->data);
    for (int k = (int)(a->carries + a->ys); k < wg_scan_outputs(a); k++) {
        memset(scan_at(y, k, 0), 0, (size_t)wg_scan_size(y, k) * wg_dtype_size(y->dtype));
        sums += wg_scan_size(y, k);
    }
    for (int64_t i = 0; plan->sum != NULL && i < sums; i++)
        plan->sum[i] = plan->rest[i] = 0;
}

static void scan_add_all(const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const scan_plan *plan = y->plan;
    int64_t at = 0;
    for (int k = (int)(a->carries + a->ys); k < wg_scan_outputs(a); k++) {
        const wg_tensor *x = plan->step->result[k];
        if (plan->sum != NULL)
            scan_add(x, plan->sum + at, plan->rest + at);
#if WG_HAS_WIDE
        for (int64_t i = 0; y->dtype == WG_WIDE && i < x->size; i++)
            ((wg_wide *)(void *)scan_at(y, k, 0))[i] += ((const wg_wide *)x->data)[i];
#endif
        at += x->size;
    }
}

/* Step t: all outputs are taken before a carry is overwritten, since an output may be an input. */
static bool scan_step(const wg_tensor *y, int64_t t)
{
    const wg_scan_attrs *a = y->attrs;
    const scan_plan *plan = y->plan;
    const int64_t behind = !a->keep ? 0 : a->reverse ? t : t + 1;
    for (int k = (int)a->carries; k < a->carries + a->xs; k++) {
        const wg_tensor *x = y->operand[1 + k];
        const size_t bytes = a->n > 0 ? scan_bytes(x) / (size_t)a->n : 0;
        scan_move(plan->input[k], (const char *)x->data + (size_t)t * bytes, bytes);
    }
    if (!wg_program_execute(plan->step))
        return false;
    for (int k = 0; k < a->carries + a->ys; k++) {
        const wg_tensor *x = plan->step->result[k];
        scan_move(scan_at(y, k, k < a->carries ? behind : t), x->data, scan_bytes(x));
    }
    scan_add_all(y);
    for (int k = 0; k < a->carries; k++)
        scan_move(plan->input[k], scan_at(y, k, behind), scan_bytes(plan->step->result[k]));
    return true;
}

/* What is lost counts in the end, and a rest that is NaN belongs to an infinite sum. */
static void scan_end(const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const scan_plan *plan = y->plan;
    int64_t at = 0;
    for (int k = (int)(a->carries + a->ys); plan->sum != NULL && k < wg_scan_outputs(a); k++)
        for (int64_t i = 0; i < wg_scan_size(y, k); i++, at++) {
            const double rest = plan->rest[at];
            wg_tensor sum = {.dtype = y->dtype, .data = scan_at(y, k, 0)};
            wg_set_element(&sum, i, plan->sum[at] + (isnan(rest) ? 0 : rest));
        }
}

static void scan_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_scan_attrs *a = y->attrs;
    (void)piece;
    scan_begin(y);
    for (int64_t s = 0; s < a->n; s++)
        if (!scan_step(y, a->reverse ? a->n - 1 - s : s))
            return; /* the error is on the tape */
    scan_end(y);
}

static void scan_describe(const wg_tensor *y, char *text, size_t size)
{
    const wg_scan_attrs *a = y->attrs;
    wg_describe_add(text, size, "%" PRId64 " steps%s", a->n, a->reverse ? " backwards" : "");
    wg_describe_add(text, size, "%" PRId64 " carries%s", a->carries, a->keep ? " kept" : "");
    wg_describe_add(text, size, "%" PRId64 " ys", a->ys);
    if (a->sums > 0)
        wg_describe_add(text, size, "%" PRId64 " sums", a->sums);
}

const wg_op wg_op_scan = {
    .name = "scan",
    .formula = WG_OP_TEXT("(c, y[t]) = body(c, x[t], p) for every t"),
    .source = WG_OP_TEXT("jax.lax.scan"),
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE | WG_OP_OWN_PLAN,
    .attr_size = sizeof(wg_scan_attrs),
    .shape = scan_shape,
    .plan_size = sizeof(scan_plan),
    .plan = scan_plan_fill,
    .forward = scan_forward,
    .vjp = wg_scan_vjp,
    .vjp_all = wg_scan_vjp_all,
    .holds = &wg_scan_holds,
    .describe = scan_describe,
    .write_c = WG_WRITES_C(wg_scan_write_c),
};

const wg_op *const wg_ops_scan[] = {&wg_op_scan, NULL};
