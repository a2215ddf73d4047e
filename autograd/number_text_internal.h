#ifndef WG_AUTOGRAD_NUMBER_TEXT_INTERNAL_H
#define WG_AUTOGRAD_NUMBER_TEXT_INTERNAL_H

#include "autograd/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* All that the library prints and reads with a decimal point goes through these, which do as libc's
 * snprintf, vsnprintf, fprintf and strtod do in the C locale. Nothing else may call those with a
 * real number: tests/check_layers.sh.
 * Where there is no memory for a locale the user's holds (glibc and musl need none). */
int wg_format(char *text, size_t size, const char *format, ...) WG_PRINTF(3, 4);
int wg_format_list(char *text, size_t size, const char *format, va_list arguments) WG_PRINTF(3, 0);
int wg_format_to(FILE *out, const char *format, ...) WG_PRINTF(2, 3);

/* end: where the number ends, as strtod says; NULL: is not asked. */
double wg_scan_double(const char *text, char **end);

/* wg_scans_as: does the text, read as a double, or as a float, give that value? */
bool wg_scans_as(const char *text, double value, bool as_float);

#endif
