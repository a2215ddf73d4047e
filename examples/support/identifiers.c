/* Warnings of columns that tell rows apart rather than say something of them. */
#include "identifiers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 20 }; /* fewer say nothing */

/* Do a column's numbers rise by one, from 0 or 1, but for rows that were left out? */
static bool counts_rows(const wg_table *table, int64_t column)
{
    const wg_tensor *X = table->features;
    double last = -1;
    for (int64_t i = 0; i < table->rows; i++) {
        const double x = wg_at(X, i * table->columns + column);
        if (!(x > last) || x != floor(x) || x > (double)(i + 1 + table->dropped))
            return false;
        last = x;
    }
    return true;
}

/* How many different strings a column has, in room for as many as there are rows. */
static int64_t different(const wg_table *table, int64_t column, const char **room)
{
    int64_t n = 1;
    rows_sort_column(table, column, room);
    for (int64_t i = 1; i < table->rows; i++)
        n += strcmp(room[i - 1], room[i]) != 0;
    return n;
}

static void tell(const wg_table *table, const char *name, const char *what)
{
    fprintf(stderr, "%s: warning: column '%s' %s", options_program(), wg_shown_text(name).s, what);
    if (table->csv != NULL)
        fprintf(stderr, ": --drop '%s' leaves it out", wg_shown_text(name).s);
    fputc('\n', stderr);
}

void identifiers_warn(const train_arguments *a, const wg_dataset *data)
{
    const wg_table *table = data->table;
    if (table->rows < ROWS || data->sparse != NULL || wg_ranks_number(table->tape) > 0)
        return;
    for (int64_t j = 0; !rows_streamed(&a->rows) && j < table->columns; j++)
        if (counts_rows(table, j))
            tell(table, table->column_names[j], "counts the rows");
    const wg_mark mark = wg_tape_mark(table->tape);
    const char **room = wg_tape_take(table->tape, (size_t)table->rows * sizeof *room);
    for (int64_t j = 0; room != NULL && j < table->string_columns; j++) {
        const int64_t n = different(table, j, room);
        char what[96];
        snprintf(what, sizeof what, "holds %" PRId64 " different strings in %" PRId64 " rows", n,
                 table->rows);
        if (n > table->rows / 2)
            tell(table, table->string_names[j], what);
    }
    if (wg_tape_status(table->tape) == WG_OK)
        wg_tape_rewind(table->tape, mark);
}
