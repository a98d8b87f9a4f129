/* The kernels for any processor: vectors of 4 floats, which every 64-bit instruction set has. */
#define LANES 4
#define NAME(function) function##_generic

#include "obrkernels.h"
#include "lanes.h"
#include "dequantize.h"
#include "matmul.h"
#include "elementwise.h"
#include "attention.h"
#include "hadamard.h"
#include "quantize.h"
#include "attention_codes.h"
