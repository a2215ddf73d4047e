/* run_internal.h: calls of one kernel, each on one element, that are one call. */
#ifndef WG_AUTOGRAD_RUN_INTERNAL_H
#define WG_AUTOGRAD_RUN_INTERNAL_H

#include <stdint.h>

/* Where an element is: of y, or of an operand. */
typedef union wg_run_address {
    void *y;
    const void *x;
} wg_run_address;

/* Kernels of an op with WG_OP_RUNS take an n below 0, too: then the addresses from operand[0] on,
 * before operand[1], are those of several calls, -n each, y's first. They share all attributes, and
 * none reads what another one writes.
 * WG_RUN: name, a function that makes them, which a kernel calls then; one: what it does where n is
 * 1. Apart from the kernel, it costs that no register. */
#define WG_RUN(name, one)                                                                          \
    __attribute__((noinline)) static void name(int64_t n, const void *const operand[],             \
                                               const int64_t stride[], const void *attrs)          \
    {                                                                                              \
        const wg_run_address *run = operand[0], *const end = operand[1];                           \
        for (; run < end; run -= n)                                                                \
            one(1, run->y, &run[1].x, stride, attrs);                                              \
    }

#endif
