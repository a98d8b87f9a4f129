/*
 * Rows of the embedding table: y[t] = table[tokens[t]], fp16 [tokens][n], 16 bytes a thread.
 *
 * Tokens lie on the device, where argmax puts them. One that the table has not makes a row of no numbers, which nothing behind it hides.
 *
 * Limits: n a multiple of 8. Bound: bytes, n * 4 a token; nothing next to a layer.
 */
#include "instructions.cuh"

/* row: n / 8 */
DEVICE void embed(const uint4 *table, const int *tokens, uint4 *y, uint32_t vocabulary, uint32_t row) {
    const uint32_t token = tokens[blockIdx.x], none = 0x7fff7fff;
    for (uint32_t i = threadIdx.x; i < row; i += blockDim.x)
        y[(uint64_t)blockIdx.x * row + i] =
            token < vocabulary ? load_once_16(table + (uint64_t)token * row + i) : make_uint4(none, none, none, none);
}

#define EMBED(NAME, NUMBER)                                                                                            \
    extern "C" __global__ void __launch_bounds__(256)                                                                  \
        NAME(const NUMBER *table, const int *tokens, NUMBER *y, uint32_t vocabulary, uint32_t row) {                   \
        embed((const uint4 *)table, tokens, (uint4 *)y, vocabulary, row);                                              \
    }

EMBED(embed_f16, __half) // registers <= 40
