/* Programs written as C: every op of the registry, and random graphs. */
#include "tests/compile/written.h"

#include "autograd/body_internal.h"
#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "tests/ops/op_table.h"
#include "tests/ops/random_graph.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 8, CASES = 1500 };

static double unit_of(wg_dtype dtype)
{
    return dtype == WG_F32 ? (double)FLT_EPSILON / 2 : DBL_EPSILON / 2;
}

/* ---- Every op -------------------------------------------------------------------------------- */

/* A case of the test table, its value and its cotangents, compiled and run by the library. */
typedef struct op_case {
    wgt_case c;
    wg_program *program;
    int number, n_outputs;
    bool exact;
    double bound;
} op_case;

/* Does the formula round once an operation, as + - x / and sqrt do, and comparisons not at all? */
static bool formula_is_exact(const char *formula)
{
    static const char *const exact[] = {"fmax", "fmin", "fabs",     "sqrt", "floor",
                                        "ceil", "rint", "copysign", "K"};
    const char *s = strstr(formula, ") = ");
    for (s = s != NULL ? s + 4 : "f("; *s != '\0';) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_K0123456789");
        bool known = s[n] != '(' || n == 0;
        for (size_t k = 0; !known && k < sizeof exact / sizeof *exact; k++)
            known = strlen(exact[k]) == n && strncmp(exact[k], s, n) == 0;
        if (!known)
            return false;
        s += n > 0 ? n : 1;
    }
    return true;
}

static bool op_is_exact(const wg_tensor *y)
{
    static const char moves[] =
        " reshape permute broadcast_to detach slice slice_rows pad concat stack"
        " gather_rows gather one_hot diagonal diagonal_embed tie_share amax"
        " amin argmax argmin cast dropout uniform categorical ";
    char word[64];
    if (y->op->flags & WG_OP_LEAF)
        return true;
    snprintf(word, sizeof word, " %s ", y->op->name);
    if (strstr(moves, word) != NULL)
        return true;
    return (y->op->flags & WG_OP_ELEMENTWISE) && formula_is_exact(y->op->formula);
}

/* What a result may be off by, where S is the largest entry on the tape: a sum of k terms by 2 k u S,
 * each op on the way that is neither exact nor a sum by 4 ulp of S. S stands for the sum of the
 * terms' magnitudes, which is no less where they do not cancel. */
static void op_case_judge(op_case *o)
{
    const wg_tape *t = o->c.tape;
    double largest = 1, terms = 1, functions = 0;
    o->exact = true;
    for (int64_t i = 0; i < t->size; i++) {
        const wg_tensor *y = t->node[i];
        o->exact = o->exact && op_is_exact(y);
        functions += !op_is_exact(y);
        if (y->n_operands > 0 && y->operand[0]->op == &wg_op_body)
            functions += (double)wg_body_of(y->operand[0])->size;
        for (int k = 0; k < y->n_operands && y->size > 0; k++)
            terms = fmax(terms, (double)y->operand[k]->size / (double)y->size);
        for (int64_t k = 0; k < y->size && y->data != NULL; k++)
            if (isfinite(wg_element(y, k)))
                largest = fmax(largest, fabs(wg_element(y, k)));
    }
    o->bound = unit_of(o->c.y->dtype) * largest * (2 * terms + 8 * functions);
}

static void op_case_make(op_case *o, const wgt_row *row, const wgt_variant *variant, wg_dtype dtype)
{
    wg_tensor *out[OUTPUTS];
    int n = 1;
    o->c = wgt_case_new(row, variant, dtype);
    out[0] = o->c.y;
    if (wg_dtype_of(o->c.y) != WG_I64 && o->c.n_x > 0) {
        wg_tensor *dy = wgt_draw_like(o->c.y, "dy", 5);
        if (wg_vjp(o->c.y, dy, o->c.x, o->c.n_x, out + 1) == WG_OK)
            n += o->c.n_x;
    }
    o->program = wg_compile(out, n, NULL);
    ck_assert_msg(wg_program_run(o->program) == WG_OK, "%s: %s", o->c.name,
                  wg_tape_message(o->c.tape));
    o->n_outputs = n;
    op_case_judge(o);
}

static void op_case_compare(const op_case *o, const void *bytes, const char *compiler)
{
    size_t offset = 0;
    for (int i = 0; i < o->n_outputs; i++) {
        const wg_tensor *want = wg_program_output(o->program, i);
        const void *data = wgt_written_output(bytes, &offset, want->dtype, want->size);
        wg_tensor got = *want;
        memcpy(&got.data, &data, sizeof data);
        for (int64_t k = 0; k < want->size; k++) {
            double a = wg_element(&got, k), b = wg_element(want, k);
            bool same = o->exact || want->dtype == WG_I64 ? a == b || (isnan(a) && isnan(b))
                                                          : wgt_close(a, b, 0, o->bound);
            ck_assert_msg(same, "%s, %s: output %d, entry %d is %.17g, not %.17g (%s)", compiler,
                          o->c.name, i, (int)k, a, b, o->exact ? "exact" : "rounded");
        }
    }
}

/* Ops by entries differ in their formula alone, so that each is written with some of the shapes,
 * all of them together with every one: compilers are slow. */
static bool entries_take_part(int row, int variant, const wgt_variant *v)
{
    return strstr(v->shapes, "00") == NULL && (variant == 0 || (row + variant) % 5 == 0);
}

static bool has_doubles(const wg_tape *t)
{
    for (int64_t i = 0; i < t->size; i++)
        if (t->node[i]->dtype == WG_F64)
            return true;
    return false;
}

static void check_every_op(wg_dtype dtype)
{
    op_case *list = calloc(CASES, sizeof *list);
    wgt_written *w = wgt_written_new();
    int n = 0;
    for (int i = 0; wgt_row_at(i) != NULL; i++) {
        const wgt_row *row = wgt_row_at(i);
        if (!wgt_row_takes(row, dtype))
            continue;
        for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL; v++) {
            if (row->value != NULL && !entries_take_part(i, (int)(v - wgt_variants(row)), v))
                continue;
            ck_assert_int_lt(n, CASES);
            op_case *o = &list[n++];
            op_case_make(o, row, v, dtype);
            size_t before = strlen(wgt_written_text(w));
            o->number = wgt_written_add(w, o->program, false);
            if (!has_doubles(o->c.tape))
                ck_assert_ptr_null(strstr(wgt_written_text(w) + before, "double"));
        }
    }
    for (int k = 0; k < WGT_COMPILERS; k++) {
        if (k != (dtype == WG_F32) && getenv("WGT_EVERY_COMPILER") == NULL)
            continue;
        if (!wgt_written_compile(w, wgt_compilers[k])) {
            printf("written: no %s here that makes what this test can load\n", wgt_compilers[k]);
            continue;
        }
        for (int i = 0; i < n; i++) {
            const void *out;
            ck_assert_msg(wgt_written_run(w, list[i].number, NULL, &out) == 0, "%s",
                          list[i].c.name);
            op_case_compare(&list[i], out, wgt_compilers[k]);
        }
    }
    for (int i = 0; i < n; i++)
        wgt_case_free(&list[i].c);
    free(list);
    wgt_written_free(w);
}

START_TEST(test_every_op_in_f64)
{
    check_every_op(WG_F64);
}
END_TEST

START_TEST(test_every_op_in_f32)
{
    check_every_op(WG_F32);
}
END_TEST

/* ---- Graphs of many ops ---------------------------------------------------------------------- */

enum { GRAPHS = 300, ROWS = 5, COLUMNS = 3 };

typedef struct graph_case {
    wg_tape *tape;
    wgt_graph g;
    wg_program *program;
    double data[ROWS * COLUMNS];
} graph_case;

static void graph_make(graph_case *c, uint64_t seed, wg_dtype dtype)
{
    c->tape = wg_tape_new(NULL);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        const double x = wg_random_normal(seed, 1, (uint64_t)i);
        if (dtype == WG_F32)
            ((float *)(void *)c->data)[i] = (float)x;
        else
            c->data[i] = x;
    }
    c->g = wgt_graph_new(c->tape, seed, dtype, ROWS, COLUMNS, 3 + (int)(seed % 28), c->data);
    c->program = wg_compile(c->g.output, c->g.n_outputs, NULL);
    ck_assert_msg(wg_program_run(c->program) == WG_OK, "%s", wg_tape_message(c->tape));
}

/* Errors against the wide copy, in units of the largest entry of the result: the file's may be 4
 * times the program's own, and what adding up in order costs: 2 k u for k = 15 terms, in some 8
 * sums on the way. */
static void graph_compare(const graph_case *c, uint64_t seed, wg_dtype dtype, const void *bytes,
                          const char *compiler)
{
    wg_tape *wide = wg_tape_copy(c->tape, WG_WIDE);
    size_t offset = 0;
    for (int i = 0; i < c->g.n_outputs; i++) {
        const wg_tensor *own = wg_program_output(c->program, i);
        const void *data = wgt_written_output(bytes, &offset, dtype, own->size);
        wg_tensor got = *own;
        memcpy(&got.data, &data, sizeof data);
        wgt_array want = wgt_array_of(wg_tape_counterpart(wide, c->g.output[i]));
        long double error = 0, own_error = 0, largest = 1;
        for (int64_t k = 0; k < want.size; k++) {
            largest = fmaxl(largest, fabsl(want.value[k]));
            error = fmaxl(error, fabsl((long double)wg_element(&got, k) - want.value[k]));
            own_error = fmaxl(own_error, fabsl((long double)wg_element(own, k) - want.value[k]));
        }
        const long double bound = 4 * own_error +
                                  2 * 15 * 8 * (long double)unit_of(dtype) * largest;
        ck_assert_msg(error <= bound, "%s, graph %d: output %d is off by %Lg, the program by %Lg",
                      compiler, (int)seed, i, error, own_error);
        wgt_array_free(&want);
    }
    wg_tape_free(wide);
}

static void check_graphs(wg_dtype dtype, int first, int n)
{
    graph_case *list = calloc((size_t)n, sizeof *list);
    wgt_written *w = wgt_written_new();
    for (int i = 0; i < n; i++) {
        graph_make(&list[i], (uint64_t)(first + i), dtype);
        ck_assert_int_eq(wgt_written_add(w, list[i].program, false), i);
    }
    const char *compiler = wgt_compilers[dtype == WG_F32];
    if (!wgt_written_compile(w, compiler))
        printf("written: no %s here that makes what this test can load\n", compiler);
    else
        for (int i = 0; i < n; i++) {
            const void *in[] = {list[i].data}, *out;
            ck_assert_int_eq(wgt_written_run(w, i, in, &out), 0);
            graph_compare(&list[i], (uint64_t)(first + i), dtype, out, compiler);
        }
    for (int i = 0; i < n; i++)
        wg_tape_free(list[i].tape);
    free(list);
    wgt_written_free(w);
}

START_TEST(test_random_graphs)
{
    check_graphs(_i == 0 ? WG_F64 : WG_F32, _i * GRAPHS / 2, GRAPHS / 2);
}
END_TEST

Suite *suite_write(void)
{
    Suite *s = suite_create("write");
    TCase *tc = tcase_create("write");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_every_op_in_f64);
    tcase_add_test(tc, test_every_op_in_f32);
    tcase_add_loop_test(tc, test_random_graphs, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
