/* The allocator and the entry that fuzz targets share; `make fuzz` links them with libFuzzer where
 * the compiler is clang, else with a main that replays the files it is given. */
#include "tests/fuzz/harness.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

void fuzz_die(const char *reason, const char *message)
{
    fprintf(stderr, "%s: %s\n", reason, message);
    abort();
}

enum { BEFORE = 64 };

static void *count_allocate(size_t size, void *user)
{
    fuzz_memory *c = user;
    char *memory = size <= c->most - c->bytes ? malloc(size + BEFORE) : NULL;
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
    fuzz_memory *c = user;
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

wg_allocator fuzz_allocator(fuzz_memory *m)
{
    return (wg_allocator){count_allocate, count_reallocate, count_release, m};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_bytes(bytes, size);
    return 0;
}

#ifndef WG_LIBFUZZER
int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL)
            fuzz_die("cannot read", argv[i]);
        const size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d files replayed\n", argc - 1);
    return EXIT_SUCCESS;
}
#endif
