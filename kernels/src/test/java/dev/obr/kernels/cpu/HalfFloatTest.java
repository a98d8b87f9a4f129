package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;

/** Half floats in every twin mean what the JDK's conversions say: all 65536 of them when read, any float when written. */
class HalfFloatTest {
    private static final int ALL = 1 << 16;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @ParameterizedTest
    @EnumSource
    void readsEveryHalfFloat(Twins twin) {
        CpuKernels kernels = twin.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = readAll(kernels, DType.F16, arena);
            for (int bits = 0; bits < ALL; bits++) {
                Float expected = Float.float16ToFloat((short) bits);
                assertThat(floats.getAtIndex(FLOAT, bits)).as("%04x", bits).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsEveryBfloat(Twins twin) {
        CpuKernels kernels = twin.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = readAll(kernels, DType.BF16, arena);
            for (int bits = 0; bits < ALL; bits++) {
                assertThat(floats.getAtIndex(FLOAT, bits))
                        .as("%04x", bits)
                        .isEqualTo(Float.valueOf(Float.intBitsToFloat(bits << 16)));
            }
        }
    }

    private static MemorySegment readAll(CpuKernels kernels, DType type, Arena arena) {
        MemorySegment halves = arena.allocate(2L * ALL);
        for (int bits = 0; bits < ALL; bits++) {
            halves.setAtIndex(SHORT, bits, (short) bits);
        }
        MemorySegment floats = arena.allocate(4L * ALL);
        kernels.dequantizeRow(new WeightMatrix(type, 1, ALL, halves), 0, floats);
        return floats;
    }

    @Property(tries = 2000, seed = "1")
    void roundsToTheNearestHalfFloat(@ForAll("anyBits") int bits) {
        float value = Float.intBitsToFloat(bits);
        for (Twins twin : Twins.values()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment x = arena.allocate(4 * 19);
                MemorySegment y = arena.allocate(2 * 19);
                x.fill((byte) 0);
                x.setAtIndex(FLOAT, 3, value);
                x.setAtIndex(FLOAT, 18, value);
                twin.get().store(x, DType.F16, 19, y);
                for (int at : new int[] {3, 18}) {
                    short half = y.getAtIndex(SHORT, at);
                    if (Float.isNaN(value)) {
                        assertThat(Float.float16ToFloat(half)).isNaN();
                    } else {
                        assertThat(half).as("%s of %s", twin, value).isEqualTo(Float.floatToFloat16(value));
                    }
                }
            } catch (TestAbortedException unavailable) {
                continue; // counted as skipped by the tests above
            }
        }
    }

    /** Any float; floats half-way between two half floats and their neighbours; and floats that become subnormal. */
    @Provide
    Arbitrary<Integer> anyBits() {
        Arbitrary<Integer> anything = Arbitraries.integers().withDistribution(RandomDistribution.uniform());
        Arbitrary<Integer> nearHalfWay = Arbitraries.integers()
                .between(0, ALL - 1)
                .flatMap(half -> Arbitraries.of(-1, 0, 1)
                        .map(step ->
                                Float.floatToRawIntBits(Float.float16ToFloat((short) (int) half)) + (1 << 12) + step));
        Arbitrary<Integer> subnormal = Arbitraries.integers().between(0x32000000, 0x38ffffff);
        return Arbitraries.oneOf(anything, nearHalfWay, subnormal);
    }
}
