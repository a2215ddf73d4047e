#ifndef WG_OPS_DESCRIBE_INTERNAL_H
#define WG_OPS_DESCRIBE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "autograd/op.h"

/* For the ops' `describe`: a text is "name value, name value". */

/* wg_describe_add: appends to the text, which has room for size bytes, what the format says, as
 * printf does, and ", " before it where something stands there already. What has no room is cut
 * off. */
void wg_describe_add(char *text, size_t size, const char *format, ...) WG_PRINTF(3, 4);

/* wg_describe_list: "(1, 0, 2)" of n numbers. list has room for WG_SHAPE_TEXT bytes. Returns
 * list. */
char *wg_describe_list(char *list, int n, const int64_t *number);

/* wg_describe_axes: "axis 1", or "axes (1, 0)" of n of them; nothing of none. */
void wg_describe_axes(char *text, size_t size, int n, const int *axis);

/* wg_describe_attrs: the attributes of an op whose formula names them, "clamp(x; low, high) = ...":
 * doubles, in this order. */
void wg_describe_attrs(const wg_tensor *y, char *text, size_t size);

/* wg_describe_axis: of an op whose attributes begin with an int64_t axis. */
void wg_describe_axis(const wg_tensor *y, char *text, size_t size);

#endif
