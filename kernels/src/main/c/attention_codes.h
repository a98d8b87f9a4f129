/*
 * Attention over keys and values that are codes, computed on the codes as they lie, and the writing of codes.
 *
 *     x' = step (code - zero)        step fp16 and zero of a token's key or value of one head, 4 or 8 bits a code: KvQuantizer defines them
 *
 * Positions lie in tiles of 16; words have 32 bits, per = 32 / bits codes, code 0 in the lowest bits (KvTiles draws the same):
 *
 *     keys   word j of a position: components per j ..          values   word of a component: positions per r ..
 *
 *        w0 | p0 p1 .. p15 |                                       r0 | d0 d1 d2 .. |       16 / per rows of head_dim words
 *        w1 | p0 p1 .. p15 |   ceil(head_dim / per) rows           r1 | d0 d1 d2 .. |
 *        ..                                                        ..
 *           | p0 p1 .. p15 |   step, zero << 16                       | p0 p1 .. p15 |      step, zero << 16
 *
 * A shift and a mask make 16-bit numbers of a row: codes k and k + per/2 of each word. One instruction multiplies them with a pair of 16-bit numbers that all lanes share and adds the
 * two, and lanes are results (positions of q K^T, components of softmax(..) V), so nothing is shuffled, widened or added up across lanes.
 *
 *     score[p] = scale step[p] q_step sum over d of q16[d] (code[p][d] - zero[p])              q16 = rint(q / q_step), q_step = max |q| / most
 *     out[d]   = w_step sum over p of w16[p] (code[p][d] - zero[p])                            w16 = rint(w / w_step), w[p] = e^(score[p] - largest) step[p]
 *
 * Sums are exact in int32: most = min(32767, (2^31 - 1) / (15 or 255) / head_dim) for q (32767 up to 4369 and 257 components), and 32767 * 255 * KV_BLOCK < 2^31 for w.
 *
 * Tiling: blocks of KV_BLOCK positions from position 0 on, each with its own largest score and w_step; four queries (heads of a group, then tokens) share what is unpacked of a block,
 * whose codes stay in L1. A block's result is (out, sum, largest); results are merged in the order of blocks, so who computes which block does not matter.
 * Limits: any head_dim, group, tokens and positions of at least 1; memory holds whole tiles. What a tile holds behind the last position is read and not used.
 * Bound: the bytes of codes over memory bandwidth for one query; for groups, two instructions per LANES * 2 products.
 * Measured with AVX2 on one core of an AMD EPYC (Zen 3), other programs beside it, 4 bits, heads of 64: four queries over a block take 1.0 us for q K^T, 1.0 for softmax, 0.95 for V as
 * integers and 1.7 as floats, which is why weights are rounded. Of 2048 positions, G products/s: 29 for 1 query, 39 for 4 and 8 (half floats by attention.h: 12, 23, 24); heads of 128: 34 and 48.
 */

enum { KV_TILE = 16, KV_BLOCK = 256, QUERY_TILE = 4, TILE_VECTORS = KV_TILE / LANES, BLOCK_PAIRS = KV_BLOCK / 2 };

/* where the parts of a tile are */
typedef struct {
    int head_dim;
    int words;     /* of a key's codes */
    int64_t bytes; /* of a tile */
} kv_tiles;

INLINE kv_tiles kv_tiles_of(int bits, int head_dim) {
    int words = (head_dim * bits + 31) / 32;
    return (kv_tiles){head_dim, words, 4 * KV_TILE * (words + 1)};
}

INLINE int32_t code_mask(int bits) { return bits == 4 ? 0x000f000f : 0x00ff00ff; }

INLINE float largest_lane(vf v) {
    float largest = v[0];
    for (int lane = 1; lane < LANES; lane++) largest = v[lane] > largest ? v[lane] : largest;
    return largest;
}

INLINE int32_t sum_of_words(vi v) {
    int32_t sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += v[lane];
    return sum;
}

INLINE vf within(vf x, float least, float most) {
    x = choose(x > most, splat(most), x);
    return choose(x < least, splat(least), x);
}

/* ---- 16-bit numbers ---- */

/* max |x|, a NaN if there is one */
static float largest_magnitude(const float *x, int n) {
    vf larger_lanes = zero(), nothing = zero(); /* 0, or a NaN */
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf v = (vf)((vi)load(x + i) & 0x7fffffff);
        larger_lanes = larger(v, larger_lanes);
        nothing = choose(v != v, v, nothing);
    }
    float largest = largest_lane(larger_lanes), none = sum(nothing);
    for (; i < n; i++) {
        float v = __builtin_fabsf(x[i]);
        largest = v > largest ? v : largest;
        none = v != v ? v : none;
    }
    return largest + none;
}

/* x [n], n a multiple of 32 / bits -> pairs [n / 2], as the codes that they meet are paired; two words at a time */
INLINE void pair_up(int bits, const int32_t *x, int n, int32_t *pairs) {
    int half = 16 / bits;
    for (int i = 0; i < n; i += 2 * half)
        for (int k = 0; k < half; k += 2) {
            uint64_t low, high;
            memcpy(&low, x + i + k, 8);
            memcpy(&high, x + i + half + k, 8);
            low = (low & 0x0000ffff0000ffff) | (high << 16 & 0xffff0000ffff0000);
            memcpy(pairs + i / 2 + k, &low, 8);
        }
}

typedef struct {
    const int32_t *pairs; /* [QUERY_TILE][pair_stride] */
    int pair_stride;
    float factors[QUERY_TILE]; /* scale q_step */
    int32_t sums[QUERY_TILE];  /* of q16 */
    int seen[QUERY_TILE];      /* positions of the block */
} queries;

/* q [head_dim] -> pairs, q_step and the sum of q16 */
static void code_query(int bits, int head_dim, int words, const float *q, int32_t *pairs, float *step, int32_t *sum) {
    int n = words * 32 / bits;
    int32_t codes[n];
    float most = (float)at_most(0x7fffffff / ((bits == 4 ? 15 : 255) * head_dim), 32767);
    float largest = largest_magnitude(q, head_dim);
    *step = largest == 0 ? 1 : largest / most;
    vi sums = {0};
    int i = 0;
    for (; i + LANES <= head_dim; i += LANES) {
        vi code = rounded(within(load(q + i) / *step, -most, most));
        store_words(codes + i, code);
        sums += code;
    }
    *sum = sum_of_words(sums);
    for (; i < head_dim; i++) {
        codes[i] = rounded(within(splat(q[i] / *step), -most, most))[0];
        *sum += codes[i];
    }
    for (; i < n; i++) codes[i] = 0;
    pair_up(bits, codes, n, pairs);
}

/* ---- q K^T ---- */

/* scores[g][16] of one tile for G queries; bits and G are constants where this is expanded */
INLINE void score_tile(int bits, int G, const uint8_t *tile, int words, const queries *q, float *scores) {
    vi acc[QUERY_TILE][TILE_VECTORS];
    for (int g = 0; g < G; g++)
        for (int v = 0; v < TILE_VECTORS; v++) acc[g][v] = (vi){0};
    for (int j = 0; j < words; j++) {
        vi row[TILE_VECTORS];
        for (int v = 0; v < TILE_VECTORS; v++) row[v] = load_words(tile + 4 * (j * KV_TILE + v * LANES));
        for (int k = 0; k < 16 / bits; k++) {
            vi codes[TILE_VECTORS];
            for (int v = 0; v < TILE_VECTORS; v++) codes[v] = row[v] >> (bits * k) & code_mask(bits);
            for (int g = 0; g < G; g++) {
                vi pair = splat_word(q->pairs[g * q->pair_stride + j * (16 / bits) + k]);
                for (int v = 0; v < TILE_VECTORS; v++)
                    acc[g][v] = words_in_register(acc[g][v] + multiply_pairs(codes[v], pair));
            }
        }
    }
    for (int v = 0; v < TILE_VECTORS; v++) {
        vi last = load_words(tile + 4 * (words * KV_TILE + v * LANES));
        vf step = widen(last);
        vi offset = last >> 16 & 255;
        for (int g = 0; g < G; g++)
            store(scores + g * KV_BLOCK + v * LANES,
                  to_floats(acc[g][v] - offset * q->sums[g]) * (step * q->factors[g]));
    }
}

/* ---- softmax ---- */

typedef struct {
    int32_t pairs[QUERY_TILE][BLOCK_PAIRS]; /* w16 */
    float steps[QUERY_TILE];                /* w_step */
    int32_t zeros[QUERY_TILE];              /* sum over p of w16[p] zero[p] */
} weights;

/* v, whose first lane is position p; other lanes than those of the `seen` positions become `nothing` */
INLINE vf only_seen(int p, int seen, vf v, float nothing) {
    if (p + LANES <= seen) return v;
    return choose(lane_numbers() + p < seen, v, splat(nothing));
}

/* Scores of `seen` positions, of n that are whole tiles -> w16; sum and largest go to the result. */
INLINE void soften(int bits, float *scores, int seen, int n, const float *steps, const int32_t *zeros, int g,
                   weights *w, float *sum_and_largest) {
    vf larger_lanes = splat(-__builtin_inff());
    for (int p = 0; p < seen; p += LANES)
        larger_lanes = larger(only_seen(p, seen, load(scores + p), -__builtin_inff()), larger_lanes);
    float largest = largest_lane(larger_lanes);
    vf totals = zero(), weight_sums = zero();
    larger_lanes = zero();
    for (int p = 0; p < seen; p += LANES) {
        vf e = exponential(load(scores + p) - largest);
        vf weight = only_seen(p, seen, e * load(steps + p), 0);
        store(scores + p, weight);
        totals += only_seen(p, seen, e, 0);
        weight_sums += weight;
        larger_lanes = larger(weight, larger_lanes);
    }
    float most = largest_lane(larger_lanes);
    float inverse = 32767.0f / most;
    int32_t codes[KV_BLOCK];
    vi zero_sums = {0};
    int p = 0;
    for (; p < seen; p += LANES) {
        vi code = rounded(load(scores + p) * inverse);
        store_words(codes + p, code);
        zero_sums += code * load_words(zeros + p);
    }
    for (; p < n; p += LANES) store_words(codes + p, (vi){0});
    pair_up(bits, codes, n, w->pairs[g]);
    w->steps[g] = most * (1.0f / 32767) + 0 * sum(weight_sums); /* a NaN is not hidden */
    w->zeros[g] = sum_of_words(zero_sums);
    sum_and_largest[0] = sum(totals);
    sum_and_largest[1] = largest;
}

/* ---- softmax(..) V ---- */

/* components d .. of the results of G queries, `count` of them; bits, G and vectors are constants where this is expanded */
INLINE void weigh_codes(int bits, int G, int vectors, const uint8_t *values, kv_tiles t, int tiles, const weights *w,
                        int d, int count, float *results) {
    vi acc[QUERY_TILE][2];
    for (int g = 0; g < G; g++)
        for (int v = 0; v < vectors; v++) acc[g][v] = (vi){0};
    for (int i = 0; i < tiles; i++)
        for (int r = 0; r < bits / 2; r++) {
            const uint8_t *words = values + i * t.bytes + 4 * ((int64_t)r * t.head_dim + d);
            vi row[2];
            for (int v = 0; v < vectors; v++) row[v] = load_words(words + 4 * v * LANES);
            for (int k = 0; k < 16 / bits; k++) {
                vi codes[2];
                for (int v = 0; v < vectors; v++) codes[v] = row[v] >> (bits * k) & code_mask(bits);
                for (int g = 0; g < G; g++) {
                    vi pair = splat_word(w->pairs[g][i * (KV_TILE / 2) + r * (16 / bits) + k]);
                    for (int v = 0; v < vectors; v++)
                        acc[g][v] = words_in_register(acc[g][v] + multiply_pairs(codes[v], pair));
                }
            }
        }
    for (int g = 0; g < G; g++) {
        float out[2 * LANES];
        for (int v = 0; v < vectors; v++)
            store(out + v * LANES, to_floats(acc[g][v] - w->zeros[g]) * w->steps[g]);
        memcpy(results + g * (t.head_dim + 2) + d, out, 4 * (size_t)count);
    }
}

/* ---- a block ---- */

/* G queries, keys and values of a block's tiles -> results [G][head_dim + 2] */
INLINE void attend_block(int bits, int G, const uint8_t *keys, const uint8_t *values, kv_tiles t, int tiles,
                         const queries *q, float *results) {
    float scores[QUERY_TILE * KV_BLOCK], steps[KV_BLOCK];
    int32_t zeros[KV_BLOCK];
    weights w;
    for (int i = 0; i < tiles; i++)
        score_tile(bits, G, keys + i * t.bytes, t.words, q, scores + i * KV_TILE);
    for (int p = 0; p < tiles * KV_TILE; p += LANES) {
        vi last = load_words(values + p / KV_TILE * t.bytes + 4 * (t.words * KV_TILE + p % KV_TILE));
        store(steps + p, widen(last));
        store_words(zeros + p, last >> 16 & 255);
    }
    for (int g = 0; g < G; g++)
        soften(bits, scores + g * KV_BLOCK, q->seen[g], tiles * KV_TILE, steps, zeros, g, &w,
               results + g * (t.head_dim + 2) + t.head_dim);
    int d = 0;
    for (; d + 2 * LANES <= t.head_dim; d += 2 * LANES)
        weigh_codes(bits, G, 2, values, t, tiles, &w, d, 2 * LANES, results);
    for (; d < t.head_dim; d += LANES)
        weigh_codes(bits, G, 1, values, t, tiles, &w, d, at_most(t.head_dim - d, LANES), results);
}

#define ATTEND(BITS, G)                                                                                              \
    static __attribute__((noinline)) void attend_##BITS##_##G(const uint8_t *keys, const uint8_t *values, kv_tiles t, \
                                                              int tiles, const queries *q, float *results) {         \
        attend_block(BITS, G, keys, values, t, tiles, q, results);                                                   \
    }
ATTEND(4, 1)
ATTEND(4, 2)
ATTEND(4, 3)
ATTEND(4, 4)
ATTEND(8, 1)
ATTEND(8, 2)
ATTEND(8, 3)
ATTEND(8, 4)

/* [8 bits][queries - 1] */
static void (*const attends[2][QUERY_TILE])(const uint8_t *, const uint8_t *, kv_tiles, int, const queries *,
                                            float *) = {{attend_4_1, attend_4_2, attend_4_3, attend_4_4},
                                                        {attend_8_1, attend_8_2, attend_8_3, attend_8_4}};

/* result (out, sum, largest) of some blocks and of the next one -> of both. One function, so that it rounds alike wherever it is called. */
static __attribute__((noinline)) void merge(int head_dim, float *result, const float *next) {
    float largest = result[head_dim + 1] > next[head_dim + 1] ? result[head_dim + 1] : next[head_dim + 1];
    float a = exponential(splat(result[head_dim + 1] - largest))[0];
    float b = exponential(splat(next[head_dim + 1] - largest))[0];
    int d = 0;
    for (; d + LANES <= head_dim + 1; d += LANES) store(result + d, load(result + d) * a + load(next + d) * b);
    for (; d < head_dim + 1; d++) result[d] = result[d] * a + next[d] * b;
    result[head_dim + 1] = largest;
}

OBR_API void NAME(obr_attend_codes)(int32_t bits, int32_t head_dim, const float *q, int32_t tokens, int32_t group,
                                    int64_t q_stride, const void *keys, const void *values, int32_t first,
                                    int32_t from, int32_t to, float scale, float *results) {
    kv_tiles t = kv_tiles_of(bits, head_dim);
    int pair_stride = t.words * 16 / bits;
    int32_t pairs[QUERY_TILE * pair_stride];
    float next[QUERY_TILE * (head_dim + 2)];
    for (int block = from; block < to; block += KV_BLOCK) {
        int end = at_most(to - block, KV_BLOCK);
        /* queries that see nothing of this block come first */
        int none = block < first ? 0 : at_most(block - first + 1, tokens) * group;
        for (int i = 0; i < none && block == from; i++) {
            float *result = results + i * (int64_t)(head_dim + 2);
            memset(result, 0, 4 * (size_t)(head_dim + 1));
            result[head_dim + 1] = -__builtin_inff();
        }
        for (int i = none; i < tokens * group; i += QUERY_TILE) {
            int G = at_most(tokens * group - i, QUERY_TILE), most = 0;
            queries tile = {.pairs = pairs, .pair_stride = pair_stride};
            for (int g = 0; g < G; g++) {
                int token = (i + g) / group;
                float step;
                code_query(bits, head_dim, t.words, q + token * q_stride + (i + g) % group * (int64_t)head_dim,
                           pairs + g * pair_stride, &step, &tile.sums[g]);
                tile.factors[g] = scale * step;
                tile.seen[g] = at_most(first + token - block, end);
                if (tile.seen[g] > most) most = tile.seen[g];
            }
            float *result = results + i * (int64_t)(head_dim + 2);
            const uint8_t *k = (const uint8_t *)keys + block / KV_TILE * t.bytes;
            const uint8_t *v = (const uint8_t *)values + block / KV_TILE * t.bytes;
            int tiles = (most + KV_TILE - 1) / KV_TILE;
            attends[bits == 8][G - 1](k, v, t, tiles, &tile, block == from ? result : next);
            for (int g = 0; g < G && block > from; g++)
                merge(head_dim, result + g * (head_dim + 2), next + g * (head_dim + 2));
        }
    }
}

/* results [spans][tokens * group][head_dim + 2] -> out; the first of the spans becomes the merged result */
OBR_API void NAME(obr_merge_attention)(int32_t head_dim, float *results, int32_t spans, int32_t tokens, int32_t group,
                                       float *out, int64_t out_stride) {
    int64_t size = head_dim + 2;
    for (int i = 0; i < tokens * group; i++) {
        float *result = results + i * size;
        for (int s = 1; s < spans; s++) merge(head_dim, result, result + s * size * tokens * group);
        float inverse = 1.0f / result[head_dim];
        float *y = out + i / group * out_stride + i % group * (int64_t)head_dim;
        for (int d = 0; d < head_dim; d++) y[d] = result[d] * inverse;
    }
}

/* ---- writing ---- */

/* x [n] -> codes, their step's half float and zero: KvQuantizer's arithmetic, operation by operation */
static void code_head(int bits, const float *x, int n, int32_t *codes, uint16_t *half_step, int *offset) {
    float lo = 0, hi = 0;
    int nan = 0;
    for (int i = 0; i < n; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
        nan |= x[i] != x[i];
    }
    if (nan) { /* the whole head is none */
        memset(codes, 0, 4 * (size_t)n);
        *half_step = 0x7e00;
        *offset = 0;
        return;
    }
    if (lo == 0 && hi == 0) lo = -1, hi = 1;
    float most = (float)((1 << bits) - 1);
    uint16_t half = narrow_one((hi - lo) / most);
    half = half == 0 ? 1 : half >= 0x7c00 ? 0x7bff : half;
    float step = widen_one(half);
    float zero_point = __builtin_rintf(-lo / step);
    zero_point = zero_point > most ? most : zero_point;
    for (int i = 0; i < n; i++) {
        float code = __builtin_rintf(x[i] / step) + zero_point;
        codes[i] = (int32_t)(code > most ? most : code < 0 ? 0 : code);
    }
    *half_step = half;
    *offset = (int)zero_point;
}

OBR_API void NAME(obr_store_codes)(int32_t bits, int32_t head_dim, int32_t values, const float *x, int64_t x_stride,
                                   int32_t tokens, int32_t heads, void *memory, int64_t head_bytes, int32_t position) {
    kv_tiles t = kv_tiles_of(bits, head_dim);
    int per = 32 / bits;
    int32_t codes[t.words * per];
    memset(codes, 0, sizeof codes);
    for (int i = 0; i < tokens * heads; i++) {
        int token = i / heads, head = i % heads, p = position + token;
        uint16_t step;
        int offset;
        code_head(bits, x + token * x_stride + head * (int64_t)head_dim, head_dim, codes, &step, &offset);
        uint8_t *tile = (uint8_t *)memory + head * head_bytes + p / KV_TILE * t.bytes;
        int place = p % KV_TILE;
        int32_t last = step | offset << 16;
        memcpy(tile + 4 * (t.words * KV_TILE + place), &last, 4);
        if (values) {
            uint8_t *row = tile + 4 * (int64_t)(place / per) * head_dim;
            uint32_t shift = (uint32_t)(place % per * bits), keep = ~((uint32_t)((1 << bits) - 1) << shift);
            for (int d = 0; d < head_dim; d++) {
                uint32_t word;
                memcpy(&word, row + 4 * d, 4);
                word = (word & keep) | (uint32_t)codes[d] << shift;
                memcpy(row + 4 * d, &word, 4);
            }
        } else {
            for (int j = 0; j < t.words; j++) {
                uint32_t word = 0;
                for (int k = 0; k < per; k++) word |= (uint32_t)codes[j * per + k] << (k * bits);
                memcpy(tile + 4 * (j * KV_TILE + place), &word, 4);
            }
        }
    }
}
