package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every twin finds the same scale of a token; that it is the right one is {@code ActivationQuantizerTest}'s to show. */
class ActivationScaleTwinsTest {
    private static final List<ActivationQuantizer> QUANTIZERS = List.of(
            new ActivationQuantizer(8, 1),
            new ActivationQuantizer(4, 0.7f),
            new ActivationQuantizer(4, ActivationQuantizer.SEARCH));

    @ParameterizedTest
    @EnumSource(Twins.class)
    void scalesAreTheScalarOnes(Twins twin) {
        CpuKernels kernels = twin.get();
        Random random = new Random(8);
        for (int n : new int[] {1, 2, 7, 8, 9, 15, 17, 64, 172, 576, 2048}) {
            for (double spread : new double[] {0, 1e-30, 1e-4, 1, 1e4, 1e38}) {
                for (float special : new float[] {0, -0f, 50, Float.NaN, Float.POSITIVE_INFINITY}) {
                    float[] x = new float[n];
                    for (int i = 0; i < n; i++) {
                        x[i] = (float) (spread * random.nextGaussian());
                    }
                    x[random.nextInt(n)] *= special;
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment token = arena.allocate(4L * n, 4).copyFrom(MemorySegment.ofArray(x));
                        for (ActivationQuantizer quantizer : QUANTIZERS) {
                            assertThat(kernels.scale(token, n, quantizer))
                                    .as(
                                            "%s, %d values of order %s, one of them times %s",
                                            quantizer, n, spread, special)
                                    .isEqualTo(Float.valueOf(quantizer.scale(x, 0, n)));
                        }
                    }
                }
            }
        }
    }
}
