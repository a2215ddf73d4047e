#ifndef WG_MODELS_FILES_TABLE_INTERNAL_H
#define WG_MODELS_FILES_TABLE_INTERNAL_H

#include "autograd/tape.h"
#include "models/files/table.h"

/* What a reader found. The table copies labels and path; all else is on the tape. */
typedef struct wg_table_parts {
    const char *path;
    wg_tensor *features;             /* [rows, columns] */
    const char *const *column_names; /* [columns], and NULL; or NULL: no columns */
    const int64_t *missing;          /* [columns], or NULL: none */
    const char *const *string;       /* [rows, string_columns] */
    int64_t string_columns;
    const char *const *string_names;   /* [string_columns], and NULL; or NULL: no such columns */
    const int64_t *string_missing;     /* [string_columns], or NULL: none */
    int64_t dropped;                   /* rows */
    int64_t rounded;                   /* values */
    const struct wg_csv_options *csv;  /* as in the table */
    const struct wg_csv_place *places; /* as in the table */
    bool zero_based;
    char separator;
    int64_t class_limit; /* > 0 */
    const char *label_name;
    /* The different labels, and which of them each row has; not all of them need have a row. NULL:
     * no label column, or too many to be classes. */
    const char *const *label_text; /* [labels] */
    const int64_t *label_number;   /* [rows] */
    int64_t labels;
    const double *label_value; /* [rows]; NULL: none, or the labels are not all numbers */
} wg_table_parts;

/* wg_table_new: a table on the tape; the inert table after an error. */
wg_table *wg_table_new(wg_tape *t, const wg_table_parts *parts);

/* wg_limits_fill: the limits for a file of that many bytes. False, and WG_E_VALUE, where one is
 * negative. */
bool wg_limits_fill(wg_tape *t, const char *path, wg_limits *limits, int64_t bytes);

/* wg_label_order: of two labels that are numbers, below, equal to or above 0; 0: they are one
 * class. */
int wg_label_order(const char *a, double a_value, const char *b, double b_value);

/* wg_table_inert: the table that a reader returns after an error. */
wg_table *wg_table_inert(void);

#endif
