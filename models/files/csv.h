#ifndef WG_MODELS_FILES_CSV_H
#define WG_MODELS_FILES_CSV_H

#include "autograd/tape.h"
#include "models/files/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wg_csv_header {
    WG_CSV_HEADER,     /* the first row holds names; a first row of numbers alone is an error, since
                            a file without a header would lose a row in silence */
    WG_CSV_HEADER_ANY, /* the first row holds names, whatever they are */
    WG_CSV_HEADER_ABSENT /* the first row is data; columns are named x1, x2, ... */
} wg_csv_header;

/* What to do about a missing value. A missing label is an error under MEAN and KEEP, too, a missing text
 * under MEAN. */
typedef enum wg_csv_missing {
    WG_CSV_MISSING_ERROR,
    WG_CSV_MISSING_DROP, /* leave the row out */
    WG_CSV_MISSING_MEAN, /* the mean of the column's other values; an error where there are none */
    WG_CSV_MISSING_KEEP  /* NaN; of a text "", one more category */
} wg_csv_missing;

typedef struct wg_csv_options {
    char separator;                   /* default 0: ','; not a quote, a line end or a digit */
    wg_csv_header header;             /* default WG_CSV_HEADER */
    bool no_label;                    /* default false; true: every column is a feature */
    const char *label;                /* name of the label column; default NULL: by label_column */
    int64_t label_column;             /* 1 the first, -1 the last; default 0: the last */
    wg_csv_missing missing;           /* default WG_CSV_MISSING_ERROR */
    const char *const *missing_texts; /* what is missing, blanks around it aside, ended by NULL;
                                         default NULL: "", ?, NA, N/A, NaN, nan, null, NULL, None */
    const char *const *texts;         /* names of columns of texts (categories), ended by NULL, the
                                         label not among them; default NULL: all hold numbers */
    bool infinite;                    /* default false; true: inf and infinity are numbers */
    bool f32; /* default false: f64; true: f32, the double rounded once more */
} wg_csv_options;

/* wg_csv_read: a table from a file of comma-separated values, onto the tape; NULL options are the
 * defaults: a header row, the label in the last column.
 *   Quoted fields may hold separators, line ends and, doubled, quotes; lines end with LF, CRLF or CR,
 *   the last one with or without; an UTF-8 byte order mark and empty lines are skipped. Every row has
 *   as many fields as the first. Features are decimal numbers with a point, whatever the locale,
 *   rounded correctly: numbers written with 17 digits come back bit for bit. Columns that option texts
 *   names are kept as they stand, see wg_table_text. Labels are numbers or texts, see wg_table_classes.
 * Never NULL: after an error the result is a table whose accessors give inert tensors.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_VALUE (options), WG_E_NULL, and WG_E_FORMAT, which
 *   names file, line and column: "data.csv:17: column 3 (mean_area): 'abc' is not a number".
 * Source: RFC 4180. */
wg_table *wg_csv_read(wg_tape *t, const char *path, const wg_csv_options *options);

#ifdef __cplusplus
}
#endif
#endif
