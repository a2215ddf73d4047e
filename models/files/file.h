#ifndef WG_MODELS_FILES_FILE_H
#define WG_MODELS_FILES_FILE_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_file_write: `size` bytes as a file, entirely or not at all, as models are saved: they go to a
 * temporary file beside it, which is synced and then renamed over it. Whenever the process or the
 * machine stops, and after an error, the file is what it was, or what it was to become. A symbolic
 * link is followed; what is there and no regular file is refused.
 * Returns the tape's status. Errors, on the tape: WG_E_IO, which names file and reason; WG_E_NULL;
 *   WG_E_VALUE (size < 0). */
wg_status wg_file_write(wg_tape *t, const char *path, const void *bytes, int64_t size);

#ifdef __cplusplus
}
#endif
#endif
