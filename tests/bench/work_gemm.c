#include "ops/kernels/gemm.h"
#include "tests/bench/bench.h"

#include <stdio.h>

typedef struct product {
    wgk_gemm_plan plan;
    wgk_gemm_operands operands;
    void *workspace, *partials;
} product;

/* Plan and product, as an eager caller would. */
static void product_step(void *context)
{
    product *p = context;
    const wgk_gemm_plan *g = &p->plan;
    wgk_gemm_plan plan;
    wgk_gemm_plan_init(&plan, g->type, g->ta, g->tb, g->m, g->n, g->k);
    wgk_gemm_run_pieces(&plan, &p->operands, 0, plan.pieces, p->workspace, p->partials);
    wgk_gemm_finish(&plan, &p->operands, p->partials);
}

static void *operand(wgk_type type, int64_t size, uint64_t key)
{
    return type == WGK_F32 ? (void *)bench_normal_f32(size, key)
                           : (void *)bench_normal_f64(size, key);
}

static void product_measure(const char *label, wgk_type type, bool ta, bool tb, int64_t m,
                            int64_t n, int64_t k)
{
    char name[64];
    snprintf(name, sizeof name, "gemm_%s_%s", type == WGK_F32 ? "f32" : "f64", label);
    if (!bench_wanted(name))
        return;
    product p;
    wgk_gemm_plan_init(&p.plan, type, ta, tb, m, n, k);
    void *a = operand(type, m * k, 1), *b = operand(type, k * n, 2), *c = operand(type, m * n, 3);
    p.operands = (wgk_gemm_operands){
        .a = a, .b = b, .c = c, .lda = ta ? m : k, .ldb = tb ? k : n, .ldc = n};
    p.workspace = bench_take(p.plan.workspace + 1);
    p.partials = bench_take(p.plan.partials + 1);
    bench_measure(&(bench_task){.name = name,
                                .unit = "us",
                                .step = product_step,
                                .context = &p,
                                .flops = 2.0 * (double)m * (double)n * (double)k,
                                .f64 = type == WGK_F64});
    bench_release(a);
    bench_release(b);
    bench_release(c);
    bench_release(p.workspace);
    bench_release(p.partials);
}

void bench_gemm(void)
{
    static const struct {
        const char *label;
        bool ta, tb;
        int64_t m, n, k;
    } products[] = {
        {"256", false, false, 256, 256, 256},
        {"512", false, false, 512, 512, 512},
        {"1024", false, false, 1024, 1024, 1024},
        {"2048", false, false, 2048, 2048, 2048},
        {"512_nt", false, true, 512, 512, 512},
        {"512_tn", true, false, 512, 512, 512},
        {"512_tt", true, true, 512, 512, 512},
        {"1024_nt", false, true, 1024, 1024, 1024},
        {"1024_tn", true, false, 1024, 1024, 1024},
        {"1024_tt", true, true, 1024, 1024, 1024},
        {"1000", false, false, 1000, 1000, 1000},
        {"2047", false, false, 2047, 2047, 2047},
        {"mlp_forward", false, false, 128, 256, 784},
        {"mlp_weights", true, false, 784, 256, 128},
        {"softmax_forward", false, false, 128, 10, 784},
        {"softmax_weights", true, false, 784, 10, 128},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        for (int type = WGK_F32; type <= WGK_F64; type++)
            product_measure(products[i].label, (wgk_type)type, products[i].ta, products[i].tb,
                            products[i].m, products[i].n, products[i].k);
}
