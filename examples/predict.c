/* Predicts the classes (or numbers) of a CSV file's rows by a model that build/train has saved: the class and the
 * probabilities of all classes, row by row, as CSV. Where the file has the column that was to be predicted,
 * it is left out, and the accuracy is printed on standard error.
 *
 *     $ build/train examples/data/iris.csv --test 0.2 --save iris.safetensors
 *     ...
 *     $ build/predict iris.safetensors examples/data/iris.csv
 *     species,setosa,versicolor,virginica
 *     setosa,0.981599,0.018401,1.91594e-07
 *     ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

#include "support/options.h"
#include "support/rows.h"

typedef struct arguments {
    const char *file[2]; /* model, data */
    double threshold;    /* < 0: the more probable class */
    bool classes_only, no_header;
    char separator;
} arguments;

/* Returns -1 to go on, or the exit status. */
static int read_arguments(int argc, char **argv, arguments *a)
{
    const option options[] = {
        {"--threshold", "T", OPTION_REAL, &a->threshold, 0, 1,
         "of two classes the second where its probability is at least T"},
        {"--classes-only", NULL, OPTION_FLAG, &a->classes_only, 0, 0, "no probabilities"},
        {"--separator", "C", OPTION_CHAR, &a->separator, 0, 0,
         "between the fields of a row, or tab; default a comma"},
        {"--no-header", NULL, OPTION_FLAG, &a->no_header, 0, 0, "columns are x1, x2, ..."},
    };
    const command c = {
        "predict", "MODEL DATA",
        "Predicts the classes of rows by a model that train has saved. They come as to train.",
        options, sizeof options / sizeof *options};
    return options_read(&c, argc, argv, a->file);
}

/* A field of CSV, quoted where it must be. */
static void print_text(const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
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

/* Classes by their names, with the probabilities of all of them; or numbers. P: NULL: no classes.
 * */
static void print_predictions(const arguments *a, const wg_estimator *e, const wg_tensor *predicted,
                              const wg_tensor *P)
{
    int64_t k = e->class_count, shown = a->classes_only ? 0 : k;
    print_text(e->label_name);
    for (int64_t j = 0; j < shown; j++) {
        putchar(',');
        print_text(e->class_names[j]);
    }
    putchar('\n');
    for (int64_t i = 0; i < wg_dim(predicted, 0); i++) {
        if (k > 0)
            print_text(e->class_names[wg_data_i64(predicted)[i]]);
        else
            printf("%.6g", wg_at(predicted, i));
        for (int64_t j = 0; j < shown; j++)
            printf(",%.6g", wg_at(P, i * k + j));
        putchar('\n');
    }
}

/* The file's rows; *labels says whether they have the column that the estimator predicts. */
static wg_dataset read_rows(wg_tape *t, const arguments *a, const wg_estimator *e, bool *labels)
{
    rows_options o = {.label = e->label_name,
                      .categories = e->string_names,
                      .separator = a->separator,
                      .no_header = a->no_header,
                      .f32 = e->dtype == WG_F32,
                      .columns = e->columns};
    wg_mark mark = wg_tape_mark(t);
    wg_dataset data = rows_read(t, a->file[1], &o);
    *labels = wg_tape_status(t) != WG_E_VALUE;
    if (*labels)
        return data;
    wg_tape_rewind(t, mark); /* there is no such column */
    o.label = NULL;
    o.no_label = true;
    return rows_read(t, a->file[1], &o);
}

/* What is predicted; where there is a threshold, by it. */
static wg_tensor *choose(const arguments *a, const wg_estimator *e, const wg_dataset *data,
                         wg_tensor *P)
{
    if (a->threshold < 0)
        return wg_estimator_predict(e, data);
    wg_tensor *over = wg_shift(wg_slice(P, 1, 1, 2), -a->threshold);
    wg_tensor *above = wg_greater_equal(over, wg_zeros_like(over));
    return wg_reshape(wg_cast(above, WG_I64), WG_SHAPE(wg_dataset_rows(data)));
}

/* Returns false after a failure that the tape may not know of. */
static bool predict(wg_tape *t, const arguments *a)
{
    bool labels;
    wg_estimator *e = wg_estimator_load(t, a->file[0], NULL);
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (a->threshold >= 0 && e->class_count != 2) {
        fprintf(stderr, "predict: --threshold: %s has %" PRId64 " classes, not two\n", a->file[0],
                e->class_count);
        return false;
    }
    wg_dataset data = read_rows(t, a, e, &labels);
    const wg_head *head = e->head;
    wg_tensor *P = head->probabilities != NULL ? wg_estimator_predict_proba(e, &data) : NULL;
    wg_tensor *predicted = choose(a, e, &data, P);
    if (wg_tape_status(t) != WG_OK)
        return false;
    print_predictions(a, e, predicted, P);
    if (labels)
        fprintf(stderr, "%s %.4f of %" PRId64 " rows\n", head->metrics[0].name,
                head->metrics[0].value(predicted, P, wg_estimator_targets(e, &data)),
                wg_dataset_rows(&data));
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
        fprintf(stderr, "predict: %s\n", wg_tape_message(t));
    done = done && wg_tape_status(t) == WG_OK && options_finish("predict");
    wg_tape_free(t);
    return done ? 0 : 1;
}
