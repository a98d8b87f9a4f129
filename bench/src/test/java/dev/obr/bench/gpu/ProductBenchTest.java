package dev.obr.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.roofline.ProductKernel;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is timed on a GPU runs on the emulator, which finds reads of what nobody wrote. */
class ProductBenchTest {
    private static final int FEATURES = 64;
    private static final int COLUMNS = 256;
    private static final long ROTATED = 100_000; // bytes: four copies of half floats

    @Test
    void eachKernelMultipliesRotatedWeights() {
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_80);
                GpuStream stream = device.newStream();
                ProductBench bench = new ProductBench(device, null, List.of(), FEATURES, COLUMNS, ROTATED)) {
            long before = device.freeBytes();
            Stopwatch<Timed> twoTurns = timed -> {
                timed.queue(stream, 0);
                timed.queue(stream, timed.turns() - 1);
                stream.synchronize();
                return 1e-3;
            };
            List<ProductRow> rows = bench.measure(new Interleaved<>(twoTurns, 0, 1), 3);
            assertThat(rows).extracting(ProductRow::kernel).containsExactly(ProductKernel.values());
            assertThat(rows)
                    .extracting(ProductRow::name)
                    .contains("FP16 dense", "INT4 dense, A4", "INT4 4:8p, A4", "INT4 4:8p, A8", "INT4 2:4, A8");
            // codes, metadata, scales
            assertThat(rows.get(ProductKernel.PAIRS_INT4.ordinal()).weightBytes())
                    .isEqualTo(FEATURES * COLUMNS * 10 / 32 + 4 * FEATURES);
            assertThat(device.freeBytes()).as("activations are freed").isEqualTo(before);
        }
    }

    @Test
    void manyTokensLeaveOutWhatIsForFew() {
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_90);
                ProductBench bench = new ProductBench(device, null, List.of(), FEATURES, COLUMNS, ROTATED)) {
            assertThat(bench.measure(new Interleaved<>(timed -> 1, 0, 1), 257))
                    .extracting(ProductRow::kernel)
                    .containsExactly(
                            ProductKernel.HALF,
                            ProductKernel.DENSE_INT8,
                            ProductKernel.PAIRS_INT8,
                            ProductKernel.FOURS_INT8);
        }
    }

    @Test
    void aLibrarysProductStandsBesideOurs() {
        List<Integer> tokens = new ArrayList<>();
        ProductBench.Library library = (stream, w, x, rows, features, columns, y) -> {
            assertThat(w.byteSize()).isEqualTo(2L * features * columns);
            tokens.add(rows);
        };
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_90);
                GpuStream stream = device.newStream();
                ProductBench bench = new ProductBench(device, library, List.of(), FEATURES, COLUMNS, ROTATED)) {
            Stopwatch<Timed> oneTurn = timed -> {
                timed.queue(stream, 0);
                return timed.recordable() ? 2 : 1;
            };
            List<ProductRow> rows = bench.measure(new Interleaved<>(oneTurn, 0, 1), 5);
            assertThat(rows.get(1))
                    .returns(null, ProductRow::kernel)
                    .returns("FP16 dense, cuBLAS", ProductRow::name)
                    .returns(true, ProductRow::reference);
            assertThat(rows.get(1).sample().median()).isEqualTo(1);
            assertThat(tokens).containsExactly(5, 5);
        }
    }

    @Test
    void rivalsStandBesideOursUnlessTheyRefuse() {
        List<String> done = new ArrayList<>();
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_90);
                ProductBench bench = new ProductBench(
                        device,
                        null,
                        List.of(new Named("one", done), new Named("two", done)),
                        FEATURES,
                        COLUMNS,
                        ROTATED)) {
            List<ProductRow> rows = bench.measure(new Interleaved<>(timed -> timed.turns(), 0, 1), 7);
            assertThat(rows).extracting(ProductRow::name).contains("one").doesNotContain("two");
            assertThat(rows.getLast())
                    .returns("one", ProductRow::name)
                    .returns(false, ProductRow::reference)
                    .returns(10_000_000L, ProductRow::weightBytes);
            assertThat(rows.getLast().sample().median())
                    .as("1 GiB in pieces of 10 MB")
                    .isEqualTo(108);
            assertThat(bench.refusals()).containsExactly("two with 7 tokens is left out: not today");
            assertThat(done).containsExactly("one of 7 tokens", "one closed");
        }
    }

    private record Named(String name, List<String> done) implements Rival {
        @Override
        public long weightBytes() {
            return 10_000_000;
        }

        @Override
        public Ready with(GpuStream stream, GpuMemory x, int tokens, GpuMemory y) {
            if (name.equals("two")) {
                throw new ObrException("not today");
            }
            done.add(name + " of " + tokens + " tokens");
            return new Ready() {
                @Override
                public void queue(GpuStream queue, int turn) {}

                @Override
                public void close() {
                    done.add(name + " closed");
                }
            };
        }

        @Override
        public void close() {}
    }

    /** All that events need of a device; the emulator's own time is no GPU's, but it goes forward. */
    @Test
    void eventsTimeGraphsAndWhatCannotBeRecorded() {
        try (EmulatedDevice device = new EmulatedDevice(ComputeCapability.SM_80);
                EventStopwatch stopwatch = new EventStopwatch(device)) {
            Filling recorded = new Filling(device, true);
            Filling direct = new Filling(device, false);
            assertThat(stopwatch.seconds(recorded)).isPositive();
            assertThat(stopwatch.seconds(recorded)).isPositive();
            assertThat(recorded.queued).as("a graph is recorded once").isEqualTo(Filling.TURNS);
            assertThat(stopwatch.seconds(direct)).isPositive();
            assertThat(stopwatch.seconds(direct)).isPositive();
            assertThat(direct.queued).isEqualTo(2 * Filling.TURNS);
        }
    }

    private static final class Filling implements Timed {
        static final int TURNS = 5;

        private final GpuMemory memory;
        private final boolean recordable;
        private int queued;

        Filling(EmulatedDevice device, boolean recordable) {
            this.memory = device.allocate(1 << 16);
            this.recordable = recordable;
        }

        @Override
        public void queue(GpuStream stream, int turn) {
            stream.fill(memory, 0, memory.byteSize(), (byte) turn);
            queued++;
        }

        @Override
        public int turns() {
            return TURNS;
        }

        @Override
        public boolean recordable() {
            return recordable;
        }
    }
}
