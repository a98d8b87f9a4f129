package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.hadamard.HadamardTransform;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every twin transforms to the same bits; that these are a Hadamard transform is {@code HadamardTransformTest}'s to show. */
class HadamardTwinsTest {
    private static final int[] SIZES = {
        1, 2, 4, 8, 16, 32, 64, 128, 256, 12, 20, 24, 28, 36, 40, 192, 576, 768, 1536, 4864, 8192, 11_008
    };

    /** Past the vectors' lengths, and between them. */
    private static final int[] WIDTHS = {1, 2, 3, 8, 20, 64};

    private static final int LARGEST = 1 << 15;

    @ParameterizedTest
    @EnumSource(Twins.class)
    void bitsAreTheScalarOnes(Twins twin) {
        CpuKernels kernels = twin.get();
        CpuKernels scalar = new ScalarKernels();
        for (int n : SIZES) {
            HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
            for (int width : WIDTHS) {
                if (n * width > LARGEST) {
                    continue;
                }
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment x = new Operands(arena, n + width).floats(n * width);
                    MemorySegment expected = arena.allocate(x.byteSize(), 4).copyFrom(x);
                    scalar.hadamard(expected, transform, width);
                    kernels.hadamard(x, transform, width);
                    assertThat(x.toArray(ValueLayout.JAVA_INT))
                            .as("%d x %d", n, width)
                            .containsExactly(expected.toArray(ValueLayout.JAVA_INT));
                }
            }
        }
    }
}
