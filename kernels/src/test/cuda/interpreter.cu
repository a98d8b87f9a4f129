// A machine of four registers a thread: its program is data, so a warp's lanes branch by a table. Codes: operation | target << 4 | source << 6 | constant << 8.
extern "C" __global__ void interpret(const int* programs, int length, const int* x, int* y) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    int r0 = x[t], r1 = t, r2 = 1, r3 = 0;
    const int* program = programs + (t % 3) * length;
    for (int at = 0; at < length; at++) {
        int code = program[at], constant = code >> 8;
        int s = (code >> 6 & 3) == 0 ? r0 : (code >> 6 & 3) == 1 ? r1 : (code >> 6 & 3) == 2 ? r2 : r3;
        int d = (code >> 4 & 3) == 0 ? r0 : (code >> 4 & 3) == 1 ? r1 : (code >> 4 & 3) == 2 ? r2 : r3;
        switch (code & 15) {
            case 0: d = s; break;
            case 1: d += s; break;
            case 2: d -= s * 3; break;
            case 3: d *= s; break;
            case 4: d ^= s << (constant & 31); break;
            case 5: d = s >> (constant & 31); break;
            case 6: d = (int)((unsigned)s >> (constant & 31)); break;
            case 7: d = constant; break;
            case 8: d += constant; break;
            case 9: d = s != 0 ? d / s : 7; break;
            case 10: d = s != 0 ? d % s : -7; break;
            case 11: d = d < s ? d : s; break;
            case 12: if (s > 0) at += constant; break;  // jumps forward
            case 13: if (d-- > 0) at -= constant; break;  // loops back
            case 14: at = length; break;
            default: d = ~d; break;
        }
        switch (code >> 4 & 3) {
            case 0: r0 = d; break;
            case 1: r1 = d; break;
            case 2: r2 = d; break;
            default: r3 = d; break;
        }
    }
    y[t] = r0 + 31 * (r1 + 31 * (r2 + 31 * r3));
}
