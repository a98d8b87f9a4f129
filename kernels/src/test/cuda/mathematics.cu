#include <math.h>

// Functions of the mathematics library, with their slow paths; 12 results a thread.
extern "C" __global__ void functions(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i], p = fabsf(v) + 0.5f;
    float* out = y + 12 * i;
    out[0] = sinf(v);
    out[1] = cosf(v * 1000.0f);
    out[2] = logf(p);
    out[3] = powf(p, 0.3f);
    out[4] = tanhf(v);
    out[5] = erff(v);
    out[6] = sqrtf(p);
    out[7] = rsqrtf(p);
    out[8] = 1.0f / (1.0f + expf(-v));
    out[9] = v * 0.7f / p;
    out[10] = exp2f(v) + log2f(p);
    out[11] = atan2f(v, p) + fmodf(v, 0.75f);
}

// Conversions with each rounding, clamped, and of what is no number; 12 words a thread.
extern "C" __global__ void conversions(const float* x, int* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i];
    int* out = y + 12 * i;
    out[0] = __float2int_rn(v);
    out[1] = __float2int_rz(v);
    out[2] = __float2int_ru(v);
    out[3] = __float2int_rd(v);
    out[4] = (int)__float2uint_rn(v);
    out[5] = (int)(__float2ll_rz(v) >> 16);
    out[6] = __float_as_int(rintf(v));
    out[7] = __float_as_int(__saturatef(v));
    out[8] = __float_as_int(__int2float_rz(__float_as_int(v)));
    out[9] = __float_as_int(__uint2float_rn(__float_as_uint(v)));
    out[10] = (isnan(v) != 0) + 2 * (isinf(v) != 0) + 4 * (v == v) + 8 * (v < 1) + 16 * !(v >= 1) + 32 * (signbit(v) != 0);
    out[11] = __float_as_int(copysignf(3.0f, v) + fminf(v, 2.0f));
}
