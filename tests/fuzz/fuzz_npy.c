#include "models/files/npy.h"
#include "tests/fuzz/harness.h"

/* What was read is written, and read again. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_tensor *x = wg_npy_read(t, path);
    if (wg_tape_status(t) == WG_OK && wg_npy_write(x, path) == WG_OK)
        wg_npy_read(t, path);
}
