package dev.obr.kernels.emulator;

/** The commonest operations with loops of their own: what {@link LaneOps} would compute, without calling a function for each lane, which takes most of its time. */
final class FastOps {
    private FastOps() {}

    /** Functions of two 32-bit registers. */
    enum Kind {
        ADD,
        SUBTRACT,
        MULTIPLY,
        AND,
        OR,
        XOR,
        SHIFT_LEFT,
        ADD_FLOATS,
        SUBTRACT_FLOATS,
        MULTIPLY_FLOATS
    }

    static final class Binary extends Operation {
        private final Kind kind;
        private final int d;
        private final int a;
        private final int b;

        Binary(Kind kind, int d, int a, int b) {
            this.kind = kind;
            this.d = d;
            this.a = a;
            this.b = b;
        }

        @Override
        void run(Warp warp, int mask) {
            int[] r = warp.words;
            if (mask == -1) {
                whole(r);
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                r[d + lane] = one(r[a + lane], r[b + lane]);
            }
        }

        private void whole(int[] r) {
            switch (kind) {
                case ADD -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] + r[b + lane];
                    }
                }
                case SUBTRACT -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] - r[b + lane];
                    }
                }
                case MULTIPLY -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] * r[b + lane];
                    }
                }
                case AND -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] & r[b + lane];
                    }
                }
                case OR -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] | r[b + lane];
                    }
                }
                case XOR -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = r[a + lane] ^ r[b + lane];
                    }
                }
                case SHIFT_LEFT -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] = shiftLeft(r[a + lane], r[b + lane]);
                    }
                }
                case ADD_FLOATS -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] =
                                FloatOps.bits(Float.intBitsToFloat(r[a + lane]) + Float.intBitsToFloat(r[b + lane]));
                    }
                }
                case SUBTRACT_FLOATS -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] =
                                FloatOps.bits(Float.intBitsToFloat(r[a + lane]) - Float.intBitsToFloat(r[b + lane]));
                    }
                }
                case MULTIPLY_FLOATS -> {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        r[d + lane] =
                                FloatOps.bits(Float.intBitsToFloat(r[a + lane]) * Float.intBitsToFloat(r[b + lane]));
                    }
                }
            }
        }

        private int one(int x, int y) {
            return switch (kind) {
                case ADD -> x + y;
                case SUBTRACT -> x - y;
                case MULTIPLY -> x * y;
                case AND -> x & y;
                case OR -> x | y;
                case XOR -> x ^ y;
                case SHIFT_LEFT -> shiftLeft(x, y);
                case ADD_FLOATS -> FloatOps.bits(Float.intBitsToFloat(x) + Float.intBitsToFloat(y));
                case SUBTRACT_FLOATS -> FloatOps.bits(Float.intBitsToFloat(x) - Float.intBitsToFloat(y));
                case MULTIPLY_FLOATS -> FloatOps.bits(Float.intBitsToFloat(x) * Float.intBitsToFloat(y));
            };
        }

        private static int shiftLeft(int value, int by) {
            return (by & -Integer.SIZE) != 0 ? 0 : value << by;
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
