/* What the fuzz targets share: a target defines fuzz_bytes, or, for a file format, fuzz_read
 * (file.c then writes the file for it).  Nothing may crash, hang, leak, or end in a status without
 * message. */
#ifndef WGT_FUZZ_HARNESS_H
#define WGT_FUZZ_HARNESS_H

#include "autograd/tape.h"

/* Uses the bytes. */
void fuzz_bytes(const uint8_t *bytes, size_t size);

/* Reads the file onto the tape, and uses what was read. */
void fuzz_read(wg_tape *t, const char *path);

/* Bytes that the target takes beyond those that reading the file explains; 0 unless it sets it. */
extern size_t fuzz_extra;

/* An allocator that counts; each block stands behind its size.  Beyond `most` bytes it has none. */
typedef struct fuzz_memory {
    size_t blocks, bytes, peak, most;
} fuzz_memory;
wg_allocator fuzz_allocator(fuzz_memory *m);

/* Ends the process: a finding. */
void fuzz_die(const char *reason, const char *message);

#endif
