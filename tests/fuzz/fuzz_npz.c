#include "models/files/npy.h"
#include "tests/fuzz/harness.h"

/* What was read is written, and read again. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_archive *a = wg_npz_read(t, path);
    if (wg_tape_status(t) == WG_OK && wg_npz_write(a, path) == WG_OK)
        wg_npz_read(t, path);
}
