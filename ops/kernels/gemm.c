/* gemm.c: the plan of a matrix product, and the bodies that run it, one for each instruction set
 * and element type. */
#include "ops/kernels/gemm.h"

#ifdef WG_ISA_X86
#include <immintrin.h>
#endif
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

enum {
    GEMM_CHAIN = 256, /* products summed one after the other: rounding errors grow with it ... */
    GEMM_CHAIN_UNFUSED = 96, /* ... and faster where each product is rounded, too */
    /* From row to row of a packed panel of A: no power of two, so that rows do not fall into the
     * same cache sets. */
    GEMM_A_PITCH = GEMM_CHAIN + 16,
    GEMM_A_GROUP = 4, /* panels of A packed together, where it is transposed */
    /* How far ahead of its use B is asked for: */
    GEMM_AHEAD = 64,        /* rows of B as it lies: time enough for memory to answer */
    GEMM_PACKED_AHEAD = 16, /* rows of a packed panel, from the second-level cache */
    GEMM_ROWS_AHEAD = 4,    /* longer rows, on the way to panels */
    GEMM_PAGE = 4096        /* bytes, of rows for inner products from memory */
};

/* A piece: C[i0..i1, j0..j1] summed over p0..p1, which is the cut_k-th cut of k. */
typedef struct gemm_piece {
    int64_t i0, i1, j0, j1, p0, p1, cut_k;
} gemm_piece;

/* What a body offers: elements in a vector, rows in a register tile (tiles are two vectors
 * wide). */
typedef struct gemm_kernel {
    int64_t vl, mr;
    void (*run)(const wgk_gemm_plan *g, const wgk_gemm_operands *o, const gemm_piece *r,
                void *workspace, void *partials);
    void (*finish)(const wgk_gemm_plan *g, const wgk_gemm_operands *o, void *partials);
} gemm_kernel;

static inline int64_t gemm_round_up(int64_t x, int64_t to)
{
    return (x + to - 1) / to * to;
}

static inline int64_t gemm_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The least number of equal parts no larger than `most`; their size, rounded up to `unit`. */
static inline int64_t gemm_even(int64_t size, int64_t most, int64_t unit)
{
    const int64_t parts = (size + most - 1) / most;
    return gemm_min(gemm_round_up((size + parts - 1) / parts, unit), size);
}

/* Whether the long operand of a DOT, AXPY or SWAP product is A. */
static inline bool gemm_a_is_long(const wgk_gemm_plan *g)
{
    return g->path == WGK_GEMM_SWAP || g->n == 1;
}

/* Whether panels of A are copied before use.  They are read once for each of `panels` panels of B. 
 * Rows read together are soon worth a place of their own.  Columns that lie side by side are read
 * well as they are, unless they are a power of two apart, which is in the same cache sets, or in a
 * page each. The bits of C are the same either way. */
static inline bool gemm_pack_a(bool ta, int64_t stride, int64_t panels)
{
    if (!ta || stride % 1024 == 0)
        return panels >= (ta ? 4 : 6);
    return panels >= (stride >= 8192 ? 4 : 32);
}

/* Whether rows of `stride` bytes come from memory and are so short that several of them lie in one
 * page: read alternately, they would mislead the processor's own prefetching.  (Eight at once take
 * 1.7 times as long for 1e6 x 100; a thousand in cache take 0.8 times.) */
static inline bool gemm_streams(const wgk_gemm_plan *g, int64_t stride)
{
    return stride <= 1024 && (double)stride * (double)g->k > 4e6;
}

/* Into the second-level cache; any address will do. */
static inline void gemm_ask(uintptr_t address)
{
    __builtin_prefetch((const void *)address, 0, 2);
}

/* ---- the bodies ----------------------------------------------------------------------------- */

/* Compiled for size (-Os), the bodies have few of the functions that unroll a product's edges: what
 * remains is called more often, and computes the same bits. */
#ifdef __OPTIMIZE_SIZE__
#define WGK_LEAN 1
#else
#define WGK_LEAN 0
#endif

#define WGK_ALWAYS __attribute__((always_inline))
#if defined(__clang__)
#define WGK_PRAGMA(x) _Pragma(#x)
#define WGK_UNROLL(n) WGK_PRAGMA(clang loop unroll_count(n))
#define WGK_NO_UNROLL WGK_PRAGMA(clang loop unroll(disable))
#else
#define WGK_PRAGMA(x) _Pragma(#x)
#define WGK_UNROLL(n) WGK_PRAGMA(GCC unroll n)
#define WGK_NO_UNROLL WGK_PRAGMA(GCC unroll 1)
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define WGK_SHUFFLE(int_type, bytes, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define WGK_SHUFFLE(int_type, bytes, a, b, ...)                                                    \
    __builtin_shuffle(a, b, (__attribute__((vector_size(bytes))) int_type){__VA_ARGS__})
#endif

#define WGK_BITS    128
#define WGK_F64     0
#define WGK_W(name) gemm_##name##_f32
#include "ops/kernels/gemm_body.inc"
#define WGK_F64     1
#define WGK_W(name) gemm_##name##_f64
#include "ops/kernels/gemm_body.inc"
#undef WGK_BITS

#ifdef WG_ISA_X86

#include "ops/kernels/isa_avx2.inc"

#define WGK_BITS    256
#define WGK_F64     0
#define WGK_W(name) gemm_##name##_avx2_f32
#include "ops/kernels/gemm_body.inc"
#define WGK_F64     1
#define WGK_W(name) gemm_##name##_avx2_f64
#include "ops/kernels/gemm_body.inc"
#undef WGK_BITS

#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define WGK_BITS    512
#define WGK_F64     0
#define WGK_W(name) gemm_##name##_avx512_f32
#include "ops/kernels/gemm_body.inc"
#define WGK_F64     1
#define WGK_W(name) gemm_##name##_avx512_f64
#include "ops/kernels/gemm_body.inc"
#undef WGK_BITS

#include "ops/kernels/isa_end.inc"

#endif /* WG_ISA_X86 */

#if WG_HAS_WIDE
#define WGK_T       wg_wide
#define WGK_W(name) gemm_##name##_wide
#include "ops/kernels/gemm_tiny.inc"
#undef WGK_T
#undef WGK_W
#endif

#undef WGK_LEAN
#undef WGK_ALWAYS
#undef WGK_PRAGMA
#undef WGK_UNROLL
#undef WGK_NO_UNROLL
#undef WGK_SHUFFLE

static const gemm_kernel *gemm_kernel_of(wg_isa isa, wgk_type type)
{
#ifdef WG_ISA_X86
    if (isa == WG_ISA_AVX512)
        return type == WGK_F32 ? &gemm_kernel_avx512_f32 : &gemm_kernel_avx512_f64;
    if (isa == WG_ISA_AVX2)
        return type == WGK_F32 ? &gemm_kernel_avx2_f32 : &gemm_kernel_avx2_f64;
#else
    (void)isa;
#endif
    return type == WGK_F32 ? &gemm_kernel_f32 : &gemm_kernel_f64;
}

/* ---- the plan ------------------------------------------------------------------------------- */

enum {
    GEMM_ALIGN = 64,        /* of the workspace, which arrives with any alignment */
    GEMM_TINY = 8,          /* multiplications below which plain loops are fastest ... */
    GEMM_TINY_PACKED = 100, /* ... where B would have to be packed ... */
    GEMM_TINY_VECTOR = 256, /* ... and of vectors, or without masks */
    GEMM_SMALL_ROWS = 96,   /* rows of a small product */
    GEMM_DOT_SHORT = 12,    /* most columns (or rows) of a C made of inner products */
    GEMM_DIRECT_ROWS = 96,  /* up to so many rows, copying B costs more than it saves */
    GEMM_DOT_BLOCK = 2048,  /* elements of a row in one inner product */
    GEMM_AXPY_BLOCK = 256,  /* rows summed before their sum joins the others */
    GEMM_AXPY_WIDTH = 2048,
    GEMM_SWAP_BLOCK = 256,
    GEMM_SWAP_WIDTH = 1024,
    GEMM_A_PANEL = 24 * 1024, /* bytes of a row panel of A, in the first-level cache */
    GEMM_B_BLOCK = 512 * 1024 /* bytes of a block of B, in the second-level cache */
};

#define GEMM_PIECE_WORK 6e6 /* multiplications that make a piece of their own */
#define GEMM_MAX_PIECES 64

static double gemm_work(const wgk_gemm_plan *g)
{
    return (double)g->m * (double)g->n * (double)g->k;
}

/* Inner products fill every lane where C is narrow, and need no transposed copy of B; but each
 * element costs a sum over the lanes.  Compared in cycles, roughly, at one FMA a cycle. */
static bool gemm_dot_pays(const wgk_gemm_plan *g, int64_t vl)
{
    const bool a_long = g->n <= g->m;
    const int64_t shorts = a_long ? g->n : g->m, length = a_long ? g->m : g->n;
    if (shorts > GEMM_DOT_SHORT || (a_long ? g->ta : !g->tb))
        return false;
    const bool gather = a_long ? !g->tb : g->ta;
    const double mn = (double)shorts * (double)length, k = (double)g->k;
    const double dots = mn * (1.1 * k / (double)vl + 8) + (gather ? (double)shorts * k : 0);
    const int64_t vectors = (g->n + vl - 1) / vl;
    const double blocked = (double)g->m * k * (double)vectors +
                           (g->tb ? 0.5 : 0.2) * (double)g->n * k;
    return dots < blocked;
}

/* Is B one panel of rows as they lie, and is the set one with masks? */
static bool gemm_is_small(const wgk_gemm_plan *g, const gemm_kernel *kernel)
{
    return g->isa != WG_ISA_BASELINE && !g->tb && g->n > 1 && g->n <= 2 * kernel->vl &&
           g->m <= GEMM_SMALL_ROWS && g->k <= GEMM_CHAIN;
}

static double gemm_tiny_work(const wgk_gemm_plan *g, const gemm_kernel *kernel)
{
    if (g->isa == WG_ISA_BASELINE || g->n == 1 || (g->m == 1 && g->tb))
        return GEMM_TINY_VECTOR;
    return gemm_is_small(g, kernel) ? GEMM_TINY : GEMM_TINY_PACKED;
}

static wgk_gemm_path gemm_choose_path(const wgk_gemm_plan *g, const gemm_kernel *kernel)
{
    if (g->m == 0 || g->n == 0)
        return WGK_GEMM_NOTHING;
    if (gemm_work(g) <= gemm_tiny_work(g, kernel) || g->type == WGK_WIDE)
        return WGK_GEMM_TINY;
    if (g->n == 1)
        return g->ta ? WGK_GEMM_AXPY : WGK_GEMM_DOT;
    if (g->m == 1 && !gemm_is_small(g, kernel))
        return g->tb ? WGK_GEMM_DOT : WGK_GEMM_AXPY;
    if (g->ta && g->n <= kernel->mr && g->m >= 2 * kernel->vl)
        return WGK_GEMM_SWAP;
    if (gemm_dot_pays(g, kernel->vl))
        return WGK_GEMM_DOT;
    return gemm_is_small(g, kernel) ? WGK_GEMM_SMALL : WGK_GEMM_BLOCKED;
}

/* Cuts `size` into about `parts` parts of whole units; returns how long a part is. */
static int64_t gemm_step(int64_t size, int64_t parts, int64_t unit)
{
    if (parts < 1)
        parts = 1;
    return gemm_min(gemm_round_up((size + parts - 1) / parts, unit), size);
}

/* How many pieces the product is worth. */
static int64_t gemm_parts(const wgk_gemm_plan *g, double work_each)
{
    const double parts = gemm_work(g) / work_each;
    return parts >= GEMM_MAX_PIECES ? GEMM_MAX_PIECES : (int64_t)parts;
}

static size_t gemm_bytes(const wgk_gemm_plan *g, int64_t elements)
{
    const size_t size = g->type == WGK_F32 ? sizeof(float) : sizeof(double);
    return elements ? (size_t)elements * size + GEMM_ALIGN : 0;
}

/* Cuts rows or columns in half, whichever leaves the squarer pieces, until there are `parts` pieces
 * or no part is long enough to repay packing the other operand once more.  Where B is read as it
 * lies (few rows) only columns are cut: their pieces share nothing. */
static void gemm_cut_blocked(wgk_gemm_plan *g, const gemm_kernel *kernel, int64_t parts)
{
    int64_t rows = 1, columns = 1;
    while (rows * columns < parts) {
        const int64_t height = g->m / rows, width = g->n / columns;
        if (width >= 256 && (width >= height || height < 512))
            columns *= 2;
        else if (height >= 512)
            rows *= 2;
        else
            break;
    }
    g->step_m = gemm_step(g->m, rows, kernel->mr);
    g->step_n = gemm_step(g->n, columns, 2 * kernel->vl);
}

static void gemm_plan_blocked(wgk_gemm_plan *g, const gemm_kernel *kernel)
{
    const int64_t size = g->type == WGK_F32 ? 4 : 8, nr = 2 * kernel->vl;
    gemm_cut_blocked(g, kernel, gemm_min(gemm_parts(g, GEMM_PIECE_WORK), 8));
    const int64_t chain = g->isa == WG_ISA_BASELINE ? GEMM_CHAIN_UNFUSED : GEMM_CHAIN;
    g->kc = gemm_even(g->k, gemm_min(GEMM_A_PANEL / (kernel->mr * size), chain), 8);
    g->nc = gemm_min(GEMM_B_BLOCK / (g->kc * size) / nr * nr, g->n);
    g->pack_b = g->tb || g->step_m > GEMM_DIRECT_ROWS;
    const int64_t panels = g->pack_b ? gemm_round_up(g->nc, nr) : nr;
    g->workspace = gemm_bytes(g, GEMM_A_GROUP * kernel->mr * GEMM_A_PITCH + g->kc * panels);
}

static void gemm_plan_dot(wgk_gemm_plan *g)
{
    const int64_t shorts = gemm_min(g->m, g->n);
    const int64_t parts = gemm_parts(g, GEMM_PIECE_WORK / (shorts > 1 ? 4 : 16));
    if (g->n <= g->m)
        g->step_m = gemm_step(g->m, parts, 16);
    else
        g->step_n = gemm_step(g->n, parts, 16);
    g->kc = gemm_min(g->k, GEMM_DOT_BLOCK);
    g->workspace = gemm_bytes(g, shorts * g->kc + 16);
}

/* Many rows and a small C: k is cut, so that each piece reads whole rows and leaves its own
 * sums. */
static void gemm_plan_outer(wgk_gemm_plan *g, const gemm_kernel *kernel)
{
    const bool swap = g->path == WGK_GEMM_SWAP, a_long = gemm_a_is_long(g);
    const int64_t nr = 2 * kernel->vl;
    const int64_t length = a_long ? g->m : g->n, shorts = a_long ? g->n : g->m;
    const int64_t parts = gemm_parts(g, GEMM_PIECE_WORK / 8);
    const int64_t by_length = gemm_min(parts, length / (16 * nr));
    int64_t *step = a_long ? &g->step_m : &g->step_n;
    g->kc = gemm_min(g->k, swap ? GEMM_SWAP_BLOCK : GEMM_AXPY_BLOCK);
    if (g->k / 8 >= length && parts > 1)
        g->step_k = gemm_step(g->k, gemm_min(parts, 16), g->kc);
    else
        *step = gemm_step(length, by_length, nr);
    g->nc = gemm_min(*step, swap ? GEMM_SWAP_WIDTH : GEMM_AXPY_WIDTH);
    const int64_t pad = gemm_round_up(g->nc, nr);
    const int64_t tail = swap ? g->kc * nr : pad;
    g->workspace = gemm_bytes(g, shorts * pad + tail);
    if (g->step_k < g->k) {
        const int64_t cuts = (g->k + g->step_k - 1) / g->step_k;
        g->partials = gemm_bytes(g, cuts * shorts * length);
    }
}

void wgk_gemm_plan_init_isa(wgk_gemm_plan *plan, wgk_type type, bool ta, bool tb, int64_t m,
                            int64_t n, int64_t k, wg_isa isa)
{
    /* One by one: as a whole it would be zeroed by an instruction that takes longer than a tiny
     * product. */
    plan->pieces = 1;
    plan->workspace = plan->partials = 0;
    plan->type = type;
    plan->isa = isa;
    plan->ta = ta;
    plan->tb = tb;
    plan->m = plan->step_m = m;
    plan->n = plan->step_n = n;
    plan->k = plan->step_k = k;
    plan->cuts_m = plan->cuts_n = plan->cuts_k = 1;
    plan->kc = plan->nc = 0;
    plan->pack_b = false;
    const gemm_kernel *kernel = gemm_kernel_of(isa, type);
    plan->path = gemm_choose_path(plan, kernel);
    switch (plan->path) {
    case WGK_GEMM_NOTHING: plan->pieces = 0; return;
    case WGK_GEMM_TINY:
    case WGK_GEMM_SMALL: return;
    case WGK_GEMM_DOT: gemm_plan_dot(plan); break;
    case WGK_GEMM_AXPY:
    case WGK_GEMM_SWAP: gemm_plan_outer(plan, kernel); break;
    case WGK_GEMM_BLOCKED: gemm_plan_blocked(plan, kernel); break;
    }
    if (plan->step_m < m)
        plan->cuts_m = (m + plan->step_m - 1) / plan->step_m;
    if (plan->step_n < n)
        plan->cuts_n = (n + plan->step_n - 1) / plan->step_n;
    if (plan->step_k < k)
        plan->cuts_k = (k + plan->step_k - 1) / plan->step_k;
    plan->pieces = plan->cuts_m * plan->cuts_n * plan->cuts_k;
}

void wgk_gemm_plan_init(wgk_gemm_plan *plan, wgk_type type, bool ta, bool tb, int64_t m, int64_t n,
                        int64_t k)
{
    wgk_gemm_plan_init_isa(plan, type, ta, tb, m, n, k, wg_cpu_isa());
}

/* ---- running -------------------------------------------------------------------------------- */

/* Pieces are counted along k, then columns, then rows. */
static gemm_piece gemm_piece_at(const wgk_gemm_plan *g, int64_t piece)
{
    if (g->pieces == 1)
        return (gemm_piece){0, g->m, 0, g->n, 0, g->k, 0};
    gemm_piece r;
    r.cut_k = piece % g->cuts_k;
    r.p0 = r.cut_k * g->step_k;
    r.p1 = gemm_min(r.p0 + g->step_k, g->k);
    piece /= g->cuts_k;
    r.j0 = piece % g->cuts_n * g->step_n;
    r.j1 = gemm_min(r.j0 + g->step_n, g->n);
    r.i0 = piece / g->cuts_n * g->step_m;
    r.i1 = gemm_min(r.i0 + g->step_m, g->m);
    return r;
}

static void *gemm_align(void *p)
{
    return p ? (char *)p + (-(uintptr_t)p & (GEMM_ALIGN - 1)) : NULL;
}

void wgk_gemm_run(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, int64_t piece,
                  void *workspace, void *partials)
{
    if (plan->path == WGK_GEMM_TINY) { /* every nanosecond counts, and no set is needed */
        if (plan->type == WGK_F32)
            gemm_tiny_f32(plan, o);
        else
            WGK_RUN(gemm_tiny, plan->type, plan, o);
        return;
    }
    if (plan->path == WGK_GEMM_SMALL) {
        gemm_kernel_of(plan->isa, plan->type)->run(plan, o, NULL, NULL, NULL);
        return;
    }
    const gemm_piece r = gemm_piece_at(plan, piece);
    gemm_kernel_of(plan->isa, plan->type)
        ->run(plan, o, &r, gemm_align(workspace), plan->partials ? gemm_align(partials) : NULL);
}

void wgk_gemm_run_pieces(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, int64_t begin,
                         int64_t end, void *workspace, void *partials)
{
    if (begin == 0 && end == plan->pieces && end > 1 && plan->partials == 0) {
        const gemm_piece all = {0, plan->m, 0, plan->n, 0, plan->k, 0};
        gemm_kernel_of(plan->isa, plan->type)->run(plan, o, &all, gemm_align(workspace), NULL);
        return;
    }
    for (int64_t piece = begin; piece < end; piece++)
        wgk_gemm_run(plan, o, piece, workspace, partials);
}

void wgk_gemm_finish(const wgk_gemm_plan *plan, const wgk_gemm_operands *o, void *partials)
{
    if (plan->partials)
        gemm_kernel_of(plan->isa, plan->type)->finish(plan, o, gemm_align(partials));
}
