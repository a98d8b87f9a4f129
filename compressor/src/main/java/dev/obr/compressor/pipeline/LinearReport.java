package dev.obr.compressor.pipeline;

import dev.obr.compressor.obr.Certificate;
import dev.obr.compressor.obr.CompressedLayer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What became of one linear layer.
 *
 * @param name of its weight
 * @param lossBefore proxy loss with this mask and grid, nothing restored
 * @param loss proxy loss of the result
 * @param zeros share of entries that are exactly zero
 * @param bytes packed
 * @param certificate how exact an iterative solution is, or null
 * @param notes such as a raised damping
 */
public record LinearReport(
        String name,
        int rows,
        int cols,
        double lossBefore,
        double loss,
        double zeros,
        long bytes,
        double seconds,
        @Nullable Certificate certificate,
        List<String> notes) {
    static LinearReport of(String name, CompressedLayer layer, long bytes, double seconds) {
        return new LinearReport(
                name,
                layer.mask().rows(),
                layer.mask().cols(),
                layer.lossBefore(),
                layer.loss(),
                layer.zeroShare(),
                bytes,
                seconds,
                layer.certificate(),
                layer.notes());
    }

    /** The same with another note in front. */
    LinearReport noting(String note) {
        List<String> all = new ArrayList<>(List.of(note));
        all.addAll(notes);
        return new LinearReport(name, rows, cols, lossBefore, loss, zeros, bytes, seconds, certificate, all);
    }

    /** For {@code obr-report.json}. */
    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("name", name);
        json.putArray("shape").add(rows).add(cols);
        json.put("loss_not_restored", lossBefore);
        json.put("loss", loss);
        json.put("zeros", zeros);
        json.put("bytes", bytes);
        json.put("seconds", seconds);
        if (certificate != null) {
            json.put("pcg_bound", certificate.relativeExcess());
            json.put("pcg_iterations", certificate.iterations());
        }
        if (!notes.isEmpty()) {
            ArrayNode sentences = json.putArray("notes");
            notes.forEach(sentences::add);
        }
        return json;
    }
}
