/* For the suites of archives: the bytes of a safetensors file, put together by hand, and files that are
 * read. */
#ifndef WGT_MODELS_ARCHIVE_BYTES_H
#define WGT_MODELS_ARCHIVE_BYTES_H

#include "models/files/archive_internal.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/seconds.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char bytes[4096];

static inline bool read_any(wg_tape *t, const char *from)
{
    const wg_archive *a = wg_archive_load(t, from);
    ck_assert_ptr_nonnull(a);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        ck_assert(e->string != NULL || e->type != NULL || !wg_is_inert(e->tensor));
    return t != NULL && wg_tape_status(t) == WG_OK;
}

/* Puts together a file of this header and `size` bytes 0, 1, 2, ...; returns its size. */
static inline size_t make(const char *header, size_t size)
{
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> (8 * i) & 255);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++)
        bytes[8 + length + i] = (char)i;
    return 8 + length + size;
}

static inline const wg_archive *load(void)
{
    const wg_archive *a = wg_archive_load(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    return a;
}

/* A file as PyTorch's save_file lays it out: metadata first, larger types first, blanks. */

static const char torch_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
    "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
    "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]}} ";
static const unsigned char torch_data[] = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0,
                                           0x80, 0x3F, 0,    0,    0,    0xC0, 0,    0,    0, 0x3F,
                                           0,    0,    0x80, 0x3E, 0,    0,    0,    0x3E, 0, 0,
                                           0x40, 0x40, 0,    0,    0x80, 0xFF, 0,    0,    0, 0x80};

static inline size_t make_torch(void)
{
    const size_t size = make(torch_header, sizeof torch_data);
    memcpy(bytes + size - sizeof torch_data, torch_data, sizeof torch_data);
    return size;
}

#endif
