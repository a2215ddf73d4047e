/* What the tests of file formats share: files made of bytes, and what every reader has to stand. */
#ifndef WGT_SUPPORT_FILES_H
#define WGT_SUPPORT_FILES_H

#include "models/files/archive.h"
#include <stdint.h>

#include <stdbool.h>
#include <stddef.h>

enum { WGT_PATH = 128 };

/* wgt_file_new, wgt_file_remove: a directory of the test's own, and the path of a file in it that
 * there is not yet; and all of it gone. Also what writers left beside the file is counted and
 * removed. */
void wgt_file_new(char path[WGT_PATH]);
void wgt_file_remove(const char *path);

/* wgt_file_beside: how many files there are in the file's directory, itself among them. */
int wgt_file_beside(const char *path);

/* wgt_file_put: writes a file. wgt_file_get: its bytes, to be freed by the caller, NULL where there
 * is no such file; a NUL stands behind them. */
void wgt_file_put(const char *path, const void *bytes, size_t size);
char *wgt_file_get(const char *path, size_t *size);

/* wgt_archive_changed: a copy in which `name`, `string` and `tensor` stand in place of the entry
 * `of`; NULL name: without it. */
wg_archive *wgt_archive_changed(const wg_archive *a, const wg_archive_entry *of, const char *name,
                                const char *string, wg_tensor *tensor);

/* Reads a file onto a tape; false where what it returned is inert. */
typedef bool wgt_read(wg_tape *t, const char *path);

/* Each fails the running test where the reader does not do as it says.
 *
 * wgt_check_good: the file is read.
 * wgt_check_bad: the reader returns something inert, an error of that code whose message holds the
 * path and `part`, takes little memory, and after a rewind reads the good file (if there is one).
 * wgt_check_truncated: all beginnings of the file, of every length, are such errors.
 * wgt_check_bytes: every byte in turn is changed to several others: an error that names the file,
 * or something that is not inert; never a crash, nor memory that the file has no use for.
 * wgt_check_memory: every allocation fails, once and with all that follow: WG_E_NOMEM, nothing
 * leaked, and the next try succeeds. */
void wgt_check_good(wgt_read *read, const char *path, const void *bytes, size_t size);
void wgt_check_bad(wgt_read *read, const char *path, const void *bytes, size_t size, wg_status code,
                   const char *part);
void wgt_check_truncated(wgt_read *read, const char *path, const void *bytes, size_t size);
void wgt_check_bytes(wgt_read *read, const char *path, const void *bytes, size_t size);
void wgt_check_memory(wgt_read *read, const char *path, const void *bytes, size_t size);

/* wgt_check_unreadable: a file that there is not, a directory, a device, NULL, a tape with an
 * error. */
void wgt_check_unreadable(wgt_read *read);

/* What is said of a size that 64 bits hold and memory does not: where pointers have 32, the
 * second. */
#if PTRDIFF_MAX < INT64_MAX
#define WGT_BY_POINTERS(wide, narrow) narrow
#else
#define WGT_BY_POINTERS(wide, narrow) wide
#endif

#endif
