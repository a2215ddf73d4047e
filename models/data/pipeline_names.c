/* The names of the columns that a pipeline makes. */
#include "models/data/pipeline.h"

#include "autograd/op.h"
#include "models/data/encoder_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Two texts as one, on the tape; NULL: no memory, which the tape has noted. */
static const char *pipeline_joined(wg_tape *t, const char *left, const char *right)
{
    size_t size = strlen(left) + strlen(right) + 1;
    char *text = wg_tape_take(t, size);
    if (text != NULL)
        snprintf(text, size, "%s%s", left, right);
    return text;
}

/* The columns of numbers, and those that say what was missing. */
static int64_t pipeline_name_numbers(const wg_pipeline *p, const char *const *given,
                                     const char **name)
{
    const wg_tensor *indicated = p->imputer != NULL ? p->imputer->indicated : NULL;
    char number[32];
    int64_t n = 0;
    for (; n < p->columns; n++) {
        snprintf(number, sizeof number, "x%" PRId64, n + 1);
        name[n] = pipeline_joined(p->tape, given != NULL ? given[n] : number, "");
    }
    for (int64_t i = 0; indicated != NULL && i < indicated->size; i++) {
        const char *of = name[((const int64_t *)indicated->data)[i]];
        name[n++] = of != NULL ? pipeline_joined(p->tape, of, "_missing") : NULL;
    }
    return n;
}

static int64_t pipeline_name_strings(const wg_pipeline *p, const char *const *given,
                                     const char **name)
{
    const wg_encoder *e = p->encoder;
    char number[32];
    int64_t n = 0;
    for (int64_t j = 0; e != NULL && j < e->columns; j++) {
        snprintf(number, sizeof number, "s%" PRId64, j + 1);
        const char *of = pipeline_joined(p->tape, given != NULL ? given[j] : number, "=");
        for (int64_t i = e->start[j]; i < e->start[j + 1]; i++)
            name[n++] = of != NULL ? pipeline_joined(p->tape, of, e->category[i]) : NULL;
    }
    return n;
}

const char *const *wg_pipeline_names(const wg_pipeline *p, const char *const *columns,
                                     const char *const *string_columns)
{
    if (p == NULL || p->tape == NULL)
        return NULL;
    int64_t indicated = p->imputer != NULL && p->imputer->indicated != NULL
                            ? p->imputer->indicated->size
                            : 0;
    if (p->columns + indicated + wg_encoder_width(p->encoder) != p->width)
        return NULL; /* polynomial features have none */
    const char **name = wg_tape_take(p->tape, ((size_t)p->width + 1) * sizeof *name);
    if (name == NULL)
        return NULL;
    int64_t n = pipeline_name_numbers(p, columns, name);
    n += pipeline_name_strings(p, string_columns, name + n);
    name[n] = NULL;
    return wg_tape_status(p->tape) == WG_OK ? name : NULL;
}
