#include "models/files/csv.h"
#include "tests/fuzz/harness.h"

/* With a column of texts; then with numbers alone, and what was read is written, and read again:
 * with the quotes and numbers of the writer. */
void fuzz_read(wg_tape *t, const char *path)
{
    const char *const a[] = {"a", NULL};
    const wg_mark mark = wg_tape_mark(t);
    const wg_csv_options texts = {.strings = a, .missing = WG_CSV_MISSING_KEEP};
    wg_csv_read(t, path, &texts);
    wg_tape_rewind(t, mark);
    const wg_csv_options options = {.missing = WG_CSV_MISSING_KEEP};
    const wg_table *table = wg_csv_read(t, path, &options);
    if (wg_tape_status(t) == WG_OK && wg_csv_write_table(table, path, NULL) == WG_OK)
        wg_csv_read(
            t, path,
            &(wg_csv_options){.header = WG_CSV_HEADER_PRESENT, .missing = WG_CSV_MISSING_KEEP});
}
