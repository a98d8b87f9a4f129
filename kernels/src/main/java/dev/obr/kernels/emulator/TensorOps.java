package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.MemoryOps.Space;
import dev.obr.kernels.emulator.Operands.AddressPlace;
import java.util.List;

/** mma and ldmatrix: the registers of the whole warp are gathered, multiplied by {@link TensorCores} and put back. */
final class TensorOps {
    private static final int REGISTER = 0xffff;

    private TensorOps() {}

    static Operation decode(Opcode opcode, Operands o) {
        return switch (opcode.name()) {
            case "ldmatrix" -> loadMatrix(opcode, o);
            case "mma" -> multiply(opcode, o);
            default -> throw new DecodeFault(opcode.name() + " is not supported by the emulator");
        };
    }

    private static Operation multiply(Opcode opcode, Operands o) {
        MmaShape shape;
        try {
            shape = MmaShape.of(opcode.text());
        } catch (ObrException e) {
            throw new DecodeFault(String.valueOf(e.getMessage()));
        }
        opcode.takeAll();
        o.expect(shape.sparse() ? 6 : 4);
        int selector = shape.sparse() ? (int) o.literal(5) : 0;
        if (shape.sparse() && (selector < 0 || selector >= shape.selectors())) {
            throw new DecodeFault("the sparsity selector of " + shape + " cannot be " + selector);
        }
        int[] d = new int[shape.cRegisters()];
        List<Operand> results = Operands.elements(o.at(0));
        if (results.size() != d.length) {
            throw new DecodeFault("expected " + d.length + " registers of D, not " + results.size());
        }
        for (int i = 0; i < d.length; i++) {
            d[i] = o.out(results.get(i), PtxType.B32);
        }
        int[] a = sources(o, 1, shape.aRegisters());
        int[] b = sources(o, 2, shape.bRegisters());
        int[] c = sources(o, 3, shape.cRegisters());
        int[] metadata = shape.sparse() ? sources(o, 4, 1) : new int[0];
        return new Mma(shape, selector, d, a, b, c, metadata);
    }

    private static int[] sources(Operands o, int i, int count) {
        List<Operand> elements = Operands.elements(o.at(i));
        if (elements.size() != count) {
            throw new DecodeFault("expected " + count + " registers in operand " + i + ", not " + elements.size());
        }
        int[] places = new int[count];
        for (int r = 0; r < count; r++) {
            places[r] = o.word(elements.get(r), PtxType.B32);
        }
        return places;
    }

    /** D = A . B + C. */
    static final class Mma extends Operation {
        private final MmaShape shape;
        private final int selector;
        private final int[] d;
        private final int[] a;
        private final int[] b;
        private final int[] c;
        private final int[] metadata;

        private Mma(MmaShape shape, int selector, int[] d, int[] a, int[] b, int[] c, int[] metadata) {
            this.shape = shape;
            this.selector = selector;
            this.d = d;
            this.a = a;
            this.b = b;
            this.c = c;
            this.metadata = metadata;
        }

        MmaShape shape() {
            return shape;
        }

        @Override
        Convergence convergence() {
            return Convergence.FULL;
        }

        @Override
        void run(Warp warp, int mask) {
            whole(mask);
            int[] left = gather(warp, a, 0);
            int[] right = gather(warp, b, 1);
            int[] sum = gather(warp, c, 2);
            int[] indices = gather(warp, metadata, 3);
            TensorCores.multiply(shape, left, right, sum, indices, selector, sum);
            for (int r = 0; r < d.length; r++) {
                System.arraycopy(sum, Warp.LANES * r, warp.words, d[r], Warp.LANES);
            }
        }

        private static int[] gather(Warp warp, int[] places, int fragment) {
            int[] registers = warp.fragments[fragment];
            for (int r = 0; r < places.length; r++) {
                System.arraycopy(warp.words, places[r], registers, Warp.LANES * r, Warp.LANES);
            }
            return registers;
        }
    }

    private static void whole(int mask) {
        if (mask != -1) {
            throw new Fault(-1, "lanes " + Warp.lanes(~mask) + " do not take part: a predicate keeps them out");
        }
    }

    /** Matrix m has its rows, of 8 halves, where lanes 8m … 8m + 7 say. Lane 4g + t gets halves 2t and 2t + 1 of row g, or with .trans of column g. */
    private static Operation loadMatrix(Opcode opcode, Operands o) {
        opcode.takeOne("sync");
        opcode.takeOne("aligned");
        opcode.takeOne("m8n8");
        int count = opcode.takeOne("x1", "x2", "x4").charAt(1) - '0';
        boolean transposed = opcode.take("trans");
        String spaceName = opcode.takeAny("shared", "shared::cta");
        opcode.type(PtxType.B16);
        o.expect(2);
        List<Operand> results = Operands.elements(o.at(0));
        if (results.size() != count) {
            throw new DecodeFault("expected " + count + " registers, not " + results.size());
        }
        int[] d = new int[count];
        for (int i = 0; i < count; i++) {
            d[i] = o.out(results.get(i), PtxType.B32);
        }
        AddressPlace address = o.address(1);
        Space space = spaceName == null ? Space.GENERIC : Space.SHARED;
        return new Operation() {
            @Override
            Convergence convergence() {
                return Convergence.FULL;
            }

            @Override
            void run(Warp warp, int mask) {
                whole(mask);
                Request request = warp.request;
                int rows = count == 4 ? -1 : (1 << 8 * count) - 1;
                request.set(rows, 8, 2, false);
                MemoryOps.addresses(address, warp, rows, request.addresses);
                warp.block.memory().read(warp, request, space);
                for (int i = 0; i < count; i++) {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        int g = lane >> 2;
                        int t = lane & 3;
                        warp.words[d[i] + lane] = transposed
                                ? half(request, 8 * i + 2 * t, g) | half(request, 8 * i + 2 * t + 1, g) << 16
                                : half(request, 8 * i + g, 2 * t) | half(request, 8 * i + g, 2 * t + 1) << 16;
                    }
                }
            }
        };
    }

    private static int half(Request request, int row, int column) {
        return (int) (request.data[Warp.LANES * (column >> 2) + row] >>> 16 * (column & 3)) & REGISTER;
    }
}
