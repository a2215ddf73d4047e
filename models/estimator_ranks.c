/* What ranks must know of each other before a model is made: that it is the same one, and the
 * classes of all rows. */
#include "models/estimator_internal.h"

#include "autograd/hash.h"
#include "models/files/bytes_internal.h"
#include "models/files/table_internal.h"
#include "models/version.h"

#include <stdlib.h>
#include <string.h>

/* Its end, too, so that no text runs into the next; NULL is none. */
static uint64_t estimator_mix(uint64_t hash, const char *text)
{
    return text != NULL ? wg_hash_bytes(hash, text, strlen(text) + 1) : wg_hash_word(hash, 0);
}

static uint64_t estimator_mix_list(uint64_t hash, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        hash = estimator_mix(hash, *list);
    return estimator_mix(hash, "");
}

uint64_t wg_estimator_hash(const wg_estimator *e)
{
    uint64_t hash = estimator_mix(WG_HASH_START, wg_version());
    hash = estimator_mix(hash, e->model);
    hash = estimator_mix_list(estimator_mix(hash, e->label_name), e->class_names);
    return estimator_mix_list(estimator_mix_list(hash, e->column_names), e->string_names);
}

/* ---- Classes by number. ---------------------------------------------------------------------- */

int64_t wg_estimator_most_classes(wg_tape *t, int64_t k)
{
    size_t bytes;
    int64_t *all = wg_ranks_gather(t, &k, sizeof k, true, &bytes);
    for (size_t i = 0; all != NULL && i < bytes / sizeof *all; i++)
        k = all[i] > k ? all[i] : k;
    wg_temporary_free(t, all);
    return k;
}

/* ---- Classes by name. ------------------------------------------------------------------------ */

typedef struct class_name {
    const char *text;
    double value;
    bool number;
    int64_t order; /* in which they came */
} class_name;

static int class_compare(const class_name *a, const class_name *b)
{
    return a->number && b->number ? wg_label_order(a->text, a->value, b->text, b->value)
                                  : strcmp(a->text, b->text);
}

static int class_rising(const void *a, const void *b)
{
    const class_name *x = a, *y = b;
    const int order = class_compare(x, y);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* The strings that a packed list holds, each ended by NUL, sorted, the different ones in front.
 * Returns how many those are. */
static int64_t class_sort(const char *packed, size_t size, class_name *list)
{
    int64_t n = 0, kept = 0;
    bool numbers = true;
    for (const char *at = packed; at < packed + size; at += strlen(at) + 1) {
        class_name c = {.text = at, .order = n};
        c.number = wg_number_read(at, &c.value) == WG_NUMBER_FINITE;
        numbers = numbers && c.number;
        list[n++] = c;
    }
    for (int64_t i = 0; i < n; i++)
        list[i].number = numbers;
    qsort(list, (size_t)n, sizeof *list, class_rising);
    for (int64_t i = 0; i < n; i++)
        if (kept == 0 || class_compare(&list[i], &list[kept - 1]) != 0)
            list[kept++] = list[i];
    return kept;
}

/* The number of a class that is one of the list. */
static int64_t class_find(const class_name *list, int64_t n, const char *text)
{
    class_name c = {.text = text, .number = list[0].number};
    int64_t low = 0;
    wg_number_read(text, &c.value);
    for (int64_t high = n - 1; low < high;) {
        const int64_t middle = low + (high - low) / 2;
        if (class_compare(&list[middle], &c) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* y, numbered by the table's own classes, as those of all ranks are. */
static wg_tensor *class_renumber(const wg_table *table, const wg_tensor *y, const class_name *list,
                                 int64_t n)
{
    int64_t *number = wg_temporary(y->tape, table->class_count, sizeof *number);
    int64_t *row = wg_temporary(y->tape, y->size, sizeof *row);
    wg_tensor *renumbered = NULL;
    for (int64_t c = 0; number != NULL && c < table->class_count; c++)
        number[c] = class_find(list, n, table->class_names[c]);
    for (int64_t i = 0; number != NULL && row != NULL && i < y->size; i++)
        row[i] = number[wg_data_i64(y)[i]];
    if (wg_tape_status(y->tape) == WG_OK)
        renumbered = wg_constant(y->tape, WG_I64, WG_SHAPE(y->size), row);
    wg_temporary_free(y->tape, row);
    wg_temporary_free(y->tape, number);
    return renumbered;
}

static void class_take(wg_estimator_data *data, wg_estimator_options *o, const char *packed,
                       size_t size)
{
    wg_tape *t = data->d.y->tape;
    wg_c_locale locale;
    class_name *list = wg_temporary(t, (int64_t)size, sizeof *list);
    if (list != NULL && wg_c_locale_enter(&locale)) {
        const int64_t n = class_sort(packed, size, list);
        const char **names = wg_tape_take(t, (size_t)(n + 1) * sizeof *names);
        for (int64_t k = 0; names != NULL && k < n; k++)
            names[k] = wg_tape_copy_text(t, list[k].text);
        data->d.y = class_renumber(data->labels, data->d.y, list, n);
        o->classes = n;
        o->class_names = names;
        wg_c_locale_leave(&locale);
    } else
        wg_fail(t, WG_E_NOMEM, "estimator: no memory for classes");
    wg_temporary_free(t, list);
}

void wg_estimator_join_classes(wg_estimator_data *data, wg_estimator_options *o)
{
    wg_tape *t = data->d.y->tape;
    const wg_table *table = data->labels;
    size_t size = 0, all, used = 0;
    if (wg_ranks_size(t) == 1) /* the table's own */
        return;
    for (int64_t c = 0; c < table->class_count; c++)
        size += strlen(table->class_names[c]) + 1;
    char *mine = wg_temporary(t, (int64_t)size, 1);
    if (wg_ranks_agree(t, 0, "") != WG_OK) {
        wg_temporary_free(t, mine);
        return;
    }
    for (int64_t c = 0; c < table->class_count; c++) {
        const size_t n = strlen(table->class_names[c]) + 1;
        memcpy(mine + used, table->class_names[c], n);
        used += n;
    }
    char *packed = wg_ranks_gather(t, mine, size, true, &all);
    if (packed != NULL && all > 0 && packed[all - 1] == '\0')
        class_take(data, o, packed, all);
    wg_temporary_free(t, packed);
    wg_temporary_free(t, mine);
}
