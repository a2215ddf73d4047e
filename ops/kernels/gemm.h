/* gemm.h: the matrix product over raw memory.
 *
 *     C = op(A) * op(B)        C [m, n], op(A) [m, k], op(B) [k, n], row-major
 *
 * op(X) is X or its transpose: A is stored [m, k], or [k, m] with ta; B is stored [k, n], or [n, k]
 * with tb.  Element (i, j) of a stored matrix X is X[i*ldx + j]; ldx is at least the length of a
 * stored row.  Pointers are aligned to their element, no more; no operand overlaps C.
 *
 * Use: a plan says once how the product is computed and into which pieces it is cut; then every
 * piece is run, in any order, in any number of threads, each running thread with a workspace of
 * its own; then finish is called once.  The plan depends on sizes, types, transposes and the
 * processor, never on the number of threads, so neither do the bits of C:
 *
 *     wgk_gemm_plan plan;
 *     wgk_gemm_plan_init(&plan, WGK_F32, false, false, m, n, k);
 *     // plan.workspace bytes for each running thread, plan.partials bytes for all together
 *     wgk_gemm_run_pieces(&plan, &operands, 0, plan.pieces, ws, partials);
 *     wgk_gemm_finish(&plan, &operands, partials);
 *
 * Edges: with m or n = 0 nothing is done; with k = 0, C = 0.  C is not read before it is written.
 * NaN and infinities in A and B propagate.  The vector units' subnormal mode is left alone.
 * Rounding: |error of C[i,j]| <= (k + 4) * eps * sum_p |a_ip * b_pj|, and much better for long k:
 * sums are blocked.  Elements differ between instruction sets and between plans of different sizes
 * by rounding only. */
#ifndef WG_OPS_KERNELS_GEMM_H
#define WG_OPS_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autograd/cpu_internal.h"
#include "ops/kernels/real.h"

/* How a product is computed; chosen by the plan from the sizes.  In the comments "long" means
 * contiguous in memory along the direction named. */
typedef enum wgk_gemm_path {
    WGK_GEMM_NOTHING, /* m or n = 0 */
    WGK_GEMM_TINY,    /* plain loops; k = 0, too */
    WGK_GEMM_SMALL,   /* one register tile after the other, operands as they lie */
    WGK_GEMM_DOT,     /* inner products of rows that are long in k: matrix-vector, few columns */
    WGK_GEMM_AXPY,    /* one output row: a sum of scaled rows of the matrix */
    WGK_GEMM_SWAP,    /* few output columns, A transposed: tiles of C^T = op(B)^T * A */
    WGK_GEMM_BLOCKED  /* register tiles over blocks in cache, operands packed where it pays */
} wgk_gemm_path;

/* Read-only for callers; filled by wgk_gemm_plan_init alone. */
typedef struct wgk_gemm_plan {
    int64_t pieces;   /* how many pieces; 0 where there is nothing to do */
    size_t workspace; /* bytes that one running piece needs; may be 0 */
    size_t partials;  /* bytes that all pieces of one product share; 0 unless k is cut */
    wgk_gemm_path path;
    wgk_type type;
    wg_isa isa;
    bool ta, tb;
    int64_t m, n, k;
    int64_t step_m, step_n, step_k; /* size of a piece along each direction; the last is shorter */
    int64_t cuts_m, cuts_n, cuts_k; /* pieces along each direction; pieces is their product */
    int64_t kc, nc;                 /* largest blocks in cache (along k, along the long side) */
    bool pack_b;
} wgk_gemm_plan;

typedef struct wgk_gemm_operands {
    const void *a, *b; /* elements of the plan's type */
    void *c;
    int64_t lda, ldb, ldc;
    /* Bytes from where a or b is to what will be read in its place next; 0: nothing is known. Where
     * memory is idle, some of that is asked for, whichever of the two is read row by row. */
    int64_t ahead;
} wgk_gemm_operands;

/* Fills *plan.  No allocation; some ten nanoseconds for small products.  m, n, k >= 0. */
void wgk_gemm_plan_init(wgk_gemm_plan *plan, wgk_type type, bool ta, bool tb, int64_t m, int64_t n,
                        int64_t k);

/* The same for a given instruction set, which the processor must have: for tests. */
void wgk_gemm_plan_init_isa(wgk_gemm_plan *plan, wgk_type type, bool ta, bool tb, int64_t m,
                            int64_t n, int64_t k, wg_isa isa);

/* Computes one piece, 0 <= piece < plan->pieces.
 * workspace: plan->workspace bytes, any alignment, contents irrelevant before and after;
 *            one for each piece that runs at the same time.  NULL where plan->workspace is 0.
 * partials:  plan->partials bytes, shared by all pieces of this product; NULL where that is 0.
 * Where partials is not 0, C is written by wgk_gemm_finish alone. */
void wgk_gemm_run(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, int64_t piece,
                  void *workspace, void *partials);

/* Computes the pieces from begin to end, one after the other in the same workspace, to the same
 * bits as wgk_gemm_run: pieces that are run together share what they copy of A and B. */
void wgk_gemm_run_pieces(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, int64_t begin,
                         int64_t end, void *workspace, void *partials);

/* After all pieces: adds up the partial sums in a fixed order and writes C.  Nothing is done
 * where plan->partials is 0, and calling it is then optional. */
void wgk_gemm_finish(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, void *partials);

#endif
