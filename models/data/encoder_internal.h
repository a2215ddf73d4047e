#ifndef WG_MODELS_DATA_ENCODER_INTERNAL_H
#define WG_MODELS_DATA_ENCODER_INTERNAL_H

#include "models/data/encoder.h"
#include "models/data/pipeline.h"
#include "models/files/archive.h"

/* One-hot encoding of string columns. Strings are given as string[row * columns + column], each
 * ended by NUL. The different ones of column j are category[start[j]] to category[start[j + 1] -
 * 1], rising. */
typedef struct wg_encoder {
    wg_tape *tape; /* NULL: inert */
    int64_t columns;
    int64_t *start;  /* [columns + 1] */
    char **category; /* [start[columns]] */
    bool ignore_unknown;
    int64_t limit;
} wg_encoder;

/* wg_encoder_fit: the strings that occur in n rows; copied to the tape. NULL options are the
 * defaults. Errors: WG_E_VALUE (n or columns < 0), WG_E_NULL (a string), WG_E_NOMEM, on the tape;
 *   the result is then an inert encoder, never NULL. */
wg_encoder *wg_encoder_fit(wg_tape *t, const char *const *string, int64_t n, int64_t columns,
                           const wg_encoder_options *options);

/* wg_encoder_apply: a constant [n, wg_encoder_width] of dtype f32 or f64.
 * Errors: WG_E_VALUE (a string that is unknown, named with its row and column; option limit),
 *   WG_E_DTYPE, WG_E_NULL, WG_E_NOMEM, on the encoder's tape. */
wg_tensor *wg_encoder_apply(const wg_encoder *encoder, const char *const *string, int64_t n,
                            wg_dtype dtype);

/* wg_encoder_append: rows X [n, d], f32 or f64, with these columns behind theirs, a constant
 * [n, d + wg_encoder_width]. Errors: as wg_encoder_apply. */
wg_tensor *wg_encoder_append(const wg_encoder *encoder, const char *const *string,
                             const wg_tensor *X);

/* wg_encoder_stream: rows, streamed or in memory, with these columns behind theirs, as a stream:
 * there are no more of them at a time than are read. Errors: as wg_encoder_apply; the limit holds
 * for rows in memory. */
wg_tensor *wg_encoder_stream(const wg_encoder *encoder, const char *const *string, wg_tensor *X);

/* wg_encoder_share: of ranks, such a stream that can be moved over the rows that others have; rows
 * in memory as they are. All call it. */
wg_tensor *wg_encoder_share(wg_tensor *X);

/* wg_encoder_unknown: the index, row * columns + column, of the first string that wg_encoder_apply
 * would refuse; -1: none, or a NULL. */
int64_t wg_encoder_unknown(const wg_encoder *encoder, const char *const *string, int64_t n);

/* wg_encoder_width: columns of numbers that the strings become; 0 for NULL and an inert one. */
int64_t wg_encoder_width(const wg_encoder *encoder);

/* wg_encoder_save: as strings "encoder.columns", "encoder.0", "encoder.0.0", ... */
wg_status wg_encoder_save(const wg_encoder *encoder, wg_archive *a);

/* wg_encoder_load: from them. Errors: WG_E_FORMAT (a string that is missing or wrong), those of
 * wg_archive_put_string. */
wg_encoder *wg_encoder_load(const wg_archive *a);

/* wg_pipeline_stream: wg_pipeline_apply, as a stream where there are string columns. */
wg_tensor *wg_pipeline_stream(const wg_pipeline *pipeline, wg_tensor *X,
                              const char *const *strings);

/* wg_pipeline_join: wg_pipeline_apply with string columns that are encoded already, [m,
 * wg_encoder_width]. */
wg_tensor *wg_pipeline_join(const wg_pipeline *pipeline, wg_tensor *X, wg_tensor *hot);

#endif
