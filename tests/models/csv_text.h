#ifndef WGT_MODELS_CSV_TEXT_H
#define WGT_MODELS_CSV_TEXT_H

#include "models/files/csv.h"
#include "tests/support/fixture.h"
#include "tests/support/support.h"

#include <string.h>

/* The table of a file of this text. */
static inline wg_table *read_text(const char *text, const wg_csv_options *options)
{
    wgt_file_put(path, text, strlen(text));
    return wg_csv_read(tape, path, options);
}

#endif
