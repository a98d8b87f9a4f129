package dev.obr.kernels.emulator;

import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/** Operations that apply one function to each lane. */
final class LaneOps {
    private LaneOps() {}

    interface IntTernary {
        int apply(int a, int b, int c);
    }

    interface LongTernary {
        long apply(long a, long b, long c);
    }

    interface Widening {
        long apply(int a, int b);
    }

    interface WideningTernary {
        long apply(int a, int b, long c);
    }

    interface LongToInt {
        int apply(long a);
    }

    interface IntToLong {
        long apply(int a);
    }

    interface LongShift {
        long apply(long a, int b);
    }

    interface LongIntTernary {
        long apply(long a, int b, int c);
    }

    interface Insertion {
        long apply(long a, long b, int c, int d);
    }

    interface IntInsertion {
        int apply(int a, int b, int c, int d);
    }

    static Operation words(int d, int a, IntUnaryOperator f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.applyAsInt(r[a + lane]);
                    }
                }
            }
        };
    }

    static Operation words(int d, int a, int b, IntBinaryOperator f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.applyAsInt(r[a + lane], r[b + lane]);
                    }
                }
            }
        };
    }

    static Operation words(int d, int a, int b, int c, IntTernary f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], r[b + lane], r[c + lane]);
                    }
                }
            }
        };
    }

    static Operation words(int d, int a, int b, int c, int e, IntInsertion f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], r[b + lane], r[c + lane], r[e + lane]);
                    }
                }
            }
        };
    }

    static Operation longs(int d, int a, LongUnaryOperator f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.applyAsLong(r[a + lane]);
                    }
                }
            }
        };
    }

    static Operation longs(int d, int a, int b, LongBinaryOperator f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.applyAsLong(r[a + lane], r[b + lane]);
                    }
                }
            }
        };
    }

    static Operation longs(int d, int a, int b, int c, LongTernary f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], r[b + lane], r[c + lane]);
                    }
                }
            }
        };
    }

    /** d, a of 64 bits, b of 32. */
    static Operation shift(int d, int a, int b, LongShift f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], warp.words[b + lane]);
                    }
                }
            }
        };
    }

    /** d, a of 64 bits, b, c of 32. */
    static Operation extraction(int d, int a, int b, int c, LongIntTernary f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], warp.words[b + lane], warp.words[c + lane]);
                    }
                }
            }
        };
    }

    /** d, a, b of 64 bits, c, e of 32. */
    static Operation insertion(int d, int a, int b, int c, int e, Insertion f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                long[] r = warp.longs;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        r[d + lane] = f.apply(r[a + lane], r[b + lane], warp.words[c + lane], warp.words[e + lane]);
                    }
                }
            }
        };
    }

    /** d of 64 bits, a, b of 32. */
    static Operation widening(int d, int a, int b, Widening f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        warp.longs[d + lane] = f.apply(r[a + lane], r[b + lane]);
                    }
                }
            }
        };
    }

    /** d, c of 64 bits, a, b of 32. */
    static Operation widening(int d, int a, int b, int c, WideningTernary f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                int[] r = warp.words;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        warp.longs[d + lane] = f.apply(r[a + lane], r[b + lane], warp.longs[c + lane]);
                    }
                }
            }
        };
    }

    /** d of 32 bits, a of 64. */
    static Operation narrow(int d, int a, LongToInt f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        warp.words[d + lane] = f.apply(warp.longs[a + lane]);
                    }
                }
            }
        };
    }

    /** d of 64 bits, a of 32. */
    static Operation widen(int d, int a, IntToLong f) {
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    if ((mask >>> lane & 1) != 0) {
                        warp.longs[d + lane] = f.apply(warp.words[a + lane]);
                    }
                }
            }
        };
    }
}
