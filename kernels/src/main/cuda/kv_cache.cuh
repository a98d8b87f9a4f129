/*
 * Keys or values of one layer as 4-bit codes, for sequences that each have a slot: by KV head, so that a head's positions lie beside each other, and their steps apart.
 *
 *     codes  [slots][KV heads][capacity]  | code 0, 1 | 2, 3 | .. |     headDim / 2 bytes a position: component 2 i in the low half of byte i
 *     steps  [slots][KV heads][capacity]  | scale fp16 | zero | 0 |     4 bytes a position
 *
 *     x' = scale * (code - zero)
 *
 * These are KvQuantizer's bytes. A position of 128 components is 64 + 4 bytes; a warp that reads 8 positions has 512 + 32 bytes beside each other.
 */
#pragma once

#include "instructions.cuh"

/* Where a token stands. */
struct Place {
    uint32_t slot, position;
};

struct CodeRows {
    uint8_t *codes;
    uint32_t *steps;
};

/* The position's number among all of the cache. */
DEVICE uint64_t row_of(Place place, uint32_t head, uint32_t kv_heads, uint32_t capacity) {
    return ((uint64_t)place.slot * kv_heads + head) * capacity + place.position;
}

DEVICE float scale_of(uint32_t step) { return __half2float(__ushort_as_half(step & 0xffff)); }
DEVICE float zero_of(uint32_t step) { return step >> 16 & 255; }
