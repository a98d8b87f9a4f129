package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization;
import dev.obr.models.Weight;
import dev.obr.models.file.JsonFile;
import dev.obr.models.huggingface.ConfigJson;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a packed model's folder one decoder layer at a time; it appears under its name only when it is complete.
 *
 * <pre>
 *   OUT.partial/run.json                 what is being written: a run may only go on with the same settings
 *   OUT.partial/layer-00000.safetensors  each finished layer, durable, with layer-00000.json, its report
 *   OUT.partial/model/..                 put together from the layers by {@link #finish}, then renamed to OUT
 * </pre>
 *
 * <p>A run that stops leaves OUT.partial, and {@link #resume} goes on after its last finished layer; the bytes of the model are those of an uninterrupted run. A write that fails (a
 * full disk) leaves nothing.
 */
public final class PackedModelWriter implements AutoCloseable {
    private static final String REPORT = "obr-report.json";

    private final PartialFolder partial;
    private final ModelConfig config;
    private final Quantization quantization;
    private final ExpectedWeights expected;
    private final ObjectNode configJson;
    private final ObjectNode run; // what run.json holds
    private final CompanionFiles companions;
    private final Arena arena = Arena.ofShared(); // of the finished layers that were asked for
    private int finishedLayers;

    private PackedModelWriter(
            PartialFolder partial,
            ModelConfig config,
            AttentionBias bias,
            Quantization quantization,
            JsonNode recipe,
            CompanionFiles companions) {
        this.partial = partial;
        this.config = config;
        this.quantization = quantization;
        this.expected = new ExpectedWeights(config, bias);
        this.companions = companions;
        this.configJson = ConfigJson.config(config, bias);
        configJson.put("torch_dtype", "float16");
        configJson.set(QuantizationJson.FIELD, QuantizationJson.write(quantization));
        this.run = configJson.deepCopy();
        run.set("recipe", recipe);
    }

    /**
     * Begins a model.
     *
     * @param out the folder to write; its parent must exist
     * @param config of the model as it is written: {@code tiedEmbeddings} says whether it has a head of its own
     * @param bias which linear layers of its attention add one
     * @param recipe what else the bytes depend on: a stopped run goes on only with the same
     * @param force whether a packed model at {@code out}, or a stopped run, is replaced
     * @throws ObrException where there is something at {@code out} that may not be replaced
     */
    public static PackedModelWriter create(
            Path out,
            ModelConfig config,
            AttentionBias bias,
            Quantization quantization,
            JsonNode recipe,
            CompanionFiles companions,
            boolean force) {
        PartialFolder partial = PartialFolder.of(out);
        partial.checkTarget(force);
        PackedModelWriter writer = new PackedModelWriter(partial, config, bias, quantization, recipe, companions);
        partial.begin(force, writer.run);
        return writer;
    }

    /**
     * Goes on with a stopped run, or begins one where there is none.
     *
     * @throws ObrException where the stopped run had other settings
     */
    public static PackedModelWriter resume(
            Path out,
            ModelConfig config,
            AttentionBias bias,
            Quantization quantization,
            JsonNode recipe,
            CompanionFiles companions,
            boolean force) {
        PartialFolder partial = PartialFolder.of(out);
        if (!partial.exists()) {
            return create(out, config, bias, quantization, recipe, companions, force);
        }
        partial.checkTarget(force);
        PackedModelWriter writer = new PackedModelWriter(partial, config, bias, quantization, recipe, companions);
        partial.checkSettings(writer.run);
        while (writer.finishedLayers < config.layers() && writer.isFinished(writer.finishedLayers)) {
            writer.finishedLayers++;
        }
        return writer;
    }

    /** Decoder layers that are written, from the first on. */
    public int finishedLayers() {
        return finishedLayers;
    }

    /**
     * Writes the next decoder layer.
     *
     * @param packed its linear layers by weight name
     * @param orders of the inputs of some of them, by tensor name: {@link dev.obr.models.Model#inputOrders}
     * @param plain its other tensors
     * @param report what happened to the layer, for {@code obr-report.json}
     * @throws ObrException where that fails, as on a full disk; nothing of the model is left then
     */
    public void layer(
            Map<String, PackedMatrix> packed,
            Map<String, ColumnOrder> orders,
            List<PlainTensor> plain,
            ObjectNode report) {
        int layer = finishedLayers;
        if (layer == config.layers()) {
            throw new IllegalStateException("all " + layer + " layers are written");
        }
        SafetensorsWriter writer = new SafetensorsWriter();
        packed.forEach((name, matrix) -> PackedTensors.write(name, matrix, writer));
        orders.forEach((name, order) -> InputOrders.write(name, order, writer));
        plain.forEach(tensor -> writer.tensor(tensor.name(), tensor.type(), tensor.shape(), tensor.content()));
        partial.orDelete(() -> {
            DurableFiles.writeJson(partial.layerReport(layer), report);
            writer.write(partial.layer(layer));
            DurableFiles.sync(partial.layer(layer));
        });
        try (Arena once = Arena.ofConfined()) {
            readLayer(layer, once);
        }
        finishedLayers++;
    }

    /** The packed weights of a finished layer by name, and its other tensors in {@link #plainTensors}; valid until the writer closes. */
    public Map<String, PackedMatrix> packedWeights(int layer) {
        return readLayer(layer, arena).packed();
    }

    /** The tensors of a finished layer that are not packed, by name; valid until the writer closes. */
    public Map<String, Weight> plainTensors(int layer) {
        return readLayer(layer, arena).plain();
    }

    /** The orders of inputs of a finished layer, by tensor name. */
    public Map<String, ColumnOrder> inputOrders(int layer) {
        return readLayer(layer, arena).orders();
    }

    /**
     * Puts the model together and gives it its name.
     *
     * @param packed weights outside of the decoder layers by name: possibly the head
     * @param plain other tensors outside of the decoder layers: embedding, final norm, head
     * @param report for {@code obr-report.json}; the layers' reports become its {@code layers}
     * @throws ObrException where that fails, as on a full disk; nothing of the model is left then
     */
    public void finish(Map<String, PackedMatrix> packed, List<PlainTensor> plain, ObjectNode report) {
        if (finishedLayers != config.layers()) {
            throw new IllegalStateException(finishedLayers + " of " + config.layers() + " layers are written");
        }
        partial.orDelete(() -> {
            Path model = partial.beginModel();
            companions.writeTo(model);
            if (!Files.exists(model.resolve("generation_config.json"))) {
                DurableFiles.writeJson(model.resolve("generation_config.json"), ConfigJson.generation(config));
            }
            DurableFiles.writeJson(model.resolve(PackedModel.CONFIG), configJson);
            writeWeights(packed, plain, model.resolve(PackedModel.WEIGHTS));
            ArrayNode layers = report.putArray("layers");
            for (int layer = 0; layer < config.layers(); layer++) {
                layers.add(JsonFile.read(partial.layerReport(layer)).root());
            }
            DurableFiles.writeJson(model.resolve(REPORT), report);
            PackedModel.open(model).close();
            partial.publish(model);
        });
    }

    private void writeWeights(Map<String, PackedMatrix> packed, List<PlainTensor> plain, Path file) {
        try (Arena parts = Arena.ofConfined()) {
            SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "obr");
            plain.forEach(tensor -> writer.tensor(tensor.name(), tensor.type(), tensor.shape(), tensor.content()));
            packed.forEach((name, matrix) -> PackedTensors.write(name, matrix, writer));
            for (int layer = 0; layer < config.layers(); layer++) {
                SafetensorsFile.map(partial.layer(layer), parts)
                        .tensors()
                        .values()
                        .forEach(tensor -> PackedTensors.copy(tensor, writer));
            }
            writer.write(file);
        }
    }

    private boolean isFinished(int layer) {
        if (!Files.exists(partial.layer(layer)) || !Files.exists(partial.layerReport(layer))) {
            return false;
        }
        try (Arena once = Arena.ofConfined()) {
            readLayer(layer, once);
            JsonFile.read(partial.layerReport(layer));
            return true;
        } catch (ObrException damaged) {
            return false; // written anew
        }
    }

    /** The tensors of a finished layer, checked to be all that the layer should have. */
    private PackedTensors readLayer(int layer, Arena owner) {
        Path file = partial.layer(layer);
        String prefix = "model.layers." + layer + ".";
        Map<String, SafetensorsTensor> tensors =
                SafetensorsFile.map(file, owner).tensors();
        Map<String, List<Integer>> shapes = new LinkedHashMap<>();
        expected.shapes().forEach((name, shape) -> {
            if (name.startsWith(prefix)) {
                shapes.put(name, shape);
            }
        });
        PackedTensors sorted = PackedTensors.read(tensors, shapes, quantization, file.toString());
        shapes.forEach((name, shape) -> {
            Weight weight = sorted.plain().get(name);
            if (!sorted.packed().containsKey(name)
                    && (weight == null || !weight.shape().equals(shape))) {
                throw new ObrException(file + " has no tensor " + name + " " + shape + "; compress the model again");
            }
        });
        return sorted;
    }

    /** Frees what {@link #packedWeights} mapped. What is written stays, for {@link #resume}. */
    @Override
    public void close() {
        arena.close();
    }
}
