/* describe.c: what attributes say, as text for printed tapes and graphs. */
#include "ops/describe_internal.h"

#include "autograd/number_text_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void wg_describe_add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    if (used > 0 && used + 3 <= size) {
        memcpy(text + used, ", ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    wg_format_list(text + used, size - used, format, arguments);
    va_end(arguments);
}

char *wg_describe_list(char *list, int n, const int64_t *number)
{
    wg_shape numbers = {.ndim = n};
    memcpy(numbers.dim, number, (size_t)n * sizeof *number);
    return wg_shape_text(&numbers, list, WG_SHAPE_TEXT);
}

void wg_describe_axes(char *text, size_t size, int n, const int *axis)
{
    int64_t number[WG_MAX_DIMS];
    char list[WG_SHAPE_TEXT];
    for (int i = 0; i < n; i++)
        number[i] = axis[i];
    if (n == 1)
        wg_describe_add(text, size, "axis %d", axis[0]);
    else if (n > 1)
        wg_describe_add(text, size, "axes %s", wg_describe_list(list, n, number));
}

void wg_describe_attrs(const wg_tensor *y, char *text, size_t size)
{
    const char *name = strchr(y->op->formula, ';');
    const double *value = y->attrs;
    for (; name != NULL && *name != ')'; value++) {
        name += strspn(name, ";, ");
        const int length = (int)strcspn(name, ",)");
        wg_describe_add(text, size, "%.*s %g", length, name, *value);
        name += length;
    }
}

void wg_describe_axis(const wg_tensor *y, char *text, size_t size)
{
    wg_describe_add(text, size, "axis %" PRId64, *(const int64_t *)y->attrs);
}
