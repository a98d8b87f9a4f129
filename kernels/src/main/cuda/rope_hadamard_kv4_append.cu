/*
 * Between the projections of a layer and its attention: RMS norm of each head of queries and keys where there is a weight for it (Qwen3), their rotary position embedding, where wanted a
 * Hadamard transform of each of their heads, and keys and values as 4-bit codes into the cache.
 *
 *     q, k  x -> (x * (1 / sqrt(sum x^2 / D + eps))) * weight                      sums: a lane's components ascending, fused; the 32 lanes by butterflies, 16 first
 *     q, k  (a, b) = (x[i], x[i + D / 2])  ->  (a cos - b sin, b cos + a sin)      angles of the token's position; Hugging Face's order
 *     q, k  x -> S x / sqrt(D)                                                     S Sylvester's matrix of order D, in natural order
 *     q     -> f32 [tokens][heads][D]
 *     k, v  -> codes, steps (kv_cache.cuh):  lo = min(0, min x), hi = max(0, max x), both 0: -1, 1
 *                                            scale = fp16((hi - lo) / 15), zero = rint(-lo / scale), code = clamp(rint(x / scale) + zero, 0, 15)
 *
 * q [tokens][heads * D], k and v [tokens][KV heads * D] fp16, rows a stride apart, so that they may be columns of one product. Rotations: [positions][D] f32, D / 2 cosines, then sines.
 * places [tokens]: which slot and position each token goes to; they lie on the device, so that a graph of one step serves all steps.
 *
 * One warp a head: lane l has components E l .. E l + E - 1, E = D / 32; with D = 8 three quarters of the lanes have none. A component's other half is 16 lanes away, so is the pair of its
 * rotation; butterflies within a lane and between lanes, by ascending distance. Every float is rounded once an operation: what comes out is RotaryTable's rotation, HadamardTransform and
 * KvQuantizer to the bit.
 *
 * No numbers (infinities, NaN) have no codes that mean anything.
 *
 * Bound (modelled): bytes; one token of 32 heads and 8 KV heads of 128 reads 12 KB and writes 17 KB, mostly queries.
 */
#include "kv_cache.cuh"

enum { LANES = 32, WARPS = 4 };

template <int COUNT> DEVICE void load(const __half *x, float (&v)[COUNT]) {
    if constexpr (COUNT == 4) {
        const uint2 four = __ldg((const uint2 *)x);
        const __half2 low = *(const __half2 *)&four.x, high = *(const __half2 *)&four.y;
        v[0] = __low2float(low), v[1] = __high2float(low), v[2] = __low2float(high), v[3] = __high2float(high);
    } else if constexpr (COUNT == 2) {
        const __half2 two = __ldg((const __half2 *)x);
        v[0] = __low2float(two), v[1] = __high2float(two);
    } else {
        v[0] = __half2float(__ldg(x));
    }
}

template <int COUNT> DEVICE void load(const float *x, float (&v)[COUNT]) {
    if constexpr (COUNT == 4) {
        const float4 four = __ldg((const float4 *)x);
        v[0] = four.x, v[1] = four.y, v[2] = four.z, v[3] = four.w;
    } else if constexpr (COUNT == 2) {
        const float2 two = __ldg((const float2 *)x);
        v[0] = two.x, v[1] = two.y;
    } else {
        v[0] = __ldg(x);
    }
}

template <int COUNT> DEVICE void store(float *x, const float (&v)[COUNT]) {
    if constexpr (COUNT == 4)
        *(float4 *)x = make_float4(v[0], v[1], v[2], v[3]);
    else if constexpr (COUNT == 2)
        *(float2 *)x = make_float2(v[0], v[1]);
    else
        *x = v[0];
}

/* weight [D] */
template <int D, int E> DEVICE void normalise(float (&v)[E], const float *weight, float eps, uint32_t lane) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < E; i++) sum = __fmaf_rn(v[i], v[i], sum);
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) sum = __fadd_rn(sum, __shfl_xor_sync(0xffffffff, sum, mask));
    const float norm = __frcp_rn(__fsqrt_rn(__fadd_rn(__fdiv_rn(sum, D), eps)));
    if (E * lane < D) {
        float w[E];
        load(weight + E * lane, w);
#pragma unroll
        for (int i = 0; i < E; i++) v[i] = __fmul_rn(__fmul_rn(v[i], norm), w[i]);
    }
}

/* rotation: the token's cosines, then sines. */
template <int D, int E> DEVICE void rotate(float (&v)[E], const float *rotation, uint32_t lane) {
    const uint32_t half = D / 2 / E; // lanes
    const bool second = lane & half;
    float cos[E], sin[E];
    load(rotation + lane % half * E, cos);
    load(rotation + D / 2 + lane % half * E, sin);
#pragma unroll
    for (int i = 0; i < E; i++) {
        const float other = __shfl_xor_sync(0xffffffff, v[i], half);
        const float along = __fmul_rn(v[i], cos[i]), across = __fmul_rn(other, sin[i]);
        v[i] = __fadd_rn(along, second ? across : -across);
    }
}

template <int D, int E> DEVICE void hadamard(float (&v)[E], float norm, uint32_t lane) {
#pragma unroll
    for (int half = 1; half < E; half *= 2)
#pragma unroll
        for (int i = 0; i < E; i++)
            if (!(i & half)) {
                const float a = v[i], b = v[i + half];
                v[i] = __fadd_rn(a, b);
                v[i + half] = __fsub_rn(a, b);
            }
#pragma unroll
    for (int half = 1; half < D / E; half *= 2)
#pragma unroll
        for (int i = 0; i < E; i++) {
            const float other = __shfl_xor_sync(0xffffffff, v[i], half);
            v[i] = __fadd_rn(other, lane & half ? -v[i] : v[i]);
        }
#pragma unroll
    for (int i = 0; i < E; i++) v[i] = __fmul_rn(v[i], norm);
}

/* To row `row` of the cache. */
template <int D, int E> DEVICE void code(const float (&v)[E], CodeRows to, uint64_t row, uint32_t lane) {
    float lo = 0, hi = 0;
#pragma unroll
    for (int i = 0; i < E; i++) {
        lo = fminf(lo, v[i]);
        hi = fmaxf(hi, v[i]);
    }
#pragma unroll
    for (int mask = LANES / 2; mask > 0; mask /= 2) {
        lo = fminf(lo, __shfl_xor_sync(0xffffffff, lo, mask));
        hi = fmaxf(hi, __shfl_xor_sync(0xffffffff, hi, mask));
    }
    if (lo == 0 && hi == 0) {
        lo = -1;
        hi = 1;
    }
    __half half = __float2half_rn(__fdiv_rn(__fsub_rn(hi, lo), 15));
    if (__half_as_ushort(half) == 0) half = __ushort_as_half(1);
    if (__half_as_ushort(half) == 0x7c00) half = __ushort_as_half(0x7bff);
    const float scale = __half2float(half);
    const int zero = __float2int_rn(fminf(__fdiv_rn(-lo, scale), 15));
    uint32_t codes = 0;
#pragma unroll
    for (int i = 0; i < E; i++) {
        const int steps = __float2int_rn(fminf(fmaxf(__fdiv_rn(v[i], scale), -16), 16));
        codes |= min(max(steps + zero, 0), 15) << 4 * i;
    }
    uint8_t *bytes = to.codes + row * (D / 2);
    if constexpr (E == 4) {
        *(uint16_t *)(bytes + 2 * lane) = codes;
    } else if constexpr (E == 2) {
        bytes[lane] = codes;
    } else {
        codes |= __shfl_down_sync(0xffffffff, codes, 1) << 4;
        if (lane < D && lane % 2 == 0) bytes[lane / 2] = codes;
    }
    if (lane == 0) to.steps[row] = __half_as_ushort(half) | zero << 16;
}

template <int D>
DEVICE void append(const __half *q, const __half *k, const __half *v, uint32_t q_stride, uint32_t kv_stride,
                   const float *query_norm, const float *key_norm, float eps, const float *rotations, float norm,
                   const Place *places, float *queries, CodeRows keys, CodeRows values, uint32_t tokens, uint32_t heads, uint32_t kv_heads, uint32_t capacity) {
    enum { E = D < LANES ? 1 : D / LANES };
    const uint32_t lane = threadIdx.x % LANES, all_heads = heads + 2 * kv_heads;
    const uint32_t vector = blockIdx.x * WARPS + threadIdx.x / LANES, token = vector / all_heads;
    if (token >= tokens) return;
    const uint32_t head = vector % all_heads, kv_head = (head - heads) % kv_heads;
    const bool is_query = head < heads, is_value = head >= heads + kv_heads;
    const Place place = places[token];

    const __half *from = is_query ? q + (uint64_t)token * q_stride + head * D
                                  : (is_value ? v : k) + (uint64_t)token * kv_stride + kv_head * D;
    float x[E] = {};
    if (E * lane < D) load(from + E * lane, x);
    if (!is_value) {
        const float *weight = is_query ? query_norm : key_norm;
        if (weight) normalise<D>(x, weight, eps, lane);
        rotate<D>(x, rotations + (uint64_t)place.position * D, lane);
        if (norm != 0) hadamard<D>(x, norm, lane);
    }
    if (is_query) {
        if (E * lane < D) store(queries + ((uint64_t)token * heads + head) * D + E * lane, x);
    } else {
        code<D>(x, is_value ? values : keys, row_of(place, kv_head, kv_heads, capacity), lane);
    }
}

/* One entry a size of heads: weights of norms may be null; norm = 1 / sqrt(D), or 0 for no Hadamard transform. */
#define APPEND(NAME, D)                                                                                                \
    extern "C" __global__ void __launch_bounds__(WARPS * LANES)                                                        \
        NAME(const __half *q, const __half *k, const __half *v, uint32_t q_stride, uint32_t kv_stride,                 \
             const float *query_norm, const float *key_norm, float eps, const float *rotations, float norm,            \
             const Place *places, float *queries, uint8_t *key_codes, uint32_t *key_steps, uint8_t *value_codes,       \
             uint32_t *value_steps, uint32_t tokens, uint32_t heads, uint32_t kv_heads, uint32_t capacity) {           \
        append<D>(q, k, v, q_stride, kv_stride, query_norm, key_norm, eps, rotations, norm, places, queries,           \
                  {key_codes, key_steps}, {value_codes, value_steps}, tokens, heads, kv_heads, capacity);              \
    }

APPEND(rope_hadamard_kv4_append_8, 8)     // registers <= 40
APPEND(rope_hadamard_kv4_append_32, 32)   // registers <= 40
APPEND(rope_hadamard_kv4_append_64, 64)   // registers <= 40
APPEND(rope_hadamard_kv4_append_128, 128) // registers <= 48
