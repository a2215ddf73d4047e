#ifndef WG_AUTOGRAD_PLATFORM_INTERNAL_H
#define WG_AUTOGRAD_PLATFORM_INTERNAL_H

/* What platforms do each in their way: large memory, the number of processors. Files:
 * models/files/platform.c. */

#include <stddef.h>

/* wg_pages_take: malloc's memory, to be given back by free, that begins where a huge page can, on
 * platforms that have such. NULL where there is none. wg_pages_advise: asks for huge pages in it;
 * advice only. */
void *wg_pages_take(size_t size);
void wg_pages_advise(void *memory, size_t size);

/* wg_processors: how many are online; 1 where that is not known. */
long wg_processors(void);

#endif
