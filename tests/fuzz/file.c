/* Fuzz targets of file formats: the bytes become a file, which the target reads.
 *
 * A reader may return a result or record an error that names the file; it may not crash, leak, or
 * take memory that the file's size does not explain: 200 times its bytes, or those of the file that
 * the target wrote in its place and read, 200 KB for the tape, and what the target says that it
 * works with. */
#include "tests/fuzz/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

size_t fuzz_extra;

/* One file for the process, in TMPDIR: files are synced, so one in memory is many times as fast. */
static const char *file_of(const uint8_t *bytes, size_t size)
{
    static char path[256];
    const char *directory = getenv("TMPDIR");
    if (path[0] == '\0')
        snprintf(path, sizeof path, "%.200s/wg_fuzz_%ld", directory != NULL ? directory : "/tmp",
                 (long)getpid());
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fuzz_die("cannot write", path);
    return path;
}

static size_t size_of(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 ? (size_t)is.st_size : 0;
}

void fuzz_bytes(const uint8_t *bytes, size_t size)
{
    fuzz_memory memory = {.most = (size_t)1 << 31};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = fuzz_allocator(&memory)});
    const char *path = file_of(bytes, size);
    fuzz_extra = 0;
    fuzz_read(t, path);
    if (wg_tape_status(t) != WG_OK && strstr(wg_tape_message(t), path) == NULL)
        fuzz_die("the message does not name the file", wg_tape_message(t));
    const size_t written = size_of(path), largest = written > size ? written : size;
    /* A column of one byte takes 250, in each of two tables, and the arena's blocks double. */
    const size_t most = 200000 + 1000 * largest + fuzz_extra;
    if (memory.peak > most) {
        char text[80];
        snprintf(text, sizeof text, "%zu bytes, where %zu may be taken", memory.peak, most);
        fuzz_die("too much memory", text);
    }
    wg_tape_free(t);
    if (memory.blocks != 0)
        fuzz_die("memory was lost", path);
    unlink(path);
}
