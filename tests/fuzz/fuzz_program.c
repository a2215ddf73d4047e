/* Programs of the engine's calls: leaves of all shapes and dtypes, every op of the registry with
 * attributes that mean something and with hostile ones, gradients of gradients, marks and rewinds,
 * writes and replays, threads, compiled programs, and programs that stay, whose outputs others
 * read.  What a replay computes is, bit for bit, what a compiled program computes; what is fresh is
 * what it is when all has been computed again. */
#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "autograd/op.h"
#include "autograd/pool.h"
#include "autograd/tape_internal.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/harness.h"

#include <string.h>

enum { MARKS = 4, PROGRAMS = 4, LARGEST = 150, MOST = 1 << 22 };

typedef struct user {
    fuzz_stream s;
    wg_tape *t;
    wg_mark start, mark[MARKS];
    wg_program *program[PROGRAMS]; /* that stay, the oldest first */
    int64_t size[PROGRAMS];        /* of the tape behind each */
    int marks, ops, programs;
} user;

/* Programs go with what they were recorded behind. */
static void rewind_to(user *u, wg_mark mark)
{
    wg_tape_rewind(u->t, mark);
    while (u->programs > 0 && u->size[u->programs - 1] > u->t->size)
        u->programs--;
}

static int op_count(void)
{
    int n = 0;
    while (wg_op_at(n) != NULL)
        n++;
    return n;
}

/* Any node, or now and then a mistake. */
static wg_tensor *any(user *u)
{
    const int b = fuzz_byte(&u->s);
    if (u->t->size == 0 || b == 255)
        return b & 1 ? NULL : &u->t->inert;
    return u->t->node[u->t->size - 1 - b % (u->t->size < 16 ? u->t->size : 16)];
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

static int draw_shape(user *u, int64_t *dim)
{
    const int ndim = fuzz_below(&u->s, 9);
    for (int i = 0; i < ndim; i++)
        dim[i] = fuzz_below(&u->s, ndim > 3 ? 3 : 7);
    return ndim;
}

static wg_dtype draw_dtype(user *u)
{
    static const wg_dtype dtypes[] = {WG_F64, WG_F32, WG_I64};
    return dtypes[fuzz_below(&u->s, 3)];
}

static void fill(user *u, wg_tensor *x)
{
    void *data = wg_edit(x);
    for (int64_t i = 0; data != NULL && i < wg_size(x); i++) {
        if (wg_dtype_of(x) == WG_F64)
            ((double *)data)[i] = fuzz_value(&u->s);
        else if (wg_dtype_of(x) == WG_F32)
            ((float *)data)[i] = (float)((fuzz_byte(&u->s) - 128) / 16.0);
        else
            ((int64_t *)data)[i] = fuzz_below(&u->s, 8) - 1;
    }
}

static wg_tensor *leaf(user *u)
{
    int64_t dim[8];
    const wg_dtype dtype = draw_dtype(u);
    const int ndim = draw_shape(u, dim);
    if (fuzz_below(&u->s, 4) == 0)
        return wg_full(u->t, dtype, ndim, dim, fuzz_below(&u->s, 4));
    wg_tensor *x = wg_param(u->t, "p", dtype, ndim, dim);
    fill(u, x);
    return x;
}

/* ---- Ops ------------------------------------------------------------------------------------- */

/* Attributes: zeros, small integers in each word, or whatever the bytes say. */
static void draw_attributes(user *u, unsigned char *attrs, size_t size)
{
    const int kind = fuzz_below(&u->s, 3);
    memset(attrs, 0, size);
    if (kind == 1)
        for (size_t at = 0; at + sizeof(int32_t) <= size; at += sizeof(int32_t)) {
            const int32_t word = fuzz_below(&u->s, 8) - 1;
            memcpy(attrs + at, &word, sizeof word);
        }
    if (kind == 2)
        fuzz_raw(&u->s, attrs, size);
}

static void apply_any(user *u)
{
    unsigned char attrs[512];
    wg_tensor *x[4];
    const wg_op *op = wg_op_at(fuzz_below(&u->s, u->ops));
    if (op->flags & WG_OP_LEAF || op->attr_size > sizeof attrs)
        return;
    const int n = op->arity == WG_VARIADIC ? 1 + fuzz_below(&u->s, 4) : op->arity;
    for (int i = 0; i < n && i < 4; i++)
        x[i] = any(u);
    draw_attributes(u, attrs, op->attr_size);
    if (n <= 4)
        wg_apply(op, x, n, attrs);
}

static void build(user *u)
{
    int64_t dim[8];
    int axes[3] = {fuzz_below(&u->s, 5) - 2, fuzz_below(&u->s, 5) - 2, fuzz_below(&u->s, 5) - 2};
    wg_tensor *x = any(u), *two[2] = {x, any(u)};
    const int n = fuzz_below(&u->s, 4);
    switch (fuzz_below(&u->s, 9)) {
    case 0: wg_reshape(x, draw_shape(u, dim), dim); break;
    case 1: wg_permute(x, n, axes); break;
    case 2: wg_broadcast_to(x, draw_shape(u, dim), dim); break;
    case 3: wg_sum_over(x, n, axes, n & 1); break;
    case 4: wg_slice(x, axes[0], axes[1], axes[2] + n); break;
    case 5: wg_concat(two, 2, axes[0]); break;
    case 6: wg_softmax(x, axes[0]); break;
    case 7: wg_sum_to(x, two[1]); break;
    default: wg_sum(x); break;
    }
}

static void differentiate(user *u)
{
    wg_tensor *xs[2] = {any(u), any(u)}, *gs[2], *y = any(u);
    if (u->t->size < LARGEST)
        wg_vjp(y, y, xs, 2, gs);
}

/* ---- Running again --------------------------------------------------------------------------- */

static bool same(const wg_tensor *a, const wg_tensor *b)
{
    if (wg_size(a) != wg_size(b) || wg_dtype_of(a) != wg_dtype_of(b))
        return false;
    if (wg_dtype_of(a) == WG_I64)
        return memcmp(a->data, b->data, (size_t)wg_size(a) * sizeof(int64_t)) == 0;
    for (int64_t i = 0; i < wg_size(a); i++) {
        const double p = wg_at(a, i), q = wg_at(b, i);
        if (memcmp(&p, &q, sizeof p) != 0 && !(isnan(p) && isnan(q)))
            return false;
    }
    return true;
}

static void compile_and_compare(user *u)
{
    wg_tensor *y[3] = {any(u), any(u), any(u)};
    const int flags = fuzz_byte(&u->s);
    const wg_mark before = wg_tape_mark(u->t);
    if (wg_replay(u->t) != WG_OK)
        return;
    wg_program *p = wg_compile(
        y, 3, &(wg_compile_options){.keep_buffers = flags & 1, .keep_values = flags & 2});
    if (wg_program_run(p) == WG_OK && wg_replay_to(y, 3) == WG_OK)
        for (int i = 0; i < 3; i++)
            if (!wg_is_stale(y[i]) && !wg_is_stale(wg_program_output(p, i)) &&
                !same(wg_program_output(p, i), y[i]))
                fuzz_die("a program and a replay differ", y[i]->op->name);
    wg_tape_rewind(u->t, before);
}

static void keep_program(user *u)
{
    wg_tensor *y[2] = {any(u), any(u)};
    if (u->programs == PROGRAMS)
        return;
    wg_program *p = wg_compile(y, 2, NULL);
    if (wg_tape_status(u->t) != WG_OK)
        return;
    u->size[u->programs] = u->t->size;
    u->program[u->programs++] = p;
}

/* Programs compute what the tape did when they were made; the tape, from what they compute. */
static bool compute_again(user *u)
{
    for (int i = 0; i < u->programs; i++)
        if (wg_replay(u->t) != WG_OK || wg_program_run(u->program[i]) != WG_OK)
            return false;
    return wg_replay(u->t) == WG_OK;
}

static void fresh_is_right(user *u)
{
    const wg_tensor *y = any(u);
    if (wg_is_inert(y) || wg_is_stale(y) || y->data == NULL)
        return;
    const wg_mark before = wg_tape_mark(u->t);
    wg_tensor *copy = wg_constant(u->t, y->dtype, y->shape.ndim, y->shape.dim, y->data);
    if (!wg_is_inert(copy) && compute_again(u)) {
        if (wg_is_stale(y))
            fuzz_die("stale, and all was computed", y->op->name);
        if (!same(copy, y))
            fuzz_die("fresh, and another value than anew", y->op->name);
        rewind_to(u, before);
    }
}

static void write_and_run(user *u)
{
    const int what = fuzz_byte(&u->s);
    fill(u, any(u));
    if (what & 1)
        wg_replay(u->t);
    if ((what & 2) && u->programs > 0)
        wg_program_run(u->program[(what >> 2) % u->programs]);
    if (what & 16)
        fresh_is_right(u);
}

static void mark_or_rewind(user *u)
{
    if (u->marks < MARKS && fuzz_byte(&u->s) & 1)
        u->mark[u->marks++] = wg_tape_mark(u->t);
    else if (u->marks > 0)
        rewind_to(u, u->mark[--u->marks]);
}

static void act(user *u)
{
    switch (fuzz_below(&u->s, 12)) {
    case 0:
    case 1: leaf(u); break;
    case 2: differentiate(u); break;
    case 3: write_and_run(u); break;
    case 4: mark_or_rewind(u); break;
    case 5: compile_and_compare(u); break;
    case 6:
    case 7: build(u); break;
    case 11: keep_program(u); break;
    default: apply_any(u); break;
    }
}

/* After an error the tape is taken back to its newest mark, and everything goes on. */
void fuzz_bytes(const uint8_t *bytes, size_t size)
{
    fuzz_memory memory = {.most = MOST};
    const wg_allocator allocator = fuzz_allocator(&memory);
    user u = {.s = {bytes, bytes + size}, .ops = op_count()};
    wg_pool *pool = fuzz_below(&u.s, 16) == 0 ? wg_pool_new(3, &allocator) : NULL;
    u.t = wg_tape_new(&(wg_tape_options){.allocator = allocator, .pool = pool});
    u.start = wg_tape_mark(u.t);
    while (fuzz_left(&u.s)) {
        act(&u);
        if (wg_tape_status(u.t) != WG_OK || u.t->size > LARGEST) {
            if (wg_tape_status(u.t) != WG_OK && wg_tape_message(u.t)[0] == '\0')
                fuzz_die("an error without a message", wg_status_name(wg_tape_status(u.t)));
            rewind_to(&u, u.marks > 0 ? u.mark[u.marks - 1] : u.start);
            if (u.t->size > LARGEST)
                rewind_to(&u, u.start), u.marks = 0;
        }
    }
    wg_tape_free(u.t);
    wg_pool_free(pool);
    if (memory.blocks != 0)
        fuzz_die("memory was lost", "program");
}
