/* The matrix product against a triple loop in integers, on every instruction set that the processor
 * has. Entries are whole numbers of 2^-23, so that their products and sums are exact in int64_t.
 *
 * The bound: in the type computed in, eps = 2^-24 or 2^-53, gamma = (k + 4) eps covers k products
 * and their additions in any order (Higham 2002, "Accuracy and Stability of Numerical Algorithms",
 * section 3.1), so |c - exact| <= (k + 4) eps sum_p |a_ip b_pj|. */
#include "ops/kernels/gemm.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANARY = 0x5a, MARGIN = 256 };

/* One product: its sizes, how its operands lie, and what is done with them. */
typedef struct product {
    wgk_type type;
    wg_isa isa;
    bool ta, tb;
    int64_t m, n, k;
    int64_t extra; /* added to each leading dimension: extra, extra + 1, extra + 2 */
    size_t offset; /* elements by which pointers miss the start of their memory */
    int order;     /* of the pieces: 0 forward, 1 backward, 2 from the middle, 3 all in one call */
} product;

/* Memory of an operand: `MARGIN` canary bytes, the matrix, `MARGIN` canary bytes. */
typedef struct matrix {
    unsigned char *memory, *data;
    size_t bytes;
    int64_t rows, cols, ld;
    wgk_type type;
} matrix;

/* Check writes to a pipe at every one of its asserts; millions of entries want a cheaper one. */
#define CHECK_ENTRY(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* In units of 2^-23, from -1 to 1. */
static int64_t random_units(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(*seed >> 40) - (1 << 23);
}

static double matrix_get(const matrix *x, int64_t i, int64_t j)
{
    const size_t at = (size_t)(i * x->ld + j);
    float f;
    double d;
    if (x->type == WGK_F32) {
        memcpy(&f, x->data + at * sizeof f, sizeof f);
        return (double)f;
    }
    memcpy(&d, x->data + at * sizeof d, sizeof d);
    return d;
}

static void matrix_set(matrix *x, int64_t i, int64_t j, double v)
{
    const size_t at = (size_t)(i * x->ld + j);
    const float f = (float)v;
    if (x->type == WGK_F32)
        memcpy(x->data + at * sizeof f, &f, sizeof f);
    else
        memcpy(x->data + at * sizeof v, &v, sizeof v);
}

/* A random rows x cols matrix, whose transpose is stored where that is asked, in exactly the memory
 * that may be read: a sanitizer sees one element too many. The gaps between rows hold canary bytes,
 * which are neither read as numbers nor written. */
static matrix matrix_new(const product *p, int64_t rows, int64_t cols, bool transposed, int64_t gap,
                         uint64_t *seed)
{
    const size_t size = p->type == WGK_F32 ? sizeof(float) : sizeof(double);
    matrix x = {
        .rows = transposed ? cols : rows, .cols = transposed ? rows : cols, .type = p->type};
    x.ld = x.cols + gap + (x.cols == 0);
    const size_t elements = rows && cols ? (size_t)((x.rows - 1) * x.ld + x.cols) : 0;
    x.bytes = MARGIN + (p->offset + elements) * size;
    x.memory = malloc(x.bytes);
    ck_assert_ptr_nonnull(x.memory);
    memset(x.memory, CANARY, x.bytes);
    x.data = x.memory + MARGIN + p->offset * size;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            matrix_set(&x, transposed ? j : i, transposed ? i : j,
                       (double)random_units(seed) * 0x1p-23);
    return x;
}

static matrix matrix_copy(const matrix *x)
{
    matrix y = *x;
    y.memory = malloc(x->bytes);
    ck_assert_ptr_nonnull(y.memory);
    memcpy(y.memory, x->memory, x->bytes);
    y.data = y.memory + (x->data - x->memory);
    return y;
}

/* Nothing but the elements may differ from the canary. */
static void matrix_check_margins(const matrix *x)
{
    const size_t size = x->type == WGK_F32 ? sizeof(float) : sizeof(double);
    const size_t start = (size_t)(x->data - x->memory), row = (size_t)x->ld * size;
    for (size_t at = 0; at < x->bytes; at++) {
        if (at >= start && (at - start) % row < (size_t)x->cols * size)
            continue;
        CHECK_ENTRY(x->memory[at] == CANARY, "byte %zu was overwritten", at);
    }
}

static void *workspace_new(size_t bytes)
{
    unsigned char *w = malloc(bytes + MARGIN);
    ck_assert_ptr_nonnull(w);
    memset(w, CANARY, bytes + MARGIN);
    return w;
}

static void workspace_check(const void *workspace, size_t bytes, const char *what)
{
    const unsigned char *w = workspace;
    for (size_t at = 0; at < MARGIN; at++)
        CHECK_ENTRY(w[bytes + at] == CANARY, "%s overrun by %zu bytes", what, at + 1);
}

static int64_t piece_in_order(int order, int64_t i, int64_t pieces)
{
    if (order == 1)
        return pieces - 1 - i;
    return order == 2 ? (i + pieces / 2) % pieces : i;
}

/* Runs the product as p says; the workspace is filled with NaNs' bits before each piece. */
static void product_run(const product *p, const matrix *a, const matrix *b, matrix *c)
{
    wgk_gemm_plan plan;
    wgk_gemm_plan_init_isa(&plan, p->type, p->ta, p->tb, p->m, p->n, p->k, p->isa);
    const wgk_gemm_operands o = {
        .a = a->data, .b = b->data, .c = c->data, .lda = a->ld, .ldb = b->ld, .ldc = c->ld};
    unsigned char *workspace = workspace_new(plan.workspace);
    void *partials = workspace_new(plan.partials);
    if (p->order == 3) {
        memset(workspace, 0xff, plan.workspace);
        wgk_gemm_run_pieces(&plan, &o, 0, plan.pieces, workspace, partials);
    }
    for (int64_t i = 0; i < plan.pieces && p->order < 3; i++) {
        memset(workspace, 0xff, plan.workspace);
        wgk_gemm_run(&plan, &o, piece_in_order(p->order, i, plan.pieces), workspace, partials);
    }
    wgk_gemm_finish(&plan, &o, partials);
    workspace_check(workspace, plan.workspace, "workspace");
    workspace_check(partials, plan.partials, "partials");
    free(workspace);
    free(partials);
}

static uint64_t product_seed(const product *p)
{
    return (uint64_t)(p->m * 1000003 + p->n * 1009 + p->k);
}

static void product_operands(const product *p, matrix *a, matrix *b, matrix *c)
{
    uint64_t seed = product_seed(p);
    const int64_t gap = p->extra + (p->extra > 0);
    *a = matrix_new(p, p->m, p->k, p->ta, p->extra, &seed);
    *b = matrix_new(p, p->k, p->n, p->tb, gap, &seed);
    *c = matrix_new(p, p->m, p->n, false, gap, &seed);
}

/* The products of one size, in all types and layouts, are of the same numbers: what is exact is
 * computed once. sum[m * n], size[m * n], of the absolute values, in units of 2^-46. */
typedef struct exact_product {
    int64_t m, n, k, *sum, *size;
} exact_product;

static int64_t *units_new(int64_t n, uint64_t *seed)
{
    int64_t *x = calloc((size_t)n + 1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (int64_t i = 0; i < n && seed != NULL; i++)
        x[i] = random_units(seed);
    return x;
}

static exact_product exact_new(const product *p)
{
    uint64_t seed = product_seed(p);
    int64_t *a = units_new(p->m * p->k, &seed), *b = units_new(p->k * p->n, &seed);
    const exact_product x = {p->m, p->n, p->k, units_new(p->m * p->n, NULL),
                             units_new(p->m * p->n, NULL)};
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t q = 0; q < p->k; q++)
            for (int64_t j = 0; j < p->n; j++) {
                const int64_t term = a[i * p->k + q] * b[q * p->n + j];
                x.sum[i * p->n + j] += term;
                x.size[i * p->n + j] += term < 0 ? -term : term;
            }
    free(a);
    free(b);
    return x;
}

static const exact_product *exact_of(const product *p)
{
    static exact_product last;
    if (last.sum == NULL || last.m != p->m || last.n != p->n || last.k != p->k) {
        free(last.sum);
        free(last.size);
        last = exact_new(p);
    }
    return &last;
}

/* The difference over its bound (stops at the first beyond it). A sum of more than 53 bits is
 * rounded to a double of the same eps: hence the 5. */
static void product_check(const product *p, const matrix *c)
{
    const exact_product *exact = exact_of(p);
    const double eps = p->type == WGK_F32 ? (double)FLT_EPSILON / 2 : DBL_EPSILON / 2;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            const double want = (double)exact->sum[i * p->n + j] * 0x1p-46;
            const double size = (double)exact->size[i * p->n + j] * 0x1p-46;
            const double bound = (double)(p->k + 5) * eps * size, got = matrix_get(c, i, j);
            CHECK_ENTRY(fabs(got - want) <= bound,
                        "%s %s ta %d tb %d, %d x %d x %d, ld +%d: "
                        "C[%d,%d] = %.17g, want %.17g, error %.2g of bound %.2g",
                        p->type == WGK_F32 ? "f32" : "f64", wg_isa_name(p->isa), p->ta, p->tb,
                        (int)p->m, (int)p->n, (int)p->k, (int)p->extra, (int)i, (int)j, got, want,
                        fabs(got - want), bound);
        }
}

static void product_free(matrix *a, matrix *b, matrix *c)
{
    free(a->memory);
    free(b->memory);
    free(c->memory);
}

/* Rows of a matrix times a vector: each has the bits that it has where there are fewer rows, though
 * it lies elsewhere among them. */
static void rows_alone_test(const product *p)
{
    matrix a, b, c;
    if (p->ta)
        return;
    product_operands(p, &a, &b, &c);
    product_run(p, &a, &b, &c);
    for (int64_t first = 0; first + 7 <= p->m; first += 3) {
        product few = *p;
        matrix x, y, z;
        few.m = 7;
        product_operands(&few, &x, &y, &z);
        matrix rows = a;
        rows.data += (size_t)(first * a.ld) * (p->type == WGK_F32 ? sizeof(float) : sizeof(double));
        product_run(&few, &rows, &b, &z);
        for (int64_t i = 0; i < few.m; i++)
            CHECK_ENTRY(matrix_get(&z, i, 0) == matrix_get(&c, first + i, 0),
                        "%s, %d x %d: row %d is another one among seven from %d on",
                        wg_isa_name(p->isa), (int)p->m, (int)p->k, (int)(first + i), (int)first);
        product_free(&x, &y, &z);
    }
    product_free(&a, &b, &c);
}

static void product_test(const product *p)
{
    matrix a, b, c;
    product_operands(p, &a, &b, &c);
    product_run(p, &a, &b, &c);
    product_check(p, &c);
    if (p->m && p->n)
        matrix_check_margins(&c);
    product_free(&a, &b, &c);
}

/* Calls `test` for both types, all transposes, and all instruction sets at hand. */
static void for_each_kind(product p, void (*test)(const product *))
{
    for (int isa = 0; isa < WG_ISA_COUNT; isa++) {
        if (!wg_cpu_has((wg_isa)isa))
            continue;
        p.isa = (wg_isa)isa;
        for (int kind = 0; kind < 8; kind++) {
            p.type = kind & 1 ? WGK_F64 : WGK_F32;
            p.ta = kind & 2;
            p.tb = kind & 4;
            test(&p);
        }
    }
}

static void sizes_test(int64_t m, int64_t n, int64_t k, int64_t extra)
{
    const product p = {.m = m, .n = n, .k = k, .extra = extra, .offset = extra ? 1 : 0};
    for_each_kind(p, product_test);
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Every combination of the sizes at which something changes: vectors, tiles, tiny products. */
START_TEST(test_small_sizes)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 31, 33};
    const int count = sizeof sizes / sizeof *sizes;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            for (int q = 0; q < count; q++)
                sizes_test(sizes[i], sizes[j], sizes[q], (i + j + q) % 4);
}
END_TEST

START_TEST(test_odd_sizes)
{
    static const int64_t sizes[][3] = {
        {65, 67, 63},   {100, 99, 101}, {129, 127, 257}, {97, 200, 300}, {200, 97, 1},
        {1, 700, 300},  {700, 1, 300},  {300, 3, 700},   {3, 300, 700},  {300, 10, 500},
        {10, 300, 500}, {64, 64, 128},  {37, 2100, 9},   {2100, 37, 9},  {9, 9, 2500},
        {2, 2, 5000},   {110, 500, 790}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        sizes_test(sizes[i][0], sizes[i][1], sizes[i][2], (int64_t)i % 3);
}
END_TEST

/* Matrix times vector, and transposed: rows of every length that has a kernel of its own, and
 * longer ones. */
START_TEST(test_row_lengths)
{
    for (int64_t k = 1; k < 150; k += 1 + k / 40) {
        sizes_test(70, 1, k, k % 3);
        sizes_test(k, 1, 70 + k % 7, k % 3);
    }
}
END_TEST

/* Seven of them are no tiny product, which sums in another order. */
START_TEST(test_rows_alone)
{
    static const int64_t lengths[] = {40, 57, 100, 128, 300, 784};
    for (int64_t m = 7; m < 30; m += 2)
        for (int i = 0; i < 6; i++)
            for_each_kind((product){.m = m, .n = 1, .k = lengths[i], .extra = i}, rows_alone_test);
}
END_TEST

/* Leading dimensions at which rows fall into the same cache sets, and so are copied. */
START_TEST(test_power_of_two_strides)
{
    sizes_test(128, 128, 256, 0);
    sizes_test(20, 512, 256, 0);
    sizes_test(256, 160, 128, 0);
}
END_TEST

static void pieces_test(const product *p)
{
    matrix a, b, c, d;
    product_operands(p, &a, &b, &c);
    d = matrix_copy(&c);
    matrix before = matrix_copy(&c);
    wgk_gemm_plan plan;
    wgk_gemm_plan_init_isa(&plan, p->type, p->ta, p->tb, p->m, p->n, p->k, p->isa);
    ck_assert_int_gt(plan.pieces, 1);
    product_run(p, &a, &b, &c);
    for (int order = 1; order <= 3; order++) {
        product q = *p;
        q.order = order;
        memcpy(d.memory, before.memory, d.bytes);
        product_run(&q, &a, &b, &d);
        ck_assert_mem_eq(c.memory, d.memory, c.bytes);
    }
    product_check(p, &c);
    free(d.memory);
    free(before.memory);
    product_free(&a, &b, &c);
}

/* Products large enough to be cut: along n, m and k.  Same bits in every order of the pieces. */
START_TEST(test_pieces)
{
    static const int64_t sizes[][3] = {{40, 1030, 400}, {1030, 400, 40}, {5000, 1, 300},
                                       {1, 5000, 600},  {1, 40, 50000},  {40000, 3, 110},
                                       {520, 530, 270}};
    static const int64_t tall[][3] = {{40, 1, 70000}, {50, 4, 15000}};
    product p = {.extra = 1, .offset = 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        p.m = sizes[i][0], p.n = sizes[i][1], p.k = sizes[i][2];
        for (int type = WGK_F32; type <= WGK_F64; type++) {
            p.type = (wgk_type)type;
            p.isa = wg_cpu_isa();
            pieces_test(&p);
        }
    }
    p.ta = true;
    for (size_t i = 0; i < sizeof tall / sizeof *tall; i++) {
        p.m = tall[i][0], p.n = tall[i][1], p.k = tall[i][2];
        for (int isa = 0; isa < WG_ISA_COUNT; isa++) {
            if (!wg_cpu_has((wg_isa)isa))
                continue;
            p.isa = (wg_isa)isa;
            p.type = i % 2 ? WGK_F64 : WGK_F32;
            p.tb = i % 2;
            pieces_test(&p);
        }
    }
}
END_TEST

/* One size for each path, for the test of special values. */
static const int64_t path_sizes[][3] = {{2, 3, 4},   {20, 1, 40},  {1, 20, 40},  {40, 3, 50},
                                        {3, 40, 50}, {70, 10, 40}, {13, 37, 41}, {130, 70, 40}};
enum { PATHS = sizeof path_sizes / sizeof *path_sizes };

/* m, n or k = 0.  With k = 0, C = 0, whatever was there. */
static void zero_test(const product *p)
{
    matrix a, b, c;
    product_operands(p, &a, &b, &c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            matrix_set(&c, i, j, (double)NAN);
    product_run(p, &a, &b, &c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            CHECK_ENTRY(matrix_get(&c, i, j) == 0, "C[%d,%d] = %g", (int)i, (int)j,
                        matrix_get(&c, i, j));
    if (p->m && p->n)
        matrix_check_margins(&c);
    product_free(&a, &b, &c);
}

START_TEST(test_zero_sizes)
{
    static const int64_t sizes[][3] = {{0, 5, 3}, {5, 0, 3}, {5, 3, 0},   {0, 0, 0},
                                       {0, 5, 0}, {5, 0, 0}, {40, 50, 0}, {1, 1, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const product p = {.m = sizes[i][0], .n = sizes[i][1], .k = sizes[i][2], .extra = 1};
        for_each_kind(p, zero_test);
    }
}
END_TEST

/* C is not read. */
static void overwrite_test(const product *p)
{
    matrix a, b, c;
    product_operands(p, &a, &b, &c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            matrix_set(&c, i, j, (double)NAN);
    product_run(p, &a, &b, &c);
    product_check(p, &c);
    product_free(&a, &b, &c);
}

/* A NaN in A spoils exactly its row of C, in B exactly its column; inf * 0 is NaN. */
static void special_test(const product *p)
{
    matrix a, b, c;
    const int64_t row = p->m / 2, col = p->n / 2, at = p->k - 1;
    product_operands(p, &a, &b, &c);
    for (int64_t q = 0; q < p->n; q++)
        matrix_set(&b, p->tb ? q : at, p->tb ? at : q, q == col ? 0 : 1);
    matrix_set(&a, p->ta ? at : row, p->ta ? row : at, (double)INFINITY);
    product_run(p, &a, &b, &c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            const double got = matrix_get(&c, i, j);
            if (i != row)
                ck_assert_double_finite(got);
            else if (j == col)
                ck_assert_double_nan(got);
            else {
                ck_assert(isinf(got));
                wgt_assert_that(got, >, 0);
            }
        }
    matrix_set(&a, p->ta ? at : row, p->ta ? row : at, 1);
    matrix_set(&b, p->tb ? col : 0, p->tb ? 0 : col, (double)NAN);
    product_run(p, &a, &b, &c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            CHECK_ENTRY((isnan(matrix_get(&c, i, j)) != 0) == (j == col), "NaN: C[%d,%d]", (int)i,
                        (int)j);
    product_free(&a, &b, &c);
}

START_TEST(test_special_values)
{
    for (int i = 0; i < PATHS; i++) {
        product p = {
            .m = path_sizes[i][0], .n = path_sizes[i][1], .k = path_sizes[i][2], .extra = 2};
        for_each_kind(p, overwrite_test);
        for_each_kind(p, special_test);
    }
}
END_TEST

/* A long sum must not lose digits with its length: 0.1f added 1e6 times one after the other is off
 * by 1 %, in blocks of b by about (b + k/b) eps, here taken as 8000 eps = 4.8e-4. */
static void long_sum_test(const product *p)
{
    matrix a, b, c;
    product_operands(p, &a, &b, &c);
    for (int64_t q = 0; q < p->k; q++) {
        for (int64_t i = 0; i < p->m; i++)
            matrix_set(&a, p->ta ? q : i, p->ta ? i : q, 0.1);
        for (int64_t j = 0; j < p->n; j++)
            matrix_set(&b, p->tb ? j : q, p->tb ? q : j, 1);
    }
    product_run(p, &a, &b, &c);
    const double want = (double)p->k * (double)0.1f;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            if (p->type == WGK_F32)
                wgt_assert_that(fabs(matrix_get(&c, i, j) - want), <=, 4.8e-4 * want);
    product_free(&a, &b, &c);
}

START_TEST(test_long_sums)
{
    static const int64_t sizes[][2] = {{1, 1}, {2, 1}, {1, 3}, {40, 2}, {3, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const product p = {.m = sizes[i][0],
                           .n = sizes[i][1],
                           .k = 1000000 / (i > 2 ? 4 : 1),
                           .isa = wg_cpu_isa()};
        for (int kind = 0; kind < 4; kind++) {
            product q = p;
            q.ta = kind & 1, q.tb = kind & 2;
            long_sum_test(&q);
        }
    }
}
END_TEST

/* The processor's choice is one that it has, stays the same, and is the plan's. */
START_TEST(test_cpu)
{
    wgk_gemm_plan plan;
    ck_assert(wg_cpu_has(WG_ISA_BASELINE));
    ck_assert(wg_cpu_has(wg_cpu_isa()));
    ck_assert_int_eq(wg_cpu_isa(), wg_cpu_isa());
    wgk_gemm_plan_init(&plan, WGK_F32, false, false, 8, 8, 8);
    ck_assert_int_eq(plan.isa, wg_cpu_isa());
    for (int i = 0; i < WG_ISA_COUNT; i++)
        ck_assert_ptr_nonnull(wg_isa_name((wg_isa)i));
}
END_TEST

Suite *suite_gemm(void)
{
    Suite *suite = suite_create("gemm");
    TCase *tc = tcase_create("gemm");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_cpu);
    tcase_add_test(tc, test_small_sizes);
    tcase_add_test(tc, test_odd_sizes);
    tcase_add_test(tc, test_row_lengths);
    tcase_add_test(tc, test_rows_alone);
    tcase_add_test(tc, test_power_of_two_strides);
    tcase_add_test(tc, test_pieces);
    tcase_add_test(tc, test_zero_sizes);
    tcase_add_test(tc, test_special_values);
    tcase_add_test(tc, test_long_sums);
    suite_add_tcase(suite, tc);
    return suite;
}
