#ifndef WG_AUTOGRAD_HASH_H
#define WG_AUTOGRAD_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* FNV-1a on words of eight bytes in place of bytes: a change of one word always changes the hash,
 * since both steps can be undone; the shift carries high bits down, which multiplication never
 * does. It finds damage and differences, not forgers.
 * Source: Fowler, Noll and Vo, draft-eastlake-fnv, sec. 2. */

#define WG_HASH_START UINT64_C(0xcbf29ce484222325)

/* wg_hash_word: the hash of what `hash` stands for, with a word behind it. */
static inline uint64_t wg_hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

/* wg_hash_bytes: the same for n bytes, the last word filled up with zeros. */
static inline uint64_t wg_hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const char *at = (const char *)bytes;
    for (size_t part; n > 0; at += part, n -= part) {
        uint64_t word = 0;
        part = n < sizeof word ? n : sizeof word;
        memcpy(&word, at, part);
        hash = wg_hash_word(hash, word);
    }
    return hash;
}

#ifdef __cplusplus
}
#endif
#endif
