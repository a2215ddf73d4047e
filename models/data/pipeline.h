#ifndef WG_MODELS_DATA_PIPELINE_H
#define WG_MODELS_DATA_PIPELINE_H

#include "models/data/encoder.h"
#include "models/data/polynomial.h"
#include "models/data/scaler.h"
#include "models/files/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The preparation of data: fitted on training rows, saved with the model, applied at prediction. Columns of
 * numbers go through steps, one behind the other; columns of texts are one-hot encoded, and their columns
 * stand behind those of the numbers.
 *
 *     const wg_pipeline_step steps[] = {{.kind = WG_STEP_STANDARDIZE},
 *                                       {.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = 3}}};
 *     wg_pipeline *p = wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){.steps = steps, .n_steps = 2});
 *     wg_tensor *Z = wg_pipeline_apply(p, X, NULL), *Z_test = wg_pipeline_apply(p, X_test, NULL);
 */
typedef struct wg_pipeline wg_pipeline;

typedef enum wg_step_kind {
    WG_STEP_STANDARDIZE, /* by mean and population standard deviation, see models/data/scaler.h */
    WG_STEP_POLYNOMIAL   /* see models/data/polynomial.h */
} wg_step_kind;

typedef struct wg_pipeline_step {
    wg_step_kind kind;
    wg_polynomial_options polynomial; /* of WG_STEP_POLYNOMIAL; zero: the defaults */
} wg_pipeline_step;

typedef struct wg_pipeline_options {
    const wg_pipeline_step *steps; /* [n_steps], in the order of application; default: none */
    int n_steps;                   /* >= 0; default 0 */
    wg_encoder_options encoder;    /* of columns of texts, where there are some */
} wg_pipeline_options;

/* wg_pipeline_fit: fits each step on what the steps before make of X, and the encoder on the texts. Nothing
 * but what was fitted stays on the tape. NULL options: no step.
 * Shape:  X [n, d], f32 or f64, where d may be 0; text [n, text_columns] as in models/data/encoder.h, NULL where
 *         there is none.
 * Errors: those of wg_scaler_fit, wg_polynomial and wg_encoder_fit, on the tape; WG_E_VALUE (an option). The
 *         result is then an inert pipeline, never NULL. */
wg_pipeline *wg_pipeline_fit(wg_tensor *X, const char *const *text, int64_t text_columns,
                             const wg_pipeline_options *options);

/* wg_pipeline_apply: the rows as a model takes them, recorded on the tape: on an input they are replayed with
 * it. Columns of texts are constants.
 * Shape:  X [m, d] of the dtype fitted, text [m, text_columns] -> [m, wg_pipeline_width].
 * Errors: WG_E_SHAPE, WG_E_DTYPE (other columns than were fitted), those of the parts, on the tape. */
wg_tensor *wg_pipeline_apply(const wg_pipeline *pipeline, wg_tensor *X, const char *const *text);

/* wg_pipeline_columns, wg_pipeline_text_columns: columns of numbers and of texts that it takes.
 * wg_pipeline_steps: how many steps the numbers go through.
 * wg_pipeline_width: columns that it makes of them.  wg_pipeline_encoder: NULL where there are no texts. */
int64_t wg_pipeline_columns(const wg_pipeline *pipeline);
int64_t wg_pipeline_text_columns(const wg_pipeline *pipeline);
int wg_pipeline_steps(const wg_pipeline *pipeline);
int64_t wg_pipeline_width(const wg_pipeline *pipeline);
const wg_encoder *wg_pipeline_encoder(const wg_pipeline *pipeline);

/* wg_pipeline_save: as texts "pipeline.steps", "pipeline.0", ... and tensors "pipeline.0.mean", ...;
 * wg_pipeline_load: from them, with the same results to the bit; inert after an error.
 * Errors, on the tape: WG_E_FORMAT (what is missing, wrong, or does not fit together), those of
 *   wg_archive_put_tensor. */
wg_status wg_pipeline_save(const wg_pipeline *pipeline, wg_archive *a);
wg_pipeline *wg_pipeline_load(const wg_archive *a);

#ifdef __cplusplus
}
#endif
#endif
