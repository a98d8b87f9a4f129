package dev.obr.compressor.random;

/** MT19937 of Matsumoto and Nishimura, the generator inside CPython's {@code random} and PyTorch's CPU generator. */
public final class MersenneTwister {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int next = N;

    private MersenneTwister(int seed) {
        state[0] = seed;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
    }

    /** {@code init_genrand}: seeded by one number. */
    public static MersenneTwister seeded(int seed) {
        return new MersenneTwister(seed);
    }

    /** {@code init_by_array}: seeded by one or several numbers. */
    public static MersenneTwister keyed(int[] key) {
        MersenneTwister twister = new MersenneTwister(19650218);
        int[] s = twister.state;
        int i = 1;
        int j = 0;
        for (int k = Math.max(N, key.length); k > 0; k--) {
            s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >>> 30) * 1664525) + key[j] + j;
            i++;
            j = (j + 1) % key.length;
            if (i == N) {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        for (int k = N - 1; k > 0; k--) {
            s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >>> 30) * 1566083941) - i;
            i++;
            if (i == N) {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        s[0] = 0x80000000;
        return twister;
    }

    /** The next 32 random bits. */
    public int nextInt() {
        if (next == N) {
            twist();
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < N; i++) {
            int y = state[i] & 0x80000000 | state[(i + 1) % N] & 0x7fffffff;
            state[i] = state[(i + M) % N] ^ y >>> 1 ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        next = 0;
    }
}
