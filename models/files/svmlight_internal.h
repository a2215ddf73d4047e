#ifndef WG_MODELS_FILES_SVMLIGHT_INTERNAL_H
#define WG_MODELS_FILES_SVMLIGHT_INTERNAL_H

#include "models/files/bytes_internal.h"
#include "models/files/svmlight.h"

/* A file while it is read. */
typedef struct wg_svmlight_file wg_svmlight_file;
struct wg_svmlight_file {
    wg_tape *tape;
    const char *path;
    wg_svmlight_options options;
    wg_window window;
    char *at; /* what is still to read in it; a NUL stands behind the last byte */
    int64_t line;
    int64_t rows, entries, columns; /* columns: as far as features were seen */
    int64_t rounded;                /* values */
    int64_t held;                   /* entries, all, or those that `put` has not taken yet */
    int64_t *start;                 /* [rows + 1] */
    int64_t *column;                /* [held] */
    double *value;                  /* [held] */
    double *label;                  /* [rows] */
    int64_t *label_text;            /* [rows], numbers of labels */
    wg_texts labels;
    int64_t start_capacity, column_capacity, value_capacity, label_capacity, text_capacity;

    bool (*put)(wg_svmlight_file *f); /* takes what is held, of whole rows; NULL: it stays */
    void *user;
    int64_t label_limit; /* labels that are told apart; 0: all */
};

/* wg_svmlight_open: the file, and the options with their defaults. wg_svmlight_parse: its rows.
 * wg_svmlight_close: in any case. False after an error. */
bool wg_svmlight_open(wg_svmlight_file *f, wg_tape *t, const char *path,
                      const wg_svmlight_options *options);
bool wg_svmlight_parse(wg_svmlight_file *f);
void wg_svmlight_close(wg_svmlight_file *f);

/* wg_svmlight_cache_load: a cache, whatever it was made of. */
wg_table *wg_svmlight_cache_load(wg_svmlight_cache *cache, wg_tape *t, const char *path);

#endif
