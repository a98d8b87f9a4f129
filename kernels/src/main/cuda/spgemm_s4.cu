/* Sparse products with 4-bit tokens (spgemm.cuh), for sm_80, sm_86 and sm_89: later tensor cores multiply no 4-bit integers, and what ptxas writes in their place is no use. */
#include "spgemm.cuh"
#include "spgemv.cuh"

using Large = Tile<256, 128, 64, 64, 4>;
using Square = Tile<128, 128, 64, 64, 4>;
using Medium = Tile<128, 32, 32, 32, 4, true>;
using Small = Tile<64, 16, 16, 16, 4, true>;

SPGEMM(spgemm_s4_256x128, PairsInt4, Large, 1)  // registers <= 255
SPGEMM(spgemm_s4_128x128, PairsInt4, Square, 1) // registers <= 255
SPGEMM(spgemm_s4_128x32, PairsInt4, Medium, 3)  // registers <= 128
SPGEMM(spgemm_s4_64x16, PairsInt4, Small, 4)    // registers <= 64
SPGEMV(spgemm_s4_16x8, PairsInt4)            // registers <= 80
