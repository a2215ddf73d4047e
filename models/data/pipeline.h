#ifndef WG_MODELS_DATA_PIPELINE_H
#define WG_MODELS_DATA_PIPELINE_H

#include "models/data/encoder.h"
#include "models/data/imputer.h"
#include "models/data/polynomial.h"
#include "models/data/scaler.h"
#include "models/files/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The preparation of data: fitted on training rows, saved with the model, applied at prediction.
 * Columns of numbers go through the steps in order; string columns are one-hot encoded,
 * and their columns stand behind those of the numbers.
 *
 *     const wg_pipeline_step steps[] = {{.kind = WG_STEP_STANDARDIZE},
 *                                       {WG_STEP_POLYNOMIAL, .polynomial = {.degree = 3}}};
 *     const wg_pipeline_options o = {.steps = steps, .n_steps = 2};
 *     wg_pipeline *p = wg_pipeline_fit(X, NULL, 0, &o);
 *     wg_tensor *Z = wg_pipeline_apply(p, X, NULL), *Z_test = wg_pipeline_apply(p, X_test, NULL);
 *
 * Its first members are to be read, the rest is the library's own; all 0 in an inert one. */
typedef struct wg_pipeline {
    wg_tape *tape; /* NULL: inert */
    wg_dtype dtype;
    int64_t columns, string_columns; /* that it takes, of numbers and of strings */
    int64_t width;                   /* columns that it makes of them */
    int n_steps;                     /* that the numbers go through */
    /* the first one, where it is WG_STEP_IMPUTE; NULL: NaN is an error */
    const wg_imputer *imputer;

    struct wg_pipeline_fitted *step; /* [n_steps] */
    struct wg_encoder *encoder;      /* NULL: no string columns */
} wg_pipeline;

typedef enum wg_step_kind {
    WG_STEP_STANDARDIZE, /* by mean and population standard deviation, see models/data/scaler.h */
    WG_STEP_POLYNOMIAL,  /* see models/data/polynomial.h */
    WG_STEP_IMPUTE       /* see models/data/imputer.h; the first step, if any: the others know no
                            missing values */
} wg_step_kind;

typedef struct wg_pipeline_step {
    wg_step_kind kind;
    wg_polynomial_options polynomial; /* of WG_STEP_POLYNOMIAL; zero: the defaults */
    wg_imputer_options imputer;       /* of WG_STEP_IMPUTE; zero: the defaults */
} wg_pipeline_step;

typedef struct wg_pipeline_options {
    const wg_pipeline_step *steps; /* [n_steps], in the order of application; default: none */
    int n_steps;                   /* >= 0; default 0 */
    wg_encoder_options encoder;    /* of string columns, where there are some */
} wg_pipeline_options;

/* wg_pipeline_fit: fits each step on what the steps before make of X, and the encoder on the
 * strings. Nothing but what was fitted stays on the tape. NULL options: no step.
 * Shape:  X [n, d], f32 or f64, where d may be 0; strings [n, string_columns], row by row, each
 *   ended by NUL, as a table has them; NULL where there is none.
 * Errors: those of wg_scaler_fit, wg_imputer_fit and wg_polynomial, on the tape; WG_E_NOT_FINITE (a
 *   column to standardize whose variance is no number), WG_E_VALUE (an option), WG_E_NULL (a
 *   string). The result is then an inert pipeline, never NULL. */
wg_pipeline *wg_pipeline_fit(wg_tensor *X, const char *const *strings, int64_t string_columns,
                             const wg_pipeline_options *options);

/* wg_pipeline_apply: the rows as a model takes them, recorded on the tape: on an input they are
 * replayed with it. String columns become constants.
 * Shape:  X [m, d] of the dtype fitted, strings [m, string_columns] -> [m, width].
 * Errors: WG_E_SHAPE, WG_E_DTYPE (other columns than were fitted), WG_E_VALUE (a string that was
 *   not there at the fit, named with its row and column; the encoder's limit), those of the steps,
 *   on the tape. */
wg_tensor *wg_pipeline_apply(const wg_pipeline *pipeline, wg_tensor *X, const char *const *strings);

/* wg_pipeline_names: of the columns [width] that it makes, NULL behind the last, on the tape:
 * "height", "height_missing", "colour=red"; from the names of the columns that it takes (NULL: x1,
 * x2, ..., s1, s2, ...). NULL, and no error, where there are polynomial features, which have none;
 * NULL after WG_E_NOMEM. */
const char *const *wg_pipeline_names(const wg_pipeline *pipeline, const char *const *columns,
                                     const char *const *string_columns);

/* wg_pipeline_save: as strings "pipeline.steps", "pipeline.0", ... and tensors "pipeline.0.mean",
 * ... Errors: those of wg_archive_put_tensor. */
wg_status wg_pipeline_save(const wg_pipeline *pipeline, wg_archive *a);

/* wg_pipeline_load: from them, with the same results to the bit; inert after an error.
 * Errors, on the tape: WG_E_FORMAT (what is missing, wrong, or does not fit together). */
wg_pipeline *wg_pipeline_load(const wg_archive *a);

#ifdef __cplusplus
}
#endif
#endif
