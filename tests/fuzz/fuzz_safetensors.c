#include "models/files/safetensors.h"
#include "tests/fuzz/harness.h"

/* What was read is written, and read again. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_safetensors *file = wg_safetensors_read(t, path);
    const wg_safetensors_text text = wg_safetensors_text_at(file, 0);
    wg_safetensors_entry entries[8];
    int64_t n = wg_safetensors_count(file) < 8 ? wg_safetensors_count(file) : 8;
    for (int64_t i = 0; i < n; i++)
        entries[i] = (wg_safetensors_entry){
            wg_safetensors_name(file, i),
            wg_safetensors_tensor(file, wg_safetensors_name(file, i))};
    if (wg_tape_status(t) == WG_OK &&
        wg_safetensors_write(t, path, entries, n, &text, text.key != NULL) == WG_OK)
        wg_safetensors_read(t, path);
}
