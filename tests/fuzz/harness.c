/* What the fuzz targets share. Each file fuzz_<format>.c defines fuzz_read; `make fuzz` links it with this
 * one, with libFuzzer where the compiler is clang, else with a main that replays the files it is given.
 *
 * A reader may return a result or record an error that names the file; it may not crash, leak, or take
 * memory that the file's size does not explain. */
#include "tests/fuzz/harness.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void die(const char *reason, const char *message)
{
    fprintf(stderr, "%s: %s\n", reason, message);
    abort();
}

/* ---- An allocator that counts; each block stands behind its size. --------------------------------- */

typedef struct counts {
    size_t blocks, bytes, peak;
} counts;

enum { BEFORE = 64 };

static void *count_allocate(size_t size, void *user)
{
    counts *c = user;
    char *memory = size < SIZE_MAX / 2 ? malloc(size + BEFORE) : NULL;
    if (memory == NULL)
        return NULL;
    memcpy(memory, &size, sizeof size);
    c->blocks++;
    c->bytes += size;
    c->peak = c->bytes > c->peak ? c->bytes : c->peak;
    return memory + BEFORE;
}

static void count_release(void *memory, void *user)
{
    counts *c = user;
    size_t size;
    memcpy(&size, (char *)memory - BEFORE, sizeof size);
    c->blocks--;
    c->bytes -= size;
    free((char *)memory - BEFORE);
}

static void *count_reallocate(void *memory, size_t size, void *user)
{
    size_t old;
    void *grown = count_allocate(size, user);
    if (grown == NULL)
        return NULL;
    memcpy(&old, (char *)memory - BEFORE, sizeof old);
    memcpy(grown, memory, old < size ? old : size);
    count_release(memory, user);
    return grown;
}

/* ---- One input. ------------------------------------------------------------------------------------ */

/* One file for the process, beside the machine's other temporary ones. */
static const char *file_of(const uint8_t *bytes, size_t size)
{
    static char path[64];
    if (path[0] == '\0')
        snprintf(path, sizeof path, "/tmp/wg_fuzz_%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        die("cannot write", path);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    counts memory = {0, 0, 0};
    const wg_allocator allocator = {count_allocate, count_reallocate, count_release, &memory};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = allocator});
    const char *path = file_of(bytes, size);
    fuzz_read(t, path);
    if (wg_tape_status(t) != WG_OK && strstr(wg_tape_message(t), path) == NULL)
        die("the message does not name the file", wg_tape_message(t));
    if (memory.peak > 200000 + 200 * size)
        die("too much memory", wg_tape_message(t));
    wg_tape_free(t);
    if (memory.blocks != 0)
        die("memory was lost", path);
    unlink(path);
    return 0;
}

#ifndef WG_LIBFUZZER
int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL)
            die("cannot read", argv[i]);
        const size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d files replayed\n", argc - 1);
    return EXIT_SUCCESS;
}
#endif
