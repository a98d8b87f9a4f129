/*
 * Attention of one token over one KV head, for the `group` query heads that share it: out[g] = softmax(scale q[g] K^T) V.
 *
 *     q [group, head_dim]     K, V [positions, head_dim], float32 or half     scores, out [group, ..]
 *
 *        K  p0 | head_dim |      scores  g0 | p0 p1 p2 ... |      V  p0 | head_dim |      out  g0 | head_dim |
 *           p1 | head_dim |   ->         g1 | p0 p1 p2 ... |  .      p1 | head_dim |  ->       g1 | head_dim |
 *           ..                                                       ..
 *
 * Tiling: q K^T is the linear layer of matmul.h with K as the weight, 64 positions at a time, so that K comes from memory once and from L1 for the other query heads.
 * softmax(..) V runs over the same 64 positions for 2 vectors of head_dim x 4 query heads: 8 accumulators.
 * Limits: K and V of float32 or half floats; any group, head_dim and number of positions of at least 1.
 * Bound: the bytes of K and V over memory bandwidth for one query head; for groups the adding up of lanes in q K^T (one sum per head_dim / LANES multiply-adds).
 * Measured with AVX2 on one core (51 GFMA/s in registers), half floats, 512 positions: 8-13 GFMA/s for 1 head of 64, 13-16 for 4 heads, 30 for 8 heads of 128.
 */

enum { POSITION_BLOCK = 64, GROUP_TILE = 4 };

/* out[g][d..d+2 LANES) += sum_p scores[g][p] V[p] for G heads, V of constant type */
INLINE void weigh(int type, int G, int vectors, const float *scores, int64_t score_stride, const uint8_t *values, int64_t row_bytes, int positions, int64_t d, float *out,
                  int64_t head_dim) {
    vf acc[GROUP_TILE][2];
    for (int g = 0; g < G; g++)
        for (int v = 0; v < vectors; v++) acc[g][v] = load(out + g * head_dim + d + v * LANES);
    for (int p = 0; p < positions; p++) {
        vf row[2];
        for (int v = 0; v < vectors; v++) row[v] = load_as(type, values + p * row_bytes, d + v * LANES);
        for (int g = 0; g < G; g++) {
            vf s = splat(scores[g * score_stride + p]);
            for (int v = 0; v < vectors; v++) acc[g][v] += s * row[v];
        }
    }
    for (int g = 0; g < G; g++)
        for (int v = 0; v < vectors; v++) store(out + g * head_dim + d + v * LANES, acc[g][v]);
}

INLINE void weigh_heads(int type, int G, const float *scores, int64_t score_stride, const uint8_t *values, int64_t row_bytes, int positions, float *out, int64_t head_dim) {
    int64_t d = 0;
    for (; d + 2 * LANES <= head_dim; d += 2 * LANES) weigh(type, G, 2, scores, score_stride, values, row_bytes, positions, d, out, head_dim);
    for (; d + LANES <= head_dim; d += LANES) weigh(type, G, 1, scores, score_stride, values, row_bytes, positions, d, out, head_dim);
    for (; d < head_dim; d++)
        for (int g = 0; g < G; g++)
            for (int p = 0; p < positions; p++) out[g * head_dim + d] += scores[g * score_stride + p] * load_one(type, values + p * row_bytes, d);
}

INLINE void weigh_all(int type, int group, const float *scores, int64_t score_stride, const uint8_t *values, int64_t row_bytes, int positions, float *out, int64_t head_dim) {
    int g = 0;
    for (; g + 4 <= group; g += 4) weigh_heads(type, 4, scores + g * score_stride, score_stride, values, row_bytes, positions, out + g * head_dim, head_dim);
    for (; g < group; g++) weigh_heads(type, 1, scores + g * score_stride, score_stride, values, row_bytes, positions, out + g * head_dim, head_dim);
}

/* scores = exp(scale (scores - largest)) / their sum */
static void softmax(float *scores, int64_t n, float scale) {
    int64_t i = 0;
    float largest = scores[0];
    vf larger_lanes = splat(largest);
    for (; i + LANES <= n; i += LANES) larger_lanes = larger(load(scores + i), larger_lanes);
    for (; i < n; i++) largest = scores[i] > largest ? scores[i] : largest;
    for (int lane = 0; lane < LANES; lane++) largest = larger_lanes[lane] > largest ? larger_lanes[lane] : largest;
    vf sums = zero();
    for (i = 0; i + LANES <= n; i += LANES) {
        vf e = exponential((load(scores + i) - largest) * scale);
        store(scores + i, e);
        sums += e;
    }
    float total = sum(sums);
    for (; i < n; i++) {
        scores[i] = exponential(splat((scores[i] - largest) * scale))[0];
        total += scores[i];
    }
    float inverse = 1.0f / total;
    for (i = 0; i + LANES <= n; i += LANES) store(scores + i, load(scores + i) * inverse);
    for (; i < n; i++) scores[i] *= inverse;
}

OBR_API void NAME(obr_attention)(const float *q, int32_t group, int32_t head_dim, const void *keys, const void *values, int32_t kv, int32_t positions, float scale, float *scores,
                                 float *out) {
    int64_t row_bytes = (kv == F32 ? 4 : 2) * (int64_t)head_dim;
    for (int p = 0; p < positions; p += POSITION_BLOCK) {
        const uint8_t *block = (const uint8_t *)keys + p * row_bytes;
        matmul_few(kv, block, row_bytes, head_dim, 0, at_most(positions - p, POSITION_BLOCK), q, group, scores + p, positions);
    }
    for (int g = 0; g < group; g++) softmax(scores + (int64_t)g * positions, positions, scale);
    memset(out, 0, 4 * (size_t)group * (size_t)head_dim);
    for (int p = 0; p < positions; p += POSITION_BLOCK) {
        const uint8_t *block = (const uint8_t *)values + p * row_bytes;
        int n = at_most(positions - p, POSITION_BLOCK);
        if (kv == F32) weigh_all(F32, group, scores + p, positions, block, row_bytes, n, out, head_dim);
        else weigh_all(F16, group, scores + p, positions, block, row_bytes, n, out, head_dim);
    }
}
