package dev.obr.kernels.emulator;

import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/**
 * The registers of one product.
 *
 * @param a register r of lane l at 32 r + l, as all of them
 */
record Fragments(int[] a, int[] b, int[] c, int[] metadata) {
    /** From arrays [lane][register]. */
    static Fragments of(JsonNode record) {
        int[] e = new int[32];
        for (int lane = 0; lane < 32 && record.has("e"); lane++) {
            e[lane] = (int) record.path("e").get(lane).longValue();
        }
        return new Fragments(registers(record.path("a")), registers(record.path("b")), registers(record.path("c")), e);
    }

    static int[] registers(JsonNode lanes) {
        int count = lanes.get(0).size();
        int[] registers = new int[32 * count];
        for (int lane = 0; lane < 32; lane++) {
            for (int r = 0; r < count; r++) {
                registers[32 * r + lane] = (int) lanes.get(lane).get(r).longValue();
            }
        }
        return registers;
    }

    /** As JSON arrays [lane][register] of unsigned numbers. */
    static List<List<Long>> lanes(int[] registers) {
        return IntStream.range(0, 32)
                .mapToObj(lane -> IntStream.range(0, registers.length / 32)
                        .mapToObj(r -> Integer.toUnsignedLong(registers[32 * r + lane]))
                        .toList())
                .toList();
    }

    int[] times(MmaShape shape, int selector) {
        int[] d = new int[32 * shape.cRegisters()];
        TensorCores.multiply(shape, a, b, c, metadata, selector, d);
        return d;
    }
}
