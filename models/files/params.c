/* Lists of parameters: a model's state dict, into archives and out of them. */
#include "models/files/params.h"

#include "autograd/op.h"
#include "models/files/archive_internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { PARAMS_NAME = 512 };

static const wg_params params_inert = {.tape = NULL};

wg_params *wg_params_new(wg_tape *t)
{
    wg_params *p = wg_tape_take(t, sizeof *p);
    if (p == NULL)
        return (wg_params *)(uintptr_t)&params_inert; /* never written: its tape is NULL */
    p->tape = t;
    return p;
}

static bool params_grow(wg_params *p)
{
    if (p->n < p->room)
        return true;
    if (p->room > INT_MAX / 2)
        return false;
    int room = p->room > 0 ? 2 * p->room : 16;
    wg_tensor **grown = wg_tape_take(p->tape, (size_t)room * sizeof(wg_tensor *));
    if (grown == NULL)
        return false;
    if (p->n > 0)
        memcpy(grown, p->param, (size_t)p->n * sizeof *grown);
    p->param = grown;
    p->room = room;
    return true;
}

wg_tensor *wg_params_add(wg_params *p, wg_tensor *param)
{
    wg_tape *t = p != NULL ? p->tape : NULL;
    if (t == NULL || wg_is_inert(param))
        return wg_fail(t, WG_E_NULL, "params: nothing to add, or nowhere");
    if (param->tape != t)
        return wg_fail(t, WG_E_TAPE, "params: %s is of another tape", wg_tensor_text(param).s);
    if (param->op != &wg_op_parameter || param->name == NULL)
        return wg_fail(t, WG_E_VALUE, "params: %s is no parameter with a name",
                       wg_tensor_text(param).s);
    if (!params_grow(p))
        return wg_fail(t, WG_E_NOMEM, "params: no room for %s", wg_tensor_text(param).s);
    p->param[p->n++] = param;
    return param;
}

wg_tensor *wg_params_get(const wg_params *p, const char *name)
{
    for (int i = 0; p != NULL && name != NULL && i < p->n; i++)
        if (strcmp(p->param[i]->name, name) == 0)
            return p->param[i];
    return NULL;
}

/* ---- Archives. ------------------------------------------------------------------------------- */

/* The parameter's name in an archive; NULL, and an error, where it is too long. */
static const char *params_name(const wg_tensor *param, const wg_params_names *names,
                               char name[PARAMS_NAME])
{
    const char *own = param->name, *prefix = names != NULL ? names->prefix : NULL;
    const char *const *map = names != NULL ? names->map : NULL;
    while (map != NULL && map[0] != NULL && map[1] != NULL && strcmp(map[0], param->name) != 0)
        map += 2;
    if (map != NULL && map[0] != NULL && map[1] != NULL)
        own = map[1];
    int length = snprintf(name, PARAMS_NAME, "%s%s", prefix != NULL ? prefix : "", own);
    if (length >= 0 && length < PARAMS_NAME)
        return name;
    wg_fail(param->tape, WG_E_VALUE, "params: the name '%.40s...' is too long", own);
    return NULL;
}

/* Is there a list, an archive, and one tape? */
static bool params_ready(const wg_params *p, const wg_archive *a)
{
    wg_tape *t = p != NULL && p->tape != NULL ? p->tape : wg_archive_tape(a);
    if (p == NULL || p->tape == NULL || wg_archive_tape(a) == NULL)
        wg_fail(t, WG_E_NULL, "params: no list, or no archive");
    else if (wg_archive_tape(a) != t)
        wg_fail(t, WG_E_TAPE, "params: the archive is of another tape");
    return t != NULL && wg_tape_status(t) == WG_OK;
}

static wg_status params_status(const wg_params *p)
{
    return p != NULL && p->tape != NULL ? wg_tape_status(p->tape) : WG_E_NULL;
}

wg_status wg_params_save(const wg_params *p, wg_archive *a, const wg_params_names *names)
{
    char name[PARAMS_NAME];
    bool ready = params_ready(p, a);
    for (int i = 0; ready && i < p->n; i++)
        ready = params_name(p->param[i], names, name) != NULL &&
                wg_archive_put_tensor(a, name, p->param[i]) == WG_OK;
    return params_status(p);
}

/* What the archive holds for the parameter; NULL, and an error, where it is not what fits. */
static const wg_tensor *params_find(const wg_tensor *param, const wg_archive *a,
                                    const wg_params_names *names)
{
    char name[PARAMS_NAME];
    if (params_name(param, names, name) == NULL)
        return NULL;
    const wg_tensor *x = wg_archive_tensor(a, name);
    if (x == NULL && wg_archive_type(a, name) != NULL)
        wg_archive_fail(a, "tensor '%s' is of type %s, which is not read", name,
                        wg_archive_type(a, name));
    else if (x == NULL)
        wg_archive_fail(a, "there is no tensor '%s' for the parameter %s", name,
                        wg_tensor_text(param).s);
    else if (x->dtype != param->dtype)
        wg_archive_fail(a, "%s is %s, the parameter %s is %s: make it of the same dtype, WG_%s",
                        wg_tensor_text(x).s, wg_dtype_name(x->dtype), wg_tensor_text(param).s,
                        wg_dtype_name(param->dtype),
                        x->dtype == WG_F32   ? "F32"
                        : x->dtype == WG_F64 ? "F64"
                                             : "I64");
    else if (!wg_shape_same(&x->shape, &param->shape))
        wg_archive_fail(a, "%s for the parameter %s", wg_tensor_text(x).s, wg_tensor_text(param).s);
    else
        return x;
    return NULL;
}

wg_status wg_params_load(const wg_params *p, const wg_archive *a, const wg_params_names *names)
{
    bool ready = params_ready(p, a);
    for (int i = 0; ready && i < p->n; i++)
        ready = params_find(p->param[i], a, names) != NULL;
    for (int i = 0; ready && i < p->n; i++) {
        const wg_tensor *x = params_find(p->param[i], a, names);
        ready = wg_write(p->param[i], x->data, (size_t)x->size * wg_dtype_size(x->dtype)) == WG_OK;
    }
    return params_status(p);
}
