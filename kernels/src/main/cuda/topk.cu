/*
 * The k largest logits of each row, largest first, the lower token first of equals, and how much all of them weigh:
 *
 *     logits [rows][vocabulary] f32, rows a stride apart -> values [rows][k] f32, tokens [rows][k], totals [rows] = sum e^(logit - largest) f32         k up to 256
 *
 * A logit and its place are one number of 64 bits, a key, as in argmax.cu: keys are all different, and their order is the one asked for. -0 counts as 0. No numbers rank by their bits.
 *
 *     vocabulary | part 0: 8192 | part 1 | .. |      topk_part: a thread block each -> its k largest keys, in no order | its largest | its sum
 *                                                    topk_merge: one thread block a row -> the k largest of those, in order; the largest; the sum
 *
 * Both hold their keys in registers and find the least key that is kept bit by bit, from the highest: is it set in at least k keys that agree above? One count of all keys and one barrier a
 * bit; as soon as a count is k, the keys counted are the ones. Logits that differ are told apart by some 20 bits, all equal ones by 64. A key's place in the order is how many are larger.
 *
 * Sums: a thread's 16 logits ascending, the lanes of a warp by butterflies, the warps, the parts; in floats with exponential.cuh. They are within 2^-17 of the truth.
 *
 * Limits: 64 parts, 524 288 tokens.
 *
 * Bound (modelled): latency. 16 parts of 128 000 logits read 32 KB each, then 20 to 30 counts of 100 cycles: 3 us, and as much for the merge.
 */
#include "exponential.cuh"

enum { LANES = 32, PART_THREADS = 512, MERGE_THREADS = 1024, KEYS = 16, PART = PART_THREADS * KEYS, MOST = 256 };

DEVICE uint64_t key_of(float logit, uint32_t token) {
    const uint32_t bits = __float_as_uint(__fadd_rn(logit, 0));
    return (uint64_t)(bits >> 31 ? ~bits : bits | 1u << 31) << 32 | ~token;
}

DEVICE float logit_of(uint64_t key) {
    const uint32_t rank = key >> 32;
    return __uint_as_float(rank >> 31 ? rank ^ 1u << 31 : ~rank);
}

/* The sum of all threads' counts; memory is this sum's own, since the last barrier but one. */
template <int THREADS> DEVICE uint32_t count_all(uint32_t count, uint32_t *memory) {
    const uint32_t lane = threadIdx.x % LANES;
    count = __reduce_add_sync(0xffffffff, count);
    if (lane == 0) memory[threadIdx.x / LANES] = count;
    __syncthreads();
    return __reduce_add_sync(0xffffffff, lane < THREADS / LANES ? memory[lane] : 0);
}

/* The least of the k largest keys; 1 where fewer are not 0. */
template <int THREADS> DEVICE uint64_t least_kept(const uint64_t (&keys)[KEYS], uint32_t keys_each, uint32_t k) {
    __shared__ uint32_t counts[2][LANES];
    uint64_t least = 0;
#pragma unroll 1
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t with = least | 1ull << bit;
        uint32_t count = 0;
#pragma unroll
        for (uint32_t i = 0; i < KEYS; i++)
            if (i < keys_each) count += keys[i] >= with;
        count = count_all<THREADS>(count, counts[bit % 2]);
        if (count >= k) least = with;
        if (count == k) break;
    }
    return least == 0 ? 1 : least;
}

/* The kept keys one behind the other, in the order of warps, a warp's keys, lanes; returns how many there are. */
template <int THREADS>
DEVICE uint32_t store_kept(const uint64_t (&keys)[KEYS], uint32_t keys_each, uint64_t least, uint64_t *to) {
    __shared__ uint32_t warps[LANES];
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    uint32_t mine = 0;
#pragma unroll
    for (uint32_t i = 0; i < KEYS; i++)
        if (i < keys_each) mine += keys[i] >= least;
    mine = __reduce_add_sync(0xffffffff, mine);
    if (lane == 0) warps[warp] = mine;
    __syncthreads();
    const uint32_t others = lane < THREADS / LANES ? warps[lane] : 0;
    uint32_t place = __reduce_add_sync(0xffffffff, lane < warp ? others : 0);
#pragma unroll
    for (uint32_t i = 0; i < KEYS; i++)
        if (i < keys_each) {
            const uint32_t kept = __ballot_sync(0xffffffff, keys[i] >= least);
            if (keys[i] >= least) to[place + __popc(kept & (1u << lane) - 1)] = keys[i];
            place += __popc(kept);
        }
    return __reduce_add_sync(0xffffffff, others);
}

DEVICE float largest_of_warp(float v) {
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffff, v, mask));
    return v;
}

DEVICE float sum_of_warp(float v) {
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) v = __fadd_rn(v, __shfl_xor_sync(0xffffffff, v, mask));
    return v;
}

/* keys [rows][parts][k], zeros where a part has fewer; weights [rows][parts]: its largest logit and the sum next to it. */
DEVICE void part(const float *logits, uint32_t stride, uint32_t vocabulary, uint32_t k, uint64_t *keys, float2 *weights) {
    __shared__ float largests[LANES], sums[LANES];
    const uint32_t lane = threadIdx.x % LANES, first = blockIdx.x * PART, number = blockIdx.y * gridDim.x + blockIdx.x;
    logits += (uint64_t)blockIdx.y * stride;
    const float none = __uint_as_float(0xff800000);
    uint64_t mine[KEYS];
    float largest = none;
#pragma unroll
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint32_t token = first + i * PART_THREADS + threadIdx.x;
        mine[i] = token < vocabulary ? key_of(__ldg(logits + token), token) : 0;
        if (token < vocabulary) largest = fmaxf(largest, logit_of(mine[i]));
    }
    largest = largest_of_warp(largest);
    if (lane == 0) largests[threadIdx.x / LANES] = largest;
    __syncthreads();
    largest = largest_of_warp(lane < PART_THREADS / LANES ? largests[lane] : none);
    float sum = 0;
#pragma unroll
    for (uint32_t i = 0; i < KEYS; i++)
        if (mine[i]) sum = __fadd_rn(sum, exponential(__fsub_rn(logit_of(mine[i]), largest)));
    sum = sum_of_warp(sum);
    if (lane == 0) sums[threadIdx.x / LANES] = sum;

    keys += (uint64_t)number * k;
    const uint64_t least = least_kept<PART_THREADS>(mine, KEYS, k);
    const uint32_t kept = store_kept<PART_THREADS>(mine, KEYS, least, keys);
    if (threadIdx.x >= kept && threadIdx.x < k) keys[threadIdx.x] = 0;
    if (threadIdx.x < LANES) {
        sum = sum_of_warp(lane < PART_THREADS / LANES ? sums[lane] : 0);
        if (lane == 0) weights[number] = make_float2(largest, sum);
    }
}

DEVICE void merge(const uint64_t *keys, const float2 *weights, uint32_t parts, uint32_t k, float *values, int *tokens,
                  float *totals) {
    __shared__ uint64_t kept[MOST];
    const uint32_t lane = threadIdx.x % LANES, row = blockIdx.x, count = parts * k;
    keys += (uint64_t)row * count;
    weights += row * parts;
    uint64_t mine[KEYS];
#pragma unroll
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint32_t key = i * MERGE_THREADS + threadIdx.x;
        mine[i] = key < count ? __ldg(keys + key) : 0;
    }
    const uint32_t keys_each = (count + MERGE_THREADS - 1) / MERGE_THREADS;
    const uint64_t least = least_kept<MERGE_THREADS>(mine, keys_each, k);
    store_kept<MERGE_THREADS>(mine, keys_each, least, kept);
    __syncthreads();
    if (threadIdx.x < k) {
        const uint64_t key = kept[threadIdx.x];
        uint32_t place = row * k;
        for (uint32_t i = 0; i < k; i++) place += kept[i] > key;
        values[place] = logit_of(key);
        tokens[place] = ~(uint32_t)key;
    }
    if (threadIdx.x < LANES) { /* 2 parts a lane */
        const float2 none = make_float2(__uint_as_float(0xff800000), 0);
        const float2 a = lane < parts ? __ldg(weights + lane) : none;
        const float2 b = lane + LANES < parts ? __ldg(weights + lane + LANES) : none;
        const float largest = largest_of_warp(fmaxf(a.x, b.x));
        const float total = sum_of_warp(__fmaf_rn(a.y, exponential(__fsub_rn(a.x, largest)),
                                                  __fmul_rn(b.y, exponential(__fsub_rn(b.x, largest)))));
        if (lane == 0) totals[row] = total;
    }
}

#define TOPK_PART(NAME, THREADS)                                                                                       \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const float *logits, uint32_t stride, uint32_t vocabulary, uint32_t k, uint64_t *keys, float2 *weights) { \
        part(logits, stride, vocabulary, k, keys, weights);                                                            \
    }

#define TOPK_MERGE(NAME, THREADS)                                                                                      \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                              \
        NAME(const uint64_t *keys, const float2 *weights, uint32_t parts, uint32_t k, float *values, int *tokens,      \
             float *totals) {                                                                                          \
        merge(keys, weights, parts, k, values, tokens, totals);                                                        \
    }

TOPK_PART(topk_part, PART_THREADS)    // registers <= 80
TOPK_MERGE(topk_merge, MERGE_THREADS) // registers <= 64
