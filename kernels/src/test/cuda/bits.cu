// Tricks with bits and bytes; 16 words a thread.
extern "C" __global__ void bits(const unsigned* a, const unsigned* b, unsigned* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned p = a[i], q = b[i];
    unsigned* out = y + 16 * i;
    out[0] = __popc(p) + 64 * __clz(q) + 4096 * __ffs(p);
    out[1] = __brev(p);
    out[2] = __byte_perm(p, q, 0x7531) ^ __byte_perm(p, q, q & 0x7777);
    out[3] = __funnelshift_l(p, q, p & 63);
    out[4] = __funnelshift_r(p, q, q & 63);
    out[5] = __funnelshift_lc(p, q, p & 63) + __funnelshift_rc(p, q, q & 63);
    out[6] = (p << (q & 63 & 31)) + (p >> (q >> 27)) + (unsigned)((int)p >> (q >> 27));
    out[7] = __mulhi((int)p, (int)q) ^ __umulhi(p, q);
    out[8] = __dp4a((int)p, (int)q, 5) ^ __dp4a(p, q, 7u);
    out[9] = (p & q) | (~p & (q >> 3)) ^ (p | ~q);
    out[10] = __sad((int)p, (int)q, 9u) + __usad(p, q, 1u);
    out[11] = (unsigned)(int)(signed char)p + (unsigned short)q + (p >> 8 & 0xff) * 3 + (unsigned)((int)(q << 12) >> 20);
    out[12] = __vadd4(p, q) ^ __vabsdiffs4(p, q) ^ __vcmpgtu2(p, q);
    out[13] = (p & 0xfff00fff) | (q & 0xff) << 12;
    out[14] = __rhadd((int)p, (int)q) ^ __uhadd(p, q);
    out[15] = (q ? p / q : 1) + (q ? p % q : 2) * 3 + (q ? (unsigned)((int)(p >> 1) / (int)(q | 1)) : 4) + p / 10 + q % 1000;
}
