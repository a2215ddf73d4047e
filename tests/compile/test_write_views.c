/* Programs written as C: random graphs of views of views, indices, nothing, dropout, second
 * derivatives and optimizers' steps, against their wide copies. */
#include "tests/compile/written.h"

#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "models/optim/record.h"
#include "ops/compare.h"
#include "ops/cumsum.h"
#include "ops/diagonal.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS = 4, ROWS = 4, COLUMNS = 3, POOL = 48, OUTPUTS = 16, INDICES = 5, KINDS = 24 };

static const int64_t view_index[INDICES] = {3, 0, 3, 1, 2};
static const int32_t view_index32[INDICES] = {3, 0, 3, 1, 2};

typedef struct view_case {
    wg_tape *tape;
    wg_tensor *param[PARAMS], *index, *step, *pool[POOL];
    int n, n_outputs;
    bool int32;
    uint64_t seed, drawn;
    wg_tensor *output[OUTPUTS];
    wg_program *program;
} view_case;

static int64_t draw(view_case *c, int64_t below)
{
    return (int64_t)(wg_random_bits(c->seed, 9, c->drawn++) % (uint64_t)below);
}

/* Any of the pool, the younger the likelier, with an axis at least where one is wanted. */
static wg_tensor *pick(view_case *c, int ndim)
{
    for (int tries = 0; tries < 50; tries++) {
        wg_tensor *x =
            c->pool[draw(c, 2) == 0 ? c->n - 1 - draw(c, c->n < 4 ? c->n : 4) : draw(c, c->n)];
        if (x->shape.ndim >= ndim && x->size > 0)
            return x;
    }
    return c->param[0];
}

static wg_tensor *view_slice(view_case *c, wg_tensor *x, bool empty)
{
    const int axis = (int)draw(c, x->shape.ndim);
    const int64_t n = x->shape.dim[axis], begin = draw(c, n);
    return wg_slice(x, axis, begin, empty ? begin : begin + 1 + draw(c, n - begin));
}

static wg_tensor *view_permute(view_case *c, wg_tensor *x)
{
    return wg_transpose(x, (int)draw(c, x->shape.ndim), (int)draw(c, x->shape.ndim));
}

/* One more node; NULL: none that fits. */
static wg_tensor *view_next(view_case *c)
{
    wg_tensor *x = pick(c, 1), *m = pick(c, 2);
    const int axis = (int)draw(c, x->shape.ndim);
    static const int64_t before[WG_MAX_DIMS] = {1}, after[WG_MAX_DIMS] = {0, 1, 0, 2};
    switch (draw(c, KINDS)) {
    case 0:
    case 1: return view_slice(c, x, false);
    case 2: return view_slice(c, x, true);
    case 3: return wg_reshape(x, WG_SHAPE(x->size));
    case 4: return wg_reshape(x, WG_SHAPE(1, x->size, 1));
    case 5: return view_permute(c, m);
    case 6: return x->shape.dim[0] >= ROWS ? wg_gather_rows(x, c->index) : NULL;
    case 7:
        return x->shape.dim[0] == INDICES ? wg_scatter_add_rows(x, c->index, ROWS + draw(c, 2))
                                          : NULL;
    case 8: return wg_concat((wg_tensor *[]){x, wg_tanh(x), x}, 3, axis);
    case 9: return x->shape.ndim < 4 ? wg_stack((wg_tensor *[]){x, wg_neg(x)}, 2, axis) : NULL;
    case 10: return wg_cumsum(x, axis, draw(c, 2) == 0);
    case 11: return wg_dropout(x, 0.4, c->seed, c->drawn, c->step);
    case 12: return wg_softmax(x, axis);
    case 13: return wg_logsumexp_over(x, 1, &axis, draw(c, 2) == 0);
    case 14: return m->size < 400 ? wg_matmul_t(m, false, m, true) : NULL;
    case 15: return m->shape.ndim == 2 ? wg_diagonal(m) : NULL;
    case 16:
        return x->shape.ndim < 3 && x->size < 60
                   ? wg_diagonal_embed(x, x->shape.dim[x->shape.ndim - 1],
                                       x->shape.dim[x->shape.ndim - 1] + 1)
                   : NULL;
    case 17: return wg_mean_over(x, 1, &axis, draw(c, 2) == 0);
    case 18: return wg_amax_over(x, 1, &axis, true);
    case 19: return wg_tanh(wg_mul(x, wg_mean_over(x, 1, &axis, true)));
    case 20: return wg_pad(x, x->shape.ndim, before, x->shape.ndim, after, 0.5);
    case 21: return wg_sigmoid(wg_sub(x, wg_detach(x)));
    case 22: return wg_norm_over(x, 2, 1, &axis, true);
    default:
        return wg_where(wg_greater(x, wg_scale(x, 0.5)), wg_square(x), wg_exp(wg_scale(x, 0.1)));
    }
}

static void view_leaves(view_case *c, wg_dtype dtype)
{
    static const char *const names[PARAMS] = {"w", "w", "b", "in"};
    static const int64_t step = 3;
    for (int i = 0; i < PARAMS; i++) {
        c->param[i] = i == 2 ? wg_param(c->tape, names[i], dtype, WG_SHAPE(COLUMNS))
                             : wg_param(c->tape, names[i], dtype, WG_SHAPE(ROWS, COLUMNS));
        wg_fill_normal(c->param[i], 0, 1, c->seed + (uint64_t)i);
        c->pool[c->n++] = c->param[i];
    }
    c->index = wg_input(c->tape, "index", WG_I64, WG_SHAPE(INDICES), view_index);
    c->step = wg_input(c->tape, "step", WG_I64, WG_SCALAR, &step);
    c->pool[c->n++] = wg_gather_rows(c->param[0], c->index);
    c->pool[c->n++] = wg_dropout(c->param[1], 0.3, 1, 2, c->step);
    c->pool[c->n++] = wg_mul(c->param[3], c->param[2]);
    c->pool[c->n++] = wg_mul(wg_full(c->tape, dtype, WG_SHAPE(ROWS, 1), 0.25), c->param[1]);
}

/* A number that all of the pool goes into. */
static wg_tensor *view_loss(view_case *c)
{
    wg_tensor *loss = NULL;
    for (int i = PARAMS; i < c->n; i++) {
        wg_tensor *x = c->pool[i];
        wg_tensor *term = wg_sum(wg_tanh(x->size > 0 ? wg_scale(x, 1.0 / (double)x->size) : x));
        loss = loss == NULL ? term : wg_add(loss, term);
    }
    return wg_rename(loss, "loss");
}

static void view_second(view_case *c, wg_tensor *const g[])
{
    wg_tensor *dot = NULL, *hv[PARAMS];
    for (int i = 0; i < PARAMS; i++) {
        wg_tensor *term = wg_sum(wg_mul(g[i], wgt_draw_like(g[i], "v", (uint64_t)i)));
        dot = dot == NULL ? term : wg_add(dot, term);
    }
    if (wg_grad(dot, c->param, PARAMS, hv) != WG_OK)
        return;
    for (int i = 0; i < PARAMS; i++)
        c->output[c->n_outputs++] = hv[i];
}

static void view_step(view_case *c, wg_tensor *const g[], bool momentum)
{
    wg_optimizer *o = momentum ? wg_sgd_new(c->param, PARAMS,
                                            &(wg_sgd_options){.rate = 0.1, .momentum = 0.9})
                               : wg_adam_new(c->param, PARAMS, &(wg_adam_options){.rate = 0.01});
    const wg_recorded_step r = wg_optimizer_record(o, g);
    for (int i = 0; i < r.n && c->n_outputs < OUTPUTS; i++)
        c->output[c->n_outputs++] = r.value[i];
}

static void view_make(view_case *c, uint64_t seed)
{
    const wg_dtype dtype = seed % 3 == 0 ? WG_F32 : WG_F64;
    wg_tensor *g[PARAMS];
    *c = (view_case){.tape = wg_tape_new(NULL), .seed = seed, .int32 = seed % 4 == 1};
    view_leaves(c, dtype);
    for (int i = 0, n = 4 + (int)(seed % 20); i < n && c->n < POOL; i++) {
        wg_tensor *x = view_next(c);
        if (x != NULL && x->size <= 600)
            c->pool[c->n++] = x;
        ck_assert_msg(wg_tape_status(c->tape) == WG_OK, "%d: %s", (int)seed,
                      wg_tape_message(c->tape));
    }
    c->output[c->n_outputs++] = view_loss(c);
    c->output[c->n_outputs++] = c->pool[c->n - 1];
    ck_assert_msg(wg_grad(c->output[0], c->param, PARAMS, g) == WG_OK, "%d: %s", (int)seed,
                  wg_tape_message(c->tape));
    for (int i = 0; i < PARAMS; i++)
        c->output[c->n_outputs++] = g[i];
    if (seed % 3 == 1)
        view_second(c, g);
    if (seed % 3 == 2)
        view_step(c, g, seed % 2 == 0);
    c->program = wg_compile(c->output, c->n_outputs, NULL);
    ck_assert_msg(wg_program_run(c->program) == WG_OK, "%d: %s", (int)seed,
                  wg_tape_message(c->tape));
}

/* As test_random_graphs, with the largest entry on the way in place of the result's. */
static void view_compare(const view_case *c, const void *bytes)
{
    wg_tape *wide = wg_tape_copy(c->tape, WG_WIDE);
    long double largest = 1;
    size_t offset = 0;
    for (int64_t i = 0; i < c->tape->size; i++)
        for (int64_t k = 0; k < c->tape->node[i]->size && c->tape->node[i]->data != NULL; k++)
            if (isfinite(wg_element(c->tape->node[i], k)))
                largest = fmaxl(largest, fabsl((long double)wg_element(c->tape->node[i], k)));
    for (int i = 0; i < c->n_outputs; i++) {
        const wg_tensor *own = wg_program_output(c->program, i);
        const void *data = wgt_written_output(bytes, &offset, own->dtype, own->size);
        wg_tensor got = *own;
        memcpy(&got.data, &data, sizeof data);
        wgt_array want = wgt_array_of(wg_tape_counterpart(wide, c->output[i]));
        const double unit = own->dtype == WG_F32 ? (double)FLT_EPSILON / 2 : DBL_EPSILON / 2;
        for (int64_t k = 0; k < want.size; k++) {
            const double x = wg_element(&got, k), y = wg_element(own, k);
            const long double error = fabsl((long double)x - want.value[k]);
            const long double bound = 4 * fabsl((long double)y - want.value[k]) +
                                      2 * 64 * (long double)unit * largest;
            ck_assert_msg(error <= bound || (!isfinite(y) && (x == y || isnan(x) == isnan(y))),
                          "graph %d, output %d, entry %d is %.17g, the program's %.17g",
                          (int)c->seed, i, (int)k, x, y);
        }
        wgt_array_free(&want);
    }
    wg_tape_free(wide);
}

enum { VIEW_CASES = 30 };

START_TEST(test_views)
{
    const int n = getenv("WGT_VIEWS") != NULL ? atoi(getenv("WGT_VIEWS")) : VIEW_CASES;
    view_case *list = calloc((size_t)n, sizeof *list);
    wgt_written *w = wgt_written_new();
    struct {
        const void *index;
        int64_t step;
    } in = {view_index, 3};
    struct {
        const void *index;
        int32_t step;
    } in32 = {view_index32, 3};
    for (int i = 0; i < n; i++) {
        view_make(&list[i], (uint64_t)i);
        ck_assert_int_eq(wgt_written_add(w, list[i].program, list[i].int32), i);
    }
    if (wgt_written_compile(w, wgt_compilers[0]))
        for (int i = 0; i < n; i++) {
            const void *out;
            ck_assert_int_eq(wgt_written_run(w, i, list[i].int32 ? (const void *)&in32 : &in, &out),
                             0);
            view_compare(&list[i], out);
        }
    for (int i = 0; i < n; i++)
        wg_tape_free(list[i].tape);
    free(list);
    wgt_written_free(w);
}
END_TEST

Suite *suite_write_views(void)
{
    Suite *s = suite_create("write_views");
    TCase *tc = tcase_create("views");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_views);
    suite_add_tcase(s, tc);
    return s;
}
