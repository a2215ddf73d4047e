#include "tests/support/comma.h"

#include "tests/support/files.h"
#include "tests/support/system.h"

#include <check.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool comma_is_set(void)
{
    return localeconv()->decimal_point[0] == ',';
}

#ifdef __GLIBC__

/* LC_NUMERIC as glibc's localedef writes it: a magic number, how many fields, where each begins,
 * and the fields, two of which are wide characters. */
static void comma_write(const char *path)
{
    static const char text[] = ",\0.\0\3\3\0"; /* the point, between thousands, digits of a group */
    const uint32_t at[] = {0x20031114, 6, 32, 34, 36, 40, 44, 48}, wide[] = {',', '.'};
    char bytes[54];
    memcpy(bytes, at, sizeof at);
    memcpy(bytes + 32, text, 8);
    memcpy(bytes + 40, wide, sizeof wide);
    memcpy(bytes + 48, "UTF-8", 6);
    wgt_file_put(path, bytes, sizeof bytes);
}

/* $LOCPATH/comma/LC_NUMERIC is mapped by setlocale, and then no longer needed. */
static void comma_make(void)
{
    char path[WGT_PATH], root[WGT_PATH], name[WGT_PATH + 16];
    const char *before = getenv("LOCPATH");
    char *kept = before != NULL ? strdup(before) : NULL;
    wgt_file_new(path);
    strcpy(root, path);
    *strrchr(root, '/') = '\0';
    snprintf(name, sizeof name, "%s/comma", root);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    strcat(name, "/LC_NUMERIC");
    comma_write(name);
    setenv("LOCPATH", root, 1);
    setlocale(LC_NUMERIC, "comma");
    if (kept != NULL)
        setenv("LOCPATH", kept, 1);
    else
        unsetenv("LOCPATH");
    free(kept);
    unlink(name);
    *strrchr(name, '/') = '\0';
    rmdir(name);
    wgt_file_remove(path);
}

#else

static void comma_make(void)
{
}

#endif

bool wgt_comma_begin(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR", "de-DE"};
    comma_make();
    for (size_t i = 0; !comma_is_set() && i < sizeof names / sizeof *names; i++)
        setlocale(LC_NUMERIC, names[i]);
    if (!comma_is_set())
        setlocale(LC_NUMERIC, "C");
    return comma_is_set();
}

void wgt_comma_end(void)
{
    ck_assert(comma_is_set());
    setlocale(LC_NUMERIC, "C");
}
