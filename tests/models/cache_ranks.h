/* Ranks that train on a cache of a file, are killed, and go on. */
#ifndef WGT_MODELS_CACHE_RANKS_H
#define WGT_MODELS_CACHE_RANKS_H

#include <stdbool.h>

/* wgt_cache_ranks: ranks make the cache of this file, svmlight or CSV, once and together, and train to the same bits
 * whatever their number; `kills` times one of them is killed, after as many times `pause` nanoseconds, that of the
 * making too, and others go on. */
void wgt_cache_ranks(const char *file, const char *cache, bool svmlight, int kills, long pause);

#endif
