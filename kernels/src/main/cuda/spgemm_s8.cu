/* The same products with tokens of one byte (spgemm.cuh): for sm_90, and everywhere for 8-bit tokens. */
#include "spgemm.cuh"
#include "spgemv.cuh"

using Large = Tile<256, 128, 64, 64, 3>;
using Square = Tile<128, 128, 64, 64, 4>;
using Medium = Tile<128, 32, 32, 32, 4, true>;
using Small = Tile<64, 16, 16, 16, 4, true>;

SPGEMM(spgemm_s8_256x128, PairsInt8, Large, 1)  // registers <= 255
SPGEMM(spgemm_s8_128x128, PairsInt8, Square, 1) // registers <= 255
SPGEMM(spgemm_s8_128x32, PairsInt8, Medium, 3)  // registers <= 128
SPGEMM(spgemm_s8_64x16, PairsInt8, Small, 4)    // registers <= 64
SPGEMV(spgemm_s8_16x8, PairsInt8)            // registers <= 96
