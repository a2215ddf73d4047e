#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The one place where errors are recorded. */
static void fail_record(wg_tape *t, wg_status status, const char *message)
{
    if (t->status != WG_OK)
        return;
    t->status = status;
    if (message != t->message)
        snprintf(t->message, sizeof t->message, "%s", message);
    if (t->options.on_error != NULL)
        t->options.on_error(status, t->message, t->options.on_error_user);
}

wg_tensor *wg_fail(wg_tape *t, wg_status status, const char *format, ...)
{
    if (t == NULL)
        t = wg_null_tape();
    char message[WG_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fail_record(t, status, message);
    return &t->inert;
}

wg_text wg_tensor_text(const wg_tensor *x)
{
    wg_text text;
    char shape[WG_SHAPE_TEXT];
    if (x == NULL)
        snprintf(text.s, sizeof text.s, "NULL");
    else if (wg_is_inert(x))
        snprintf(text.s, sizeof text.s, "an inert tensor");
    else if (x->name != NULL)
        snprintf(text.s, sizeof text.s, "%.64s %s", x->name,
                 wg_shape_text(&x->shape, shape, sizeof shape));
    else
        snprintf(text.s, sizeof text.s, "%s#%" PRId64 " %s", x->op->name, x->index,
                 wg_shape_text(&x->shape, shape, sizeof shape));
    return text;
}

/* " x "-separated, as many as fit; dtypes are shown where they are what is wrong. */
static void fail_operands(const wg_tensor *y, wg_status status, char *text, size_t size)
{
    size_t used = strlen(text);
    for (int i = 0; i < y->n_operands && used < size; i++) {
        const wg_tensor *x = y->operand[i];
        const char *dtype = status == WG_E_DTYPE ? wg_dtype_name(x->dtype) : "";
        snprintf(text + used, size - used, "%s%s%s%s", i == 0 ? ": " : " x ", wg_tensor_text(x).s,
                 *dtype ? " " : "", dtype);
        used += strlen(text + used);
    }
}

bool wg_op_fail(const wg_tensor *y, wg_status status, const char *format, ...)
{
    char message[WG_MESSAGE_SIZE];
    bool named = (y->op->flags & WG_OP_LEAF) && y->name != NULL;
    snprintf(message, sizeof message, "%s%s%.64s: ", y->op->name, named ? " " : "",
             named ? y->name : "");
    size_t used = strlen(message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, sizeof message - used, format, arguments);
    va_end(arguments);
    fail_operands(y, status, message, sizeof message);
    fail_record(y->tape, status, message);
    return false;
}

bool wg_is_inert(const wg_tensor *x)
{
    return x == NULL || x == &x->tape->inert;
}
