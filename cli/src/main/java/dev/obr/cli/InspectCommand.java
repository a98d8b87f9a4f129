package dev.obr.cli;

import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Quantization;
import dev.obr.models.WeightSummary;
import dev.obr.models.chat.ChatFormat;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code inspect}: what a model is made of, without running it. */
@Command(name = "inspect", description = "Show a model's architecture, parameters, number formats and size.")
final class InspectCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private final ModelFile model = new ModelFile();

    @Option(names = "--tensors", description = "List every tensor.")
    private boolean tensors;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /** Tensors of one purpose and one number format, named as in {@link WeightSummary}. */
    private record Group(String name, String format, int tensors, long parameters, long bytes) {
        double bitsPerWeight() {
            return 8.0 * bytes / parameters;
        }
    }

    InspectCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (Model opened = model.open()) {
            List<Group> groups = groups(WeightSummary.tensors(opened));
            if (json) {
                console.println(JsonOutput.pretty(json(opened, groups)));
            } else {
                console.print(table(opened, groups));
            }
        }
        return CommandLineApplication.DONE;
    }

    private static List<Group> groups(List<WeightSummary.Tensor> tensors) {
        Map<String, Group> groups = new LinkedHashMap<>();
        for (WeightSummary.Tensor tensor : tensors) {
            String name = groupName(tensor.name());
            groups.merge(
                    name + " " + tensor.format(),
                    new Group(name, tensor.format(), 1, tensor.parameters(), tensor.bytes()),
                    (a, b) -> new Group(
                            a.name, a.format, a.tensors + b.tensors, a.parameters + b.parameters, a.bytes + b.bytes));
        }
        return List.copyOf(groups.values());
    }

    private static String groupName(String tensor) {
        if (tensor.contains("norm")) {
            return "norms";
        }
        if (tensor.contains("embed_tokens")) {
            return "embedding";
        }
        if (tensor.contains("self_attn")) {
            return "attention";
        }
        if (tensor.contains("mlp")) {
            return "feed-forward";
        }
        return tensor.startsWith("lm_head") ? "head" : "other";
    }

    private String table(Model opened, List<Group> groups) {
        ModelConfig config = opened.config();
        ChatFormat chat = opened.chatFormat();
        WeightSummary total = WeightSummary.of(opened);
        StringBuilder text = new StringBuilder();
        line(text, "model", opened.name());
        line(text, "architecture", config.architecture());
        line(
                text,
                "parameters",
                String.format(Locale.ROOT, "%,d (%.2f M)", total.parameters(), total.parameters() / 1e6));
        line(
                text,
                "layers",
                config.layers() + " of width " + config.hiddenSize() + ", feed-forward " + config.intermediateSize());
        line(
                text,
                "heads",
                config.heads() + " query, " + config.kvHeads() + " key/value, of width " + config.headDim());
        line(
                text,
                "vocabulary",
                config.vocabularySize() + (config.tiedEmbeddings() ? ", head tied to the embedding" : ""));
        line(text, "context", config.contextLength() + " tokens");
        line(text, "chat format", chat == null ? "none (a base model)" : chat.name());
        Quantization quantization = opened.quantization();
        OptionalDouble packed = WeightSummary.packedLayersBits(opened);
        if (quantization != null && packed.isPresent()) {
            line(text, "compressed", compression(quantization));
            line(
                    text,
                    "packed",
                    String.format(
                            Locale.ROOT,
                            "%.3f bits per weight, %.2fx smaller than FP16",
                            packed.getAsDouble(),
                            16 / packed.getAsDouble()));
            if (!opened.inputOrders().isEmpty()) {
                line(text, "permuted", permuted(opened));
            }
        }
        text.append(String.format(
                "%n%-14s %-17s %8s %16s %16s %12s%n",
                "tensors", "dtype", "count", "parameters", "bytes", "bits/weight"));
        for (Group group : groups) {
            row(text, group.name, group.format, group.tensors, group.parameters, group.bytes, group.bitsPerWeight());
        }
        row(
                text,
                "total",
                "",
                opened.weights().size() + opened.packed().size(),
                total.parameters(),
                total.bytes(),
                total.bitsPerWeight());
        if (tensors) {
            text.append(String.format("%n%-50s %-17s %-18s %16s%n", "tensor", "dtype", "shape", "bytes"));
            for (WeightSummary.Tensor tensor : WeightSummary.tensors(opened)) {
                text.append(String.format(
                        Locale.ROOT,
                        "%-50s %-17s %-18s %,16d%n",
                        tensor.name(),
                        tensor.format(),
                        tensor.shape(),
                        tensor.bytes()));
            }
        }
        return text.toString().replace(System.lineSeparator(), "\n");
    }

    private static String compression(Quantization q) {
        return q.method() + " with rotation " + q.rotation() + ", calibrated on " + q.calibration() + ", seed "
                + q.seed()
                + "; runs with A" + q.activationBits() + " KV" + q.kvBits() + "; format " + q.formatVersion()
                + ", written by version " + q.toolVersion();
    }

    /** In how many layers each group of linear layers takes its input in another order. */
    private static Map<InputGroup, Integer> layersPermuted(Model opened) {
        Map<InputGroup, Integer> layers = new EnumMap<>(InputGroup.class);
        for (InputGroup group : InputGroup.values()) {
            layers.put(group, (int) opened.inputOrders().keySet().stream()
                    .filter(name -> name.endsWith("." + group.orderName()))
                    .count());
        }
        return layers;
    }

    private static String permuted(Model opened) {
        return layersPermuted(opened).entrySet().stream()
                .map(group -> group.getKey().label() + " " + group.getValue())
                .collect(Collectors.joining(
                        ", ", "inputs of ", " of " + opened.config().layers() + " layers"));
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format("%-14s %s%n", label, value));
    }

    private static void row(
            StringBuilder text, String name, String type, int tensors, long parameters, long bytes, double bits) {
        text.append(String.format(
                Locale.ROOT, "%-14s %-17s %,8d %,16d %,16d %12.2f%n", name, type, tensors, parameters, bytes, bits));
    }

    private Map<String, @Nullable Object> json(Model opened, List<Group> groups) {
        ModelConfig config = opened.config();
        ChatFormat chat = opened.chatFormat();
        WeightSummary total = WeightSummary.of(opened);
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("model", opened.name());
        object.put("architecture", config.architecture());
        object.put("parameters", total.parameters());
        object.put("bytes", total.bytes());
        object.put("bits_per_weight", total.bitsPerWeight());
        object.put("layers", config.layers());
        object.put("hidden_size", config.hiddenSize());
        object.put("intermediate_size", config.intermediateSize());
        object.put("heads", config.heads());
        object.put("kv_heads", config.kvHeads());
        object.put("head_dim", config.headDim());
        object.put("vocabulary_size", config.vocabularySize());
        object.put("context_length", config.contextLength());
        object.put("tied_embeddings", config.tiedEmbeddings());
        object.put("chat_format", chat == null ? null : chat.name());
        Quantization quantization = opened.quantization();
        OptionalDouble packed = WeightSummary.packedLayersBits(opened);
        if (quantization != null && packed.isPresent()) {
            object.put("format_version", quantization.formatVersion());
            object.put("method", quantization.method());
            object.put("pattern", quantization.pattern().label());
            object.put("rotation", quantization.rotation());
            object.put("activation_bits", quantization.activationBits());
            object.put("kv_bits", quantization.kvBits());
            object.put("packed_bits_per_weight", packed.getAsDouble());
            object.put("packed_ratio_to_fp16", 16 / packed.getAsDouble());
            Map<String, Integer> permuted = new LinkedHashMap<>();
            layersPermuted(opened).forEach((group, layers) -> permuted.put(group.label(), layers));
            object.put("permuted_layers", permuted);
        }
        object.put("groups", groups.stream().map(InspectCommand::json).toList());
        if (tensors) {
            List<Map<String, Object>> list = new ArrayList<>();
            for (WeightSummary.Tensor tensor : WeightSummary.tensors(opened)) {
                Map<String, Object> one = new LinkedHashMap<>();
                one.put("name", tensor.name());
                one.put("dtype", tensor.format());
                one.put("shape", tensor.shape());
                one.put("bytes", tensor.bytes());
                list.add(one);
            }
            object.put("tensors", list);
        }
        return object;
    }

    private static Map<String, Object> json(Group group) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", group.name);
        object.put("dtype", group.format);
        object.put("tensors", group.tensors);
        object.put("parameters", group.parameters);
        object.put("bytes", group.bytes);
        object.put("bits_per_weight", group.bitsPerWeight());
        return object;
    }
}
