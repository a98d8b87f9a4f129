/*
 * Codes of rows improved one at a time, the scale that serves them best, and once more (obr-plus): what CoordinateDescent does, to the bit.
 *
 *   g = (deq - w) H;   for the kept columns j in their order:  z = deq(deq_j - g_j / H_jj),  d = z - deq_j
 *   where 2 d g_j + d² H_jj < 0:  deq_j = z,  g += d H[j, :]                              up to 10 sweeps, until none changes
 *   s = (c · w H) / (c · c H)
 *
 *   h         f32 [columns][columns]
 *   gradients f32 [rows][columns]          (deq - w) H
 *   products  f32 [rows][columns]          w H
 *   kept      u8  [rows][columns]
 *   codes     s8  [rows][columns]          in place, as are the scales f32 [rows]
 *   room      f64 [rows][columns]          g
 *
 * A thread block has a row. What a column does depends on all that changed before it, but few change: 256 columns are looked at together, the first of them that changes is changed, all threads add
 * its row of H, and the look goes on behind it.
 *
 *   columns  | 0 .. 255                    |      a vote finds the first that changes: 37
 *                  ^ 37 changes: g += d H[37, :]
 *            |         38 .. 293               |
 *
 * Products are rounded before they are added, in double precision, as on the host. The sums of the scale have one order: each thread those of its columns, then pairs of threads.
 *
 * Bound: 20 bytes of L2 or memory a column for each change, as the row of H and g pass by, and a vote for each 256 columns that a sweep looks at.
 */
#include "instructions.cuh"

enum { THREADS = 256, LANES = 32, WARPS = THREADS / LANES, SWEEPS = 10 };

struct Row {
    const float *h;
    const uint8_t *kept;
    int8_t *codes;
    double *g;
    uint32_t columns;
    double lowest, highest;
};

/* What the block agrees on: two places for the votes, so that one can be read while the next is filled. */
struct Shared {
    uint32_t firsts[2][WARPS];
    double step;
    double sums[2][THREADS];
};

/* Whether another code is better for column j; then that code and by how much its value moves. */
DEVICE bool improves(const Row &of, uint32_t j, float scale, double *code, double *step) {
    const double diagonal = of.h[(uint64_t)j * of.columns + j], gradient = of.g[j], old = of.codes[j];
    const double place = __ddiv_rn(__dadd_rn(__dmul_rn(scale, old), -__ddiv_rn(gradient, diagonal)), scale);
    *code = rint(fmax(of.lowest, fmin(of.highest, place)));
    const double d = __dmul_rn(scale, *code - old);
    *step = d;
    return __dadd_rn(__dmul_rn(2 * d, gradient), __dmul_rn(__dmul_rn(d, d), diagonal)) < 0;
}

/* The first of THREADS columns whose thread wants to change it, or THREADS. */
DEVICE uint32_t first_of(bool wants, uint32_t *firsts) {
    const uint32_t votes = __ballot_sync(0xffffffff, wants), warp = threadIdx.x / LANES;
    if (threadIdx.x % LANES == 0) firsts[warp] = votes ? warp * LANES + __ffs(votes) - 1 : THREADS;
    __syncthreads();
    uint32_t first = THREADS;
    for (int w = 0; w < WARPS; w++) first = min(first, firsts[w]);
    return first;
}

DEVICE void descend(const Row &of, float scale, Shared &shared) {
    uint32_t looks = 0;
    bool changed = true;
    for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
        changed = false;
        for (uint32_t at = 0; at < of.columns;) {
            const uint32_t j = at + threadIdx.x;
            double code = 0, step = 0;
            const bool wants = j < of.columns && of.kept[j] && improves(of, j, scale, &code, &step);
            const uint32_t first = first_of(wants, shared.firsts[looks++ % 2]);
            if (first == THREADS) {
                at += THREADS;
                continue;
            }
            if (threadIdx.x == first) {
                of.codes[j] = (int8_t)code;
                shared.step = step;
            }
            __syncthreads();
            const float *pushes = of.h + (uint64_t)(at + first) * of.columns;
            for (uint32_t c = threadIdx.x; c < of.columns; c += THREADS)
                of.g[c] = __dadd_rn(of.g[c], __dmul_rn(shared.step, pushes[c]));
            __syncthreads();
            changed = true;
            at += first + 1;
        }
    }
}

/* The scale of least squares, to which g is moved; the old one where there is none. */
DEVICE float refit(const Row &of, const float *product, float scale, Shared &shared) {
    double with_weights = 0, with_codes = 0; /* c · w H,  c · c H = c · (g + w H) / s */
    for (uint32_t c = threadIdx.x; c < of.columns; c += THREADS) {
        if (of.kept[c]) {
            const double code = of.codes[c], wh = product[c];
            with_weights = __dadd_rn(with_weights, __dmul_rn(code, wh));
            with_codes = __dadd_rn(with_codes, __ddiv_rn(__dmul_rn(code, __dadd_rn(of.g[c], wh)), scale));
        }
    }
    shared.sums[0][threadIdx.x] = with_weights;
    shared.sums[1][threadIdx.x] = with_codes;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            for (int s = 0; s < 2; s++)
                shared.sums[s][threadIdx.x] = __dadd_rn(shared.sums[s][threadIdx.x], shared.sums[s][threadIdx.x + half]);
    }
    __syncthreads();
    const float fitted = (float)__ddiv_rn(shared.sums[0][0], shared.sums[1][0]);
    if (!(shared.sums[1][0] > 0) || !(fabsf(fitted) >= 0x1p-126f) || isinf(fitted)) return scale;
    const double ratio = __ddiv_rn(fitted, scale);
    for (uint32_t c = threadIdx.x; c < of.columns; c += THREADS)
        of.g[c] = __dadd_rn(__dmul_rn(ratio, __dadd_rn(of.g[c], product[c])), -(double)product[c]);
    return fitted;
}

#define ENTRY(NAME, ...) extern "C" __global__ void __launch_bounds__(THREADS) NAME(__VA_ARGS__)

ENTRY(coordinate_descent, const float *h, const float *gradients, const float *products, const uint8_t *kept, int8_t *codes, float *scales, double *room, uint32_t columns, float lowest, float highest) // registers <= 64
{
    __shared__ Shared shared;
    const uint64_t begin = (uint64_t)blockIdx.x * columns;
    const Row of = {h, kept + begin, codes + begin, room + begin, columns, lowest, highest};
    for (uint32_t c = threadIdx.x; c < columns; c += THREADS) of.g[c] = gradients[begin + c];
    __syncthreads();
    float scale = scales[blockIdx.x];
    for (int time = 0; time < 2; time++) {
        descend(of, scale, shared);
        if (time == 0) scale = refit(of, products + begin, scale, shared);
        __syncthreads();
    }
    if (threadIdx.x == 0) scales[blockIdx.x] = scale;
}
