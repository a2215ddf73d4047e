#include "tests/support/files.h"
#include "models/files/archive_internal.h"

#include "autograd/op.h"
#include "tests/support/assert.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef _WIN32
#define mkdir(path, mode) mkdir(path)
#endif

/* What a reader may take for a file of `size` bytes: a few times the file, a tape, its first
 * nodes. */
static size_t most_memory(size_t size)
{
    return 200000 + 100 * size;
}

void wgt_file_new(char path[WGT_PATH])
{
    const char *directory = getenv("TMPDIR");
    int tries = 0, made;
    do { /* not every libc has mkdtemp */
        snprintf(path, WGT_PATH - 8, "%.80s/wg_files_%d_%d", directory != NULL ? directory : "/tmp",
                 (int)getpid(), tries++);
        made = mkdir(path, 0700);
    } while (made != 0 && errno == EEXIST);
    ck_assert_int_eq(made, 0);
    strcat(path, "/file");
}

static void directory_of(const char *path, char directory[WGT_PATH])
{
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
}

int wgt_file_beside(const char *path)
{
    char directory[WGT_PATH];
    int count = 0;
    directory_of(path, directory);
    DIR *list = opendir(directory);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list))
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

void wgt_file_remove(const char *path)
{
    char directory[WGT_PATH], name[WGT_PATH + 300];
    directory_of(path, directory);
    DIR *list = opendir(directory);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        snprintf(name, sizeof name, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    closedir(list);
    rmdir(directory);
}

void wgt_file_put(const char *path, const void *bytes, size_t size)
{
    unlink(path); /* some file systems flush a file that is written over, which takes time */
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    if (size > 0)
        ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

char *wgt_file_get(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

void wgt_check_good(wgt_read *read, const char *path, const void *bytes, size_t size)
{
    wg_tape *t = wg_tape_new(NULL);
    wgt_file_put(path, bytes, size);
    ck_assert_msg(read(t, path), "%s", wg_tape_message(t));
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wg_tape_free(t);
}

void wgt_check_bad(wgt_read *read, const char *path, const void *bytes, size_t size, wg_status code,
                   const char *part)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wgt_file_put(path, bytes, size);
    ck_assert(!read(t, path));
    wgt_assert_status(t, code, part);
    ck_assert_msg(wgt_contains(wg_tape_message(t), path), "'%s' lacks the path",
                  wg_tape_message(t));
    ck_assert_msg(memory.peak < most_memory(size), "%zu bytes of memory for a file of %zu",
                  memory.peak, size);
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}

void wgt_check_truncated(wgt_read *read, const char *path, const void *bytes, size_t size)
{
    for (size_t length = 0; length < size; length++)
        wgt_check_bad(read, path, bytes, length, WG_E_FORMAT, "");
    wgt_check_good(read, path, bytes, size);
}

static void check_one_byte(wgt_read *read, const char *path, const unsigned char *bytes,
                           size_t size)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wgt_file_put(path, bytes, size);
    if (!read(t, path))
        ck_assert_msg(wg_tape_status(t) != WG_OK && wgt_contains(wg_tape_message(t), path), "%s",
                      wg_tape_message(t));
    else
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_uint_lt(memory.peak, most_memory(size));
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}

void wgt_check_bytes(wgt_read *read, const char *path, const void *bytes, size_t size)
{
    static const unsigned char other[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '9', ' '};
    unsigned char *copy = malloc(size);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, size);
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < sizeof other; i++) {
            copy[at] = other[i];
            check_one_byte(read, path, copy, size);
        }
        copy[at] = ((const unsigned char *)bytes)[at];
    }
    free(copy);
}

/* False once no allocation has failed. */
static bool check_one_allocation(wgt_read *read, const char *path, int64_t fail_at, bool from_then)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    const wg_mark mark = wg_tape_mark(t);
    memory.fail_at = memory.calls + fail_at;
    memory.from_then = from_then;
    const bool good = read(t, path), failed = memory.failed > 0;
    if (failed) {
        ck_assert(!good);
        wgt_assert_status(t, WG_E_NOMEM, "");
        memory.fail_at = 0;
        wg_tape_rewind(t, mark);
        ck_assert_msg(read(t, path), "%s", wg_tape_message(t));
    }
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
    return failed;
}

void wgt_check_memory(wgt_read *read, const char *path, const void *bytes, size_t size)
{
    wgt_file_put(path, bytes, size);
    for (int from_then = 0; from_then < 2; from_then++) {
        int64_t fail_at = 1;
        while (check_one_allocation(read, path, fail_at, from_then == 1))
            fail_at++;
        ck_assert_int_gt(fail_at, 1);
    }
}

static void check_error(wgt_read *read, const char *path, wg_status code, const char *part)
{
    wg_tape *t = wg_tape_new(NULL);
    ck_assert(!read(t, path));
    wgt_assert_status(t, code, part);
    ck_assert(!read(t, path)); /* the first error stays */
    wgt_assert_status(t, code, part);
    wg_tape_free(t);
}

void wgt_check_unreadable(wgt_read *read)
{
    check_error(read, "/nowhere/at all", WG_E_IO, "/nowhere/at all: ");
    check_error(read, ".", WG_E_IO, ".: is a directory");
#if WGT_POSIX
    check_error(read, "/dev/null", WG_E_IO, "is a device, not a file");
#endif
    check_error(read, NULL, WG_E_NULL, "");
    ck_assert(!read(NULL, "/nowhere"));
    wg_tape *t = wg_tape_new(NULL);
    wg_fail(t, WG_E_VALUE, "an earlier error");
    ck_assert(!read(t, "/nowhere"));
    wgt_assert_status(t, WG_E_VALUE, "an earlier error");
    wg_tape_free(t);
}

wg_archive *wgt_archive_changed(const wg_archive *a, const wg_archive_entry *of, const char *name,
                                const char *string, wg_tensor *tensor)
{
    wg_archive *copy = wg_archive_new(wg_archive_tape(a));
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        const wg_archive_entry put = {.name = name, .string = string, .tensor = tensor};
        const wg_archive_entry *take = e == of ? &put : e;
        if (take->name == NULL)
            continue;
        if (take->string != NULL)
            wg_archive_put_string(copy, take->name, take->string);
        else
            wg_archive_put_tensor(copy, take->name, take->tensor);
    }
    return copy;
}
