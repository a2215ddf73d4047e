/* adolc.cpp: the objectives of tests/bench/work_ad.c on ADOL-C (Debian: libadolc-dev), for tests/bench/peers.py.
 *
 *     adolc NAME    prints the seconds of processor time that a value with its gradient takes
 *
 * Each is traced once, which is not timed, as compiling a program is not; then the driver gradient() runs the trace
 * forwards and backwards at the point where it was made. */
#include <adolc/adolc.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

using numbers = std::vector<adouble>;

static std::mt19937_64 source(1964);

static std::vector<double> normal(size_t n, double deviation)
{
    std::normal_distribution<double> draw(0, deviation);
    std::vector<double> x(n);
    for (double &value : x)
        value = draw(source);
    return x;
}

/* The largest is taken as a constant: the derivative is the same. */
static adouble logsumexp(const adouble *x, size_t n)
{
    double most = x[0].value();
    for (size_t i = 1; i < n; i++)
        most = std::max(most, x[i].value());
    adouble sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - most);
    return log(sum) + most;
}

static adouble sigmoid(const adouble &x)
{
    return 1 / (1 + exp(-x));
}

/* ---- The objectives ---------------------------------------------------------------------------------------- */

static adouble mixture(const numbers &x)
{
    const size_t d = 10, k = 25, n = 1000;
    const std::vector<double> rows = normal(n * d, 1);
    numbers each(k), weight(k);
    adouble total = 0;
    for (size_t j = 0; j < k; j++)
        weight[j] = x[j * (1 + d + d * d)];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < k; j++) {
            const adouble *mean = &x[j * (1 + d + d * d) + 1], *factor = mean + d;
            adouble centered[d], distance = 0;
            for (size_t a = 0; a < d; a++)
                centered[a] = rows[i * d + a] - mean[a];
            for (size_t b = 0; b < d; b++) {
                adouble z = 0;
                for (size_t a = 0; a < d; a++)
                    z += centered[a] * factor[a * d + b];
                distance += z * z;
            }
            each[j] = weight[j] - 0.5 * distance;
        }
        total += logsumexp(each.data(), k);
    }
    return total - double(n) * logsumexp(weight.data(), k);
}

static adouble k_means(const numbers &x)
{
    const size_t d = 8, k = 10, n = 1000;
    const std::vector<double> rows = normal(n * d, 1);
    adouble total = 0;
    for (size_t i = 0; i < n; i++) {
        adouble nearest = 0;
        for (size_t j = 0; j < k; j++) {
            adouble distance = 0;
            for (size_t a = 0; a < d; a++) {
                adouble gap = rows[i * d + a] - x[j * d + a];
                distance += gap * gap;
            }
            nearest = j == 0 ? distance : fmin(nearest, distance);
        }
        total += nearest;
    }
    return total;
}

static adouble euler(const numbers &x)
{
    numbers y = x;
    adouble total = 0;
    for (int step = 0; step < 10; step++)
        for (adouble &value : y)
            value = value + 0.01 * (value * (1 - value));
    for (const adouble &value : y)
        total += value;
    return total;
}

static adouble cofactors(const numbers &a, size_t row, unsigned used)
{
    adouble sum = 0;
    double sign = 1;
    for (size_t column = 0; column < 7; column++) {
        if (used >> column & 1)
            continue;
        if (row == 6)
            return a[row * 7 + column];
        sum += sign * a[row * 7 + column] * cofactors(a, row + 1, used | 1u << column);
        sign = -sign;
    }
    return sum;
}

static adouble determinant(const numbers &x)
{
    return cofactors(x, 0, 0);
}

/* Gates have a weight a unit; the loss is of predictions of the next row. */
static adouble lstm(const numbers &x, size_t layers, size_t steps)
{
    const size_t u = 14;
    const std::vector<double> rows = normal((steps + 1) * u, 1);
    numbers hidden(layers * u), cell(layers * u), h(u), y(u);
    for (size_t i = 0; i < layers; i++)
        for (size_t a = 0; a < u; a++) {
            hidden[i * u + a] = x[(10 * i + 8) * u + a];
            cell[i * u + a] = x[(10 * i + 9) * u + a];
        }
    const adouble *into = &x[10 * layers * u], *gain = into + u, *bias = gain + u;
    adouble total = 0;
    for (size_t step = 0; step < steps; step++) {
        for (size_t a = 0; a < u; a++)
            h[a] = rows[step * u + a] * into[a];
        for (size_t i = 0; i < layers; i++)
            for (size_t a = 0; a < u; a++) {
                const adouble *w = &x[10 * i * u + a];
                adouble &before = hidden[i * u + a], &c = cell[i * u + a];
                adouble forget = sigmoid(h[a] * w[0] + w[u]), out = sigmoid(h[a] * w[4 * u] + w[5 * u]);
                adouble in = sigmoid(before * w[2 * u] + w[3 * u]), change = tanh(before * w[6 * u] + w[7 * u]);
                c = c * forget + in * change;
                before = h[a] = out * tanh(c);
            }
        for (size_t a = 0; a < u; a++)
            y[a] = h[a] * gain[a] + bias[a];
        const adouble all = logsumexp(y.data(), u);
        for (size_t a = 0; a < u; a++)
            total += rows[(step + 1) * u + a] * (y[a] - all);
    }
    return total / (-double(u * steps));
}

static adouble lstm_2(const numbers &x)
{
    return lstm(x, 2, 1024);
}

static adouble lstm_6(const numbers &x)
{
    return lstm(x, 6, 4096);
}

/* ---- Timing ------------------------------------------------------------------------------------------------ */

struct workload {
    const char *name;
    adouble (*objective)(const numbers &x);
    size_t n;
    double deviation;
};

static const workload workloads[] = {
    {"mixture_10_25_1000", mixture, 2775, 1}, {"k_means_8_10_1000", k_means, 80, 1},
    {"euler_10x10000", euler, 10000, 1},      {"determinant_7", determinant, 49, 1},
    {"lstm_2x1024", lstm_2, 322, 0.5},        {"lstm_6x4096", lstm_6, 882, 0.5},
};

static double now()
{
    return double(clock()) / CLOCKS_PER_SEC;
}

/* The median of nine samples of at least 30 ms. */
static double seconds(const workload &w)
{
    std::vector<double> x = normal(w.n, w.deviation), gradient_of(w.n), samples;
    numbers active(w.n);
    double value;
    trace_on(1);
    for (size_t i = 0; i < w.n; i++)
        active[i] <<= x[i];
    adouble y = w.objective(active);
    y >>= value;
    trace_off();
    while (samples.size() < 9) {
        const double start = now();
        int runs = 0;
        for (; now() - start < 0.03; runs++)
            gradient(1, int(w.n), x.data(), gradient_of.data());
        samples.push_back((now() - start) / runs);
    }
    std::sort(samples.begin(), samples.end());
    return samples[4];
}

int main(int argc, char **argv)
{
    for (const workload &w : workloads)
        if (argc == 2 && std::strcmp(argv[1], w.name) == 0)
            return std::printf("%.9g\n", seconds(w)) < 0;
    return 1;
}
