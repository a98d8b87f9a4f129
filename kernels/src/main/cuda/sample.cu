/*
 * From logits to the next token, as dev.obr.runtime.sampling.Sampler has it: penalties before topk.cu, top-k, top-p, min-p, temperature and draw behind it.
 *
 *     penalise   logits [rows][vocabulary] f32: l > 0 ? l / penalty : l * penalty, once for each token that is among the last `window` of the row's context
 *     sample     the k largest logits of each row, largest first, their tokens, the sum of e^(l - largest) over all of the vocabulary  ->  tokens [rows]
 *
 * What each row asks for lies in the device's memory (Choice), so that one graph serves all requests:
 *
 *     n = top_k, or k        at least 1, and no more than there are
 *     top-p                  the fewest of the n whose e^(l - largest) add up to top_p of the sum over the n, or without top-k over all of the vocabulary
 *     min-p                  of these, those with l >= largest + log min_p
 *     draw                   weights e^((l - largest) / temperature); the first i with uniform * (their sum) < weight 0 + .. + weight i
 *
 * in double precision and in the order in which the Sampler adds. Its exponential is Java's, this one is of fused multiply-adds (ScalarSampler to the bit, within 2 units of rounding): tokens
 * differ only where a draw, or what top-p keeps, falls within some 256 * 2^-52 of where two of them meet.
 *
 * Without top-k, or with one beyond k, the candidates may not suffice; the token is then -1, and the host, which has the uniform number too, chooses from the logits:
 *
 *     top-p     what the candidates weigh does not reach top_p of the total, or does so no further than the total is sure: it is a sum of floats, taken as within 2^-16. With a top-k beyond k
 *               always: of what it keeps there is no total
 *     min-p     the last candidate is among those kept
 *     neither   always: the Sampler then draws in the order of tokens
 *
 * One thread block a row: a thread takes the exponential of one candidate, one thread adds.
 *
 * Limits: k up to 256. penalise: a bit for each token in shared memory, 393 216 tokens.
 *
 * Bound (modelled): latency; up to 3 n dependent additions of doubles, on GPUs for games some 40 cycles each: 3 us for top-k 40, 18 us for 256.
 */
#include "instructions.cuh"

enum { MOST = 256 };

/* What dev.obr.kernels.gpu.tokens.Choice stores. */
struct Choice {
    double uniform;    /* 0 <= uniform < 1 */
    double least;      /* log min_p; -infinity keeps all */
    float temperature; /* 0 takes the first candidate */
    float top_p;       /* 1 keeps all */
    uint32_t top_k;    /* 0 keeps all */
    float penalty;     /* 1 does nothing */
    uint32_t window;   /* tokens of the context that count */
    uint32_t unused;
};

/* e^x within 2 units of rounding for x <= 0; 0 below -708. As exponential.cuh, in doubles and by a Taylor polynomial of degree 13: dev.obr.kernels.gpu.Exponential to the bit. */
DEVICE double exponential(double x) {
    if (!(x >= -708)) return 0;
    const double shifted = __fma_rn(x, 0x1.71547652b82fep0, 0x1.8p52);
    const double n = __dsub_rn(shifted, 0x1.8p52);
    const double r = __fma_rn(n, -0x1.abc9e3b39803fp-56, __fma_rn(n, -0x1.62e42fefa39efp-1, x));
    double p = 1.0 / 6227020800;
    p = __fma_rn(p, r, 1.0 / 479001600);
    p = __fma_rn(p, r, 1.0 / 39916800);
    p = __fma_rn(p, r, 1.0 / 3628800);
    p = __fma_rn(p, r, 1.0 / 362880);
    p = __fma_rn(p, r, 1.0 / 40320);
    p = __fma_rn(p, r, 1.0 / 5040);
    p = __fma_rn(p, r, 1.0 / 720);
    p = __fma_rn(p, r, 1.0 / 120);
    p = __fma_rn(p, r, 1.0 / 24);
    p = __fma_rn(p, r, 1.0 / 6);
    p = __fma_rn(p, r, 0.5);
    p = __fma_rn(p, r, 1);
    p = __fma_rn(p, r, 1);
    return __dmul_rn(p, __longlong_as_double(((uint64_t)__double_as_longlong(shifted) << 52) + 0x3ff0000000000000));
}

/* How many of n weights, in order, reach `share`; n + 1 where all do not. */
DEVICE uint32_t reached(const double *weights, uint32_t n, double share) {
    double kept = 0;
    uint32_t count = 0;
    while (count < n && kept < share) kept = __dadd_rn(kept, weights[count++]);
    return kept < share ? n + 1 : count;
}

DEVICE double sum_of(const double *weights, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum = __dadd_rn(sum, weights[i]);
    return sum;
}

/* How many of the first n candidates top-p and min-p keep; 0 where more than the k there are may be wanted. weights: at temperature 1, where there is a top-p. */
DEVICE uint32_t keep(const Choice &choice, const float *values, const double *weights, uint32_t n, float total, bool all) {
    const bool top_p = choice.top_p < 1, min_p = choice.least > __longlong_as_double(0xfff0000000000000);
    uint32_t count = n;
    if (choice.top_k == 0 && !top_p && !min_p) return 0;
    if (top_p && all) {
        count = min(reached(weights, n, __dmul_rn(choice.top_p, sum_of(weights, n))), n);
    } else if (top_p) {
        const double share = __dmul_rn(choice.top_p, total), doubt = __dmul_rn(share, 0x1p-16);
        count = reached(weights, n, __dsub_rn(share, doubt));
        if (choice.top_k != 0 || count > n || count != reached(weights, n, __dadd_rn(share, doubt))) return 0;
        all = true;
    }
    if (min_p) {
        const double threshold = __dadd_rn(values[0], choice.least);
        uint32_t likely = 1;
        while (likely < count && values[likely] >= threshold) likely++;
        all |= likely < count;
        count = likely;
    }
    return all ? count : 0;
}

DEVICE uint32_t draw(double uniform, const double *weights, uint32_t n) {
    double left = __dmul_rn(uniform, sum_of(weights, n));
    for (uint32_t i = 0; i < n; i++) {
        left = __dsub_rn(left, weights[i]);
        if (left < 0) return i;
    }
    return n - 1;
}

DEVICE void choose(const float *values, const int *candidates, const float *totals, const Choice *choices, int *tokens,
                   uint32_t k, uint32_t vocabulary) {
    __shared__ double weights[MOST];
    __shared__ uint32_t kept;
    const uint32_t row = blockIdx.x, i = threadIdx.x;
    const Choice choice = choices[row];
    values += row * k;
    candidates += row * k;
    if (choice.temperature == 0) {
        if (i == 0) tokens[row] = candidates[0];
        return;
    }
    const uint32_t n = choice.top_k == 0 ? k : min(choice.top_k, k);
    const bool all = choice.top_k != 0 && choice.top_k <= k || k == vocabulary;
    const float below = i < n ? __fsub_rn(values[i], values[0]) : 0;
    if (choice.top_p < 1 && i < n) weights[i] = exponential((double)below);
    __syncthreads();
    if (i == 0) kept = keep(choice, values, weights, n, totals[row], all);
    __syncthreads();
    if (i < kept) weights[i] = exponential(__ddiv_rn(below, choice.temperature));
    __syncthreads();
    if (i == 0) tokens[row] = kept == 0 ? -1 : candidates[draw(choice.uniform, weights, kept)];
}

/* context [rows], a stride apart, of which lengths [row] tokens count, the last being the newest. */
DEVICE void penalise_seen(float *logits, uint32_t stride, uint32_t vocabulary, const int *context,
                          uint32_t context_stride, const int *lengths, const Choice *choices) {
    extern __shared__ uint32_t seen[]; /* a bit a token */
    const uint32_t row = blockIdx.x, length = lengths[row], window = min(choices[row].window, length);
    const float penalty = choices[row].penalty;
    if (penalty == 1) return;
    for (uint32_t word = threadIdx.x; word < (vocabulary + 31) / 32; word += blockDim.x) seen[word] = 0;
    __syncthreads();
    logits += (uint64_t)row * stride;
    context += (uint64_t)row * context_stride;
    for (uint32_t i = length - window + threadIdx.x; i < length; i += blockDim.x) {
        const uint32_t token = context[i], bit = 1u << token % 32;
        if (token < vocabulary && !(atomicOr(&seen[token / 32], bit) & bit)) {
            const float logit = logits[token];
            logits[token] = logit > 0 ? __fdiv_rn(logit, penalty) : __fmul_rn(logit, penalty);
        }
    }
}

#define PENALISE(NAME, THREADS)                                                                                        \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(float *logits, uint32_t stride, uint32_t vocabulary, const int *context, uint32_t context_stride,         \
             const int *lengths, const Choice *choices) {                                                              \
        penalise_seen(logits, stride, vocabulary, context, context_stride, lengths, choices);                          \
    }

#define SAMPLE(NAME, THREADS)                                                                                          \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *values, const int *candidates, const float *totals, const Choice *choices, int *tokens,      \
             uint32_t k, uint32_t vocabulary) {                                                                        \
        choose(values, candidates, totals, choices, tokens, k, vocabulary);                                            \
    }

PENALISE(penalise, 1024) // registers <= 32
SAMPLE(sample, MOST)     // registers <= 40
