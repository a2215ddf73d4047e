#include "models/files/idx.h"
#include "tests/fuzz/harness.h"

void fuzz_read(wg_tape *t, const char *path)
{
    const wg_mark mark = wg_tape_mark(t);
    wg_idx_read(t, path, WG_I64);
    wg_tape_rewind(t, mark);
    wg_idx_read(t, path, WG_F32);
}
