package dev.obr.kernels.emulator;

/** The commonest operations with loops of their own, which the compiler vectorises; what they compute is what {@link LaneOps} would with a function. */
final class FastOps {
    private FastOps() {}

    static final class Add extends Operation {
        private final int d;
        private final int a;
        private final int b;

        Add(int d, int a, int b) {
            this.d = d;
            this.a = a;
            this.b = b;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = r[a + lane] + r[b + lane];
                }
            }
        }
    }

    static final class AddLong extends Operation {
        private final int d;
        private final int a;
        private final int b;

        AddLong(int d, int a, int b) {
            this.d = d;
            this.a = a;
            this.b = b;
        }

        @Override
        void run(Warp warp, int mask) {
            long[] r = warp.longs;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = r[a + lane] + r[b + lane];
                }
            }
        }
    }

    static final class MultiplyAdd extends Operation {
        private final int d;
        private final int a;
        private final int b;
        private final int c;

        MultiplyAdd(int d, int a, int b, int c) {
            this.d = d;
            this.a = a;
            this.b = b;
            this.c = c;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = r[a + lane] * r[b + lane] + r[c + lane];
                }
            }
        }
    }

    /** f32 a * b + c with one rounding. */
    static final class Fma extends Operation {
        private final int d;
        private final int a;
        private final int b;
        private final int c;

        Fma(int d, int a, int b, int c) {
            this.d = d;
            this.a = a;
            this.b = b;
            this.c = c;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = FloatOps.bits(Math.fma(
                            Float.intBitsToFloat(r[a + lane]),
                            Float.intBitsToFloat(r[b + lane]),
                            Float.intBitsToFloat(r[c + lane])));
                }
            }
        }
    }

    /** f32 a * b. */
    static final class Multiply extends Operation {
        private final int d;
        private final int a;
        private final int b;

        Multiply(int d, int a, int b) {
            this.d = d;
            this.a = a;
            this.b = b;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = FloatOps.bits(Float.intBitsToFloat(r[a + lane]) * Float.intBitsToFloat(r[b + lane]));
                }
            }
        }
    }

    static final class Move extends Operation {
        private final int d;
        private final int a;

        Move(int d, int a) {
            this.d = d;
            this.a = a;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            if (mask == -1) {
                System.arraycopy(r, a, r, d, Warp.LANES);
                return;
            }
            for (int lane = 0; lane < Warp.LANES; lane++) {
                if ((mask >>> lane & 1) != 0) {
                    r[d + lane] = r[a + lane];
                }
            }
        }
    }
}
