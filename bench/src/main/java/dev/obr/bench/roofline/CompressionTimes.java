package dev.obr.bench.roofline;

import dev.obr.bench.roofline.CompressionShape.Linear;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * How long {@code compress --device cuda} would take, modelled, next to what the paper measured on one A100 for its own code (its table of calibration times).
 *
 * <pre>
 *   T = 128 x 2048 tokens;  a linear layer [rows, C] keeps k = C / 2 of a row;  F, D float32 and float64 flops a second, B and L the bytes of memory and L2;
 *   P bytes a second from the heap to the GPU, S from pinned memory, M those of the host's memory, through its threads
 *
 *   Hessians      T C² / 0.8 F  +  4 T C / P                      one an input, of which a layer has four
 *   masks         5 rows C / P                                    of scores
 *                 obr-plus: 120 (2 rows C² / 0.8 F  +  8 rows C / P  +  20 rows C / M),  8 (10/3 C³ / 0.4 F  +  24 C² / P) an input
 *   rows
 *     cholesky    rows (k³ / 3 / 0.4 F  +  8 k² / B  +  48 k² / B  +  8 C² / 0.8 D)
 *                 factors, gathered matrices, four solves of two triangles each twice refined, residuals
 *     pcg         rows 32 (2 C² / 0.8 F  +  70 C / B)             its vectors are passed over on the GPU
 *     obr-plus    rows (k³ / 3 / 0.4 F  +  24 k² / B  +  50 k² / 0.4 F)
 *                 factors, gathered matrices, one triangle; rounding with 50 scales
 *   codes         C / 128 x 50 us  +  rows C² / 0.8 F  +  12 rows C / P                    the sweep
 *                 obr-plus: rows C² (4 / B + 16 / L)  +  6 rows C² / 0.8 F  +  35 rows C / P     descent, as many codes changing as there are columns
 *   calibration   2 T rows C / 0.8 F of each product, of gate and up twice  +  2.5 T 2048 hidden / 0.8 F  +  14 T heads 2048 / B  +  tokens' way there and back / S  +  passes over them / M
 *                 obr-plus: two streams;  2 T C² / 0.8 F an input for the second's difference
 * </pre>
 *
 * <p>The shares of the peaks are assumptions, as are P, S, M and how many codes a descent changes; so is that nothing else waits.
 */
public final class CompressionTimes {
    private static final double WINDOW = 2048;
    private static final double TOKENS = 128 * WINDOW;
    private static final double HEAP = 6e9; // P
    private static final double PINNED = 20e9; // S: PCIe 4.0
    private static final double HOST = 50e9; // M
    private static final double PRODUCTS = 0.8; // of the peak
    private static final double FACTORS = 0.4;
    private static final int ITERATIONS = 32;
    private static final int SCALES = 50;
    private static final int MASK_STEPS = 120;
    private static final int MASK_LEVELS = 8;
    private static final double BLOCK_SECONDS = 50e-6;

    /** By what method rows are compressed, and with what solver. */
    private enum Way {
        OBR_GPTQ_CHOLESKY("obr-gptq, cholesky"),
        OBR_GPTQ_PCG("obr-gptq, pcg"),
        OBR_PLUS("obr-plus, cholesky");

        private final String label;

        Way(String label) {
            this.label = label;
        }
    }

    /** GPUs, with flops of float32 and float64 by SM and cycle, the latter on tensor cores. */
    private enum Machine {
        A100(Gpu.A100, 128, 128),
        H100(Gpu.H100, 256, 256);

        private final Gpu gpu;
        private final double floats;
        private final double doubles;
        private final double memory;
        private final double l2;

        Machine(Gpu gpu, int floats, int doubles) {
            this.gpu = gpu;
            this.floats = floats * gpu.multiprocessors() * gpu.hertz();
            this.doubles = doubles * gpu.multiprocessors() * gpu.hertz();
            this.memory = gpu.dramGigabytes() * 1e9;
            this.l2 = gpu.l2Bytes() * gpu.hertz();
        }

        double products(double flops) {
            return flops / (PRODUCTS * floats);
        }

        double factors(double flops) {
            return flops / (FACTORS * floats);
        }
    }

    /**
     * One model on one GPU, in hours.
     *
     * @param way the method and its solver
     * @param parameters of its linear layers
     * @param published for OBR_GPTQ on one A100
     */
    public record Row(
            String model,
            String gpu,
            String way,
            double parameters,
            double hessians,
            double masks,
            double rows,
            double codes,
            double calibration,
            double published) {
        public double total() {
            return hessians + masks + rows + codes + calibration;
        }
    }

    private CompressionTimes() {}

    /** Every model on every GPU, every way. */
    public static List<Row> all() {
        List<Row> rows = new ArrayList<>();
        for (CompressionShape shape : CompressionShape.values()) {
            for (Machine machine : Machine.values()) {
                for (Way way : Way.values()) {
                    rows.add(row(shape, machine, way));
                }
            }
        }
        return rows;
    }

    private static Row row(CompressionShape shape, Machine machine, Way way) {
        boolean plus = way == Way.OBR_PLUS;
        double hessians = 0;
        double masks = 0;
        for (double cols : shape.inputs()) {
            hessians += machine.products(TOKENS * cols * cols) + 4 * TOKENS * cols / HEAP;
            if (plus) { // moments of what the stream as it was has more
                hessians += machine.products(2 * TOKENS * cols * cols) + 8 * TOKENS * cols / HEAP;
                masks += MASK_LEVELS * (machine.factors(10 / 3.0 * cols * cols * cols) + 24 * cols * cols / HEAP);
            }
        }
        double restored = 0;
        double codes = 0;
        for (Linear linear : shape.linears()) {
            masks += plus ? maskSearch(linear, machine) : 5 * linear.weights() / HEAP;
            restored += switch (way) {
                case OBR_GPTQ_CHOLESKY -> factored(linear, machine);
                case OBR_GPTQ_PCG -> iterated(linear, machine);
                case OBR_PLUS -> rounded(linear, machine);
            };
            codes += plus ? descended(linear, machine) : swept(linear, machine);
        }
        double hours = shape.layers / 3600.0;
        return new Row(
                shape.label,
                machine.gpu.name(),
                way.label,
                shape.parameters(),
                hours * hessians,
                hours * masks,
                hours * restored,
                hours * codes,
                hours * (plus ? 2 : 1) * calibration(shape, machine),
                shape.publishedHours);
    }

    private static double maskSearch(Linear linear, Machine machine) {
        return MASK_STEPS
                * (machine.products(2 * linear.products())
                        + 8 * linear.weights() / HEAP
                        + 20 * linear.weights() / HOST);
    }

    private static double factored(Linear linear, Machine machine) {
        double k = linear.cols() / 2.0;
        return linear.rows()
                * (machine.factors(k * k * k / 3)
                        + 56 * k * k / machine.memory
                        + 8.0 * linear.cols() * linear.cols() / (PRODUCTS * machine.doubles));
    }

    private static double iterated(Linear linear, Machine machine) {
        return ITERATIONS * (machine.products(2 * linear.products()) + 70 * linear.weights() / machine.memory);
    }

    private static double rounded(Linear linear, Machine machine) {
        double k = linear.cols() / 2.0;
        return linear.rows() * (machine.factors(k * k * k / 3 + SCALES * k * k) + 24 * k * k / machine.memory);
    }

    private static double swept(Linear linear, Machine machine) {
        return linear.cols() / 128.0 * BLOCK_SECONDS
                + machine.products(linear.products())
                + 12 * linear.weights() / HEAP;
    }

    private static double descended(Linear linear, Machine machine) {
        return linear.products() * (4 / machine.memory + 16 / machine.l2)
                + machine.products(6 * linear.products())
                + 35 * linear.weights() / HEAP;
    }

    /** All tokens through a decoder layer. */
    private static double calibration(CompressionShape shape, Machine machine) {
        double h = shape.hidden;
        double k = shape.keys;
        double f = shape.feedForward;
        double products = 2 * TOKENS * (2 * h * h + 2 * k * h + 5 * f * h);
        double attention = 2.5 * TOKENS * WINDOW * h; // half of all pairs, and the corners of tiles above the diagonal
        double scores = 14 * TOKENS * shape.heads * WINDOW; // 7 passes over half of them
        double travel = 4 * TOKENS * (9 * h + 4 * k + 5 * f);
        double copies = 8 * TOKENS * (21 * h + 4 * k + 6 * f); // of states, of what travels
        double passes = 4 * TOKENS * (12 * h + 2 * k + 6 * f); // norms, positions, gates, sums
        return machine.products(products + attention)
                + scores / machine.memory
                + travel / PINNED
                + (copies + passes) / HOST;
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
                "method",
                "Hessians h",
                "masks h",
                "rows h",
                "codes h",
                "calibration h",
                "in all h",
                "of published",
                "published h (A100)"));
        for (Row row : all()) {
            table.add(List.of(
                    row.model,
                    row.gpu,
                    row.way,
                    RooflineReport.number("%.2f", row.hessians),
                    RooflineReport.number("%.2f", row.masks),
                    RooflineReport.number("%.2f", row.rows),
                    RooflineReport.number("%.2f", row.codes),
                    RooflineReport.number("%.2f", row.calibration),
                    RooflineReport.number("%.2f", row.total()),
                    RooflineReport.number("%.1fx", row.published / row.total()),
                    RooflineReport.number("%.2f", row.published)));
        }
        return "Modelled from counted flops and bytes at shares of peak rates; nothing was measured on a GPU but the published times, which are of other code.\n\n"
                + format.table(table);
    }
}
