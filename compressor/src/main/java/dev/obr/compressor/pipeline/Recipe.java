package dev.obr.compressor.pipeline;

import dev.obr.compressor.calibration.CalibrationWindows;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the packed weights depend on and their configuration does not tell: a stopped run that went on with another recipe would be half of each.
 *
 * <p>The model and the calibration windows are known by checksums: of the beginning of each tensor, and of all tokens.
 */
final class Recipe {
    /** Bytes of a tensor that tell it from another: a model of thousands of tensors is recognised within a moment. */
    private static final long BEGINNING = 4096;

    private Recipe() {}

    static ObjectNode of(Model model, CompressionPlan plan) {
        ObjectNode recipe = JsonNodeFactory.instance.objectNode();
        recipe.set("linear", JsonMapper.shared().valueToTree(plan.linear()));
        recipe.put("target", plan.target().label());
        recipe.put("permute", plan.permute().label());
        recipe.put("embed_mean", plan.rotation().subtractsMean());
        recipe.put("model_checksum", checksum(model));
        recipe.put("calibration_checksum", checksum(plan.windows()));
        return recipe;
    }

    private static long checksum(Model model) {
        CRC32C sum = new CRC32C();
        for (Weight weight : model.weights().values()) {
            sum.update(weight.name().getBytes(StandardCharsets.UTF_8));
            long bytes = Math.min(BEGINNING, weight.memory().byteSize());
            sum.update(weight.memory().asSlice(0, bytes).asByteBuffer());
        }
        return sum.getValue();
    }

    private static long checksum(CalibrationWindows windows) {
        CRC32C sum = new CRC32C();
        for (int i = 0; i < windows.count(); i++) {
            int[] tokens = windows.window(i);
            ByteBuffer bytes = ByteBuffer.allocate(4 * tokens.length);
            bytes.asIntBuffer().put(tokens);
            sum.update(bytes);
        }
        return sum.getValue();
    }
}
