package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.ActivationClip;
import dev.obr.models.Quantization.WeightFormat;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The {@code quantization_config} of a packed model's {@code config.json}. */
final class QuantizationJson {
    static final String FIELD = "quantization_config";
    private static final String METHOD = "obr";

    private QuantizationJson() {}

    /** Whether a model's configuration says that it is packed, in whatever version of the format. */
    static boolean isPacked(JsonFile config) {
        JsonNode quantization = config.find(FIELD);
        return quantization != null
                && quantization.isObject()
                && quantization.path("quant_method").stringValue("").equals(METHOD);
    }

    static ObjectNode write(Quantization q) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("quant_method", METHOD);
        json.put("format_version", q.formatVersion());
        json.put("bits", q.bits());
        json.put("pattern", q.pattern().label());
        ObjectNode overrides = json.putObject("overrides");
        new TreeMap<>(q.overrides())
                .forEach((weight, format) -> overrides
                        .putObject(weight)
                        .put("bits", format.bits())
                        .put("pattern", format.pattern().label()));
        json.put("sparsity", q.sparsity());
        json.put("method", q.method());
        json.putObject("rotation")
                .put("name", q.rotation())
                .put("down_input", q.online().downInput())
                .put("heads_input", q.online().headsInput())
                .put("query_key", q.online().queryKey());
        ObjectNode activations = json.putObject("activations").put("bits", q.activationBits());
        if (q.activationClip().searched()) {
            activations.put("clip", "search");
        } else {
            activations.put("clip", q.activationClip().ratio());
        }
        json.put("kv_bits", q.kvBits());
        json.put("calibration", q.calibration());
        json.put("seed", q.seed());
        json.put("tool_version", q.toolVersion());
        return json;
    }

    /** @throws ObrException where a field is missing or unusable, or the format is newer than this program */
    static Quantization read(JsonFile config) {
        JsonFile json = required(config, FIELD);
        int version = json.integer("format_version", 1);
        if (version > Quantization.FORMAT_VERSION) {
            throw new ObrException(config.source() + " is of a packed model with format_version " + version
                    + ", but this program reads up to format_version " + Quantization.FORMAT_VERSION
                    + "; install a newer version of it");
        }
        JsonFile rotation = required(json, "rotation");
        JsonFile activations = required(json, "activations");
        return new Quantization(
                version,
                width(json, "bits", 4, 8),
                pattern(json),
                overrides(json),
                share(json, "sparsity"),
                text(json, "method"),
                text(rotation, "name"),
                new OnlineRotation(
                        rotation.flag("down_input", false),
                        rotation.flag("heads_input", false),
                        rotation.flag("query_key", false)),
                width(activations, "bits", 4, 8, 16),
                clip(activations),
                width(json, "kv_bits", 4, 8, 16),
                text(json, "calibration"),
                seed(json),
                text(json, "tool_version"));
    }

    private static JsonFile required(JsonFile json, String field) {
        JsonFile object = json.object(field);
        if (object == null) {
            throw missing(json, field);
        }
        return object;
    }

    private static ObrException missing(JsonFile json, String field) {
        return new ObrException(
                json.source() + " has no " + field + "; it is needed to run the model: compress the model again");
    }

    private static String text(JsonFile json, String field) {
        String text = json.text(field);
        if (text == null) {
            throw missing(json, field);
        }
        return Excerpt.of(text);
    }

    private static int width(JsonFile json, String field, int... allowed) {
        int bits = json.integer(field, 1);
        for (int width : allowed) {
            if (bits == width) {
                return bits;
            }
        }
        throw json.unusable(field, allowed.length == 2 ? "4 or 8" : "4, 8 or 16");
    }

    private static Pattern pattern(JsonFile json) {
        String label = text(json, "pattern");
        for (Pattern pattern : Pattern.values()) {
            if (pattern.label().equals(label)) {
                return pattern;
            }
        }
        throw json.unusable("pattern", "the name of a sparsity pattern");
    }

    private static Map<String, WeightFormat> overrides(JsonFile json) {
        Map<String, WeightFormat> overrides = new HashMap<>();
        JsonFile named = json.object("overrides");
        if (named != null) {
            for (String weight : named.root().propertyNames()) {
                JsonFile format = required(named, weight);
                overrides.put(weight, new WeightFormat(width(format, "bits", 4, 8), pattern(format)));
            }
        }
        return overrides;
    }

    private static double share(JsonFile json, String field) {
        JsonNode value = json.find(field);
        if (value == null || !value.isNumber() || !(value.doubleValue() >= 0 && value.doubleValue() < 1)) {
            throw json.unusable(field, "a share from 0 to less than 1");
        }
        return value.doubleValue();
    }

    private static ActivationClip clip(JsonFile activations) {
        JsonNode clip = activations.find("clip");
        if (clip != null && clip.isString() && clip.stringValue().equals("search")) {
            return ActivationClip.SEARCH;
        }
        if (clip == null || !clip.isNumber() || !(clip.doubleValue() > 0 && clip.doubleValue() <= 1)) {
            throw activations.unusable("clip", "\"search\" or a ratio above 0 and up to 1");
        }
        return new ActivationClip(clip.doubleValue());
    }

    private static long seed(JsonFile json) {
        JsonNode seed = json.find("seed");
        if (seed == null || !seed.isIntegralNumber() || !seed.canConvertToLong()) {
            throw json.unusable("seed", "a whole number");
        }
        return seed.longValue();
    }
}
