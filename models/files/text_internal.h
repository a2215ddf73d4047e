#ifndef WG_MODELS_FILES_TEXT_INTERNAL_H
#define WG_MODELS_FILES_TEXT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#define WG_SHOWN 48 /* bytes of what a file holds that an error shows, NUL included */

/* wg_shown: `size` bytes as a message may show them: cut, without control characters. Returns shown. */
const char *wg_shown(const char *text, size_t size, char shown[WG_SHOWN]);

/* wg_utf8_invalid: the first byte that is not part of valid UTF-8 (overlong forms, surrogates and what
 * is above U+10FFFF are not), or size where all are. */
size_t wg_utf8_invalid(const char *bytes, size_t size);

/* wg_compressed: what a file that begins with these bytes was compressed or packed by, "gzip"; NULL
 * where that is not known. */
const char *wg_compressed(const void *bytes, size_t size);

#endif
