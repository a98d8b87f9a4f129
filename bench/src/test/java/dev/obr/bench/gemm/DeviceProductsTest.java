package dev.obr.bench.gemm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.gpu.Rival;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of a GPU's memory; ProductBenchTest runs the products. */
class DeviceProductsTest {
    private static final GemmShape SHAPE = new GemmShape(64, 256);

    @Test
    void tokensThatDoNotFitAreRefusedAndAllIsGivenBack() {
        boolean[] closed = new boolean[1];
        Rival rival = new Rival() {
            @Override
            public String name() {
                return "rival";
            }

            @Override
            public long weightBytes() {
                return 1;
            }

            @Override
            public Ready with(GpuStream stream, GpuMemory x, int tokens, GpuMemory y) {
                throw new AssertionError("nothing is measured");
            }

            @Override
            public void close() {
                closed[0] = true;
            }
        };
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_80)) {
            long before = device.freeBytes();
            try (DeviceProducts products =
                    new DeviceProducts(device, null, List.of(rival), SHAPE, 100_000, refusal -> {})) {
                assertThat(products.refusal(1)).isEmpty();
                assertThat(products.refusal(Integer.MAX_VALUE))
                        .hasValueSatisfying(why -> assertThat(why)
                                .contains("activations and results take ", " GB of the GPU's memory, and "));
            }
            assertThat(device.freeBytes()).isEqualTo(before);
        }
        assertThat(closed[0]).isTrue();
    }
}
