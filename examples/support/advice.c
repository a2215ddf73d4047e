/* What to do about some errors. */
#include "advice.h"

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 64, SHOWN = 12 };

/* ---- Columns that there are ---------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many characters must be put in, taken out or changed (Levenshtein 1966), of the first 63 of both. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST], n = least(strlen(b), LONGEST - 1);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; i < LONGEST - 1 && a[i] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j], changed = corner + (a[i] != b[j - 1]);
            row[j] = least(changed, least(above, row[j - 1]) + 1);
            corner = above;
        }
    }
    return row[n];
}

typedef struct candidate {
    const char *name;
    size_t distance;
    int64_t place;
} candidate;

static int by_distance(const void *a, const void *b)
{
    const candidate *p = a, *q = b;
    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return (p->place > q->place) - (p->place < q->place);
}

static void list_nearest(const char *wanted, const wg_table *table, wg_tape *t)
{
    int64_t numbers = table->columns, n = numbers + table->string_columns;
    candidate *c = wg_tape_take(t, (size_t)n * sizeof *c);
    if (n == 0 || c == NULL)
        return;
    for (int64_t i = 0; i < n; i++) {
        const char *name = i < numbers ? table->column_names[i] : table->string_names[i - numbers];
        c[i] = (candidate){name, distance(wanted, name), i};
    }
    qsort(c, (size_t)n, sizeof *c, by_distance);
    fprintf(stderr, "%s: there are", options_program());
    for (int64_t i = 0; i < n && i < SHOWN; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", wg_shown_text(c[i].name).s);
    fputs(n > SHOWN ? ", ...\n" : "\n", stderr);
}

/* Reads the file once more, with all of its columns. */
static void list_columns(const char *message, const char *data, const rows_options *options)
{
    char wanted[LONGEST] = "";
    const char *from = strstr(message, "no column is '");
    if (from == NULL || sscanf(from, "no column is '%63[^']'", wanted) != 1)
        return;
    wg_tape *t = wg_tape_new(NULL);
    wg_dataset all = rows_read(t, data,
                               &(rows_options){.format = options->format,
                                               .separator = options->separator,
                                               .no_header = options->no_header,
                                               .no_label = true,
                                               .missing = WG_CSV_MISSING_KEEP});
    list_nearest(wanted, all.table, t);
    wg_tape_free(t);
}

/* ---- Cures --------------------------------------------------------------------------------------------- */

/* Of the message; what helps, printed behind the program's name; NULL: nothing. The first one holds. Those of
 * trainings, whatever the file is: */
static const struct {
    const char *part, *cure;
} cures_of_training[] = {
    {"a smaller rate may help",
     "a smaller --rate may help, and columns that are standardized (without --raw)"},
    {"validation loss is ", NULL}, /* nan, but not for a missing value */
    {"classes cannot each have",
     "--test 0 tests no rows; a column of many numbers is predicted by --model regression"},
    {"logistic with", "logistic has two classes; --model softmax has any"},
};

/* In train and in predict, all of CSV files; NaN of arrays, too. */
static const struct {
    const char *part, *train, *predict;
} cures[] = {
    {"is a missing value", "missing values: --missing drop, mean or median", NULL},
    {" (): '' is a missing label",
     "where all lines end with a separator: sed 's/.$//' FILE | train -", NULL},
    {"is a missing label", "rows without a label: --missing drop", NULL},
    {"a missing value (missing_texts)",
     "if it is a missing value: --missing-texts TEXT and --missing mean; if the column holds "
     "strings: --category",
     NULL},
    {"f' is not finite", "as a missing value: --missing-texts inf,-inf --missing mean", NULL},
    {"is in option strings, but", "--category is for columns that are used: --columns, --drop",
     NULL},
    {"not a number", "columns of strings are for --category COLUMN", NULL},
    {"another separator", "fields that no comma separates are for --separator CHARACTER",
     "fields that no comma separates are for --separator CHARACTER"},
    {"different labels",
     "a column of numbers is predicted by --model regression; another column by --label COLUMN",
     NULL},
    {"option ignore_unknown", "strings that no training row has are for --ignore-unknown",
     "--missing drop leaves out rows with missing values; train --ignore-unknown takes any string"},
    {" is nan", "missing values: --missing drop, mean or median",
     "--missing drop leaves out rows with missing values; train --missing mean fills them in"},
    {"no_label", "the file seems to hold rows alone", NULL},
};

/* By the first bytes of a CSV file: other encodings, and lines that are no rows. */
static const struct {
    const char *begin;
    size_t size;
    const char *cure;
} looks[] = {{"#", 1, "lines that begin with #, % or @ are no rows: grep -v '^[#%@]'"},
             {"%", 1, "lines that begin with #, % or @ are no rows: grep -v '^[#%@]'"},
             {"@", 1, "lines that begin with #, % or @ are no rows: grep -v '^[#%@]'"},
             {"sep=", 4, "the first line is for Excel alone: tail -n +2"},
             {"[", 1, "JSON becomes CSV: jq -r '.[] | [.[]] | @csv'"},
             {"{", 1, "JSON becomes CSV: jq -r '[.[]] | @csv'"},
             {"\xFF\xFE\0\0", 4, "UTF-32 becomes UTF-8: iconv -f UTF-32 -t UTF-8"},
             {"\xFF\xFE", 2, "UTF-16 becomes UTF-8: iconv -f UTF-16 -t UTF-8"},
             {"\xFE\xFF", 2, "UTF-16 becomes UTF-8: iconv -f UTF-16 -t UTF-8"}};

static const char *cure_of_look(const char *data)
{
    char c[4];
    FILE *file = strcmp(data, "-") == 0 ? stdin : fopen(data, "rb");
    if (file != NULL)
        rewind(file);
    const size_t n = file != NULL ? fread(c, 1, sizeof c, file) : 0;
    if (file != NULL && file != stdin)
        fclose(file);
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (n >= looks[i].size && memcmp(c, looks[i].begin, looks[i].size) == 0)
            return looks[i].cure;
    if (n >= 2 && (c[0] == '\0') != (c[1] == '\0'))
        return c[1] == '\0' ? "UTF-16 becomes UTF-8: iconv -f UTF-16LE -t UTF-8"
                            : "UTF-16 becomes UTF-8: iconv -f UTF-16BE -t UTF-8";
    return NULL;
}

/* Of options that say what is not so. */
static const char *cure_of_options(const char *message, const rows_options *o)
{
    if (o->separator != '\0' && strstr(message, "another separator") != NULL)
        return "without --separator the file's own is found";
    if (o->no_header && strstr(message, ":1: column ") != NULL &&
        strstr(message, "is not a number") != NULL)
        return "where the first row holds the names of columns, leave out --no-header";
    return NULL;
}

/* Of files and their rows. */
static const char *cure_of_rows(bool train, const char *message, const char *format, bool stream)
{
    if (strstr(message, "they count from 1") != NULL)
        return "features that count from 0 are for --zero-based";
    const bool arrays = !stream && (strcmp(format, "npy") == 0 || strcmp(format, "npz") == 0);
    for (size_t i = 0; i < sizeof cures / sizeof *cures; i++)
        if (strstr(message, cures[i].part) != NULL &&
            (strcmp(format, "csv") == 0 || (arrays && strcmp(cures[i].part, " is nan") == 0)))
            return train ? cures[i].train : cures[i].predict;
    return NULL;
}

static const char *cure_of_message(advised who, const char *message, const char *format,
                                   const rows_options *options)
{
    if (who == ADVISED_FIT && strstr(message, "classes cannot each have") != NULL)
        return "a smaller --validation, or none; a column of many numbers is predicted by --model "
               "regression";
    for (size_t i = 0; i < sizeof cures_of_training / sizeof *cures_of_training; i++)
        if (who != ADVISED_PREDICT && strstr(message, cures_of_training[i].part) != NULL)
            return cures_of_training[i].cure;
    const char *cure = cure_of_options(message, options);
    return cure != NULL ? cure
                        : cure_of_rows(who != ADVISED_PREDICT, message, format, options->stream);
}

void advise(advised who, const wg_tape *t, const char *data, const rows_options *options)
{
    const char *program = options_program(), *message = wg_tape_message(t), *format, *cure;
    if (wg_tape_status(t) == WG_OK)
        return;
    format = rows_format(data, options);
    if (strcmp(format, "gzip") == 0) {
        options_complain("gunzip -c %s | %s -", data, program);
        return;
    }
    if (strcmp(format, "csv") == 0 && (cure = cure_of_look(data)) != NULL) {
        options_complain("%s %s | %s -", cure, data, program);
        return;
    }
    if (strcmp(format, "csv") == 0)
        list_columns(message, data, options);
    cure = cure_of_message(who, message, format, options);
    if (cure != NULL)
        fprintf(stderr, "%s: %s\n", program, cure);
}
