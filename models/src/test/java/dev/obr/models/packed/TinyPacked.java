package dev.obr.models.packed;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.Fixtures;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.Quantization.WeightFormat;
import dev.obr.models.Weight;
import dev.obr.models.loader.ModelLoader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Packs the tiny models of the tests by the crudest method: a fixed mask, and rounding. */
final class TinyPacked {
    private final String fixture;
    private final Pattern pattern;
    private final boolean reorders;

    TinyPacked(String fixture, Pattern pattern) {
        this(fixture, pattern, false);
    }

    /** @param reorders whether inputs are taken in shuffled orders, but for the down projection of odd layers */
    TinyPacked(String fixture, Pattern pattern, boolean reorders) {
        this.fixture = fixture;
        this.pattern = pattern;
        this.reorders = reorders;
    }

    /** Writes a fixture: {@code FIXTURE PATTERN FOLDER}, and {@code reordered} or not. */
    public static void main(String[] args) {
        new TinyPacked(args[0], Pattern.parse(args[1]), args.length > 3).write(Path.of(args[2]), false);
    }

    Model source() {
        return ModelLoader.open(Fixtures.model(fixture));
    }

    /** down_proj has 8 bits. */
    Quantization quantization(Model model) {
        Map<String, WeightFormat> overrides = new LinkedHashMap<>();
        for (int layer = 0; layer < model.config().layers(); layer++) {
            overrides.put("model.layers." + layer + ".mlp.down_proj.weight", new WeightFormat(8, pattern));
        }
        return new Quantization(
                Quantization.FORMAT_VERSION,
                4,
                pattern,
                overrides,
                pattern == Pattern.DENSE ? 0 : 0.5,
                "fixed-mask",
                "none",
                new OnlineRotation(true, false, true),
                4,
                ActivationClip.SEARCH,
                4,
                "nothing",
                -3,
                "0.1");
    }

    PackedModelWriter create(Path out, Model model, boolean force) {
        return PackedModelWriter.create(
                out,
                model.config(),
                AttentionBias.among(model.weights().keySet()),
                quantization(model),
                JsonNodeFactory.instance.objectNode(),
                CompanionFiles.of(Fixtures.model(fixture)),
                force);
    }

    PackedModelWriter resume(Path out, Model model) {
        return PackedModelWriter.resume(
                out,
                model.config(),
                AttentionBias.among(model.weights().keySet()),
                quantization(model),
                JsonNodeFactory.instance.objectNode(),
                CompanionFiles.of(Fixtures.model(fixture)),
                false);
    }

    /** The whole model from first to last. */
    void write(Path out, boolean force) {
        try (Model model = source();
                PackedModelWriter writer = create(out, model, force)) {
            writeLayers(writer, model, model.config().layers());
            finish(writer, model);
        }
    }

    void writeLayers(PackedModelWriter writer, Model model, int end) {
        for (int layer = writer.finishedLayers(); layer < end; layer++) {
            Map<String, PackedMatrix> packed = new LinkedHashMap<>();
            List<PlainTensor> plain = new ArrayList<>();
            Map<String, ColumnOrder> orders = new LinkedHashMap<>();
            for (Weight weight : model.weights().values()) {
                if (weight.name().startsWith("model.layers." + layer + ".")) {
                    if (weight.shape().size() == 2) {
                        packed.put(weight.name(), pack(weight, quantization(model)));
                        if (reorders && (layer % 2 == 0 || !weight.name().contains("down_proj"))) {
                            orders.put(orderName(weight), order(weight));
                        }
                    } else {
                        plain.add(PlainTensor.vector(
                                weight.name(), rows(weight.vector(), 0, 1).values()));
                    }
                }
            }
            writer.layer(packed, orders, plain, object().put("layer", layer));
        }
    }

    static String orderName(Weight weight) {
        String[] parts = weight.name().split("\\.", 4); // model.layers.N.self_attn.q_proj.weight
        String member = parts[3].substring(0, parts[3].length() - ".weight".length());
        return "model.layers." + parts[2] + "." + InputGroup.of(member).orderName();
    }

    /** The same for all weights of a group. */
    static ColumnOrder order(Weight weight) {
        List<Integer> columns = new ArrayList<>(
                IntStream.range(0, weight.shape().getLast()).boxed().toList());
        Collections.shuffle(columns, new Random(orderName(weight).hashCode()));
        return ColumnOrder.of(columns.stream().mapToInt(Integer::intValue).toArray());
    }

    static void finish(PackedModelWriter writer, Model model) {
        List<PlainTensor> plain = new ArrayList<>();
        for (Weight weight : model.weights().values()) {
            if (weight.name().startsWith("model.layers.")) {
                continue;
            }
            if (weight.shape().size() == 1) {
                plain.add(PlainTensor.vector(
                        weight.name(), rows(weight.vector(), 0, 1).values()));
            } else {
                WeightMatrix matrix = weight.matrix();
                plain.add(PlainTensor.halves(
                        weight.name(), matrix.rows(), matrix.cols(), (from, count) -> rows(matrix, from, count)));
            }
        }
        writer.finish(Map.of(), plain, object().put("tool", "test"));
    }

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** Keeps the first half of every group's units, or every third entry of unstructured rows. */
    PackedMatrix pack(Weight weight, Quantization quantization) {
        int bits = quantization.format(weight.name()).bits();
        int top = (1 << bits - 1) - 1;
        Matrix w = rows(weight.matrix(), 0, weight.shape().getFirst());
        byte[] codes = new byte[w.values().length];
        boolean[] mask = new boolean[codes.length];
        float[] scales = new float[w.rows()];
        for (int r = 0; r < w.rows(); r++) {
            float largest = 0;
            for (int c = 0; c < w.cols(); c++) {
                largest = Math.max(largest, Math.abs(w.at(r, c)));
            }
            scales[r] = largest / top;
            for (int c = 0; c < w.cols(); c++) {
                boolean kept = pattern == Pattern.DENSE
                        || (pattern == Pattern.UNSTRUCTURED
                                ? (r + c) % 3 == 0
                                : c % pattern.group() < pattern.group() / 2);
                mask[r * w.cols() + c] = kept;
                codes[r * w.cols() + c] = (byte) (kept ? Math.rint(w.at(r, c) / scales[r]) : 0);
            }
        }
        return Packing.pack(pattern, bits, w.rows(), w.cols(), codes, mask, scales);
    }

    static Matrix rows(WeightMatrix stored, int from, int count) {
        Matrix rows = Matrix.zeros(count, stored.cols());
        MemorySegment values = MemorySegment.ofArray(rows.values());
        for (int r = 0; r < count; r++) {
            new ScalarKernels()
                    .dequantizeRow(stored, from + r, values.asSlice(4L * r * stored.cols(), 4L * stored.cols()));
        }
        return rows;
    }
}
