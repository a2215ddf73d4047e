#ifndef WG_MODELS_FILES_CSV_INTERNAL_H
#define WG_MODELS_FILES_CSV_INTERNAL_H

#include "models/files/bytes_internal.h"
#include "models/files/csv.h"

/* ---- Fields. --------------------------------------------------------------------------------- */

typedef struct wg_csv_field {
    const char *text; /* without its quotes or the blanks around it, ended by NUL */
    int64_t line;     /* where it starts; the first line is 1 */
} wg_csv_field;

/* Cuts a text into records, one at a time. Fields are cut and unquoted in place; the array of
 * fields is that of the newest record, and their texts are good until the next one. */
typedef struct wg_csv_scanner {
    wg_tape *tape;
    const char *path;
    char separator;     /* ' ': any number of blanks and tabs */
    bool stops[256];    /* the bytes that end a field without quotes, or are an error in it */
    char *at, *end;     /* what is still to read; *end is NUL */
    char *begin, *stop; /* the newest record, from its line's first byte to before its line end */
    int64_t line;
    wg_csv_field *field; /* [count] */
    int64_t count, capacity;
} wg_csv_scanner;

/* wg_csv_separator: the one that the text's first lines speak for. */
char wg_csv_separator(const char *text);

/* wg_csv_scanner_clear: frees the array of fields. */
void wg_csv_scanner_clear(wg_csv_scanner *s);

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
typedef struct wg_csv_file wg_csv_file;
struct wg_csv_file {
    wg_tape *tape;
    const char *path;
    const wg_csv_options *given; /* as the table keeps them */
    wg_csv_options options;      /* with the defaults filled in */
    bool missing_begins[256];    /* by byte: does one of options.missing_texts begin with it? */
    wg_csv_scanner scanner;
    wg_window window;
    bool header;
    wg_csv_column *column;    /* [columns], on the tape */
    wg_csv_name *by_name;     /* [columns], on the tape, sorted; NULL: no column was asked for */
    int64_t columns, *order;  /* order[columns]: which column is the next one of its kind */
    int64_t label;            /* column from 0; -1: none */
    int64_t numbers, strings; /* how many columns are of the kind */
    int64_t rows, records;    /* rows: those that are kept */
    int64_t rounded;          /* numbers, of dropped rows too */
    wg_texts labels, texts;   /* of the label's column; of the string columns */
    bool labels_are_numbers;

    /* The rows that are held, all, or those that `put` has not taken yet. */
    int64_t held;
    double *values;      /* [held, numbers], NaN where missing */
    int64_t *string;     /* [held, strings], numbers of texts */
    int64_t *label_text; /* [held], numbers of labels; -1: one beyond label_limit */
    double *label_value; /* [held], NaN where it is no number */
    wg_csv_place *place; /* [held + 1], the header's first; NULL: option places is not set */
    int64_t values_capacity, string_capacity, label_text_capacity, label_value_capacity;
    int64_t place_capacity;

    /* Who takes rows, some at a time; NULL: they all stay. begin is called before the first one,
     * and again where all are read once more. False: an error was recorded. */
    bool (*begin)(wg_csv_file *f);
    bool (*put)(wg_csv_file *f);
    void *user;
    int64_t label_limit; /* labels that are told apart; 0: all */
};

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

/* wg_csv_restart: back to the file's first byte. wg_csv_next: the next record, in the scanner;
 * count = 0 at the file's end. False after an error, which is on the tape with file and line. */
bool wg_csv_restart(wg_csv_file *f);
bool wg_csv_next(wg_csv_file *f);

/* wg_csv_place_of: of the record in the scanner. */
wg_csv_place wg_csv_place_of(const wg_csv_file *f);

/* wg_csv_read_rows: all rows, from the file's first byte, as the columns' kinds say. */
bool wg_csv_read_rows(wg_csv_file *f);

/* wg_csv_judge: is what was found of the columns what they turned out to be? *again: some are
 * strings after all. */
bool wg_csv_judge(wg_csv_file *f, bool *again);

/* wg_csv_cache_load: the table of a cache, whatever it was made of. */
wg_table *wg_csv_cache_load(wg_csv_cache *cache, wg_tape *t, const char *path);

/* ---- All of it. ------------------------------------------------------------------------------ */

/* wg_csv_open: the file, and the options with their defaults. wg_csv_parse: its rows, to `put` or
 * held. wg_csv_close: in any case. False after an error. */
bool wg_csv_open(wg_csv_file *f, wg_tape *t, const char *path, const wg_csv_options *options);
bool wg_csv_parse(wg_csv_file *f);
void wg_csv_close(wg_csv_file *f);

/* wg_csv_list: the columns of a kind, NULL behind the last, and how much of each was missing, on
 * the tape. False: no memory. */
bool wg_csv_list(const wg_csv_file *f, wg_csv_kind kind, const char *const **names,
                 const int64_t **missing);

#endif
