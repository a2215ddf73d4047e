/* What train can know before a training. */
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "picture.h"

bool check_fail(const char *what, const char *which)
{
    options_complain("%s%s%s", what, *which != '\0' ? " " : "", which);
    return false;
}

bool check_files(const train_arguments *a)
{
    const char *const path[] = {a->save,  a->plot,   a->confusion,
                                a->curve, a->report, a->e.fit.checkpoint};
    const char *const read[] = {a->data, a->rows.labels, a->test_file};
    const int n = sizeof path / sizeof *path;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            if (!options_writable(path[i], read[k]))
                return false;
        for (int k = 0; k < i && path[i] != NULL; k++)
            if (path[k] != NULL && options_same_file(path[i], path[k]))
                return check_fail("two results would be written to", path[i]);
    }
    for (int i = 1; i <= 3; i++)
        if (path[i] != NULL && !picture_is_svg(path[i]))
            return false;
    return true;
}

/* Two columns of a file may have one name, by which predict could not tell them apart. */
static bool names_differ(const wg_table *table)
{
    wg_tape *t = table->tape;
    const wg_mark mark = wg_tape_mark(t);
    const size_t columns = (size_t)table->columns, n = columns + (size_t)table->string_columns;
    const char **name = wg_tape_take(t, n * sizeof *name);
    if (name == NULL)
        return false;
    memcpy(name, table->column_names, columns * sizeof *name);
    memcpy(name + columns, table->string_names, (n - columns) * sizeof *name);
    rows_sort_texts(name, n);
    for (size_t i = 1; i < n; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            return check_fail(
                "two columns have one name, one of which must be another in the header:",
                *name[i] != '\0' ? name[i] : "''");
    return wg_tape_rewind(t, mark) == WG_OK;
}

/* Names that a saved model cannot keep, or that predict could not find again. */
bool check_names(const train_arguments *a, const wg_table *table)
{
    const char *const *lists[] = {table->column_names, table->string_names, table->class_names};
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; lists[k] != NULL && lists[k][i] != NULL; i++) {
            const char *name = lists[k][i];
            if (a->save != NULL && !svg_is_utf8(name))
                return check_fail(
                    "a model cannot keep a name that is not UTF-8 (iconv -f LATIN1 -t "
                    "UTF-8, say):",
                    name);
            if (k < 2 && strcmp(name, table->label_name) == 0)
                return check_fail("a column to predict from has the label's name:", name);
        }
    return table->csv == NULL || names_differ(table);
}

/* Strings that a saved model cannot keep. */
bool check_texts(const train_arguments *a, const wg_table *table)
{
    const int64_t columns = table->string_columns, cells = table->rows * columns;
    for (int64_t i = 0; a->save != NULL && i < cells; i++)
        if (!svg_is_utf8(table->strings[i])) {
            char row[32] = ""; /* where rows were left out, it is not the file's */
            if (table->dropped == 0)
                snprintf(row, sizeof row, ", row %" PRId64, i / columns + 1);
            options_complain(
                "a model cannot keep a string that is not UTF-8: '%s' of column '%s'%s "
                "(iconv -f LATIN1 -t UTF-8, say)",
                wg_shown_text(table->strings[i]).s,
                wg_shown_text(table->string_names[i % columns]).s, row);
            return false;
        }
    return true;
}

/* A number to its writer, and what stands around it: "$1,200.50", "3.5 %", "(2)", "1.5D+01". */
typedef struct dressed {
    size_t before; /* bytes: signs, currencies, quotes */
    const char *behind;
    bool comma;
} dressed;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* Over thousands, which a comma, a point, an apostrophe, a blank or a low line separates, and decimals. */
static const char *skip_number(const char *at, bool *comma)
{
    for (at += digits(at); *at != '\0' && strchr(",.'_ ", *at) != NULL && digits(at + 1) == 3;
         at += 4)
        *comma |= *at == ',';
    if ((*at == '.' || *at == ',') && digits(at + 1) > 0) {
        *comma |= *at == ',';
        at += 1 + digits(at + 1);
    }
    const char *exponent = *at == 'D' || *at == 'd' ? at + 1 : "";
    exponent += *exponent == '+' || *exponent == '-';
    return at + (digits(exponent) > 0 ? strlen(at) : 0);
}

static bool is_dressed(const char *text, dressed *d)
{
    const char *at = text;
    while (*at != '\0' && digits(at) == 0 && !is_letter(*at))
        at++;
    *d = (dressed){.before = (size_t)(at - text)};
    d->behind = skip_number(at, &d->comma);
    return digits(at) > 0 && strcspn(d->behind, "0123456789") == strlen(d->behind);
}

/* Has it the same unit and currency, whatever the sign? */
static bool same_dress(const char *a, const dressed *d, const char *b, const dressed *e)
{
    return strcmp(d->behind, e->behind) == 0 &&
           (d->before == e->before ? memcmp(a, b, d->before) == 0
                                   : strspn(a, "+-") == d->before || strspn(b, "+-") == e->before);
}

/* Are all strings of a column such numbers, in one dress? *many: more of them than one would tell apart by name. */
static bool all_dressed(const wg_table *table, int64_t column, const char **first, bool *comma,
                        bool *many)
{
    enum { MANY = 10 };
    const char *seen[MANY];
    int n = 0;
    dressed d, one = {0};
    *first = NULL;
    for (int64_t i = 0; i < table->rows; i++) {
        const char *text = table->strings[i * table->string_columns + column];
        if (*text == '\0') /* missing */
            continue;
        if (!is_dressed(text, &d) || (*first != NULL && !same_dress(*first, &one, text, &d)))
            return false;
        if (*first == NULL) {
            *first = text;
            one = d;
        }
        *comma |= d.comma;
        int k = 0;
        while (k < n && strcmp(seen[k], text) != 0)
            k++;
        if (k == n && n == MANY)
            *many = true;
        else if (k == n)
            seen[n++] = text;
    }
    return *first != NULL;
}

/* Strings of which all are numbers to their writer would become as many categories. */
bool check_numbers(const train_arguments *a, const wg_table *table)
{
    for (int64_t j = 0; a->rows.categories == NULL && j < table->string_columns; j++) {
        const char *first;
        bool comma = false, many = false;
        if (!all_dressed(table, j, &first, &comma, &many))
            continue;
        if (comma)
            return check_fail("numbers with commas: where it is the decimal point, tr , . < FILE | "
                              "train -; where it divides thousands, take it out; column",
                              table->string_names[j]);
        if (!many)
            continue;
        options_complain(
            "column '%s': numbers like '%s' would be as many categories: take out what is "
            "no part of a number; if they are names, --category '%s'",
            wg_shown_text(table->string_names[j]).s, wg_shown_text(first).s,
            wg_shown_text(table->string_names[j]).s);
        return false;
    }
    return true;
}

/* The first row, of those before `end`, whose string of a column is none of known[n], which rise; `end`: none. */
static int64_t first_unknown(const wg_table *tested, int64_t column, int64_t end,
                             const char *const *known, size_t n)
{
    for (int64_t row = 0; row < end; row++)
        if (!rows_have_text(known, n, tested->strings[row * tested->string_columns + column]))
            return row;
    return end;
}

/* Do the training rows have all strings of the test rows? */
bool check_strings(const train_arguments *a, const wg_table *trained, const wg_table *tested)
{
    if (tested == NULL || trained->string_columns == 0 || a->ignore_unknown)
        return true;
    wg_tape *t = trained->tape;
    const wg_mark mark = wg_tape_mark(t);
    const int64_t columns = trained->string_columns;
    const char **known = wg_tape_take(t, (size_t)trained->rows * sizeof *known);
    int64_t row = tested->rows, column = 0;
    for (int64_t j = 0; known != NULL && j < columns; j++) {
        rows_sort_column(trained, j, known);
        const int64_t unknown = first_unknown(tested, j, row, known, (size_t)trained->rows);
        column = unknown < row ? j : column;
        row = unknown;
    }
    if (known == NULL || (row == tested->rows && wg_tape_rewind(t, mark) == WG_OK))
        return known != NULL;
    options_complain("no training row has '%s' in column '%s', but a test row has; "
                     "--ignore-unknown takes it, --drop leaves the column out",
                     wg_shown_text(tested->strings[row * columns + column]).s,
                     wg_shown_text(tested->string_names[column]).s);
    return false;
}

/* A class that no training row has cannot be judged. */
static bool classes_known(const wg_table *trained, const wg_table *tested)
{
    for (int64_t i = 0; i < tested->class_count; i++)
        if (wg_class_find(trained->class_names, trained->class_count, tested->class_names[i]) < 0)
            return check_fail("no training row is of the test rows' class", tested->class_names[i]);
    return true;
}

/* Could the model of these rows predict those, and be judged by them? */
bool check_test_rows(const char *path, const wg_dataset *all, const wg_dataset *tested,
                     bool numbers)
{
    const wg_table *own = all->table, *other = tested->table;
    if (other->classes == NULL)
        return check_fail("the test rows have no labels to judge by:", path);
    if ((all->sparse == NULL) != (tested->sparse == NULL))
        return check_fail("the data and the test rows must both be sparse (svmlight), or neither:",
                          path);
    if (own->columns == other->columns && own->string_columns == other->string_columns)
        return !wg_is_inert(numbers ? wg_table_targets(other) : wg_table_classes(other)) &&
               (numbers || classes_known(own, other));
    options_complain("%s: test rows of %" PRId64 " numbers and %" PRId64
                     " strings, but the data has %" PRId64 " and %" PRId64,
                     path, other->columns, other->string_columns, own->columns,
                     own->string_columns);
    return false;
}
