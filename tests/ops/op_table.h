/* The test table: what every op of the registry is, said a second time and independently. The walk
 * (tests/ops/test_walk_*.c) takes the rows one by one; an op without a row fails it, and so does a row
 * without an op. */
#ifndef WGT_OPS_OP_TABLE_H
#define WGT_OPS_OP_TABLE_H

#include "autograd/op.h"

enum { WGT_OPERANDS = 4, WGT_NUMBERS = 6 };

/* Shapes that the op is recorded with, one word an operand, and numbers that record and reference
 * know what to do with (an axis, a size, ...).
 *     2x3     floats, drawn from the op's domain           .       the same, of zero dimensions
 *     ?2x3    a condition: zeros and ones                  <5:2x3  i64 indices, from 0 to 4
 *     =       the operand before it once more */
typedef struct wgt_variant {
    const char *shapes;
    int64_t a[WGT_NUMBERS];
} wgt_variant;

/* clang-format off */
/* A list of variants, for a row; the last has no shapes. */
#define WGT_VARIANTS(...) (const wgt_variant[]){__VA_ARGS__, {NULL, {0}}}
/* clang-format on */

/* An operand's values, or a result's. `terms`, a result's alone: the size of what is added up for
 * each entry, where that is more than the entry itself. */
typedef struct wgt_array {
    wg_shape shape;
    int64_t size;
    long double *value, *terms; /* [size], row-major */
} wgt_array;

/* y has memory enough, all zeros; its shape, size and values are to be set. */
typedef void wgt_reference(const wgt_array x[], int n, const int64_t *a, wgt_array *y);
typedef wg_tensor *wgt_recorder(wg_tensor *const x[], int n, const int64_t *a);

/* Elementwise ops are functions of the operands' entries and of constants k. */
typedef long double wgt_entry(const long double *x, const double *k);

typedef struct wgt_row {
    const char *op;

    /* |y - reference| <= ulps * 2^-52 * max(|reference|, terms), with 2^-23 in f32; 0: the same. */
    double ulps;
    const wgt_variant *variants;

    /* Ops by entries. variants = NULL: those that suit every op of its arity. */
    wgt_entry *value;
    wgt_entry *terms;
    wgt_entry *clear; /* the distance to the nearest kink */
    double k[2];      /* the op's attributes, if it has any */

    /* Other ops. */
    wgt_recorder *record;
    wgt_reference *reference;
    bool integers; /* takes i64 as well */
} wgt_row;

/* clang-format off */
/* A row of another op: record_<op> and reference_<op> are functions of the table's file. */
#define WGT_ROW(name, bound, takes_i64, ...)                                                       \
    {.op = #name, .ulps = bound, .record = record_##name, .reference = reference_##name,           \
     .integers = takes_i64, .variants = WGT_VARIANTS(__VA_ARGS__)}
/* clang-format on */

/* All rows, by family; wgt_row_at: number i of them all, NULL behind the last. */
const wgt_row *wgt_row_at(int i);
int wgt_row_count(void);

/* ---- A variant of a row, recorded ------------------------------------------------------------ */

typedef struct wgt_case {
    char name[96]; /* "matmul [2x3 3x2] f32" */
    const wgt_row *row;
    const wgt_variant *variant;
    wg_tape *tape;
    int n, n_x;
    wg_tensor *operand[WGT_OPERANDS];
    wg_tensor *x[WGT_OPERANDS]; /* operands that have derivatives, each once: parameters */
    wg_tensor *y;
} wgt_case;

/* The variants of a row, those of its arity where it has no own. */
const wgt_variant *wgt_variants(const wgt_row *row);

/* Draws the operands, away from kinks, and records the op on a tape of its own. An error on the
 * tape, or another op than the row's, fails the running test. */
wgt_case wgt_case_new(const wgt_row *row, const wgt_variant *variant, wg_dtype dtype);
void wgt_case_free(wgt_case *c);

/* Can the op be recorded with this dtype? */
bool wgt_row_takes(const wgt_row *row, wg_dtype dtype);

/* The reference's result for the operands as they are; the caller frees it. */
wgt_array wgt_case_reference(const wgt_case *c);
void wgt_array_free(wgt_array *x);

/* The values of x. */
wgt_array wgt_array_of(const wg_tensor *x);

/* Normal draws into a parameter of x's dtype and shape. */
wg_tensor *wgt_draw_like(const wg_tensor *x, const char *name, uint64_t key);

/* ---- For references -------------------------------------------------------------------------- */

/* Number i of an array of this shape, as an index on each axis; and back. */
void wgt_place_of(const wg_shape *shape, int64_t i, int64_t place[WG_MAX_DIMS]);
int64_t wgt_number_of(const wg_shape *shape, const int64_t place[WG_MAX_DIMS]);

/* Entry of x that belongs to entry i of an array that x is broadcast to. */
long double wgt_broadcast_entry(const wgt_array *x, const wg_shape *to, int64_t i);

/* Sets the size from the shape; the memory must suffice. */
void wgt_shape_set(wgt_array *y, const wg_shape *shape);

/* ---- Families, each ending with a row without op --------------------------------------------- */

extern const wgt_row wgt_rows_elementwise[], wgt_rows_layout[], wgt_rows_slice[], wgt_rows_index[],
    wgt_rows_reduce[], wgt_rows_matmul[], wgt_rows_loss[], wgt_rows_sparse[], wgt_rows_scan[];

#endif
