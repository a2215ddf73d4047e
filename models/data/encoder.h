#ifndef WG_MODELS_DATA_ENCODER_H
#define WG_MODELS_DATA_ENCODER_H

#include "models/files/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One-hot encoding of columns of texts: a column with k different texts becomes k columns of 0 and 1. The
 * texts of a column are sorted by their bytes, as scikit-learn sorts them. Texts are given as
 * text[row * columns + column], each ended by NUL. */
typedef struct wg_encoder wg_encoder;

typedef struct wg_encoder_options {
    bool
        ignore_unknown; /* default false: a text that was not there at the fit is WG_E_VALUE; true: its
                            row is 0 in all columns */
    int64_t
        limit; /* bytes, >= 0, that the columns of 0 and 1 of all rows may take; default 0: 64 MiB or
                      40 times the bytes of the strings, whichever is more. A loaded encoder has the
                      default */
} wg_encoder_options;

/* wg_encoder_fit: the texts that occur in n rows; copied to the tape. NULL options are the defaults.
 * Errors: WG_E_VALUE (n or columns < 0), WG_E_NULL (a text), WG_E_NOMEM, on the tape; the result is then an
 *         inert encoder, never NULL. */
wg_encoder *wg_encoder_fit(wg_tape *t, const char *const *text, int64_t n, int64_t columns,
                           const wg_encoder_options *options);

/* wg_encoder_apply: a constant [n, wg_encoder_width] of dtype f32 or f64.
 * Errors: WG_E_VALUE (a text that is unknown, named with its row and column; option limit), WG_E_DTYPE, WG_E_NULL, WG_E_NOMEM, on
 *         the encoder's tape. */
wg_tensor *wg_encoder_apply(const wg_encoder *encoder, const char *const *text, int64_t n,
                            wg_dtype dtype);

/* wg_encoder_unknown: the place, row * columns + column, of the first text that wg_encoder_apply would refuse; -1:
 * none, or a NULL. */
int64_t wg_encoder_unknown(const wg_encoder *encoder, const char *const *text, int64_t n);

/* wg_encoder_columns: columns of texts.  wg_encoder_width: columns of numbers that they become.
 * wg_encoder_count, wg_encoder_text: the texts of column j; 0 and "" where there are none. */
int64_t wg_encoder_columns(const wg_encoder *encoder);
int64_t wg_encoder_width(const wg_encoder *encoder);
int64_t wg_encoder_count(const wg_encoder *encoder, int64_t j);
const char *wg_encoder_text(const wg_encoder *encoder, int64_t j, int64_t i);

/* wg_encoder_save: as texts "encoder.columns", "encoder.0", "encoder.0.0", ...; wg_encoder_load: from
 * them. Errors: WG_E_FORMAT (a text that is missing or wrong), those of wg_archive_put_string. */
wg_status wg_encoder_save(const wg_encoder *encoder, wg_archive *a);
wg_encoder *wg_encoder_load(const wg_archive *a);

#ifdef __cplusplus
}
#endif
#endif
