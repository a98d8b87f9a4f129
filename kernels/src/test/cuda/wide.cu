#include <math.h>

// 64-bit integers: products, quotients, shifts, and the high half of a product.
extern "C" __global__ void longs(const long long* a, const long long* b, long long* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long p = a[i], q = b[i];
    unsigned long long up = p, uq = q;
    int shift = (int)(uq & 63);
    y[i] = p * q + (p ^ (q >> 7));
    y[n + i] = q ? p / q : 0;
    y[2 * n + i] = q ? p % q : 0;
    y[3 * n + i] = uq ? (long long)(up / uq) : 0;
    y[4 * n + i] = uq ? (long long)(up % uq) : 0;
    y[5 * n + i] = __mul64hi(p, q);
    y[6 * n + i] = (long long)__umul64hi(up, uq);
    y[7 * n + i] = (p << shift) | (long long)(up >> (63 - shift));
    y[8 * n + i] = p >> shift;
    y[9 * n + i] = (p < q) + 2 * (up < uq) + 4 * (p == q) + 8 * __popcll(p) + 1024 * __clzll(q) + (1 << 20) * __ffsll(p);
    y[10 * n + i] = (long long)__brevll(up) + min(p, q) - max(up, uq);
    y[11 * n + i] = (long long)(int)p * (int)q + llabs((long long)(short)q);
}

// Double precision: fused and separate, root, quotient, rounding and conversions.
extern "C" __global__ void doubles(const double* a, const double* b, double* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double p = a[i], q = b[i];
    y[i] = fma(p, q, -q);
    y[n + i] = __dadd_rn(__dmul_rn(p, q), p);
    y[2 * n + i] = p / q;
    y[3 * n + i] = sqrt(fabs(p));
    y[4 * n + i] = (double)(float)p;
    y[5 * n + i] = (double)(long long)p + (double)(int)q;
    y[6 * n + i] = rint(p) + floor(q) - ceil(p) + trunc(q);
    y[7 * n + i] = p < q ? fmin(p, 3.0) : fmax(q, -3.0);
    y[8 * n + i] = (double)(unsigned)fabs(p) + (double)(unsigned long long)fabs(q);
    y[9 * n + i] = __longlong_as_double(__double_as_longlong(p) ^ 0x8000000000000000ll);
    y[10 * n + i] = __hiloint2double(__double2hiint(p), __double2loint(q));
}
