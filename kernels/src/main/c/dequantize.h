/*
 * Weights of every storage type -> float32.
 *
 * Block layouts are GGUF's; one line is one block, d and m are half floats, bytes left to right:
 *
 *   Q8_0   32 weights  | d | 32 x int8 q |                                       w = d q
 *   Q4_0   32 weights  | d | 16 bytes: low nibbles 0..15, high 16..31 |          w = d (q - 8)
 *   Q4_1   32 weights  | d | m | 16 bytes as above |                             w = d q + m
 *   Q4_K  256 weights  | d | m | 12 bytes: 8 x (scale 6 bit, min 6 bit) | 128 bytes |       w = d s q - m n
 *                        each 32 bytes hold 64 weights: low nibbles the first 32, high the next 32
 *   Q6_K  256 weights  | 128 bytes low 4 bits | 64 bytes high 2 bits | 16 x int8 scale | d |  w = d s (q - 32)
 *                        in each half of 128: byte l of ql: weights l, l + 64 (nibbles) for l < 64;  byte l of qh: weights l, l + 32, l + 64, l + 96 for l < 32
 *
 *   CODES_8, CODES_4     int8 q, or two 4-bit q, the first in the low half of a byte        w = q: the scale of a row is applied to its product
 *
 * Every group that shares a scale has 16 or 32 weights, a whole number of vectors. Bound: about one instruction a weight in vectors of 8.
 */

/* 16 bits at any address: rows in files need not be aligned */
INLINE uint16_t bits_at(const uint8_t *p) {
    uint16_t bits;
    memcpy(&bits, p, 2);
    return bits;
}

INLINE float half_at(const uint8_t *p) { return widen_one(bits_at(p)); }

INLINE void unpack_q8_0(const uint8_t *block, float *y) {
    float d = half_at(block);
    for (int i = 0; i < 32; i += LANES) store(y + i, d * to_floats(load_s8(block + 2 + i)));
}

INLINE void unpack_q4_0(const uint8_t *block, float *y) {
    float d = half_at(block);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_u8(block + 2 + i);
        store(y + i, d * to_floats((q & 15) - 8));
        store(y + i + 16, d * to_floats((q >> 4) - 8));
    }
}

INLINE void unpack_q4_1(const uint8_t *block, float *y) {
    float d = half_at(block);
    float m = half_at(block + 2);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_u8(block + 4 + i);
        store(y + i, d * to_floats(q & 15) + m);
        store(y + i + 16, d * to_floats(q >> 4) + m);
    }
}

/* scales and minimums 0..3 are the low 6 bits of bytes 0..7; 4..7 are in bytes 8..11 and the spare top bits of 0..7 */
INLINE int q4_k_scale(const uint8_t *s, int g) { return g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6) << 4; }

INLINE int q4_k_minimum(const uint8_t *s, int g) { return g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | (s[g] >> 6) << 4; }

INLINE void unpack_q4_k(const uint8_t *block, float *y) {
    float d = half_at(block);
    float m = half_at(block + 2);
    const uint8_t *s = block + 4;
    for (int g = 0; g < 8; g += 2, y += 64) {
        float low_step = d * (float)q4_k_scale(s, g), low_offset = m * (float)q4_k_minimum(s, g);
        float high_step = d * (float)q4_k_scale(s, g + 1), high_offset = m * (float)q4_k_minimum(s, g + 1);
        for (int i = 0; i < 32; i += LANES) {
            vi q = load_u8(block + 16 + 16 * g + i);
            store(y + i, low_step * to_floats(q & 15) - low_offset);
            store(y + i + 32, high_step * to_floats(q >> 4) - high_offset);
        }
    }
}

INLINE void unpack_q6_k(const uint8_t *block, float *y) {
    float d = half_at(block + 208);
    for (int half = 0; half < 2; half++, y += 128) {
        const uint8_t *low = block + 64 * half;
        const uint8_t *high = block + 128 + 32 * half;
        const int8_t *scales = (const int8_t *)block + 192 + 8 * half;
        for (int i = 0; i < 32; i += LANES) {
            const int8_t *scale = scales + i / 16;
            vi first = load_u8(low + i), second = load_u8(low + 32 + i), top = load_u8(high + i);
            store(y + i, d * (float)scale[0] * to_floats(((first & 15) | (top & 3) << 4) - 32));
            store(y + i + 32, d * (float)scale[2] * to_floats(((second & 15) | (top >> 2 & 3) << 4) - 32));
            store(y + i + 64, d * (float)scale[4] * to_floats((first >> 4 | (top >> 4 & 3) << 4) - 32));
            store(y + i + 96, d * (float)scale[6] * to_floats((second >> 4 | top >> 6 << 4) - 32));
        }
    }
}

INLINE float code4_at(const uint8_t *row, int64_t k) { return (float)((int8_t)(row[k / 2] << 4 * (1 - k % 2)) >> 4); }

/* `count` weights of a row from column k0 on; both are multiples of the type's block size */
static void unpack(int type, const uint8_t *row, int64_t k0, int count, float *y) {
    int i = 0;
    switch (type) {
    case F32: memcpy(y, row + 4 * k0, 4 * (size_t)count); break;
    case F16:
        row += 2 * k0;
        for (; i + LANES <= count; i += LANES) store(y + i, load_f16(row + 2 * i));
        for (; i < count; i++) y[i] = half_at(row + 2 * i);
        break;
    case BF16:
        row += 2 * k0;
        for (; i + LANES <= count; i += LANES) store(y + i, load_bf16(row + 2 * i));
        for (; i < count; i++) y[i] = widen_bf16_one(bits_at(row + 2 * i));
        break;
    case CODES_8:
        row += k0;
        for (; i + LANES <= count; i += LANES) store(y + i, to_floats(load_s8(row + i)));
        for (; i < count; i++) y[i] = (int8_t)row[i];
        break;
    case CODES_4:
        row += k0 / 2;
        for (; i + LANES <= count; i += LANES) store(y + i, to_floats(load_s4(row + i / 2)));
        for (; i < count; i++) y[i] = code4_at(row, i);
        break;
    case Q8_0:
        for (row += k0 / 32 * 34; i < count; i += 32, row += 34) unpack_q8_0(row, y + i);
        break;
    case Q4_0:
        for (row += k0 / 32 * 18; i < count; i += 32, row += 18) unpack_q4_0(row, y + i);
        break;
    case Q4_1:
        for (row += k0 / 32 * 20; i < count; i += 32, row += 20) unpack_q4_1(row, y + i);
        break;
    case Q4_K:
        for (row += k0 / 256 * 144; i < count; i += 256, row += 144) unpack_q4_k(row, y + i);
        break;
    case Q6_K:
        for (row += k0 / 256 * 210; i < count; i += 256, row += 210) unpack_q6_k(row, y + i);
        break;
    }
}

/* bytes of `count` weights, a multiple of the type's block size */
INLINE int64_t block_bytes(int type, int64_t count) {
    switch (type) {
    case F32: return 4 * count;
    case CODES_8: return count;
    case CODES_4: return count / 2;
    case Q8_0: return count / 32 * 34;
    case Q4_0: return count / 32 * 18;
    case Q4_1: return count / 32 * 20;
    case Q4_K: return count / 256 * 144;
    case Q6_K: return count / 256 * 210;
    default: return 2 * count;
    }
}
