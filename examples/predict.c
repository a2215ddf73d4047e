/* Predicts the classes (or numbers) of a CSV file's rows by a model that build/train has saved: the class and the
 * probabilities of all classes, row by row, as CSV. Where the file has the column that was to be predicted,
 * it is left out, and the accuracy is printed on standard error. The model knows how its own file was read (names
 * and kinds of the columns, separator, header, missing texts), and other files are read alike.
 *
 *     $ build/train examples/data/iris.csv --test 0.2 --save iris.safetensors
 *     ...
 *     $ build/predict iris.safetensors examples/data/iris.csv
 *     species,setosa,versicolor,virginica
 *     setosa,0.981599,0.018401,1.91594e-07
 *     ...
 *
 * With --c it writes the model instead, its preparation included, as a C file that needs no library:
 *
 *     $ build/train examples/data/iris.csv --test 0.2 --save iris.safetensors
 *     ...
 *     $ build/predict iris.safetensors --c iris.c
 *     iris.c, iris.h: iris_run takes a row of 4 numbers; iris_names has the 3 classes
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

#include "support/advice.h"
#include "support/options.h"
#include "support/outputs.h"
#include "support/rows.h"
#include "support/spool.h"

typedef struct arguments {
    const char *file[2]; /* model, data */
    double threshold;    /* < 0: the more probable class */
    bool classes_only, no_header, with_input;
    const char *format, *labels, *missing, *c;
    char separator;
    bool zero_based;
} arguments;

/* An option that is given, and of rows alone; NULL: none. */
static const char *option_of_rows(const arguments *a)
{
    return a->classes_only        ? "--classes-only"
           : a->with_input        ? "--with-input"
           : a->format != NULL    ? "--format"
           : a->labels != NULL    ? "--labels"
           : a->missing != NULL   ? "--missing"
           : a->zero_based        ? "--zero-based"
           : a->separator != '\0' ? "--separator"
           : a->no_header         ? "--no-header"
                                  : NULL;
}

/* Returns -1 to go on, or the exit status. */
static int read_arguments(int argc, char **argv, arguments *a)
{
    const option options[] = {
        {"--threshold", "T", OPTION_REAL, &a->threshold, 0, 1,
         "of two classes the second where its probability is at least T"},
        {"--classes-only", NULL, OPTION_FLAG, &a->classes_only, 0, 0, "no probabilities"},
        {"--with-input", NULL, OPTION_FLAG, &a->with_input, 0, 0,
         "the rows of a CSV file as they stand, and the prediction behind each"},
        {"--format", "csv|svmlight|idx|npy|npz", OPTION_CHOICE, &a->format, 0, 0,
         "default: as the file looks"},
        {"--labels", "FILE", OPTION_TEXT, &a->labels, 0, 0,
         "of IDX and NPY: the truth, to judge by"},
        {"--missing", "error|drop", OPTION_CHOICE, &a->missing, 0, 0,
         "values, which the model does not fill in: drop the rows; default error"},
        {"--zero-based", NULL, OPTION_FLAG, &a->zero_based, 0, 0,
         "svmlight: features count from 0, as scikit-learn writes them"},
        {"--separator", "C", OPTION_CHAR, &a->separator, 0, 0,
         "between the fields of a row, or tab; default: as the file has it"},
        {"--c", "FILE.c", OPTION_TEXT, &a->c, 0, 0,
         "write the model as C, and FILE.h; there is no DATA then"},
        {"--no-header", NULL, OPTION_FLAG, &a->no_header, 0, 0, "columns are x1, x2, ..."},
    };
    bool data = true;
    for (int i = 1; i < argc; i++)
        data = data && strcmp(argv[i], "--c") != 0 && strncmp(argv[i], "--c=", 4) != 0;
    const command c = {data ? "MODEL DATA" : "MODEL",
                       "Predicts the classes of rows by a model that train has saved. DATA is in "
                       "any format that train\n"
                       "reads. The model knows how its own was read, by options or by its look: "
                       "which columns, by their\n"
                       "names, in whatever order, which of them are strings, the label, "
                       "--separator, --no-header,\n"
                       "--zero-based, --missing-texts; and DATA is read alike.",
                       options, sizeof options / sizeof *options};
    int status = options_read(&c, argc, argv, a->file);
    bool drop = a->missing != NULL && strcmp(a->missing, "drop") == 0;
    if (status < 0 && drop && a->with_input)
        status = options_fail("does not go with --missing drop:", "--with-input");
    if (status < 0 && a->c != NULL && option_of_rows(a) != NULL)
        status = options_fail("is of rows, and --c reads none:", option_of_rows(a));
    if (status < 0 && a->c == NULL && (a->file[1] = spool(a->file[1])) == NULL)
        status = 1;
    return status;
}

/* ---- Writing ------------------------------------------------------------------------------------------- */

/* A field of CSV, quoted where it must be. Blanks that separate may be tabs, too. */
static void print_text(const char *text, char separator)
{
    const char special[] = {'"', '\r', '\n', separator, separator == ' ' ? '\t' : '\0', '\0'};
    bool quoted = strpbrk(text, special) != NULL;
    if (quoted)
        putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    if (quoted)
        putchar('"');
}

/* Names of the columns that a row of print_row has. */
static void print_header(const arguments *a, const wg_estimator *e, char separator)
{
    print_text(a->with_input ? "predicted" : e->label_name, separator);
    for (int64_t j = 0; j < e->class_count && !a->classes_only; j++) {
        putchar(separator);
        print_text(e->class_names[j], separator);
    }
    putchar('\n');
}

/* The class by its name, with the probabilities of all of them; or a number. P: NULL: no classes. */
static void print_row(const arguments *a, const wg_estimator *e, const wg_tensor *predicted,
                      const wg_tensor *P, int64_t i, char separator)
{
    int64_t k = e->class_count;
    if (k > 0)
        print_text(e->class_names[wg_data_i64(predicted)[i]], separator);
    else
        fputs(wg_number_text(wg_at(predicted, i), wg_dtype_of(predicted)).s, stdout);
    for (int64_t j = 0; j < k && !a->classes_only; j++)
        printf("%c%.6g", separator, wg_at(P, i * k + j));
    putchar('\n');
}

static void print_predictions(const arguments *a, const wg_estimator *e, const wg_tensor *predicted,
                              const wg_tensor *P)
{
    print_header(a, e, ',');
    for (int64_t i = 0; i < wg_dim(predicted, 0); i++)
        print_row(a, e, predicted, P, i, ',');
}

/* The bytes of a record, and a separator; *at: where the file is, which is before them. */
static bool copy_record(FILE *file, int64_t *at, wg_csv_place record, char separator)
{
    for (; *at < record.end; ++*at) {
        const int c = getc(file);
        if (c == EOF)
            return false;
        if (*at >= record.begin)
            putchar(c);
    }
    putchar(separator);
    return true;
}

/* The same behind the file's own rows, which stand where the reader has found them. */
static bool copy_records(FILE *file, const arguments *a, const wg_estimator *e,
                         const wg_table *table, const wg_tensor *predicted, const wg_tensor *P)
{
    const char separator = table->separator;
    int64_t at = 0;
    if (table->places[0].end > 0 && copy_record(file, &at, table->places[0], separator))
        print_header(a, e, separator);
    for (int64_t row = 0; row < table->rows; row++) {
        if (!copy_record(file, &at, table->places[1 + row], separator)) {
            options_complain("%s: became shorter while it was read", a->file[1]);
            return false;
        }
        print_row(a, e, predicted, P, row, separator);
    }
    return true;
}

static bool print_with_input(const arguments *a, const wg_estimator *e, const wg_table *table,
                             const wg_tensor *predicted, const wg_tensor *P)
{
    const bool standard = strcmp(a->file[1], "-") == 0;
    FILE *file = standard ? stdin : fopen(a->file[1], "rb");
    if (file == NULL) {
        options_complain("%s: %s", a->file[1], strerror(errno));
        return false;
    }
    rewind(file);
    const bool whole = copy_records(file, a, e, table, predicted, P);
    if (!standard)
        fclose(file);
    return whole;
}

/* ---- Reading ------------------------------------------------------------------------------------------- */

/* Of a file without a header the columns are known by their places alone, which are others where the label
 * is missing: then as many columns as the model takes are those. */
static bool read_by_place(wg_tape *t, const char *path, const wg_estimator *e, rows_options o,
                          wg_dataset *data)
{
    o.columns = NULL;
    wg_dataset read = rows_read(t, path, &o);
    const wg_table *table = read.table;
    if (wg_tape_status(t) != WG_OK || e->string_columns > 0 || table->string_columns > 0 ||
        table->columns != e->columns || strcmp(table->column_names[0], "x1") != 0)
        return false;
    *data = (wg_dataset){.table = read.table, .X = wg_table_features(table)};
    return true;
}

static wg_dataset read_unlabelled(wg_tape *t, const char *path, const wg_estimator *e,
                                  rows_options o)
{
    wg_mark mark = wg_tape_mark(t);
    o.label = NULL;
    o.no_label = true;
    wg_dataset data = rows_read(t, path, &o);
    if (wg_tape_status(t) != WG_E_VALUE || strcmp(rows_format(path, &o), "csv") != 0)
        return data;
    wg_tape_rewind(t, mark);
    if (read_by_place(t, path, e, o, &data))
        return data;
    wg_tape_rewind(t, mark);
    return rows_read(t, path, &o); /* once more, for its message */
}

/* Why rows are not judged of which some have a label; where none has, they are to be found out. */
static void tell_blank(wg_tape *t, const char *path, rows_options o)
{
    char message[512];
    snprintf(message, sizeof message, "%s", wg_tape_message(t));
    wg_tape *own = wg_tape_new(NULL);
    o.missing = WG_CSV_MISSING_DROP;
    rows_read(own, path, &o);
    if (wg_tape_status(own) == WG_OK)
        options_complain("not judged: %s", message);
    wg_tape_free(own);
}

/* How the file is read: as the model's own was. One that prepares its rows takes no sparse ones, whatever they
 * look like. */
static rows_options options_of(const arguments *a, const wg_estimator *e)
{
    const wg_csv_options none = {.separator = '\0'}, *csv = e->csv != NULL ? e->csv : &none;
    bool drop = a->missing != NULL && strcmp(a->missing, "drop") == 0;
    rows_options o = {.format = a->format,
                      .label = e->label_name,
                      .labels = a->labels,
                      .categories = csv->strings,
                      .columns = csv->columns,
                      .missing_texts = csv->missing_texts,
                      .separator = a->separator != '\0' ? a->separator : csv->separator,
                      .no_header = a->no_header || csv->header == WG_CSV_HEADER_ABSENT,
                      .missing = drop ? WG_CSV_MISSING_DROP : WG_CSV_MISSING_KEEP,
                      .zero_based = a->zero_based || e->zero_based,
                      .f32 = e->dtype == WG_F32,
                      .f64 = e->dtype == WG_F64,
                      .places = a->with_input,
                      .width = e->columns};
    const bool prepares = e->pipeline->n_steps > 0 || e->string_columns > 0;
    o.format = rows_format(a->file[1], &o);
    if (prepares && a->format == NULL && strcmp(o.format, "svmlight") == 0)
        o.format = "csv";
    return o;
}

/* Would each option be looked at? One that is not says something else than its user meant. */
static bool options_fit(const arguments *a, const char *format)
{
    const bool csv = strcmp(format, "csv") == 0, sparse = strcmp(format, "svmlight") == 0;
    const bool arrays = strcmp(format, "npy") == 0 || strcmp(format, "idx") == 0;
    const char *wrong = a->labels != NULL && !arrays   ? "--labels is for IDX and NPY files"
                        : a->zero_based && !sparse     ? "--zero-based is for svmlight files"
                        : a->separator != '\0' && !csv ? "--separator is for CSV files"
                        : a->no_header && !csv         ? "--no-header is for CSV files"
                        : a->missing != NULL && sparse ? "--missing is not for sparse rows"
                                                       : NULL;
    if (wrong == NULL || strcmp(format, "gzip") == 0) /* of which reading it says more */
        return true;
    options_complain("%s: %s is read as %s (--format)", wrong, a->file[1], format);
    return false;
}

/* The file's rows; *labels says whether they have the column that the estimator predicts. */
static wg_dataset read_rows(wg_tape *t, const arguments *a, const wg_estimator *e, rows_options o,
                            bool *labels)
{
    const char *path = a->file[1], *format = o.format;
    const bool prepares = e->pipeline->n_steps > 0 || e->string_columns > 0;
    if (prepares && strcmp(format, "svmlight") == 0) {
        wg_fail(t, WG_E_VALUE, "%s: the model prepares its rows, which sparse ones cannot be: %s",
                a->file[0], path);
        *labels = false;
        return (wg_dataset){.X = NULL};
    }
    bool arrays = *format == 'i' || strcmp(format, "npy") == 0;
    wg_mark mark = wg_tape_mark(t);
    *labels = !arrays || a->labels != NULL;
    if (*labels) {
        wg_dataset data = rows_read(t, path, &o);
        const bool blank = strstr(wg_tape_message(t), "is a missing label") != NULL ||
                           strstr(wg_tape_message(t), "the label of row ") != NULL;
        *labels = wg_tape_status(t) != WG_E_VALUE && !blank;
        if (*labels)
            return data;
        if (blank)
            tell_blank(t, path, o);
        wg_tape_rewind(t, mark); /* there is no such column, or it is not filled in */
    }
    return read_unlabelled(t, path, e, o);
}

/* What is predicted by the outputs Z; where there is a threshold, by the probabilities P. */
static wg_tensor *choose(const arguments *a, const wg_head *head, wg_tensor *Z, wg_tensor *P)
{
    if (a->threshold < 0)
        return wg_head_predict(head, Z);
    wg_tensor *over = wg_shift(wg_slice(P, 1, 1, 2), -a->threshold);
    wg_tensor *above = wg_greater_equal(over, wg_zeros_like(over));
    return wg_reshape(wg_cast(above, WG_I64), WG_SHAPE(wg_dim(Z, 0)));
}

/* Where a label is none that the model knows, the accuracy alone. */
static void print_metrics(const wg_estimator *e, const wg_tensor *predicted, const wg_tensor *P,
                          const wg_tensor *truth)
{
    int64_t unknown = 0;
    for (int64_t i = 0; e->class_count > 0 && i < wg_size(truth); i++)
        unknown += wg_data_i64(truth)[i] < 0;
    const int n = unknown > 0 ? 1 : e->head->n_metrics;
    for (int i = 0; i < n; i++)
        fprintf(stderr, "%s%s %.4f", i > 0 ? ", " : "", e->head->metrics[i].name,
                e->head->metrics[i].value(predicted, P, truth));
    fprintf(stderr, " of %" PRId64 " rows", wg_size(truth));
    if (unknown > 0)
        fprintf(stderr, ", %" PRId64 " with a label that is none of the model's classes", unknown);
    fputc('\n', stderr);
}

/* What the rows say is to be judged by may be nothing that can be: then why, and the predictions stand. */
static void judge_rows(const wg_estimator *e, const wg_dataset *data, const wg_tensor *predicted,
                       const wg_tensor *P)
{
    wg_tape *t = e->tape;
    const wg_mark mark = wg_tape_mark(t);
    const wg_tensor *truth = wg_estimator_targets(e, data);
    if (wg_tape_status(t) == WG_OK && wg_size(truth) > 0)
        print_metrics(e, predicted, P, truth);
    else if (wg_tape_status(t) == WG_E_VALUE) {
        options_complain("not judged: %s", wg_tape_message(t));
        wg_tape_rewind(t, mark);
    }
}

/* ---- As C ---------------------------------------------------------------------------------------------- */

static bool write_c(const arguments *a, const wg_estimator *e)
{
    if (a->threshold >= 0) {
        options_complain("--threshold is not written as C: compare the probabilities");
        return false;
    }
    char header[4096];
    snprintf(header, sizeof header, "%.*sh", (int)strlen(a->c) - 1, a->c);
    if (!options_writable_beside(header, a->file[0], "the model") ||
        !options_writable_beside(a->c, a->file[0], "the model") ||
        wg_estimator_write_c(e, a->c) != WG_OK)
        return false;
    char stem[256];
    const char *slash = strrchr(a->c, '/'), *name = slash != NULL ? slash + 1 : a->c;
    snprintf(stem, sizeof stem, "%.*s", (int)strlen(name) - 2, name);
    const wg_text prefix = wg_c_identifier(stem);
    printf("%s, %.*sh: %s_run takes a row of %" PRId64 " numbers", a->c, (int)strlen(a->c) - 1,
           a->c, prefix.s, e->columns);
    if (e->string_columns > 0)
        printf(" and %" PRId64 " strings", e->string_columns);
    if (e->class_count > 0)
        printf("; %s_names has the %" PRId64 " classes", prefix.s, e->class_count);
    printf("\n");
    return true;
}

/* Returns false after a failure that the tape may not know of. */
static bool predict(wg_tape *t, const arguments *a)
{
    bool labels;
    wg_estimator *e = wg_estimator_load(t, a->file[0], NULL);
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (a->threshold >= 0 && e->class_count == 0) {
        options_complain("--threshold: %s predicts numbers, not classes", a->file[0]);
        return false;
    }
    if (a->threshold >= 0 && e->class_count != 2) {
        options_complain("--threshold: %s has %" PRId64 " classes, not two", a->file[0],
                         e->class_count);
        return false;
    }
    if (a->c != NULL)
        return write_c(a, e);
    const rows_options o = options_of(a, e);
    if (!options_fit(a, o.format))
        return false;
    wg_dataset data = read_rows(t, a, e, o, &labels);
    const wg_head *head = e->head;
    if (a->with_input && wg_tape_status(t) == WG_OK && data.table->places == NULL) {
        options_complain("--with-input: %s is no CSV file", a->file[1]);
        return false;
    }
    if (data.table != NULL && data.table->dropped > 0)
        options_complain("%" PRId64 " rows with missing values were left out", data.table->dropped);
    wg_tensor *Z = wg_tape_status(t) == WG_OK ? outputs_of(e, &data, a->file[1]) : NULL;
    if (wg_is_inert(Z))
        return false;
    wg_tensor *P = head->probabilities != NULL ? wg_head_probabilities(head, Z) : NULL;
    wg_tensor *predicted = choose(a, head, Z, P);
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (a->with_input && !print_with_input(a, e, data.table, predicted, P))
        return false;
    if (!a->with_input)
        print_predictions(a, e, predicted, P);
    if (labels)
        judge_rows(e, &data, predicted, P);
    return true;
}

int main(int argc, char **argv)
{
    arguments a = {.threshold = -1};
    int status = read_arguments(argc, argv, &a);
    if (status >= 0)
        return status;
    wg_tape *t = wg_tape_new(NULL);
    bool done = predict(t, &a);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s: %s\n", options_program(), wg_tape_message(t));
    if (a.c == NULL)
        advise(ADVISED_PREDICT, t, a.file[1],
               &(rows_options){
                   .format = a.format, .separator = a.separator, .no_header = a.no_header});
    done = done && wg_tape_status(t) == WG_OK && options_finish();
    wg_tape_free(t);
    return done ? 0 : 1;
}
