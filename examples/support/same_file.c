/* Files that ranks read, each for itself: are they the same one? */
#include "same_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { CHUNKS = 64, NEAR = 2 }; /* chunks of the file; beyond a rank's part of them */

typedef struct table {
    uint64_t size, hash[CHUNKS]; /* 0: not looked at */
} table;

static uint64_t hash_of(FILE *file, off_t from, off_t end)
{
    unsigned char bytes[1 << 16];
    uint64_t hash = WG_HASH_START;
    for (fseeko(file, from, SEEK_SET); from < end;) {
        const size_t most = end - from < (off_t)sizeof bytes ? (size_t)(end - from) : sizeof bytes;
        const size_t n = fread(bytes, 1, most, file);
        if (n == 0)
            break;
        hash = wg_hash_bytes(hash, bytes, n);
        from += (off_t)n;
    }
    return hash | 1; /* never 0 */
}

static bool is_near(int chunk, const wg_ranks *r)
{
    const int64_t from = (int64_t)CHUNKS * r->rank / r->size - NEAR;
    const int64_t end = (int64_t)CHUNKS * (r->rank + 2) / r->size + 1 + NEAR;
    return (chunk >= from && chunk < end) || (chunk + CHUNKS >= from && chunk + CHUNKS < end) ||
           chunk - CHUNKS >= from;
}

static void look(const char *path, const wg_ranks *r, bool parts, table *seen)
{
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &about) != 0)
        about.st_size = 0; /* reading it says more */
    seen->size = (uint64_t)about.st_size;
    for (int i = 0; file != NULL && i < CHUNKS; i++)
        if (!parts || is_near(i, r))
            seen->hash[i] = hash_of(file, about.st_size / CHUNKS * i,
                                    i == CHUNKS - 1 ? about.st_size
                                                    : about.st_size / CHUNKS * (i + 1));
    if (file != NULL)
        fclose(file);
}

/* The first two ranks that differ in a chunk that both have looked at. */
static bool compare(wg_tape *t, const char *path, const table *all, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < i; k++)
            for (int c = 0; c < CHUNKS; c++)
                if (all[i].size != all[k].size || (all[i].hash[c] != 0 && all[k].hash[c] != 0 &&
                                                   all[i].hash[c] != all[k].hash[c])) {
                    wg_fail(t, WG_E_RANKS, "rank %d has another file %s than rank %d", (int)i, path,
                            (int)k);
                    return false;
                }
    return true;
}

bool same_file(wg_tape *t, const char *path, bool parts)
{
    const wg_ranks *r = wg_tape_options_of(t)->ranks;
    table seen = {.size = 0};
    size_t bytes;
    if (r == NULL || r->size == 1 || path == NULL)
        return true;
    look(path, r, parts, &seen);
    table *all = wg_ranks_gather(t, &seen, sizeof seen, true, &bytes);
    const bool same = all != NULL && compare(t, path, all, (int64_t)(bytes / sizeof seen));
    wg_temporary_free(t, all);
    return same;
}
