#include "tests/compile/written.h"

#include "tests/support/assert.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int written_call(const void *in, const void **out);

struct wgt_written {
    char directory[64];
    char *text;
    size_t size;
    FILE *stream; /* to text */
    int n;
    void *library;
};

const char *const wgt_compilers[WGT_COMPILERS] = {"gcc", "clang"};

wgt_written *wgt_written_new(void)
{
    wgt_written *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    const char *parent = getenv("TMPDIR");
    snprintf(w->directory, sizeof w->directory, "%.40s/wg_written_XXXXXX",
             parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(w->directory));
    w->stream = open_memstream(&w->text, &w->size);
    ck_assert_ptr_nonnull(w->stream);
    return w;
}

void wgt_written_free(wgt_written *w)
{
    char path[96];
    if (w->library != NULL)
        dlclose(w->library);
    fclose(w->stream);
    free(w->text);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", w->directory, i == 0 ? "a.c" : "a.so");
        unlink(path);
    }
    rmdir(w->directory);
    free(w);
}

/* Does the header have a struct NAME_<kind>? */
static bool written_has(const wg_c_file *file, const char *name, const char *kind)
{
    char end[64];
    snprintf(end, sizeof end, "} %s_%s;", name, kind);
    return strstr(file->header, end) != NULL;
}

/* NAME_call: all programs are called alike. */
static void written_wrap(wgt_written *w, const wg_c_file *file, const char *name)
{
    static const char *const kind[] = {"inputs", "state", "outputs", "work"};
    const char *comma = "";
    fprintf(w->stream, "int %s_call(const void *in, const void **out);\n", name);
    fprintf(w->stream, "int %s_call(const void *in, const void **out)\n{\n", name);
    for (int k = 1; k < 4; k++)
        if (written_has(file, name, kind[k]))
            fprintf(w->stream, "    static %s_%s %s;\n", name, kind[k], kind[k]);
    if (written_has(file, name, "state"))
        fprintf(
            w->stream,
            "    static int begun;\n    if (!begun)\n        %s_init(&state);\n    begun = 1;\n",
            name);
    fprintf(w->stream, "    (void)in;\n    *out = %s;\n    return %s_run(",
            written_has(file, name, "outputs") ? "&outputs" : "0", name);
    for (int k = 0; k < 4; k++)
        if (written_has(file, name, kind[k])) {
            fprintf(w->stream, k == 0 ? "%s(const %s_inputs *)in" : "%s&%s", comma,
                    k == 0 ? name : kind[k]);
            comma = ", ";
        }
    fprintf(w->stream, ");\n}\n\n");
}

static int written_put(wgt_written *w, const wg_program *p, wg_c_options *options)
{
    char name[32];
    wg_c_file file;
    snprintf(name, sizeof name, "c%d", w->n);
    options->name = name;
    ck_assert_int_eq(wg_program_to_c(p, options, &file), WG_OK);
    const char *body = strstr(file.source, "#include <math.h>");
    ck_assert_ptr_nonnull(body);
    fprintf(w->stream, "%s\n%s\n", file.header, body);
    written_wrap(w, &file, name);
    return w->n++;
}

int wgt_written_add(wgt_written *w, const wg_program *p, bool int32)
{
    return written_put(w, p, &(wg_c_options){.state = true, .int32 = int32});
}

int wgt_written_add_updates(wgt_written *w, const wg_program *p, const wg_c_update *updates, int n)
{
    return written_put(w, p, &(wg_c_options){.updates = updates, .n_updates = n});
}

const char *wgt_written_text(const wgt_written *w)
{
    fflush(w->stream);
    return w->text;
}

static const char written_flags[] = "-std=c99 -Wall -Wextra -Wconversion -Wpedantic -Werror "
                                    "-ffp-contract=off -O0 -fPIC -shared";

static bool written_build(const wgt_written *w, const char *compiler, const char *text)
{
    char path[96], command[512];
    snprintf(path, sizeof path, "%s/a.c", w->directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    snprintf(command, sizeof command, "%s %s -o %s/a.so %s -lm 2> %s/log", compiler, written_flags,
             w->directory, path, w->directory);
    bool built = system(command) == 0;
    snprintf(command, sizeof command, built ? "rm %s/log" : "head -n 30 %s/log; rm %s/log",
             w->directory, w->directory);
    return system(command) == 0 && built;
}

static void *written_load(const wgt_written *w)
{
    char path[96];
    snprintf(path, sizeof path, "%s/a.so", w->directory);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

bool wgt_has_compiler(const char *compiler)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s > /dev/null 2>&1", compiler);
    if (system(command) != 0)
        return false;
    wgt_written *w = wgt_written_new();
    bool can = written_build(w, compiler, "int f(void);\nint f(void)\n{\n    return 1;\n}\n");
    w->library = can ? written_load(w) : NULL;
    can = w->library != NULL;
    wgt_written_free(w);
    return can;
}

bool wgt_written_compile(wgt_written *w, const char *compiler)
{
    if (!wgt_has_compiler(compiler))
        return false;
    fflush(w->stream);
    if (w->library != NULL)
        dlclose(w->library);
    ck_assert_msg(written_build(w, compiler, w->text), "%s refuses what was written", compiler);
    w->library = written_load(w);
    ck_assert_msg(w->library != NULL, "%s", dlerror());
    return true;
}

int wgt_written_run(const wgt_written *w, int i, const void *in, const void **out)
{
    char name[32];
    union {
        void *object;
        written_call *call;
    } symbol;
    snprintf(name, sizeof name, "c%d_call", i);
    symbol.object = dlsym(w->library, name);
    ck_assert_msg(symbol.object != NULL, "%s is not there", name);
    return symbol.call(in, out);
}

const void *wgt_written_output(const void *out, size_t *offset, wg_dtype dtype, int64_t size)
{
    struct f32 {
        char c;
        float x;
    };
    struct f64 {
        char c;
        double x;
    };
    struct i64 {
        char c;
        int64_t x;
    };
    const size_t align = dtype == WG_F32   ? offsetof(struct f32, x)
                         : dtype == WG_F64 ? offsetof(struct f64, x)
                                           : offsetof(struct i64, x);
    *offset = (*offset + align - 1) / align * align;
    const void *data = (const char *)out + *offset;
    *offset += (size_t)(size > 0 ? size : 1) * wg_dtype_size(dtype);
    return data;
}
