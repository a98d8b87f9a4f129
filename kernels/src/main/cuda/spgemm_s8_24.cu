/* Products of weights on the pattern 2:4 (spgemm.cuh) with tokens of one byte, for every tensor core: no other instruction takes 2:4 of 4 bits. */
#include "spgemm.cuh"
#include "spgemv.cuh"

using Large = Tile<256, 128, 64, 64, 3>;
using Square = Tile<128, 128, 64, 64, 4>;
using Medium = Tile<128, 32, 32, 32, 4, true>;
using Small = Tile<64, 16, 16, 16, 4, true>;

SPGEMM(spgemm_s8_24_256x128, FoursInt8, Large, 1) // registers <= 255
SPGEMM(spgemm_s8_24_128x128, FoursInt8, Square, 1) // registers <= 255
SPGEMM(spgemm_s8_24_128x32, FoursInt8, Medium, 3) // registers <= 128
SPGEMM(spgemm_s8_24_64x16, FoursInt8, Small, 4) // registers <= 80
SPGEMV(spgemm_s8_24_16x8, FoursInt8) // registers <= 128
