/* Elementwise ops at a point: what the tests of their families share. */
#ifndef WGT_OPS_ELEMENTWISE_H
#define WGT_OPS_ELEMENTWISE_H

#include "autograd/grad.h"
#include "autograd/op.h"
#include "autograd/tape.h"
#include "ops/elementwise.h"
#include "tests/support/assert.h"

#include <math.h>

#define INF  ((double)INFINITY)
#define QNAN ((double)NAN)

typedef wg_tensor *wgt_unary(wg_tensor *x);
typedef wg_tensor *wgt_binary(wg_tensor *a, wg_tensor *b);

/* d[0..order] = f(x), f'(x), f''(x), ... through the tape, in f64; order up to 3. An error on the
 * tape fails the test. */
void wgt_unary_at(wgt_unary *f, double x, int order, double *d);

/* They are want[0..order], to the bit but for the signs of zeros and NaNs. */
void wgt_assert_unary(wgt_unary *f, double x, int order, const double want[]);

/* The same as wgt_unary_at in f32: value and derivative. */
void wgt_unary_f32_at(wgt_unary *f, float x, float d[2]);

/* d = f, df/da, df/db, d2f/da2, d2f/db2, and d2f/dadb twice: from df/da, and from df/db. */
void wgt_binary_at(wgt_binary *f, double a, double b, double d[7]);
void wgt_binary_f32_at(wgt_binary *f, float a, float b, float d[3]);

/* A closed form: d[0..3] = f and its first three derivatives at x. */
typedef void wgt_closed_form(long double x, long double d[4]);

/* f against its closed form at n points: derivatives 0 to 3 to rel[k] of the closed form, in f64,
 * and value and derivative in f32 to rel_f32 of it. */
void wgt_check_unary(const char *name, wgt_unary *f, wgt_closed_form *closed, const double *x,
                     int n, const double rel[4], double rel_f32);

#endif
