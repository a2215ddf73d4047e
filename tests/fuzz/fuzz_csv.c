#include "autograd/op.h"
#include "models/files/csv.h"
#include "tests/fuzz/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Its rows are those of the table, to the bit. */
static void expect_same(wg_tape *t, const wg_table *x, const wg_table *want)
{
    if (x->rows != want->rows || x->columns != want->columns || x->dropped != want->dropped ||
        x->string_columns != want->string_columns ||
        (x->class_count != want->class_count && want->class_count <= want->class_limit))
        fuzz_die("a cache is another table", "");
    const wg_tensor *X = want->features;
    void *room = wg_rows_room(x->features, 1);
    for (int64_t row = 0; room != NULL && row < x->rows && x->columns > 0; row++) {
        const wg_tensor piece = wg_rows_piece(x->features, row, 1, room);
        for (int64_t j = 0; piece.data != NULL && j < x->columns; j++) {
            const double a = wg_element(&piece, j), b = wg_element(X, row * x->columns + j);
            if (memcmp(&a, &b, sizeof a) != 0)
                fuzz_die("a cache has another number", "");
        }
    }
    wg_temporary_free(t, room);
}

/* What a table cannot be made of, a cache cannot either; the reverse is possible: texts that are not
 * UTF-8. */
static void cache(wg_tape *t, const char *path, const wg_table *want, const wg_csv_options *options)
{
    char name[4096];
    const bool read = wg_tape_status(t) == WG_OK;
    const wg_mark mark = wg_tape_mark(t);
    snprintf(name, sizeof name, "%s.cache", path);
    if (read) {
        wg_csv_cache c = wg_csv_cache_open(t, path, name, options);
        if (wg_tape_status(t) == WG_OK)
            expect_same(t, c.table, want);
        else if (wg_tape_status(t) == WG_E_IO)
            fuzz_die("a cache cannot be made", wg_tape_message(t));
        wg_csv_cache_close(&c);
        unlink(name);
        wg_tape_rewind(t, mark);
    }
}

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
    cache(t, path, table, &options);
    if (wg_tape_status(t) == WG_OK && wg_csv_write_table(table, path, NULL) == WG_OK)
        wg_csv_read(
            t, path,
            &(wg_csv_options){.header = WG_CSV_HEADER_PRESENT, .missing = WG_CSV_MISSING_KEEP});
}
