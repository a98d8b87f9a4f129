package dev.obr.compressor.imports;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.models.packed.PackedModelWriter;
import dev.obr.models.packed.PlainTensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes a packed model of a published checkpoint: dequantised weights of a model that QuaRot's or SpinQuant's branch of the OBR code compressed.
 *
 * <p>The checkpoint is read twice: first every linear layer is recovered and the pattern of all is found, and only when nothing is wrong with any of them is the folder begun. Memory is
 * a few copies of the largest weight. The result does not depend on the number of threads.
 */
public final class CheckpointImport {
    /** Published models are made for 4-bit activations, keys and values. */
    private static final int ACTIVATION_BITS = 4;

    private static final int CODE_BITS = 4;

    private final int threads;
    private final Consumer<String> notes;

    /**
     * @param threads that recover rows
     * @param notes takes sentences on how far it is
     */
    public CheckpointImport(int threads, Consumer<String> notes) {
        this.threads = threads;
        this.notes = notes;
    }

    /**
     * Imports a checkpoint.
     *
     * @throws ObrException where the checkpoint is damaged, of another model than the base, or not of 4-bit codes, or the folder cannot be written; nothing half-written is left then
     */
    public void run(ImportOptions options, Path out, boolean force) {
        try (Arena arena = Arena.ofShared();
                ThreadTeam team = new ThreadTeam(threads)) {
            ImportedModel model = ImportedModel.open(options, arena);
            CodeRecovery recovery = new CodeRecovery(team);
            PatternChoice choice = new PatternChoice(options.pattern());
            ModelConfig config = model.config();
            for (int layer = 0; layer < config.layers(); layer++) {
                for (String name : model.linears(layer)) {
                    choice.add(model.described(name), recover(model, name, recovery));
                }
            }
            Pattern pattern = choice.pattern();
            notes.accept(model.checkpoint().source() + " · " + model.storedAs() + " · " + pattern + " · rotation "
                    + model.rotation().label() + " · epsilon " + config.rmsNormEpsilon());
            try (PackedModelWriter writer = PackedModelWriter.create(
                    out,
                    config,
                    model.bias(),
                    quantization(options, model, pattern, choice.zeroShare()),
                    JsonNodeFactory.instance.objectNode().put("imported", true),
                    CompanionFiles.of(options.base()),
                    force)) {
                for (int layer = 0; layer < config.layers(); layer++) {
                    write(layer, model, recovery, pattern, writer);
                    notes.accept("layer " + (layer + 1) + " of " + config.layers() + " done");
                }
                writer.finish(Map.of(), outside(model), report(model, pattern, choice.zeroShare()));
            }
        }
    }

    private static RecoveredWeight recover(ImportedModel model, String name, CodeRecovery recovery) {
        return recovery.recover(
                model.described(name), model.checkpoint().weight(name).matrix());
    }

    private static void write(
            int layer, ImportedModel model, CodeRecovery recovery, Pattern pattern, PackedModelWriter writer) {
        Map<String, PackedMatrix> packed = new LinkedHashMap<>();
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        ArrayNode linears = report.putArray("linears");
        for (String name : model.linears(layer)) {
            RecoveredWeight weight = recover(model, name, recovery);
            PackedMatrix matrix = Packing.pack(
                    pattern,
                    CODE_BITS,
                    weight.rows(),
                    weight.cols(),
                    weight.codes(),
                    weight.mask().kept(),
                    weight.scales());
            packed.put(name, matrix);
            linears.addObject()
                    .put("name", name)
                    .put("rows", weight.rows())
                    .put("cols", weight.cols())
                    .put("zeros", (double) weight.zeros() / weight.codes().length)
                    .put("bytes", matrix.byteSize());
        }
        List<PlainTensor> plain = new ArrayList<>();
        for (String name : model.vectors(layer)) {
            plain.add(PlainTensor.vector(name, model.vector(name)));
        }
        writer.layer(packed, Map.of(), plain, report);
    }

    private static List<PlainTensor> outside(ImportedModel model) {
        List<PlainTensor> plain = new ArrayList<>();
        plain.add(halves(model, "model.embed_tokens.weight"));
        plain.add(PlainTensor.vector("model.norm.weight", model.vector("model.norm.weight")));
        if (!model.config().tiedEmbeddings()) {
            plain.add(halves(model, ExpectedWeights.HEAD));
        }
        return plain;
    }

    private static PlainTensor halves(ImportedModel model, String name) {
        WeightMatrix stored = model.checkpoint().weight(name).matrix();
        return PlainTensor.halves(
                name, stored.rows(), stored.cols(), (from, count) -> CheckpointRows.of(stored, from, count));
    }

    private static Quantization quantization(
            ImportOptions options, ImportedModel model, Pattern pattern, double zeroShare) {
        return new Quantization(
                Quantization.FORMAT_VERSION,
                CODE_BITS,
                pattern,
                Map.of(),
                pattern == Pattern.DENSE ? 0 : pattern == Pattern.UNSTRUCTURED ? zeroShare : 0.5,
                "obr (imported)",
                model.rotation().label(),
                model.rotation().online(model.config()),
                ACTIVATION_BITS,
                ActivationClip.SEARCH,
                ACTIVATION_BITS,
                "unknown text (imported)",
                0,
                options.toolVersion());
    }

    private static ObjectNode report(ImportedModel model, Pattern pattern, double zeroShare) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("imported_from", model.checkpoint().source())
                .put("stored_as", model.storedAs())
                .put("pattern", pattern.label())
                .put("rotation", model.rotation().label())
                .put("rms_norm_eps", model.config().rmsNormEpsilon())
                .put("zeros", zeroShare);
    }
}
