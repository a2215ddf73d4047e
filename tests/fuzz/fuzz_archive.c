#include "models/files/archive.h"
#include "tests/fuzz/harness.h"

/* What was loaded is saved, and loaded again. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_archive *a = wg_archive_load(t, path);
    if (wg_archive_save(a, path) == WG_OK)
        wg_archive_load(t, path);
}
