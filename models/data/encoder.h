#ifndef WG_MODELS_DATA_ENCODER_H
#define WG_MODELS_DATA_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

/* How a pipeline (models/data/pipeline.h) one-hot encodes string columns: a column with k different
 * strings becomes k columns of 0 and 1, in the order of the strings' bytes, as scikit-learn sorts
 * them. */
typedef struct wg_encoder_options {
    bool ignore_unknown; /* default false: a string that was not there at the fit is WG_E_VALUE;
                            true: its row is 0 in all of the column's */
    int64_t limit;       /* bytes, >= 0, that the columns of 0 and 1 of all rows may take; default
                            0: 64 MiB or 40 times the bytes of the strings, whichever is more. A
                            pipeline that was loaded has the default */
} wg_encoder_options;

#endif
