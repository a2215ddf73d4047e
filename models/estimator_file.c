#include "models/estimator_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char estimator_format[] = "wengert estimator 1";

static char *estimator_class_key(char key[40], int64_t i)
{
    snprintf(key, 40, "estimator.class.%" PRId64, i);
    return key;
}

wg_status wg_estimator_save(const wg_estimator *e, const char *path)
{
    if (e == NULL || e->tape == NULL)
        return WG_E_NULL;
    wg_tape *t = e->tape;
    wg_mark mark = wg_tape_mark(t);
    if (wg_tape_status(t) != WG_OK)
        return wg_tape_status(t);
    char key[40];
    wg_description *d = wg_description_new(t);
    wg_description_put_text(d, "format", estimator_format);
    wg_description_put_text(d, "estimator.model", e->kind->name);
    wg_description_put_text(d, "estimator.label", e->label_name);
    wg_description_put_integer(d, "estimator.classes", e->classes);
    for (int64_t i = 0; i < e->classes; i++)
        wg_description_put_text(d, estimator_class_key(key, i), e->class_name[i]);
    wg_pipeline_describe(e->pipeline, d);
    wg_mlp_describe(e->mlp, d);
    wg_description_write(d, path);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}

/* ---- Loading. --------------------------------------------------------------------------------------- */

static wg_estimator *estimator_bad(const wg_description *d, const char *what)
{
    wg_fail(d->tape, WG_E_FORMAT, "estimator: %s", what);
    return wg_estimator_inert();
}

/* Names of classes; their number is at most that of the texts, so no memory is taken for a mere claim. */
static bool estimator_read_classes(wg_estimator *e, const wg_description *d)
{
    char key[40];
    if (!wg_description_integer(d, "estimator", "estimator.classes", 2, d->texts, &e->classes))
        return false;
    e->class_name = wg_tape_take(d->tape, (size_t)e->classes * sizeof *e->class_name);
    for (int64_t i = 0; e->class_name != NULL && i < e->classes; i++) {
        e->class_name[i] = wg_description_text(d, estimator_class_key(key, i));
        if (e->class_name[i] == NULL) {
            wg_fail(d->tape, WG_E_FORMAT, "estimator: '%s' is missing", key);
            return false;
        }
    }
    return wg_tape_status(d->tape) == WG_OK;
}

static bool estimator_parts_fit(const wg_estimator *e)
{
    int n;
    const int64_t *sizes = wg_mlp_sizes(e->mlp, &n);
    return sizes != NULL && sizes[0] == wg_pipeline_width(e->pipeline) &&
           wg_pipeline_text_columns(e->pipeline) == 0 && (e->kind->hidden || n == 2) &&
           wg_link_classes_of(e->kind->link, sizes[n - 1]) == e->classes;
}

static wg_estimator *estimator_restore(const wg_description *d)
{
    const char *format = wg_description_text(d, "format");
    if (format == NULL || strcmp(format, estimator_format) != 0)
        return estimator_bad(d, "the file is no estimator: its 'format' is another");
    wg_estimator *e = wg_tape_take(d->tape, sizeof *e);
    if (e == NULL)
        return wg_estimator_inert();
    e->kind = wg_estimator_kind_of(wg_description_text(d, "estimator.model"));
    e->label_name = wg_description_text(d, "estimator.label");
    if (e->kind == NULL || e->label_name == NULL)
        return estimator_bad(d, "'estimator.model' or 'estimator.label' is missing or unknown");
    if (!estimator_read_classes(e, d))
        return wg_estimator_inert();
    e->pipeline = wg_pipeline_restore(d);
    e->mlp = wg_mlp_restore(d);
    if (wg_tape_status(d->tape) != WG_OK)
        return wg_estimator_inert();
    e->tape = d->tape;
    return estimator_parts_fit(e) ? e : estimator_bad(d, "the parts do not fit together");
}

wg_estimator *wg_estimator_load(wg_tape *t, const char *path)
{
    const wg_description *d = wg_description_read(t, path);
    return wg_tape_status(t) == WG_OK ? estimator_restore(d) : wg_estimator_inert();
}
