#include "tests/models/optimizer_golden.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Leaves the stream behind the words of the block's header. */
static bool find(FILE *file, const char *words)
{
    const size_t length = strlen(words);
    char start[128] = "";
    for (long at = ftell(file); fgets(start, sizeof start, file) != NULL; at = ftell(file)) {
        const bool whole = strchr(start, '\n') != NULL;
        if (strncmp(start, words, length) == 0 && strchr(" \n", start[length]) != NULL)
            return fseek(file, at + (long)length, SEEK_SET) == 0;
        for (int c = 0; !whole && c != '\n' && c != EOF;)
            c = getc(file);
    }
    return false;
}

void wgt_golden(const char *words, size_t n, double *values)
{
    wgt_golden_of("tests/oracle/optimizers.txt", words, n, values);
}

void wgt_golden_of(const char *path, const char *words, size_t n, double *values)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    ck_assert_msg(find(file, words), "no block '%s'", words);
    size_t read = 0;
    double value;
    while (fscanf(file, "%lf", &value) == 1) {
        if (read < n)
            values[read] = value;
        read++;
    }
    fclose(file);
    ck_assert_msg(read == n, "block '%s' has %zu numbers, not %zu", words, read, n);
}
