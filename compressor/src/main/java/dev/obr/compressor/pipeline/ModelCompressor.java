package dev.obr.compressor.pipeline;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.compressor.rotation.RotatedModel;
import dev.obr.kernels.DType;
import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.models.packed.PackedModelWriter;
import dev.obr.models.packed.PlainTensor;
import dev.obr.runtime.cpu.CpuBackend;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Compresses a model into a folder of packed weights: the embedding of the calibration text goes through one decoder layer after the other, and each is compressed and written when the
 * text reaches it.
 *
 * <p>Memory: one decoder layer in float32 (twice where the target is residual), the Hessian of its widest input three times, and the states of {@link CompressionPlan#stateBytes}. The result depends on the model, the plan
 * and the machine alone, not on the number of threads or on having been stopped and resumed.
 */
public final class ModelCompressor {
    private final CpuKernels kernels;
    private final LinearAlgebra algebra;
    private final int threads;
    private final CompressionProgress progress;

    public ModelCompressor(CpuKernels kernels, LinearAlgebra algebra, int threads, CompressionProgress progress) {
        this.kernels = kernels;
        this.algebra = algebra;
        this.threads = threads;
        this.progress = progress;
    }

    /** On all processors, with the fastest kernels and linear algebra that work here. */
    public static ModelCompressor onCpu(CompressionProgress progress) {
        Map<String, String> environment = HostSettings.environment();
        return new ModelCompressor(
                CpuKernelsProvider.choose(CpuKernelsProvider.requested(), environment)
                        .kernels(),
                LinearAlgebras.choose(environment).algebra(),
                Runtime.getRuntime().availableProcessors(),
                progress);
    }

    /**
     * Where the result goes.
     *
     * @param out the folder
     * @param force whether a packed model that is there is replaced
     * @param resume whether a stopped run goes on after its last finished layer
     */
    public record Destination(Path out, boolean force, boolean resume) {}

    /**
     * Compresses {@code model}.
     *
     * @param companions tokenizer and other files that travel with it
     * @throws ObrException where the model or its activations cannot be compressed, or the folder cannot be written; nothing half-written is left then
     */
    public void compress(Model model, CompressionPlan plan, CompanionFiles companions, Destination destination) {
        if (model.quantization() != null) {
            throw new ObrException(
                    model.name() + " is packed already; compress the model that it was made from instead.");
        }
        RotatedModel rotated = new RotatedModel(model, plan.rotation());
        ModelConfig config = plan.packsHead() ? rotated.config().untied() : rotated.config();
        AttentionBias bias = AttentionBias.among(model.weights().keySet());
        plan.rotation().skipped().forEach(progress::note);
        CalibrationWindows windows = plan.windows();
        ObjectNode recipe = Recipe.of(model, plan);
        try (PackedModelWriter writer = destination.resume()
                        ? PackedModelWriter.resume(
                                destination.out(),
                                config,
                                bias,
                                plan.quantization(),
                                recipe,
                                companions,
                                destination.force())
                        : PackedModelWriter.create(
                                destination.out(),
                                config,
                                bias,
                                plan.quantization(),
                                recipe,
                                companions,
                                destination.force());
                Backend backend = calibrating();
                ThreadTeam team = new ThreadTeam(threads);
                Calibration calibration = new Calibration(
                        config,
                        plan.rotation().online(),
                        backend,
                        windows.count(),
                        windows.length(),
                        plan.target() == Target.RESIDUAL,
                        plan.stateBytes(),
                        parent(destination.out()))) {
            embed(rotated, windows, calibration);
            DecoderCompressor decoder = new DecoderCompressor(plan, algebra, team, progress);
            for (int layer = 0; layer < config.layers(); layer++) {
                if (layer < writer.finishedLayers()) {
                    passThrough(layer, rotated, plan, writer, backend, calibration);
                } else {
                    compressLayer(layer, rotated, plan, writer, backend, calibration, decoder);
                }
                progress.finished(layer, config.layers());
            }
            try (Arena arena = Arena.ofShared()) {
                writer.finish(head(rotated, config, plan, team, arena), outside(rotated, config, plan), report(plan));
            }
        }
    }

    /** What the calibration's decoder layers run on. */
    private Backend calibrating() {
        CpuBackend cpu = new CpuBackend(kernels, kernels.instructionSet(), threads, Precision.FLOAT);
        return algebra.device()
                .<Backend>map(device -> new CalibrationBackend(cpu, device, progress::note))
                .orElse(cpu);
    }

    /** Starts every window with its tokens' embeddings. */
    private static void embed(RotatedModel rotated, CalibrationWindows windows, Calibration calibration) {
        for (int sample = 0; sample < windows.count(); sample++) {
            int[] tokens = windows.window(sample);
            for (int t = 0; t < tokens.length; t++) {
                calibration.start(sample, t, rotated.embedding(tokens[t], 1).values());
            }
        }
    }

    private void compressLayer(
            int layer,
            RotatedModel rotated,
            CompressionPlan plan,
            PackedModelWriter writer,
            Backend backend,
            Calibration calibration,
            DecoderCompressor decoder) {
        String prefix = prefix(layer);
        Map<String, Matrix> tensors = rotated.layer(layer);
        DecoderCompressor.Packed packed;
        try (FloatLayer floats = new FloatLayer(prefix, tensors, backend);
                FloatLayer original = plan.target() == Target.LAYER ? null : new FloatLayer(prefix, tensors, backend)) {
            packed = decoder.compress(layer, floats, original, calibration);
        }
        List<PlainTensor> plain = new ArrayList<>();
        tensors.forEach((name, matrix) -> {
            if (!packed.packed().containsKey(name)) {
                plain.add(PlainTensor.vector(name, matrix.values()));
            }
        });
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        ArrayNode linears = report.putArray("linears");
        packed.reports().forEach(linear -> linears.add(linear.json()));
        writer.layer(packed.packed(), packed.orders(), plain, report);
    }

    /** Runs the windows through a layer that is written already. */
    private void passThrough(
            int layer,
            RotatedModel rotated,
            CompressionPlan plan,
            PackedModelWriter writer,
            Backend backend,
            Calibration calibration) {
        Map<String, Matrix> tensors = new LinkedHashMap<>();
        writer.packedWeights(layer).forEach((name, packed) -> tensors.put(name, floats(packed)));
        writer.inputOrders(layer)
                .forEach((name, order) -> InputGroup.weightsOrderedBy(name)
                        .forEach(weight -> tensors.computeIfPresent(weight, (same, w) -> order.restore(w))));
        writer.plainTensors(layer).forEach((name, weight) -> tensors.put(name, floats(weight)));
        try (FloatLayer floats = new FloatLayer(prefix(layer), tensors, backend);
                FloatLayer original = plan.target() == Target.LAYER
                        ? null
                        : new FloatLayer(prefix(layer), rotated.layer(layer), backend)) {
            for (Calibration.Step step : List.<Calibration.Step>of(
                    CalibrationStream::attend, CalibrationStream::feedForwardInput, CalibrationStream::finish)) {
                calibration.run(step, floats, original, Calibration.IGNORED, count -> {});
            }
        }
    }

    private static Matrix floats(PackedMatrix packed) {
        Matrix floats = Matrix.zeros(packed.rows(), packed.cols());
        for (int r = 0; r < packed.rows(); r++) {
            packed.dequantizeRow(r, floats.values(), r * packed.cols());
        }
        return floats;
    }

    /** A norm or bias, which packed models keep in float32. */
    private static Matrix floats(Weight weight) {
        WeightMatrix vector = weight.vector();
        if (vector.type() != DType.F32) {
            throw new IllegalArgumentException(weight.name() + " is " + vector.type());
        }
        float[] values = new float[vector.cols()];
        MemorySegment.copy(vector.memory(), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values, 0, values.length);
        return new Matrix(1, values.length, values);
    }

    private static Map<String, PackedMatrix> head(
            RotatedModel rotated, ModelConfig config, CompressionPlan plan, ThreadTeam team, Arena arena) {
        return plan.packsHead()
                ? Map.of(
                        ExpectedWeights.HEAD,
                        PackedHead.pack(
                                ExpectedWeights.HEAD,
                                config.vocabularySize(),
                                config.hiddenSize(),
                                plan.headBits(),
                                rotated::head,
                                team,
                                arena))
                : Map.of();
    }

    private static List<PlainTensor> outside(RotatedModel rotated, ModelConfig config, CompressionPlan plan) {
        List<PlainTensor> plain = new ArrayList<>();
        plain.add(PlainTensor.halves(
                "model.embed_tokens.weight", config.vocabularySize(), config.hiddenSize(), rotated::embedding));
        plain.add(PlainTensor.vector(
                "model.norm.weight", rotated.tensor("model.norm.weight").values()));
        if (!config.tiedEmbeddings() && !plan.packsHead()) {
            plain.add(PlainTensor.halves(
                    ExpectedWeights.HEAD, config.vocabularySize(), config.hiddenSize(), rotated::head));
        }
        return plain;
    }

    private static ObjectNode report(CompressionPlan plan) {
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        report.put("method", plan.linear().method().label());
        report.put("target", plan.target().label());
        report.put("pattern", plan.pattern().label());
        report.put("rotation", plan.rotation().name());
        report.put("head_bits", plan.headBits());
        ArrayNode skipped = report.putArray("not_rotated");
        plan.rotation().skipped().forEach(skipped::add);
        report.put("calibration", plan.calibration());
        report.put("windows", plan.windows().count());
        report.put("window_tokens", plan.windows().length());
        return report;
    }

    private static Path parent(Path out) {
        Path parent = out.toAbsolutePath().getParent();
        return parent == null ? out.toAbsolutePath() : parent;
    }

    private static String prefix(int layer) {
        return "model.layers." + layer + ".";
    }
}
