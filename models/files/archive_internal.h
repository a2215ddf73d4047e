#ifndef WG_MODELS_FILES_ARCHIVE_INTERNAL_H
#define WG_MODELS_FILES_ARCHIVE_INTERNAL_H

#include "models/files/archive.h"
#include "models/files/bytes_internal.h"

/* Bytes of the longest header, as in the format's own reader. */
#define WG_ARCHIVE_HEADER   100000000
#define WG_ARCHIVE_METADATA "__metadata__"

/* wg_archive_tape: the tape it is on; NULL for an inert archive. */
wg_tape *wg_archive_tape(const wg_archive *a);

/* wg_archive_count: how many entries; 0 for an inert archive. A file
 * cannot hold more of anything that takes an entry each. */
int64_t wg_archive_count(const wg_archive *a);

/* wg_archive_type: what a file called the type of the tensor of that name that was not read; NULL:
 * there is no such tensor, or it was read. */
const char *wg_archive_type(const wg_archive *a, const char *name);

/* wg_archive_fail: for a part that finds something missing or wrong: WG_E_FORMAT on the tape, the
 * file that the archive was loaded from in front of the message. */
void wg_archive_fail(const wg_archive *a, const char *format, ...) WG_PRINTF(2, 3);

/* wg_archive_put: an entry as it stands, its texts copied. False: there is one of that name and
 * kind already (no error is recorded for that), or no memory. */
bool wg_archive_put(wg_archive *a, const wg_archive_entry *entry);

/* wg_archive_inert: what a load returns after an error. */
wg_archive *wg_archive_inert(void);

/* wg_archive_set_path: the file that it is loaded from, for messages; copied. */
void wg_archive_set_path(wg_archive *a, const char *path);

#ifndef WG_NO_FILES

/* wg_archive_write: to a file that is being written, behind what is there. wg_archive_read: the
 * rest of a file, into an archive that has a path. False after an error. */
bool wg_archive_write(const wg_archive *a, wg_writer *w);
bool wg_archive_read(wg_archive *a, wg_reader *reader);

#endif

#endif
