/* What Frama-C does not know of the compiler: included before every file. */
#ifndef WGT_PROVE_BUILTINS_H
#define WGT_PROVE_BUILTINS_H

#include <stdint.h>

/*@ requires \valid(r);
  @ assigns *r, \result \from a, b;
  @ ensures \initialized(r);
  @ behavior fits:
  @   assumes INT64_MIN <= a * b <= INT64_MAX;
  @   ensures \result == 0 && *r == a * b && (a >= 0 && b >= 0 ==> *r >= 0);
  @ behavior overflows:
  @   assumes !(INT64_MIN <= a * b <= INT64_MAX);
  @   ensures \result == 1;
  @ complete behaviors;
  @ disjoint behaviors; */
int __builtin_mul_overflow(int64_t a, int64_t b, int64_t *r);

/*@ requires \valid(r);
  @ assigns *r, \result \from a, b;
  @ ensures \initialized(r);
  @ behavior fits:
  @   assumes INT64_MIN <= a + b <= INT64_MAX;
  @   ensures \result == 0 && *r == a + b && (a >= 0 && b >= 0 ==> *r >= 0);
  @ behavior overflows:
  @   assumes !(INT64_MIN <= a + b <= INT64_MAX);
  @   ensures \result == 1;
  @ complete behaviors;
  @ disjoint behaviors; */
int __builtin_add_overflow(int64_t a, int64_t b, int64_t *r);

#endif
