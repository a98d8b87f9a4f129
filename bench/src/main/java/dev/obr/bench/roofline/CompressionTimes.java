package dev.obr.bench.roofline;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * How long {@code compress --method obr-gptq --device cuda} would take, modelled, next to what the paper measured on one A100 for its own code (its table of calibration times).
 *
 * <pre>
 *   T = 128 x 2048 tokens;  a linear layer [rows, C] keeps k = C / 2 of a row;  F, D float32 and float64 flops a second, B the memory's bytes, P those from the heap to the GPU
 *
 *   Hessians    T C² / 0.8 F  +  4 T C / P                        one an input, of which a layer has four
 *   cholesky    rows (k³ / 3) / 0.4 F  +  rows 8 k² / B  +  rows 48 k² / B  +  rows 8 C² / 0.8 D
 *               factors, gathered matrices, four solves of two triangles each twice refined, residuals
 *   pcg         rows 32 (2 C² / 0.8 F  +  70 C / B)               its vectors are passed over on the GPU
 *   decoder     2 T rows C / 0.8 F  +  4 T (rows + C) / P         products of the calibration's linear layers, gate and up twice
 *   sweep       C / 128 x 50 us  +  rows C² / 0.8 F  +  12 rows C / P
 * </pre>
 *
 * <p>The shares of the peaks are assumptions; so is that nothing else waits. Attention and norms of the decoder layers that the calibration text goes through run on the CPU and are not counted.
 */
public final class CompressionTimes {
    private static final double TOKENS = 128 * 2048;
    private static final double TRAVEL = 6e9;
    private static final double PRODUCTS = 0.8; // of the peak
    private static final double FACTORS = 0.4;
    private static final int ITERATIONS = 32;
    private static final double BLOCK_SECONDS = 50e-6;

    /** Whose times the paper gives. */
    public enum Shape {
        LLAMA_2_7B("Llama-2-7B", 32, 4096, 4096, 11008, 2 + 18 / 60.0),
        LLAMA_2_13B("Llama-2-13B", 40, 5120, 5120, 13824, 4.5),
        LLAMA_2_70B("Llama-2-70B", 80, 8192, 1024, 28672, 35.75);

        private final String label;
        private final int layers;
        private final int hidden;
        private final int keys;
        private final int feedForward;
        private final double publishedHours;

        Shape(String label, int layers, int hidden, int keys, int feedForward, double publishedHours) {
            this.label = label;
            this.layers = layers;
            this.hidden = hidden;
            this.keys = keys;
            this.feedForward = feedForward;
            this.publishedHours = publishedHours;
        }

        /** Rows and columns of a decoder layer's linear layers. */
        private List<int[]> linears() {
            return List.of(
                    new int[] {hidden, hidden},
                    new int[] {keys, hidden},
                    new int[] {keys, hidden},
                    new int[] {hidden, hidden},
                    new int[] {feedForward, hidden},
                    new int[] {feedForward, hidden},
                    new int[] {hidden, feedForward});
        }
    }

    /** GPUs, with flops of float32 and float64 by SM and cycle, the latter on tensor cores. */
    private enum Machine {
        A100(Gpu.A100, 128, 128),
        H100(Gpu.H100, 256, 256);

        private final Gpu gpu;
        private final int floats;
        private final int doubles;

        Machine(Gpu gpu, int floats, int doubles) {
            this.gpu = gpu;
            this.floats = floats;
            this.doubles = doubles;
        }

        double rate(int flops) {
            return flops * gpu.multiprocessors() * gpu.gigahertz() * 1e9;
        }
    }

    /**
     * One model on one GPU, in hours.
     *
     * @param parameters of its linear layers
     * @param cholesky of all rows
     * @param auto where the cheaper solver is taken in layers of more than 2048 columns
     * @param decoder products of the calibration's decoder layers
     * @param published for OBR_GPTQ on one A100
     */
    public record Row(
            String model,
            String gpu,
            double parameters,
            double hessians,
            double cholesky,
            double auto,
            double sweep,
            double decoder,
            double published) {
        /** What the GPU does, everything factored. */
        public double total() {
            return hessians + cholesky + sweep + decoder;
        }

        /** The same by the cheaper solver, where there is one. */
        public double autoTotal() {
            return hessians + auto + sweep + decoder;
        }
    }

    private CompressionTimes() {}

    /** Every model on every GPU. */
    public static List<Row> all() {
        List<Row> rows = new ArrayList<>();
        for (Shape shape : Shape.values()) {
            for (Machine machine : Machine.values()) {
                rows.add(row(shape, machine));
            }
        }
        return rows;
    }

    private static Row row(Shape shape, Machine machine) {
        double floats = machine.rate(machine.floats);
        double doubles = machine.rate(machine.doubles);
        double memory = machine.gpu.dramGigabytes() * 1e9;
        double hessians = 3 * hessian(shape.hidden, floats) + hessian(shape.feedForward, floats);
        double factored = 0;
        double cheaper = 0;
        double swept = 0;
        double weights = 0;
        double decoder = 2 * product(shape.feedForward, shape.hidden, floats); // gate and up a second time
        for (int[] linear : shape.linears()) {
            int rows = linear[0];
            double cols = linear[1];
            double k = cols / 2;
            double exact = rows
                    * (k * k * k / 3 / (FACTORS * floats)
                            + 56 * k * k / memory
                            + 8 * cols * cols / (PRODUCTS * doubles));
            double iterated = rows * ITERATIONS * (2 * cols * cols / (PRODUCTS * floats) + 70 * cols / memory);
            factored += exact;
            cheaper += Math.min(exact, iterated);
            swept += cols / 128 * BLOCK_SECONDS + rows * cols * cols / (PRODUCTS * floats) + 12 * rows * cols / TRAVEL;
            decoder += product(rows, cols, floats);
            weights += rows * cols;
        }
        double hours = shape.layers / 3600.0;
        return new Row(
                shape.label,
                machine.gpu.name(),
                shape.layers * weights,
                hours * hessians,
                hours * factored,
                hours * cheaper,
                hours * swept,
                hours * decoder,
                shape.publishedHours);
    }

    private static double hessian(double cols, double floats) {
        return TOKENS * cols * cols / (PRODUCTS * floats) + 4 * TOKENS * cols / TRAVEL;
    }

    /** All tokens through a linear layer. */
    private static double product(double rows, double cols, double floats) {
        return 2 * TOKENS * rows * cols / (PRODUCTS * floats) + 4 * TOKENS * (rows + cols) / TRAVEL;
    }

    /** A table of them, or JSON. */
    public static String write(RooflineFormat format) {
        if (format == RooflineFormat.JSON) {
            return JsonMapper.builder()
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .build()
                            .writeValueAsString(all())
                    + "\n";
        }
        List<List<String>> table = new ArrayList<>();
        table.add(List.of(
                "model",
                "GPU",
                "Hessians h",
                "cholesky h",
                "or auto h",
                "sweep h",
                "calibration h",
                "in all h",
                "with auto h",
                "of published",
                "published h (A100)"));
        for (Row row : all()) {
            table.add(List.of(
                    row.model,
                    row.gpu,
                    RooflineReport.number("%.2f", row.hessians),
                    RooflineReport.number("%.2f", row.cholesky),
                    RooflineReport.number("%.2f", row.auto),
                    RooflineReport.number("%.2f", row.sweep),
                    RooflineReport.number("%.2f", row.decoder),
                    RooflineReport.number("%.2f", row.total()),
                    RooflineReport.number("%.2f", row.autoTotal()),
                    RooflineReport.number("%.1fx", row.published / row.autoTotal()),
                    RooflineReport.number("%.2f", row.published)));
        }
        return "Modelled from counted flops and bytes at shares of peak rates; nothing was measured on a GPU but the published times, which are of other code.\n\n"
                + format.table(table);
    }
}
