package dev.obr.bench.roofline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Times of made-up launches, computed by hand. */
final class TimeModelTest {
    private static final double LATENCY = 600e-9;

    @ParameterizedTest
    @CsvSource({
        "1, 108, 1, 1",
        "108, 108, 1, 1",
        "109, 108, 1, 2",
        "256, 108, 1, 3", // 2.37 waves
        "512, 108, 2, 5", // 2 waves of 2, then 80 blocks
        "540, 108, 2, 5",
        "541, 108, 2, 6",
        "8192, 108, 1, 76",
        "3, 2, 16, 2"
    })
    void theBusiestMultiprocessorMakesItsFullWavesAndItsPartOfTheLast(
            long blocks, int multiprocessors, int resident, long inTurn) {
        assertThat(TimeModel.inTurn(blocks, multiprocessors, resident)).isEqualTo(inTurn);
    }

    @ParameterizedTest
    @CsvSource({
        "a100, 256, 208, 73728, 1", // 2 warps of 6656 registers for each scheduler's 16384
        "a100, 128, 209, 53248, 2", // rounded up to 216 registers
        "a100, 128, 32, 0, 16", // 64 warps
        "a100, 32, 16, 0, 32", // blocks
        "rtx3090, 128, 32, 0, 12", // 48 warps
        "rtx3090, 32, 16, 0, 16",
        "rtx4090, 32, 16, 0, 24",
        "a100, 128, 32, 40000, 4", // 41088 bytes of 167936
        "rtx4090, 128, 32, 40000, 2",
        "h100, 128, 32, 40000, 5"
    })
    void residentBlocks(String gpu, int threads, int registers, int sharedBytes, int resident) {
        assertThat(Occupancy.resident(Gpu.of(gpu), threads, registers, sharedBytes))
                .isEqualTo(resident);
    }

    @ParameterizedTest
    @CsvSource({
        "a100, mma.sp.m16n8k128.s4.s4.s32, 8",
        "a100, mma.m16n8k64.s4.s4.s32, 8",
        "a100, mma.m16n8k32.s8.s8.s32, 8",
        "a100, mma.sp.m16n8k64.s8.s8.s32, 8",
        "a100, mma.m16n8k16.f32.f16.f16.f32, 8",
        "rtx3090, mma.sp.m16n8k128.s4.s4.s32, 16",
        "rtx4090, mma.m16n8k32.s8.s8.s32, 16",
        "rtx4090, mma.m16n8k16.f32.f16.f16.f32, 32",
        "h100, mma.sp.m16n8k64.s8.s8.s32, 6.4516", // 4 by wgmma
        "h100, mma.m16n8k16.f32.f16.f16.f32, 6.4516"
    })
    void cyclesOfAProduct(String gpu, String shape, double cycles) {
        assertThat(TimeModel.cyclesOfProduct(Gpu.of(gpu), shape)).isCloseTo(cycles, within(1e-3));
    }

    @ParameterizedTest
    @CsvSource({"a100, 1248", "rtx3090, 568", "rtx4090, 1321"})
    void peaksAreTheDatasheets(String label, double int4Tera) {
        Gpu gpu = Gpu.of(label);
        double tera = 2.0 * gpu.int4Products() * gpu.multiprocessors() * gpu.hertz() / 1e12;
        assertThat(tera).isCloseTo(int4Tera, within(2.0));
    }

    /** 256 blocks, one at a time: 3 in turn, each waits, multiplies for 1000 products · 8 / 4 = 2000 cycles and stores for 300 instructions / 4 = 75. */
    @Test
    void blocksOneAtATimeHideNothing() {
        Counts steps = new Counts(4000, 1500, 9000, 0, Map.of("mma.m16n8k64.s4.s4.s32", 1000.0));
        Counts fixed = new Counts(300, 50, 0, 1000, Map.of());
        Modelled modelled = TimeModel.time(Gpu.A100, work(256, 256, 255, fixed, steps, 1e6));
        assertThat(modelled.resident()).isOne();
        assertThat(modelled.inTurn()).isEqualTo(3);
        assertThat(modelled.seconds()).isCloseTo(3 * (LATENCY + 2075 / 1.41e9), within(1e-12));
        assertThat(modelled.bound()).isEqualTo(Bound.TENSOR);
        assertThat(modelled.l2Bytes()).isEqualTo(256 * 10_000);
        assertThat(modelled.utilisation()).isCloseTo(256 / 324.0, within(1e-12));
    }

    /** 540 blocks of 128 threads, two at a time: 5 in turn, of each 1550 wavefronts, next to 750 cycles of L2 and less of all else. */
    @Test
    void severalBlocksShareAMultiprocessor() {
        Counts steps = new Counts(4000, 1500, 35_000, 0, Map.of("mma.m16n8k64.s4.s4.s32", 500.0));
        Counts fixed = new Counts(300, 50, 0, 500, Map.of());
        Modelled modelled = TimeModel.time(Gpu.A100, work(540, 128, 255, fixed, steps, 1e6));
        assertThat(modelled.resident()).isEqualTo(2);
        assertThat(modelled.seconds()).isCloseTo(LATENCY + 5 * 1550 / 1.41e9, within(1e-12));
        assertThat(modelled.bound()).isEqualTo(Bound.SHARED);
    }

    @Test
    void bytesOfMemoryTakeTheirTime() {
        Counts little = new Counts(100, 0, 0, 0, Map.of());
        Modelled modelled = TimeModel.time(Gpu.A100, work(1000, 128, 32, Counts.NONE, little, 2.039e9));
        assertThat(modelled.seconds()).isCloseTo(1e-3 + LATENCY, within(1e-9));
        assertThat(modelled.bound()).isEqualTo(Bound.DRAM);
    }

    @Test
    void aLaunchThatDoesNextToNothingTakesTheWayToMemory() {
        Counts little = new Counts(100, 0, 0, 0, Map.of());
        Modelled modelled = TimeModel.time(Gpu.A100, work(1, 128, 32, little, Counts.NONE, 1000));
        assertThat(modelled.seconds()).isCloseTo(LATENCY + 25 / 1.41e9, within(1e-12));
        assertThat(modelled.bound()).isEqualTo(Bound.LATENCY);
    }

    @Test
    void gpusByTheirNames() {
        assertThat(Gpu.named("NVIDIA A100-SXM4-80GB")).contains(Gpu.A100);
        assertThat(Gpu.named("NVIDIA H100 80GB HBM3")).contains(Gpu.H100);
        assertThat(Gpu.named("NVIDIA GeForce RTX 4090")).contains(Gpu.RTX_4090);
        assertThat(Gpu.named("NVIDIA GeForce RTX 3090 Ti")).isEmpty();
        assertThatThrownBy(() -> Gpu.of("v100"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("'v100'")
                .hasMessageContaining("a100, h100");
    }

    private static Work work(long blocks, int threads, int registers, Counts fixed, Counts steps, double dramBytes) {
        return new Work("k", blocks, threads, registers, 0, fixed, steps, dramBytes, 0);
    }
}
