#ifndef WG_MODELS_FILES_SVMLIGHT_H
#define WG_MODELS_FILES_SVMLIGHT_H

#include "models/files/table.h"
#include "ops/sparse.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_svmlight_options {
    int64_t columns; /* the features there are; default 0: up to the largest that the file has. Test
                            data wants the training data's; a larger one in the file is an error */
    /* see models/files/table.h; a larger feature is an error, unless option columns allows it;
     * default: by the file's size */
    wg_limits limits;
    bool zero_based; /* default false: features count from 1 */
    bool f32;        /* default false: f64; true: f32, the double rounded once more */
} wg_svmlight_options;

/* wg_svmlight_read: labels and sparse features from a file in the format of SVMlight and LIBSVM,
 * onto the tape; NULL options are the defaults.
 *   Each line is `label feature:value feature:value ... # comment`; features rise along a line, and
 *   those that are not there are zero. Empty lines and lines of comment are skipped. Labels and
 *   values are finite decimal numbers with a point, whatever the locale. Refused by name: qid
 *   (ranking), several labels in a line, and compressed files.
 * The result is a table without feature columns, for wg_table_labels [rows, 1], wg_table_classes
 * and class_names; *features is the matrix [rows, columns], kept sparse, for wg_csr_matmul.
 * Never NULL: after an error both are inert.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_VALUE (options), WG_E_NULL, and WG_E_FORMAT, which
 *   names file and line: "a1a.txt:17: feature 3 stands behind feature 5".
 * Source: Joachims, SVMlight, input format; Chang and Lin, LIBSVM, README. */
wg_table *wg_svmlight_read(wg_tape *t, const char *path, const wg_svmlight_options *options,
                           wg_csr **features);

/* Sparse rows that are read when they are wanted. In memory are where each row begins, and its
 * label. Its members are to be read. */
typedef struct wg_svmlight_cache {
    wg_table *table;  /* as of wg_svmlight_read; inert after an error */
    wg_csr *features; /* value and column are streamed */
    const char *made; /* why the cache was made now, and not before; NULL: it was there */
    struct wg_npy_stream *rows;
} wg_svmlight_cache;

/* wg_svmlight_cache_open: what wg_svmlight_read gives, to the bit, but for features that are
 * streamed from `cache`, a binary file beside it: an array of pairs, column and value, for
 * numpy.load. When it is made, what it may not be, ranks and errors: as wg_csv_cache_open; of more
 * different labels than limits.classes none is a class. WG_E_VALUE, too: a file without features.
 * wg_svmlight_cache_close: after the last use of the features, before the tape is freed or rewound;
 * closing twice does nothing. */
wg_svmlight_cache wg_svmlight_cache_open(wg_tape *t, const char *path, const char *cache,
                                         const wg_svmlight_options *options);
void wg_svmlight_cache_close(wg_svmlight_cache *cache);

/* wg_svmlight_recognized: does this regular file, by its first lines, look like one in this format:
 * a number and then feature:value, ...? Of "-" from where the standard input stands, where it then
 * stands still. False for what cannot be read, and for pipes, which cannot be looked into. */
bool wg_svmlight_recognized(const char *path);

#ifdef __cplusplus
}
#endif
#endif
