#ifndef WG_MODELS_FILES_ELEMENTS_INTERNAL_H
#define WG_MODELS_FILES_ELEMENTS_INTERNAL_H

#include "models/files/reader_internal.h"
#include "models/files/writer_internal.h"

/* Arrays of numbers as binary formats store them, whatever byte order the machine has. */

typedef enum wg_stored_kind {
    WG_STORED_SIGNED, /* two's complement */
    WG_STORED_UNSIGNED,
    WG_STORED_BOOL,  /* a byte, 0 or 1 */
    WG_STORED_FLOAT, /* IEEE 754; 2, 4 or 8 bytes */
    WG_STORED_BFLOAT /* the upper half of a float of 4 bytes */
} wg_stored_kind;

typedef struct wg_stored {
    wg_stored_kind kind;
    int64_t size; /* bytes: 1, 2, 4 or 8 */
    bool big;     /* the most significant byte comes first */
} wg_stored;

/* wg_elements_read: the rest of the file as a constant of the given shape and dtype; floats as f32 or
 * f64, integers as i64 or, where every value is exact in them, f32 or f64. The rest must be as long as
 * the shape says, which is seen before anything is allocated. After an error, which is on the tape with
 * the file and the byte, the result is the inert tensor. `from`: where in the file the array begins. */
wg_tensor *wg_elements_read(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from);

/* wg_elements_take: the next of them, without the look at the rest of the file; size bytes of it are
 * known to be there. */
wg_tensor *wg_elements_take(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from);

/* wg_elements_from_fortran: puts values that were taken in Fortran order, the first index running fastest,
 * into C order. False without memory. */
bool wg_elements_from_fortran(wg_tensor *x);

/* wg_elements_bytes: bytes that the shape takes; -1 where they overflow. */
int64_t wg_elements_bytes(const wg_shape *shape, int64_t element_size);

/* wg_elements_write: a tensor's values, the least significant byte first. */
void wg_elements_write(wg_writer *w, const wg_tensor *x);

/* wg_elements_writable: has x a value that can be written to the file now? If not, an error is on the
 * tape: WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_VALUE (no value). */
bool wg_elements_writable(wg_tape *t, const char *path, const wg_tensor *x);

/* wg_little_u64: the number that 8 bytes are, the least significant first. */
uint64_t wg_little_u64(const unsigned char *bytes, int64_t size);

#endif
