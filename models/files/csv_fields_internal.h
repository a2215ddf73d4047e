#ifndef WG_MODELS_FILES_CSV_FIELDS_INTERNAL_H
#define WG_MODELS_FILES_CSV_FIELDS_INTERNAL_H

#include "autograd/tape.h"

typedef struct wg_csv_field {
    const char *text; /* without its quotes or the blanks around it, ended by NUL */
    int64_t line;     /* where it starts; the first line is 1 */
} wg_csv_field;

/* Cuts a text into records, one at a time. Fields are cut and unquoted in place, so that their texts
 * live as long as the bytes do; the array of fields is that of the newest record. */
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

/* wg_csv_scanner_init: at the first byte behind a byte order mark of text without a NUL byte but the one
 * behind its end. The array of fields stays, if there was one. */
void wg_csv_scanner_init(wg_csv_scanner *s, wg_tape *t, const char *path, char separator,
                         char *bytes, int64_t size);
void wg_csv_scanner_clear(wg_csv_scanner *s);

/* wg_csv_record: reads the next record; count = 0 at the end of the text. False after an error, which
 * is on the tape with file and line. */
bool wg_csv_record(wg_csv_scanner *s);

#endif
