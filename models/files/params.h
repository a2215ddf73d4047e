#ifndef WG_MODELS_FILES_PARAMS_H
#define WG_MODELS_FILES_PARAMS_H

#include "models/files/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of parameters, in order, each with its name: a model's state dict. A model made by hand
 * from ops is trained, saved and loaded by its list:
 *
 *     wg_params *p = wg_params_new(t);
 *     wg_tensor *W = wg_params_add(p, wg_param(t, "0.weight", WG_F32, WG_SHAPE(10, 784)));
 *     wg_tensor *b = wg_params_add(p, wg_param(t, "0.bias", WG_F32, WG_SHAPE(10)));
 *     wg_optimizer *adam = wg_adam_new(p->param, p->n, NULL);
 *     wg_params_load(p, wg_archive_load(t, "from_torch.safetensors"), NULL);
 *
 * To be read, by whatever takes parameters and their number; wg_params_add writes it. The tape owns
 * it. */
typedef struct wg_params {
    wg_tape *tape;     /* NULL: inert */
    wg_tensor **param; /* [n] */
    int n, room;
} wg_params;

/* wg_params_new: an empty list, on the tape; never NULL: after WG_E_NOMEM an inert one. */
wg_params *wg_params_new(wg_tape *t);

/* wg_params_add: appends a parameter, and returns it. Errors, on the tape: WG_E_VALUE (no
 * parameter, or one without a name), WG_E_TAPE, WG_E_NULL, WG_E_NOMEM; the result is then inert. */
wg_tensor *wg_params_add(wg_params *p, wg_tensor *param);

/* wg_params_get: the parameter of that name; NULL where there is none. */
wg_tensor *wg_params_get(const wg_params *p, const char *name);

/* Names in an archive that are not the parameters' own. */
typedef struct wg_params_names {
    const char *prefix; /* what stands before each name in the archive, "model."; default NULL */
    /* pairs, a parameter's name and the archive's (without the prefix), ended by NULL; what is
     * not in it keeps its name; default NULL: none */
    const char *const *map;
} wg_params_names;

/* wg_params_save: each parameter into the archive, under its name there; names NULL: its own.
 * Returns the tape's status. Errors, on the tape: those of wg_archive_put_tensor; WG_E_VALUE (a
 * name of over 500 bytes); WG_E_NULL, WG_E_TAPE. */
wg_status wg_params_save(const wg_params *p, wg_archive *a, const wg_params_names *names);

/* wg_params_load: from the archive into the parameters, all or none: names, shapes and dtypes are
 * compared before the first is written. What the archive holds besides does not matter.
 * Returns the tape's status. Errors, on the tape: WG_E_FORMAT, which names the file (no tensor of
 *   that name, or of another shape or dtype); WG_E_VALUE, WG_E_NULL, WG_E_TAPE. */
wg_status wg_params_load(const wg_params *p, const wg_archive *a, const wg_params_names *names);

#ifdef __cplusplus
}
#endif
#endif
