/* Products of dense weights (spgemm.cuh) with 4-bit tokens, for sm_80, sm_86 and sm_89: for models that are not pruned, and what pruned ones are compared with. */
#include "spgemm.cuh"
#include "spgemv.cuh"

using Large = Tile<256, 128, 64, 64, 4>;
using Square = Tile<128, 128, 64, 64, 4>;
using Medium = Tile<128, 32, 32, 32, 4, true>;
using Small = Tile<64, 16, 16, 16, 4, true>;

SPGEMM(gemm_s4_256x128, DenseInt4, Large, 1) // registers <= 255
SPGEMM(gemm_s4_128x128, DenseInt4, Square, 1) // registers <= 255
SPGEMM(gemm_s4_128x32, DenseInt4, Medium, 3) // registers <= 128
SPGEMM(gemm_s4_64x16, DenseInt4, Small, 4) // registers <= 64
SPGEMV(gemm_s4_16x8, DenseInt4) // registers <= 128
