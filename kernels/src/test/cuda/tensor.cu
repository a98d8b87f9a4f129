// The tensor cores in the plainest way: one warp, one 16 x 8 tile of D, fragments by ldmatrix from shared memory.
typedef unsigned u32;

__device__ u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }

// D [m, n] = A [m, k] . B [n, k]^T in bytes; grid (m / 16, n / 8), k a multiple of 32.
extern "C" __global__ void gemm_s8(const signed char* a, const signed char* b, int* d, int n, int k) {
    __shared__ __align__(16) signed char left[16][32], right[8][32];
    int lane = threadIdx.x, g = lane / 4, t = lane % 4;
    int c0 = 0, c1 = 0, c2 = 0, c3 = 0;
    for (int at = 0; at < k; at += 32) {
        __syncwarp();
        *(int4*)&left[lane / 2][16 * (lane % 2)] = *(const int4*)(a + (blockIdx.x * 16 + lane / 2) * k + at + 16 * (lane % 2));
        if (lane < 16)
            *(int4*)&right[lane / 2][16 * (lane % 2)] = *(const int4*)(b + (blockIdx.y * 8 + lane / 2) * k + at + 16 * (lane % 2));
        __syncwarp();
        u32 a0, a1, a2, a3, b0, b1;
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(a0), "=r"(a1), "=r"(a2), "=r"(a3)
                     : "r"(shared_address(&left[lane % 16][16 * (lane / 16)])));
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
                     : "=r"(b0), "=r"(b1)
                     : "r"(shared_address(&right[lane % 8][16 * (lane / 8 % 2)])));
        asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+r"(c0), "+r"(c1), "+r"(c2), "+r"(c3)
                     : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    }
    int* out = d + (blockIdx.x * 16 + g) * n + blockIdx.y * 8 + 2 * t;
    *(int2*)out = make_int2(c0, c1);
    *(int2*)(out + 8 * n) = make_int2(c2, c3);
}

// D [16, 8] = A [16, 16] . B [16, 8] in half floats, B by rows, so its fragments are loaded transposed.
extern "C" __global__ void gemm_f16(const unsigned short* a, const unsigned short* b, float* d) {
    __shared__ __align__(16) unsigned short left[16][16], right[16][8];
    int lane = threadIdx.x;
    *(int4*)&left[lane / 2][8 * (lane % 2)] = ((const int4*)a)[lane];
    if (lane < 16) *(int4*)&right[lane][0] = ((const int4*)b)[lane];
    __syncwarp();
    u32 a0, a1, a2, a3, b0, b1;
    float c[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(a0), "=r"(a1), "=r"(a2), "=r"(a3)
                 : "r"(shared_address(&left[lane % 16][8 * (lane / 16)])));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                 : "=r"(b0), "=r"(b1)
                 : "r"(shared_address(&right[lane % 16][0])));
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%10,%10,%10};"
                 : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1), "f"(0.5f));
    for (int i = 0; i < 4; i++) d[(lane / 4 + 8 * (i / 2)) * 8 + 2 * (lane % 4) + i % 2] = c[i];
}

// One sparse product of nibbles on registers as they lie in memory: [register][lane].
extern "C" __global__ void sparse_s4(const u32* a, const u32* b, const u32* e, int* d) {
    int lane = threadIdx.x, c0 = 1, c1 = 2, c2 = 3, c3 = 4;
    asm volatile("mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.s4.s4.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9,%10,%11}, {%0,%1,%2,%3}, %12, 0x0;"
                 : "+r"(c0), "+r"(c1), "+r"(c2), "+r"(c3)
                 : "r"(a[lane]), "r"(a[32 + lane]), "r"(a[64 + lane]), "r"(a[96 + lane]), "r"(b[lane]), "r"(b[32 + lane]),
                   "r"(b[64 + lane]), "r"(b[96 + lane]), "r"(e[lane]));
    d[lane] = c0, d[32 + lane] = c1, d[64 + lane] = c2, d[96 + lane] = c3;
}
