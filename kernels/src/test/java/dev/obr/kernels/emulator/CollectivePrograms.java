package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.LaunchShape;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Programs whose threads work together: sums, counts, votes, barriers and atomic changes. */
final class CollectivePrograms {
    private CollectivePrograms() {}

    static List<CudaProgram> all() {
        return List.of(
                blockSums(),
                largest(256, 1000),
                largest(64, 5),
                scanDoubling(),
                scanWarps(256, 256),
                scanWarps(416, 400),
                histogram(),
                votes(),
                blockVotes(),
                relay(),
                atomics(),
                tickets(),
                lastAdds());
    }

    private static CudaProgram blockSums() {
        float[] x = Numbers.wholeFloats(1000, 50, 1);
        float[] sums = new float[3];
        for (int i = 0; i < x.length; i++) {
            sums[i / 128 % 3] += x[i];
        }
        return new CudaProgram("reduce", "block_sums", LaunchShape.of(3, 128, 0))
                .in(x)
                .i32(1000)
                .out(sums);
    }

    private static CudaProgram largest(int threads, int n) {
        int[] x = Numbers.ints(n, -300, 100, n);
        int at = 0;
        for (int i = 1; i < n; i++) {
            at = x[i] > x[at] ? i : at;
        }
        return new CudaProgram("reduce", "largest", LaunchShape.of(1, threads, 8 * threads))
                .in(x)
                .i32(n)
                .out(new int[] {x[at]})
                .out(new int[] {at});
    }

    private static CudaProgram scanDoubling() {
        int[] x = Numbers.ints(512, -99, 100, 2);
        int[] y = x.clone();
        for (int i = 1; i < y.length; i++) {
            y[i] += i % 256 == 0 ? 0 : y[i - 1];
        }
        return new CudaProgram("scan", "scan_doubling", LaunchShape.of(2, 256, 0))
                .in(x)
                .out(y);
    }

    private static CudaProgram scanWarps(int threads, int n) {
        int[] x = Numbers.ints(n, -99, 100, 3);
        int[] y = x.clone();
        Arrays.parallelPrefix(y, Integer::sum);
        return new CudaProgram("scan", "scan_warps", LaunchShape.of(1, threads, 0))
                .in(x)
                .out(y)
                .i32(n);
    }

    private static CudaProgram histogram() {
        byte[] x = new byte[3000];
        new Random(4).nextBytes(x);
        Arrays.fill(x, 100, 900, (byte) 200); // many lanes at one address
        int[] counts = new int[256];
        Arrays.setAll(counts, i -> i);
        int[] expected = counts.clone();
        for (byte value : x) {
            expected[value & 0xff]++;
        }
        return new CudaProgram("histogram", "histogram", LaunchShape.of(3, 96, 0))
                .in(x)
                .i32(3000)
                .inout(counts, expected);
    }

    private static CudaProgram votes() {
        int[] x = Numbers.ints(128, 0, 100, 5);
        Arrays.fill(x, 32, 64, 94); // all the same, all even
        for (int i = 64; i < 96; i++) {
            x[i] = 2 * x[i] + 1001; // all odd
        }
        int[] y = new int[12 * x.length];
        for (int t = 0; t < x.length; t++) {
            int[] warp = Arrays.copyOfRange(x, t / 32 * 32, t / 32 * 32 + 32);
            System.arraycopy(votes(warp, t % 32), 0, y, 12 * t, 12);
        }
        return new CudaProgram("votes", "votes", LaunchShape.of(2, 64, 0)).in(x).out(y);
    }

    /** What one lane hears. */
    private static int[] votes(int[] warp, int lane) {
        int[] out = new int[12];
        int odd = 0;
        int same = 0;
        int some = 0;
        int all = 2;
        int second = 0;
        int fourth = 0;
        for (int i = 0; i < 32; i++) {
            int bit = 1 << i;
            odd |= warp[i] % 2 != 0 ? bit : 0;
            same |= warp[i] % 5 == warp[lane] % 5 ? bit : 0;
            some = warp[i] > 90 ? 1 : some;
            all = warp[i] > 3 ? all : 0;
            second |= (warp[i] & 3) == 3 ? bit : 0;
            fourth |= (warp[i] & 5) == 4 ? bit : 0;
        }
        out[0] = odd;
        out[1] = some + all;
        out[2] = same;
        boolean equal = Arrays.stream(warp).allMatch(v -> v / 1000 == warp[0] / 1000);
        out[3] = equal ? -1 ^ 1 : 0;
        out[4] = Arrays.stream(warp).sum();
        out[5] =
                Arrays.stream(warp).max().getAsInt() ^ Arrays.stream(warp).min().getAsInt() << 16;
        out[6] = Arrays.stream(warp).reduce(-1, (p, q) -> p & (q | 0xf0))
                ^ Arrays.stream(warp).reduce(0, (p, q) -> p | q) << 8
                ^ Arrays.stream(warp).reduce(0, (p, q) -> p ^ q) << 16;
        out[7] = warp[(lane * 7 + 3) % 32] ^ warp[lane / 8 * 8 + 5] << 8;
        out[8] = warp[lane % 16 >= 3 ? lane - 3 : lane] ^ warp[lane % 16 < 10 ? lane + 6 : lane] << 8;
        // A lane of a lower segment cannot look into a higher one.
        out[9] = warp[lane ^ 9] ^ warp[lane < 16 ? lane : lane ^ 20] << 8;
        if (warp[lane] % 2 != 0) {
            int sum = Arrays.stream(warp).filter(v -> v % 2 != 0).sum();
            out[10] = warp[Integer.numberOfTrailingZeros(odd)] ^ sum << 8 ^ second;
        } else {
            out[10] = Integer.bitCount(fourth) * 17;
        }
        int rest = odd & odd - 1;
        out[11] = rest == 0 ? -1 : Integer.numberOfTrailingZeros(rest);
        return out;
    }

    private static CudaProgram blockVotes() {
        int[] x = Numbers.ints(128, 0, 100, 6);
        x[77] = 77;
        int[] y = new int[256];
        int count = (int) Arrays.stream(x).filter(v -> v > 50).count();
        for (int t = 0; t < 128; t++) {
            y[t] = t < 64 ? x[63 - t] : 2 * x[191 - t];
            y[128 + t] = count + 3000;
        }
        return new CudaProgram("votes", "block_votes", LaunchShape.of(1, 128, 0))
                .in(x)
                .out(y);
    }

    private static CudaProgram relay() {
        int[] x = Numbers.ints(32 * 7, -9, 99, 7);
        int[] y = new int[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = 3 * x[i / 32 * 32 + 31 - i % 32] + i / 32;
        }
        return new CudaProgram("votes", "relay", LaunchShape.of(1, 64, 0))
                .in(x)
                .out(y)
                .i32(7);
    }

    private static CudaProgram atomics() {
        int n = 333;
        int[] x = Numbers.ints(n, -500, 1000, 8);
        int[] ints = {0, 100, 7, 7};
        int[] unsigneds = {-1, 0, 5, 3, 2, 0};
        long[] wide = {1L << 60, 0};
        float[] floats = {0.5f, -1e9f};
        int[] intsAfter = ints.clone();
        int[] unsignedsAfter = unsigneds.clone();
        long[] wideAfter = wide.clone();
        float[] floatsAfter = floats.clone();
        for (int v : x) {
            intsAfter[0] += v;
            intsAfter[1] -= v;
            intsAfter[2] = Math.min(intsAfter[2], v);
            intsAfter[3] = Math.max(intsAfter[3], v);
            unsignedsAfter[0] &= ~(1 << (v & 31));
            unsignedsAfter[1] |= 1 << (v & 15);
            unsignedsAfter[2] ^= v * (int) 2654435761L;
            unsignedsAfter[3] = unsignedsAfter[3] >= 9 ? 0 : unsignedsAfter[3] + 1;
            unsignedsAfter[4] = unsignedsAfter[4] == 0 || unsignedsAfter[4] > 6 ? 6 : unsignedsAfter[4] - 1;
            unsignedsAfter[5] = Integer.compareUnsigned(v, unsignedsAfter[5]) > 0 ? v : unsignedsAfter[5];
            wideAfter[0] += (long) v << 20;
            wideAfter[1] = Math.max(wideAfter[1], Integer.toUnsignedLong(v) << 17);
            floatsAfter[0] += v & 255;
            floatsAfter[1] = Math.max(floatsAfter[1], v * 0.5f);
        }
        return new CudaProgram("atomics", "atomics", LaunchShape.of(4, 96, 0))
                .in(x)
                .i32(n)
                .inout(ints, intsAfter)
                .inout(unsigneds, unsignedsAfter)
                .inout(wide, wideAfter)
                .inout(floats, floatsAfter);
    }

    private static CudaProgram tickets() {
        int[] taken = new int[3 * 80 + 1];
        Arrays.fill(taken, 1);
        int one = 0;
        for (int i = 1; i <= 80; i++) {
            one ^= i; // each block takes every number once
        }
        taken[240] = one; // of three blocks, two cancel
        return new CudaProgram("atomics", "tickets", LaunchShape.of(3, 80, 0))
                .inout(new int[1], new int[] {240})
                .inout(new int[241], taken);
    }

    private static CudaProgram lastAdds() {
        int[] x = Numbers.ints(5 * 64, -100, 1000, 9);
        int[] partial = new int[5];
        for (int i = 0; i < x.length; i++) {
            partial[i / 64] += x[i];
        }
        return new CudaProgram("atomics", "last_adds", LaunchShape.of(5, 64, 0))
                .in(x)
                .out(partial)
                .inout(new int[1], new int[] {5})
                .out(new int[] {Arrays.stream(x).sum()});
    }
}
