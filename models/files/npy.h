#ifndef WG_MODELS_FILES_NPY_H
#define WG_MODELS_FILES_NPY_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_npy_read: the array of an .npy file, as a constant of the array's shape. float32 and float64 keep
 * their type (f32, f64); bool and integers of 1 to 8 bytes become i64.
 *   Versions 1 to 3 of the format, little-endian, in C order. Refused by name: objects, structured
 *   types, complex numbers, texts, times, float16 and long doubles, big-endian numbers, Fortran order,
 *   .npz archives, a uint64 that is no i64, and bytes behind the array.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_NULL, and WG_E_FORMAT, which names file and byte:
 *   "x.npy: byte 22: big-endian numbers ('>f8') ...". The result is then the inert tensor.
 * Source: NumPy Enhancement Proposal 1, and the documentation of numpy.lib.format. */
wg_tensor *wg_npy_read(wg_tape *t, const char *path);

/* wg_npy_write: a tensor's values as an .npy file of version 1, which NumPy reads as float32, float64 or
 * int64. The file is written beside its destination and renamed: after an error, or a kill at any
 * moment, it is what it was.
 * Returns the tape's status. Errors, on x's tape: WG_E_IO, WG_E_NULL, WG_E_STALE, WG_E_VALUE (no value). */
wg_status wg_npy_write(const char *path, const wg_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
