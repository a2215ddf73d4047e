#ifndef WG_MODELS_FILES_CSV_H
#define WG_MODELS_FILES_CSV_H

#include "autograd/tape.h"
#include "models/files/table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wg_csv_header {
    WG_CSV_HEADER_AUTO,    /* told from the first two rows, see wg_csv_read */
    WG_CSV_HEADER_PRESENT, /* the first row holds names, whatever they are */
    WG_CSV_HEADER_ABSENT   /* the first row is data; columns are named x1, x2, ... */
} wg_csv_header;

/* What to do about a missing value; a table's `missing` and `dropped` count them. A missing label
 * is an error under all but DROP. */
typedef enum wg_csv_missing {
    WG_CSV_MISSING_ERROR,
    WG_CSV_MISSING_DROP, /* leave the row out */
    WG_CSV_MISSING_KEEP  /* NaN, which a pipeline's WG_STEP_IMPUTE fills in from the training rows,
                            and "", a category of its own */
} wg_csv_missing;

/* Lists of names end with NULL. */
typedef struct wg_csv_options {
    char separator; /* not a quote, a line end or part of a number; ' ': blanks and tabs, however
                             many; default 0: told from the file: , ; tab | or blanks */
    wg_csv_header header; /* default WG_CSV_HEADER_AUTO */
    bool no_label;        /* default false; true: every column is a feature */
    const char *label;    /* name of the label column; default NULL: by label_column */
    int64_t label_column; /* 1 the first, -1 the last; default 0: the last */
    /* The features to read, in the order that they shall have; default NULL: all but the label. */
    const char *const *columns;
    const char *const *drop; /* columns to leave out; default NULL: none */
    /* Which columns hold strings; all others hold numbers; default NULL: those in which there is
     * something else than numbers. One that is not read is WG_E_VALUE. */
    const char *const *strings;
    wg_csv_missing missing; /* default WG_CSV_MISSING_ERROR */
    /* what is missing; default NULL: "", ?, NA, N/A, n/a, NaN, nan, null, NULL, None */
    const char *const *missing_texts;
    wg_limits limits; /* see models/files/table.h; default: by the file's size */
    bool infinite;    /* default false; true: inf and infinity are numbers */
    bool f32;         /* default false: f64; true: f32, the double rounded once more */
    bool places;      /* default false; true: the table says where its rows stand in the file */
} wg_csv_options;

/* Where a record stands: its bytes from `begin` to before `end`, which is before its line end. */
typedef struct wg_csv_place {
    int64_t begin, end;
} wg_csv_place;

/* wg_csv_read: a table from a file of comma-separated values, onto the tape; NULL options are the
 * defaults: the label in the last column, all else told from the file. Path "-" is the standard
 * input.
 *   Quoted fields may hold separators, line ends and, doubled, quotes; blanks around fields are no
 *   part of them; lines end with LF, CRLF or CR, the last one with or without; a UTF-8 byte order
 *   mark and empty lines are skipped. Every row has as many fields as the first. Features are
 *   decimal numbers with a point, whatever the locale, rounded correctly: numbers written with 17
 *   digits come back bit for bit. Labels are numbers or strings, see wg_table_classes.
 *   The first row is a header where some field of it is no number and the field below is one; where
 *   no column tells, it is one if it holds no number, nothing missing, and no name twice.
 *   A column of which some fields are numbers and the rest is one and the same text is an error,
 *   since that text is rather a missing value; of several texts, it is a column of strings.
 * Never NULL: after an error the result is a table whose accessors give inert tensors.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_VALUE (options), WG_E_NULL, and WG_E_FORMAT, which
 *   names file, line and column: "data.csv:17: column 3 (mean_area): 'abc' is not a number".
 * Source: RFC 4180. */
wg_table *wg_csv_read(wg_tape *t, const char *path, const wg_csv_options *options);

/* ---- Files larger than memory. --------------------------------------------------------------- */

/* A table whose columns of numbers are read when they are wanted. In memory are a label a row, and
 * a pointer each to the strings. Its members are to be read. */
typedef struct wg_csv_cache {
    wg_table *table;  /* inert after an error */
    const char *made; /* why the cache was made now, and not before; NULL: it was there */
    struct wg_npy_stream *rows;
} wg_csv_cache;

/* wg_csv_cache_open: the table of a CSV file, as wg_csv_read makes it, to the bit, but without
 * places, and for features that are streamed (wg_streamed) from `cache`, a binary file beside it.
 * It is made where it is not there, or was made of another file (by size, time of the last write,
 * and a sample of the bytes) or with other options; another file under its name, which is no cache,
 * is an error and left alone.
 *   Making it reads the file once, or twice where a column turns out to hold strings, and takes no
 * more memory than some rows, the different strings and, up to limits.classes, the different
 * labels; more of either than that is an error, but for labels that are all numbers, which are then
 * for regression. It is written beside its destination and renamed; numpy.load reads its rows.
 * On a tape with ranks all call it: rank 0 makes it first, so that they may share one.
 *   wg_fit_minimize and estimators take such a table; pipelines of streamed rows fill in missing
 *   values and standardize, but make no polynomial features.
 * Errors, on the tape: those of wg_csv_read; WG_E_VALUE (a pipe); WG_E_FORMAT (no cache).
 * wg_csv_cache_close: after the last use of the features, before the tape is freed or rewound;
 * closing twice does nothing. */
wg_csv_cache wg_csv_cache_open(wg_tape *t, const char *path, const char *cache,
                               const wg_csv_options *options);
void wg_csv_cache_close(wg_csv_cache *cache);

/* ---- Writing. -------------------------------------------------------------------------------- */

/* Some columns of a file, side by side. */
typedef struct wg_csv_part {
    const wg_tensor *values;  /* [rows] or [rows, columns]; f32, f64 or i64 */
    const char *const *names; /* [columns]; NULL: x1, x2, ... by their place in the file */
    /* NULL: the numbers are written; else values (i64) are indices of these */
    const char *const *strings;
    int64_t n_strings;
} wg_csv_part;

typedef struct wg_csv_write_options {
    char separator; /* default 0: ','; not a quote, a line end or part of a number */
    bool no_header; /* default false: the first row holds the names */
} wg_csv_write_options;

/* wg_csv_write: n parts of the same number of rows as a file of comma-separated values, which
 * wg_csv_read reads. Options NULL: the defaults.
 *   Numbers are written with a point, whatever the locale, with as few digits as give the same bits
 *   back (f32: the same float); NaN as NaN, infinities as inf. Strings that hold separators,
 *   quotes, line ends or nothing, or that begin or end with a blank, are quoted (tabs, too, where
 *   blanks separate). Lines end with LF.
 *   The file is written beside its destination and renamed: after an error, or a kill at any
 *   moment, it is what it was.
 * Returns the tape's status. Errors, on the tape: WG_E_IO, WG_E_NULL, WG_E_SHAPE (rows differ,
 * ndim), WG_E_VALUE (options, n < 1), WG_E_DTYPE (strings wanted, but no i64), WG_E_INDEX (no such
 * string), WG_E_STALE, WG_E_TAPE, WG_E_NOMEM.
 * Source: RFC 4180. */
wg_status wg_csv_write(wg_tape *t, const char *path, const wg_csv_part parts[], int n,
                       const wg_csv_write_options *options);

/* wg_csv_write_table: a table's columns of numbers, string columns and, in the last column, its
 * labels, as they stood in the file, of however many classes.
 * Errors: as wg_csv_write. */
wg_status wg_csv_write_table(const wg_table *table, const char *path,
                             const wg_csv_write_options *options);

#ifdef __cplusplus
}
#endif
#endif
