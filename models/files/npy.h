#ifndef WG_MODELS_FILES_NPY_H
#define WG_MODELS_FILES_NPY_H

#include "models/files/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_npy_read: the array of an .npy file, as a constant of the array's shape. float64 becomes f64,
 * float32 and float16 f32, bool and integers of 1 to 8 bytes i64.
 *   Versions 1 to 3 of the format, either byte order, C or Fortran order. Refused by name: objects,
 *   structured types, complex numbers, strings, times, long doubles, a uint64 that is no i64, and
 *   bytes behind the array.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_NULL, and WG_E_FORMAT, which names file and byte:
 *   "x.npy: byte 22: complex numbers are not read ...". The result is then the inert tensor.
 * Source: NumPy Enhancement Proposal 1, and the documentation of numpy.lib.format. */
wg_tensor *wg_npy_read(wg_tape *t, const char *path);

/* wg_npy_write: a tensor's values as an .npy file of version 1, which NumPy reads as float32,
 * float64 or int64. The file is written beside its destination and renamed: after an error, or a
 * kill at any moment, it is what it was.
 * Returns the tape's status. Errors, on x's tape: WG_E_IO, WG_E_NULL, WG_E_STALE, WG_E_VALUE (no
 * value). */
wg_status wg_npy_write(const wg_tensor *x, const char *path);

/* An .npy file whose rows (axis 0) are read when they are wanted, not before: data that are larger
 * than memory. Rows of a block are read by pread from a file that stays open; the system reads
 * ahead. */
typedef struct wg_npy_stream wg_npy_stream;

/* wg_npy_stream_open, _close: checks header and length. C order wanted; integers become `dtype`,
 * f32 or f64, which floats must have (WG_DTYPE_DEFAULT: as they are; f64 for integers).
 * Never NULL: after an error on the tape it is inert. The caller closes it, after the last run of
 * what reads from it and before the tape is freed or rewound past here; closing one twice, or an
 * inert one, does nothing.
 * Errors: those of wg_npy_read; WG_E_VALUE (Fortran order; a pipe; no rows), WG_E_DTYPE. */
wg_npy_stream *wg_npy_stream_open(wg_tape *t, const char *path, wg_dtype dtype);
void wg_npy_stream_close(wg_npy_stream *stream);

/* wg_npy_stream_rows: rows `first` to `end` - 1 as a streamed tensor (wg_streamed), for
 * wg_blocks_new and, as X of a dataset, for wg_fit_minimize; on tapes with ranks each takes its
 * part, see wg_ranks_range. end = WG_END: to the last. Errors: WG_E_INDEX. */
wg_tensor *wg_npy_stream_rows(const wg_npy_stream *stream, int64_t first, int64_t end);

/* wg_npz_read: the arrays of an .npz archive as numpy.savez writes it, by their names: an archive
 * of tensors, read as by wg_npy_read; one of a type that is not read is an entry without a value.
 * Compressed ones (numpy.savez_compressed) are refused by name.
 * Never NULL: after an error an inert archive. Errors: as wg_npy_read.
 * Source: PKWARE, ".ZIP File Format Specification", 6.3.10. */
wg_archive *wg_npz_read(wg_tape *t, const char *path);

/* wg_npz_write: an archive of tensors as such a file, of at most 2 GiB; the same content is the
 * same bytes.
 * Returns the tape's status. Errors: as wg_npy_write; WG_E_VALUE (a string; too large). */
wg_status wg_npz_write(const wg_archive *a, const char *path);

#ifdef __cplusplus
}
#endif
#endif
