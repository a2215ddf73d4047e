/* Estimators as C: what they compute of one row, the preparation included. */
#include "models/estimator_internal.h"

#include "autograd/compile/write.h"
#include "models/data/encoder_internal.h"
#include "models/files/program_c.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Inputs of a row: its numbers, and of its strings what the encoder makes of them. */
static wg_tensor *estimator_input(const wg_estimator *e, const char *name, int64_t n)
{
    wg_tensor *zeros = wg_full(e->tape, e->dtype, WG_SHAPE(1, n), 0);
    return wg_input(e->tape, name, e->dtype, WG_SHAPE(1, n), zeros->data);
}

/* The head's inputs, for a row X, and for strings where there are any. */
static wg_tensor *estimator_row_outputs(const wg_estimator *e, wg_tensor *X, wg_tensor *hot)
{
    wg_dataset row = {.X = X};
    if (hot == NULL)
        return wg_estimator_outputs(e, &row);
    const wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    row.X = wg_pipeline_join(e->pipeline, X, hot);
    return model.outputs(model.user, &row, false);
}

/* The names' lines: "x[0] age". Of one number, x is no array. */
static char *estimator_list(char *at, const char *field, const char *const *names, bool array)
{
    for (int64_t j = 0; names != NULL && names[j] != NULL; j++)
        at += array ? sprintf(at, "%s[%" PRId64 "] %s\n", field, j, names[j])
                    : sprintf(at, "%s %s\n", field, names[j]);
    return at;
}

static size_t estimator_list_room(const char *const *names)
{
    size_t room = 0;
    for (; names != NULL && *names != NULL; names++)
        room += strlen(*names) + 40; /* "strings[0123456789012345678] \n" */
    return room;
}

/* What the inputs are; NULL: no memory. */
static const char *estimator_about(const wg_estimator *e)
{
    const char *numbers = e->pipeline->imputer != NULL
                              ? "NaN is a missing number, and is filled in."
                              : "No number may be missing (NaN).";
    char *text = wg_tape_take(e->tape, estimator_list_room(e->column_names) +
                                           estimator_list_room(e->string_names) + 256);
    if (text == NULL)
        return NULL;
    char *at = text + sprintf(text, "Of its inputs:\n");
    at = estimator_list(at, "x", e->column_names, e->columns != 1);
    at = estimator_list(at, "strings", e->string_names, true);
    sprintf(at, "%s%s%s", e->columns > 0 ? numbers : "",
            e->string_columns > 0 ? "\n\"\" is a missing string; no string may be NULL." : "",
            e->class_count > 0
                ? "\npredicted is -1, which is no class, where numbers are too large."
                : "");
    return text;
}

static void estimator_write(const wg_estimator *e, const char *path)
{
    const wg_encoder *encoder = e->pipeline->encoder;
    wg_tensor *X = estimator_input(e, "x", e->columns), *hot = NULL, *outputs[2];
    if (encoder != NULL)
        hot = estimator_input(e, "strings", wg_encoder_width(encoder));
    wg_tensor *Z = estimator_row_outputs(e, X, hot);
    int n = 0;
    outputs[n++] = wg_rename(wg_head_predict(e->head, Z), "predicted");
    if (e->head->probabilities != NULL)
        outputs[n++] = wg_rename(wg_head_probabilities(e->head, Z), "probabilities");
    wg_c_strings strings = {.input = hot};
    if (encoder != NULL) {
        strings.columns = encoder->columns;
        strings.start = encoder->start;
        strings.string = (const char *const *)encoder->category;
        strings.ignore_unknown = encoder->ignore_unknown;
    }
    const wg_c_options o = {.names = e->class_names,
                            .strings = hot != NULL ? &strings : NULL,
                            .about = estimator_about(e)};
    wg_program_write_c(wg_compile(outputs, n, NULL), path, &o);
}

wg_status wg_estimator_write_c(const wg_estimator *e, const char *path)
{
    if (wg_estimator_is_inert(e))
        return WG_E_NULL;
    const wg_mark mark = wg_tape_mark(e->tape);
    if (wg_tape_status(e->tape) == WG_OK)
        estimator_write(e, path);
    if (wg_tape_status(e->tape) == WG_OK)
        wg_tape_rewind(e->tape, mark);
    return wg_tape_status(e->tape);
}
