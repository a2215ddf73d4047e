/* Predicts the classes of a CSV file's rows by a model that build/train has saved: the class and the
 * probabilities of all classes, row by row, as CSV. Where the file has the column that was to be predicted,
 * it is left out, and the accuracy is printed on standard error.
 *
 *     $ build/predict iris.safetensors examples/data/iris.csv
 *     species,setosa,versicolor,virginica
 *     setosa,0.981599,0.018401,1.91594e-07
 *     ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

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

static void print_predictions(const wg_estimator *e, const wg_tensor *classes, const wg_tensor *P)
{
    int64_t k = wg_estimator_class_count(e);
    print_text(wg_estimator_label_name(e));
    for (int64_t j = 0; j < k; j++) {
        putchar(',');
        print_text(wg_estimator_class_name(e, j));
    }
    putchar('\n');
    for (int64_t i = 0; i < wg_size(classes); i++) {
        print_text(wg_estimator_class_name(e, wg_data_i64(classes)[i]));
        for (int64_t j = 0; j < k; j++)
            printf(",%.6g", wg_at(P, i * k + j));
        putchar('\n');
    }
}

/* The share of rows whose label is the name of the predicted class. */
static double accuracy(const wg_estimator *e, const wg_table *data, const wg_tensor *predicted)
{
    const wg_tensor *truth = wg_table_classes(data);
    int64_t right = 0, n = wg_size(predicted);
    for (int64_t i = 0; i < n; i++)
        right += strcmp(wg_table_class_name(data, wg_data_i64(truth)[i]),
                        wg_estimator_class_name(e, wg_data_i64(predicted)[i])) == 0;
    return (double)right / (double)n;
}

static bool predict(wg_tape *t, const char *model, const char *path)
{
    wg_estimator *e = wg_estimator_load(t, model);
    wg_csv_options csv = {.label = wg_estimator_label_name(e),
                          .f32 = wg_estimator_dtype(e) == WG_F32};
    if (wg_tape_status(t) != WG_OK)
        return false;
    wg_mark mark = wg_tape_mark(t);
    wg_table *data = wg_csv_read(t, path, &csv);
    bool labels = wg_tape_status(t) == WG_OK;
    if (!labels) { /* perhaps there is no such column; other errors come again */
        wg_tape_rewind(t, mark);
        csv.label = NULL;
        csv.no_label = true;
        data = wg_csv_read(t, path, &csv);
    }
    wg_tensor *X = wg_table_features(data);
    wg_tensor *classes = wg_estimator_predict(e, X), *P = wg_estimator_predict_proba(e, X);
    if (wg_tape_status(t) != WG_OK)
        return false;
    print_predictions(e, classes, P);
    if (labels)
        fprintf(stderr, "accuracy %.4f of %" PRId64 " rows\n", accuracy(e, data, classes),
                wg_size(classes));
    return wg_tape_status(t) == WG_OK && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: predict MODEL.safetensors DATA.csv\n";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return fputs(usage, stdout) < 0;
    if (argc != 3) {
        fputs(usage, stderr);
        return 2;
    }
    wg_tape *t = wg_tape_new(NULL);
    bool done = predict(t, argv[1], argv[2]);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "predict: %s\n", wg_tape_message(t));
    wg_tape_free(t);
    return done ? 0 : 1;
}
