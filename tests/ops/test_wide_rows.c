/* Bodies of rows in wide floats against mpmath: within 1e-30 of the largest term with 113 bits,
 * 1e-17 with 64. The file is written by tests/oracle/make_wide_rows.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/kernels/gemm.h"
#include "ops/kernels/index.h"
#include "ops/kernels/reduce.h"
#include "ops/kernels/softmax.h"
#include "ops/kernels/sparse.h"
#include "tests/support/suites.h"

#if WG_HAS_WIDE

enum { WIDE_MOST = 300, WIDE_LABEL = 1 };

typedef struct wide_case {
    char name[32];
    int64_t n, results;
    wg_wide x[WIDE_MOST], u[WIDE_MOST], want[WIDE_MOST], got[WIDE_MOST];
    double term[WIDE_MOST];
    wgk_rows rows; /* one, of n entries */
    wg_wide workspace[3 * WIDE_MOST];
} wide_case;

static void wide_reduce(wide_case *c)
{
    if (strcmp(c->name, "sum") == 0)
        wgk_reduce_sum(&c->rows, WGK_WIDE, c->x, 1, 0, 1, c->got);
    else if (strcmp(c->name, "norm") == 0)
        wgk_reduce_norm(&c->rows, WGK_WIDE, c->x, 0, 1, c->got);
    else if (strcmp(c->name, "logsumexp") == 0)
        wgk_logsumexp(&c->rows, WGK_WIDE, c->x, 0, 1, c->got, c->workspace);
    else if (strcmp(c->name, "softmax") == 0)
        wgk_softmax(&c->rows, WGK_WIDE, c->x, 0, 1, c->got, c->workspace);
    else if (strcmp(c->name, "log_softmax") == 0)
        wgk_log_softmax(&c->rows, WGK_WIDE, c->x, 0, 1, c->got, c->workspace);
    else
        wgk_log_softmax_jvp(&c->rows, WGK_WIDE, c->u, c->x, 0, 1, c->got, c->workspace);
}

static void wide_loss(wide_case *c)
{
    const int64_t label = WIDE_LABEL;
    if (strcmp(c->name, "cross_entropy") == 0)
        wgk_cross_entropy(&c->rows, WGK_WIDE, c->x, &label, NULL, 0, 1, c->got, c->workspace);
    else if (strcmp(c->name, "cross_entropy_grad") == 0)
        wgk_cross_entropy_grad(&c->rows, WGK_WIDE, c->u, c->x, &label, NULL, 0, 1, c->got,
                               c->workspace);
    else if (strcmp(c->name, "soft_cross_entropy") == 0)
        wgk_soft_cross_entropy(&c->rows, WGK_WIDE, c->x, c->u, 0, 1, c->got, c->workspace);
    else
        wgk_soft_cross_entropy_grad(&c->rows, WGK_WIDE, NULL, c->x, c->u, 0, 1, c->got,
                                    c->workspace);
}

static void wide_product(wide_case *c)
{
    int64_t index[WIDE_MOST], start[] = {0, c->n};
    const wgk_gemm_operands o = {c->x, c->u, c->got, c->n, 1, 1, 0};
    wgk_gemm_plan plan;
    if (strcmp(c->name, "matmul") == 0) {
        wgk_gemm_plan_init(&plan, WGK_WIDE, false, false, 1, 1, c->n);
        ck_assert_uint_eq(plan.workspace + plan.partials, 0);
        wgk_gemm_run_pieces(&plan, &o, 0, plan.pieces, NULL, NULL);
        return;
    }
    const bool scatter = strcmp(c->name, "scatter_rows") == 0;
    for (int64_t i = 0; i < c->n; i++)
        index[i] = scatter ? i % 2 : i;
    const wgk_csr a = {1, start, index, c->x};
    if (scatter)
        wgk_scatter_rows(&(wgk_scatter){c->n, 1, index}, WGK_WIDE, c->x, 0, 2, c->got,
                         c->workspace);
    else if (strcmp(c->name, "csr_times") == 0)
        wgk_csr_times(&a, WGK_WIDE, 1, c->u, 0, 1, c->got);
    else
        wgk_cumsum(&c->rows, WGK_WIDE, false, c->x, 0, 1, c->got);
}

static const struct {
    const char *name;
    void (*run)(wide_case *c);
} wide_ops[] = {
    {"sum", wide_reduce},
    {"norm", wide_reduce},
    {"logsumexp", wide_reduce},
    {"softmax", wide_reduce},
    {"log_softmax", wide_reduce},
    {"log_softmax_jvp", wide_reduce},
    {"cross_entropy", wide_loss},
    {"cross_entropy_grad", wide_loss},
    {"soft_cross_entropy", wide_loss},
    {"soft_cross_entropy_grad", wide_loss},
    {"cumsum", wide_product},
    {"scatter_rows", wide_product},
    {"matmul", wide_product},
    {"csr_times", wide_product},
};
enum { WIDE_OPS = sizeof wide_ops / sizeof *wide_ops };

static double wide_number(FILE *in)
{
    char text[64];
    ck_assert_int_eq(fscanf(in, "%63s", text), 1);
    return strtod(text, NULL);
}

static void wide_read(FILE *in, wide_case *c)
{
    c->n = (int64_t)wide_number(in);
    ck_assert_int_le(c->n, WIDE_MOST);
    c->rows = wgk_rows_of(1, &c->n, 1);
    for (int64_t i = 0; i < c->n; i++)
        c->x[i] = (wg_wide)wide_number(in);
    for (int64_t i = 0; i < c->n; i++)
        c->u[i] = (wg_wide)wide_number(in);
    c->results = (int64_t)wide_number(in);
    ck_assert_int_le(c->results, WIDE_MOST);
    for (int64_t i = 0; i < c->results; i++) {
        const double high = wide_number(in), middle = wide_number(in), low = wide_number(in);
        c->want[i] = (wg_wide)high + ((wg_wide)middle + (wg_wide)low);
        c->term[i] = wide_number(in);
    }
}

START_TEST(test_wide_rows)
{
    static wide_case c;
    const double bound = WG_WIDE_BITS == 113 ? 1e-30 : 1e-17;
    FILE *in = fopen("tests/oracle/wide_rows.txt", "r");
    int seen[WIDE_OPS] = {0}, op;
    ck_assert_ptr_nonnull(in);
    ck_assert_int_eq(fscanf(in, "#%*[^\n]\n"), 0);
    while (fscanf(in, "%31s", c.name) == 1) {
        for (op = 0; op < WIDE_OPS && strcmp(c.name, wide_ops[op].name) != 0; op++)
            continue;
        ck_assert_msg(op < WIDE_OPS, "%s is no op", c.name);
        seen[op]++;
        wide_read(in, &c);
        wide_ops[op].run(&c);
        for (int64_t i = 0; i < c.results; i++) {
            const wg_wide error = WG_F(wide, fabs)(c.got[i] - c.want[i]);
            ck_assert_msg(error <= (wg_wide)bound * (wg_wide)c.term[i],
                          "%s of %d: entry %d is off by %g", c.name, (int)c.n, (int)i,
                          (double)error);
        }
    }
    for (op = 0; op < WIDE_OPS; op++)
        ck_assert_int_eq(seen[op], 5);
    fclose(in);
}
END_TEST

#endif

Suite *suite_wide_rows(void)
{
    Suite *s = suite_create("wide_rows");
    TCase *tc = tcase_create("wide_rows");
#if WG_HAS_WIDE
    tcase_add_test(tc, test_wide_rows);
#endif
    suite_add_tcase(s, tc);
    return s;
}
