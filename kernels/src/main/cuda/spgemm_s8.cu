/* The same products with tokens of one byte (spgemm.cuh): for sm_90, and everywhere for 8-bit tokens. */
#include "spgemm.cuh"
#include "spgemv.cuh"

using Large = Tile<256, 128, 64, 64, 3>;
using Square = Tile<128, 128, 64, 64, 4>;
using Medium = Tile<128, 32, 32, 32, 4>;
using Small = Tile<64, 16, 16, 16, 4>;

SPGEMM(spgemm_s8_256x128, Int8Tokens, Large, 1)  // registers <= 255
SPGEMM(spgemm_s8_128x128, Int8Tokens, Square, 1) // registers <= 255
SPGEMM(spgemm_s8_128x32, Int8Tokens, Medium, 3)  // registers <= 128
SPGEMM(spgemm_s8_64x16, Int8Tokens, Small, 4)    // registers <= 64
SPGEMV(spgemm_s8_16x8, Int8Tokens)            // registers <= 96
