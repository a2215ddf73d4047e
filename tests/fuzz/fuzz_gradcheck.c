/* Gradient checks of chains of elementwise ops, some in a loop, all of whose rules are right: none
 * may be accused, in any precision, whatever the values, and the tape is left as it was found. */
#include "autograd/check/gradcheck.h"
#include "autograd/op.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/scan.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/harness.h"

#include <string.h>

enum { VALUES = 3, CHAIN = 5 };

static const wg_op *draw_op(fuzz_stream *s)
{
    int n = 0;
    while (wg_op_at(n) != NULL)
        n++;
    const wg_op *op = wg_op_at(fuzz_below(s, n));
    const bool fits = op->flags & WG_OP_ELEMENTWISE && op->attr_size == 0 && op->arity >= 1 &&
                      op->arity <= 2;
    return fits ? op : NULL;
}

static wg_tensor *chain(fuzz_stream *s, wg_tensor *y, wg_tensor *x)
{
    for (int i = 0; i < CHAIN && fuzz_left(s); i++) {
        const wg_op *op = draw_op(s);
        wg_tensor *two[] = {y, fuzz_byte(s) & 1 ? x : y};
        if (op != NULL)
            y = wg_apply(op, two, op->arity, NULL);
    }
    return y;
}

static void chain_step(wg_scan_step *step, void *stream)
{
    step->next[0] = chain(stream, step->carry[0], step->param[0]);
}

/* The chain, or a loop that takes it several times, and a chain behind it. */
static wg_tensor *draw_loss(fuzz_stream *s, wg_tensor *x, int steps)
{
    wg_tensor *y = x;
    if (steps == 0)
        return wg_sum(chain(s, x, x));
    wg_scan(&(wg_scan_loop){.body = chain_step,
                            .user = s,
                            .n_carries = 1,
                            .carries = &x,
                            .n_params = 1,
                            .params = &x,
                            .steps = steps},
            &y, NULL);
    return wg_sum(chain(s, y, x));
}

void fuzz_bytes(const uint8_t *bytes, size_t size)
{
    fuzz_memory memory = {.most = (size_t)1 << 26};
    fuzz_stream s = {bytes, bytes + size};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = fuzz_allocator(&memory)});
    const int kind = fuzz_byte(&s);
    const wg_dtype dtype = kind & 1 ? WG_F32 : WG_F64;
    wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(VALUES));
    double values[VALUES], after[VALUES];
    for (int i = 0; i < VALUES; i++)
        values[i] = fuzz_value(&s);
    for (int i = 0; i < VALUES; i++) {
        if (dtype == WG_F64)
            ((double *)wg_edit(x))[i] = values[i];
        else
            values[i] = (double)(((float *)wg_edit(x))[i] = (float)values[i]);
    }
    const int steps = kind < 192 ? 0 : 1 + kind / 2 % 3;
    wg_tensor *y = draw_loss(&s, x, steps);
    if (wg_tape_status(t) == WG_OK) {
        wg_check_report report;
        const double before = wg_item(y);
        const int64_t nodes = wg_tape_size(t);
        const wg_gradcheck_options options = {.precision = (wg_check_precision)fuzz_below(&s, 3),
                                              .directions = (size_t)fuzz_below(&s, 3)};
        /* A NaN where a rule has infinity times zero, as at pow(x - x, x), is a
         * failure to report. Where y is none, what underflows in a loop may fail its rule. */
        if (wg_gradcheck(y, &x, NULL, 1, &options, &report) == WG_CHECK_FAILED &&
            isfinite(report.worst.claimed) && (steps == 0 || isfinite(before)))
            fuzz_die("a right gradient is accused", report.blame);
        const double now = wg_item(y);
        for (int i = 0; i < VALUES; i++)
            after[i] = wg_at(x, i);
        if (memcmp(&before, &now, sizeof now) != 0 || memcmp(values, after, sizeof after) != 0 ||
            wg_tape_size(t) != nodes || wg_tape_status(t) != WG_OK)
            fuzz_die("the tape is not as it was found", wg_tape_message(t));
    }
    wg_tape_free(t);
    if (memory.blocks != 0)
        fuzz_die("memory was lost", "gradcheck");
}
