#ifndef WG_MODELS_FILES_NPY_INTERNAL_H
#define WG_MODELS_FILES_NPY_INTERNAL_H

#include "models/files/bytes_internal.h"
#include "models/files/npy.h"

#define WG_NPZ_ENTRY "PK\3\4" /* what a file of an archive, and so the archive, begins with */

enum { WG_NPY_HEADER = 512 }; /* bytes that hold the header of any shape */

/* What a header says. */
typedef struct wg_npy_array {
    wg_stored element; /* size 0: of a type that is not read */
    char type[16];     /* which: "<U10" */
    wg_dtype dtype;    /* that it is read as */
    bool fortran;
    wg_shape shape;
    int64_t begin; /* byte of the file */
} wg_npy_array;

/* wg_npy_header: the reader is then at the array; false after an error, which a type that is not
 * read is unless `any`. */
bool wg_npy_header(wg_reader *reader, bool any, wg_npy_array *array);

/* wg_npy_take: the array that the rest of the file is; inert after an error. */
wg_tensor *wg_npy_take(wg_reader *reader, const wg_npy_array *a);

/* wg_npy_put: an array with its header. wg_npy_put_header: that alone, as long for all matrices. */
void wg_npy_put(wg_writer *w, const wg_tensor *x);
void wg_npy_put_header(wg_writer *w, wg_dtype dtype, const wg_shape *shape);

/* wg_npy_stream_of: the rows of an array [n, d] of floats, the reader's file being theirs from now
 * on, whatever comes of it. wg_npy_stream_narrow: from now on the first columns alone.
 * wg_npy_stream_read: as wg_stream has it. wg_npy_stream_dtype: of the rows. */
wg_npy_stream *wg_npy_stream_of(wg_reader *reader, const wg_npy_array *array);
wg_dtype wg_npy_stream_dtype(const wg_npy_stream *stream);
void wg_npy_stream_narrow(wg_npy_stream *stream, int64_t columns);
const char *wg_npy_stream_read(const wg_npy_stream *stream, int64_t first, int64_t n, void *to);

#endif
