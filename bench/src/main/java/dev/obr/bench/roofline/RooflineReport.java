package dev.obr.bench.roofline;

import dev.obr.models.ModelConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Steps of a model on some GPUs, and what the paper published, next to each other.
 *
 * @param shape what the model is called
 * @param context positions that a sequence's tokens attend to
 */
public record RooflineReport(
        String shape, int context, List<ModelStep> steps, List<PublishedFigures.Figure> published) {
    private static final String NOTHING_MEASURED =
            "Modelled from counted instructions and peak rates; nothing was measured on a GPU.";

    public RooflineReport {
        steps = List.copyOf(steps);
        published = List.copyOf(published);
    }

    /** Models every kernel that runs on each GPU, and the published figures where one of them is theirs. */
    public static RooflineReport of(
            Roofline roofline, List<Gpu> gpus, String shape, ModelConfig model, List<Integer> tokens, int context) {
        List<ModelStep> steps = new ArrayList<>();
        for (Gpu gpu : gpus) {
            for (int count : tokens) {
                for (ProductKernel kernel : ProductKernel.values()) {
                    if (kernel.runsOn(gpu)) {
                        steps.add(roofline.step(gpu, model, kernel, count, context));
                    }
                }
            }
        }
        return new RooflineReport(
                shape, context, steps, gpus.contains(Gpu.A100) ? PublishedFigures.compare(roofline) : List.of());
    }

    /** @param details whether each launch has a row; as JSON it always has */
    public String write(RooflineFormat format, boolean details) {
        if (format == RooflineFormat.JSON) {
            return json() + "\n";
        }
        StringBuilder out = new StringBuilder(NOTHING_MEASURED + "\n\n");
        for (Gpu gpu : steps.stream().map(ModelStep::gpu).distinct().toList()) {
            List<ModelStep> own =
                    steps.stream().filter(step -> step.gpu().equals(gpu)).toList();
            out.append(format.heading(gpu.name() + ": " + shape + ", " + context + " positions, modelled"));
            out.append(format.table(summary(own)));
            if (details) {
                out.append(format.table(launches(own)));
            }
        }
        if (!published.isEmpty()) {
            out.append(format.heading(
                    "A100-SXM4-80GB: 4096 x 4096, published measurements of other kernels and the model of these"));
            out.append(format.table(figures()));
        }
        return out.toString();
    }

    private List<List<String>> summary(List<ModelStep> own) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "weights", "tokens", "products us/layer", "of fp16", "layer us", "most of it", "share", "tokens/s"));
        for (ModelStep step : own) {
            Part longest = step.longest();
            rows.add(List.of(
                    step.kernel().label(),
                    String.valueOf(step.tokens()),
                    number("%.1f", 1e6 * step.linearSeconds()),
                    number("%.2fx", half(step).linearSeconds() / step.linearSeconds()),
                    step.whole() ? number("%.1f", 1e6 * step.layerSeconds()) : "-",
                    longest.name() + ": " + longest.launch().bound().label(),
                    number("%.0f%%", 100 * longest.seconds() / step.layerSeconds()),
                    step.whole() ? number("%.0f", step.tokensPerSecond()) : "-"));
        }
        return rows;
    }

    /** The step of half floats that is computed otherwise in the same way. */
    ModelStep half(ModelStep step) {
        return steps.stream()
                .filter(other -> other.kernel() == ProductKernel.HALF
                        && other.gpu().equals(step.gpu())
                        && other.tokens() == step.tokens())
                .findFirst()
                .orElseThrow();
    }

    private static List<List<String>> launches(List<ModelStep> own) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "weights",
                "tokens",
                "part",
                "kernel",
                "blocks",
                "at once",
                "us",
                "bound",
                "memory MB",
                "L2 MB",
                "shared Mwavefronts",
                "tensor Mcycles",
                "Minstructions",
                "Tops"));
        for (ModelStep step : own) {
            for (Part part : step.layer()) {
                rows.add(row(step, part));
            }
            rows.add(row(step, step.head()));
        }
        return rows;
    }

    private static List<String> row(ModelStep step, Part part) {
        Modelled launch = part.launch();
        return List.of(
                step.kernel().label(),
                String.valueOf(step.tokens()),
                part.times() == 1 ? part.name() : part.times() + " x " + part.name(),
                launch.kernel(),
                String.valueOf(launch.blocks()),
                String.valueOf(launch.resident()),
                number("%.2f", 1e6 * launch.seconds()),
                launch.bound().label(),
                number("%.2f", launch.dramBytes() / 1e6),
                number("%.2f", launch.l2Bytes() / 1e6),
                number("%.3f", launch.wavefronts() / 1e6),
                number("%.3f", launch.tensorCycles() / 1e6),
                number("%.3f", launch.instructions() / 1e6),
                number("%.1f", launch.tera()));
    }

    private List<List<String>> figures() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(
                List.of("figure", "product", "tokens", "published ms", "modelled ms", "modelled / published", "bound"));
        for (PublishedFigures.Figure figure : published) {
            rows.add(List.of(
                    figure.source(),
                    figure.what(),
                    String.valueOf(figure.tokens()),
                    number("%.2f", figure.publishedMillis()),
                    number("%.2f", figure.modelledMillis()),
                    number("%.2f", figure.ratio()),
                    figure.modelled().bound().label()));
        }
        return rows;
    }

    static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private String json() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("machine", "modelled");
        all.put("note", NOTHING_MEASURED);
        all.put("shape", shape);
        all.put("context", context);
        all.put("steps", steps.stream().map(this::fields).toList());
        all.put("published", published.stream().map(RooflineReport::fields).toList());
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(all);
    }

    private static Map<String, Object> fields(PublishedFigures.Figure figure) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("figure", figure.source());
        fields.put("product", figure.what());
        fields.put("tokens", figure.tokens());
        fields.put("published_ms", figure.publishedMillis());
        fields.put("modelled_ms", figure.modelledMillis());
        fields.put("modelled_of_published", figure.ratio());
        fields.put("launch", figure.modelled());
        return fields;
    }

    private Map<String, Object> fields(ModelStep step) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("gpu", step.gpu().label());
        fields.put("weights", step.kernel().label());
        fields.put("tokens", step.tokens());
        fields.put("products_us_per_layer", 1e6 * step.linearSeconds());
        fields.put("speedup_of_products_over_fp16", half(step).linearSeconds() / step.linearSeconds());
        if (step.whole()) {
            fields.put("layer_us", 1e6 * step.layerSeconds());
            fields.put("tokens_per_second", step.tokensPerSecond());
            fields.put("launches", step.launches());
        }
        fields.put("layer", step.layer());
        fields.put("head", step.head());
        return fields;
    }
}
