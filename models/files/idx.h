#ifndef WG_MODELS_FILES_IDX_H
#define WG_MODELS_FILES_IDX_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_idx_read: the array of an IDX file, the format of MNIST, as a constant of the file's shape and
 * the dtype given: WG_I64 for labels, WG_F32 or WG_F64 for images, whose values stay 0 to 255.
 *   All types of the format: unsigned and signed bytes, integers of 2 and 4 bytes, floats of 4 and
 *   8, big-endian, of 1 to 8 dimensions. Integers become the dtype where that is exact; floats
 *   become f32 (rounded) or f64. Compressed files are refused by name, and so is a file that is
 *   longer or shorter than its sizes say.
 * Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_NULL, WG_E_DTYPE (floats asked for as i64), and
 *   WG_E_FORMAT, which names file and byte. The result is then the inert tensor.
 * Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats. */
wg_tensor *wg_idx_read(wg_tape *t, const char *path, wg_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
