#ifndef WG_MODELS_FILES_CSV_INTERNAL_H
#define WG_MODELS_FILES_CSV_INTERNAL_H

#include "models/files/csv.h"

/* ---- Fields. --------------------------------------------------------------------------------- */

typedef struct wg_csv_field {
    const char *text; /* without its quotes or the blanks around it, ended by NUL */
    int64_t line;     /* where it starts; the first line is 1 */
} wg_csv_field;

/* Cuts a text into records, one at a time. Fields are cut and unquoted in place, so that their
 * texts live as long as the bytes do; the array of fields is that of the newest record. */
typedef struct wg_csv_scanner {
    wg_tape *tape;
    const char *path;
    char separator;  /* ' ': any number of blanks and tabs */
    bool stops[256]; /* the bytes that end a field without quotes, or are an error in it */
    char *at, *end;  /* what is still to read; *end is NUL */
    int64_t line;
    wg_csv_field *field; /* [count] */
    int64_t count, capacity;
} wg_csv_scanner;

/* wg_csv_separator: the one that the text's first lines speak for. */
char wg_csv_separator(const char *text);

/* wg_csv_scanner_clear: frees the array of fields. */
void wg_csv_scanner_clear(wg_csv_scanner *s);

/* wg_csv_record: reads the next record; count = 0 at the end of the text. False after an error,
 * which is on the tape with file and line. */
bool wg_csv_record(wg_csv_scanner *s);

/* ---- A file while it is read. ---------------------------------------------------------------- */

typedef enum wg_csv_kind { WG_CSV_NUMBER, WG_CSV_STRING, WG_CSV_LABEL, WG_CSV_SKIP } wg_csv_kind;

typedef struct wg_csv_column {
    const char *name;
    wg_csv_kind kind;
    bool found;             /* the kind was told from the file, and may turn out to be another */
    bool ordered;           /* it stands in the file's `order` */
    int64_t place;          /* among the columns of its kind */
    bool several;           /* more than one text that is no number was seen */
    int64_t missing;        /* how many values */
    int64_t numbers, other; /* found: fields that are numbers, and that are not */
    const char *text;       /* found: the first that is not, */
    int64_t line;           /* and where it is */
} wg_csv_column;

typedef struct wg_csv_name {
    const char *name;
    int64_t column;
} wg_csv_name;

/* A file while it is read. Columns are those of the file; those of a kind stand in the order of
 * option columns, without it in the file's. */
typedef struct wg_csv_file {
    wg_tape *tape;
    const char *path;
    const wg_csv_options *given; /* as the table keeps them */
    wg_csv_options options;      /* with the defaults filled in */
    bool missing_begins[256];    /* by byte: does one of options.missing_texts begin with it? */
    wg_csv_scanner scanner;
    const char *bytes; /* [size + 1], as in the file */
    char *work;        /* [size + 1], a copy that the scanner cuts */
    int64_t size;
    bool header;
    wg_csv_column *column;    /* [columns], on the tape */
    wg_csv_name *by_name;     /* [columns], on the tape, sorted; NULL: no column was asked for */
    int64_t columns, *order;  /* order[columns]: which column is the next one of its kind */
    int64_t label;            /* column from 0; -1: none */
    int64_t numbers, strings; /* how many columns are of the kind */
    int64_t rows, records;    /* rows: those that are kept */
    int64_t rounded;          /* numbers, of dropped rows too */
    double *values;           /* [rows, numbers], NaN where missing */
    const char **string;      /* [rows, strings], into the work */
    const char **label_text;  /* [rows], into the work */
    double *label_value;      /* [rows], as far as labels_are_numbers */
    int64_t values_capacity, string_capacity, label_text_capacity, label_value_capacity;
    bool labels_are_numbers;
} wg_csv_file;

/* wg_csv_fail: records "data.csv: the reason". Always false, as the two below. */
bool wg_csv_fail(const wg_csv_file *f, wg_status status, const char *reason);

/* wg_csv_fail_text: "data.csv:3: column 2 (width): 'x' the reason"; WG_E_FORMAT. */
bool wg_csv_fail_text(const wg_csv_file *f, int64_t column, const char *text, int64_t line,
                      const char *reason);

/* wg_csv_fail_field: the same of the scanner's field. */
bool wg_csv_fail_field(const wg_csv_file *f, int64_t column, const char *reason);

/* wg_csv_is_missing: does the text stand for a missing value? */
bool wg_csv_is_missing(const wg_csv_file *f, const char *text);

/* wg_csv_is_number: is it one, of any kind? */
bool wg_csv_is_number(const char *text);

/* wg_csv_restart: back to the file's first byte, in text that nothing was cut from. */
void wg_csv_restart(wg_csv_file *f);

/* wg_csv_read_rows: all rows, from the file's first byte, as the columns' kinds say. */
bool wg_csv_read_rows(wg_csv_file *f);

/* wg_csv_judge: is what was found of the columns what they turned out to be? *again: some are
 * strings after all. */
bool wg_csv_judge(wg_csv_file *f, bool *again);

#endif
