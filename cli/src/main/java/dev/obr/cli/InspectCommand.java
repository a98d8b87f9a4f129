package dev.obr.cli;

import dev.obr.kernels.DType;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import dev.obr.models.WeightSummary;
import dev.obr.models.chat.ChatFormat;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
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

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(names = "--tensors", description = "List every tensor.")
    private boolean tensors;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /** Tensors of one purpose and one number format. */
    private record Group(String name, DType type, int tensors, long parameters, long bytes) {
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
            List<Group> groups = groups(opened.weights().values());
            if (json) {
                console.println(JsonOutput.pretty(json(opened, groups)));
            } else {
                console.print(table(opened, groups));
            }
        }
        return CommandLineApplication.DONE;
    }

    private static List<Group> groups(Collection<Weight> weights) {
        Map<String, Group> groups = new LinkedHashMap<>();
        for (Weight w : weights) {
            String name = groupName(w.name());
            Group one = new Group(name, w.type(), 1, w.elements(), w.memory().byteSize());
            groups.merge(
                    name + " " + w.type(),
                    one,
                    (a, b) -> new Group(a.name, a.type, a.tensors + 1, a.parameters + b.parameters, a.bytes + b.bytes));
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
        text.append(String.format(
                "%n%-14s %-6s %8s %16s %16s %12s%n",
                "tensors", "dtype", "count", "parameters", "bytes", "bits/weight"));
        for (Group group : groups) {
            row(
                    text,
                    group.name,
                    group.type.toString(),
                    group.tensors,
                    group.parameters,
                    group.bytes,
                    group.bitsPerWeight());
        }
        row(text, "total", "", opened.weights().size(), total.parameters(), total.bytes(), total.bitsPerWeight());
        if (tensors) {
            text.append(String.format("%n%-50s %-6s %-18s %16s%n", "tensor", "dtype", "shape", "bytes"));
            for (Weight w : opened.weights().values()) {
                text.append(String.format(
                        Locale.ROOT,
                        "%-50s %-6s %-18s %,16d%n",
                        w.name(),
                        w.type(),
                        w.shape(),
                        w.memory().byteSize()));
            }
        }
        return text.toString().replace(System.lineSeparator(), "\n");
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format("%-14s %s%n", label, value));
    }

    private static void row(
            StringBuilder text, String name, String type, int tensors, long parameters, long bytes, double bits) {
        text.append(String.format(
                Locale.ROOT, "%-14s %-6s %,8d %,16d %,16d %12.2f%n", name, type, tensors, parameters, bytes, bits));
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
        object.put("groups", groups.stream().map(InspectCommand::json).toList());
        if (tensors) {
            List<Map<String, Object>> list = new ArrayList<>();
            for (Weight w : opened.weights().values()) {
                Map<String, Object> tensor = new LinkedHashMap<>();
                tensor.put("name", w.name());
                tensor.put("dtype", w.type().toString());
                tensor.put("shape", w.shape());
                tensor.put("bytes", w.memory().byteSize());
                list.add(tensor);
            }
            object.put("tensors", list);
        }
        return object;
    }

    private static Map<String, Object> json(Group group) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", group.name);
        object.put("dtype", group.type.toString());
        object.put("tensors", group.tensors);
        object.put("parameters", group.parameters);
        object.put("bytes", group.bytes);
        object.put("bits_per_weight", group.bitsPerWeight());
        return object;
    }
}
