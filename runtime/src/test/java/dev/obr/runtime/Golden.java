package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A golden.json: what the transformers library generates greedily in float32.
 *
 * @param prompt as text, or null where it is only a rule for ids
 * @param margins by new token: how far the best logit was above the second
 * @param firstLogits by token id, a sample
 * @param largestLogit of the first position, in magnitude
 */
record Golden(
        @Nullable String prompt,
        int[] promptIds,
        List<Integer> greedyIds,
        double[] margins,
        Map<Integer, Float> firstLogits,
        float largestLogit) {

    /** Below this margin a different order of summation may choose another token. */
    private static final double SAFE_MARGIN = 2e-2;

    static List<Golden> read(Path file, String casesField) throws Exception {
        JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(file));
        List<Golden> cases = new ArrayList<>();
        for (JsonNode node : root.path(casesField)) {
            cases.add(parse(node));
        }
        return cases;
    }

    private static Golden parse(JsonNode node) {
        Map<Integer, Float> logits = new TreeMap<>();
        float largest = 0;
        if (node.path("first_logits").isArray()) {
            for (int i = 0; i < node.path("first_logits").size(); i++) {
                logits.put(i, node.path("first_logits").get(i).floatValue());
            }
        } else {
            node.path("first_logits")
                    .properties()
                    .forEach(e ->
                            logits.put(Integer.valueOf(e.getKey()), e.getValue().floatValue()));
        }
        for (float logit : logits.values()) {
            largest = Math.max(largest, Math.abs(logit));
        }
        String prompt = node.has("prompt")
                ? node.path("prompt").asString()
                : node.path("prompt_text").asString(null);
        return new Golden(
                prompt,
                node.has("prompt_rule") ? ruledPrompt(node) : ints(node.path("prompt_ids")),
                Arrays.stream(ints(node.path("greedy_ids"))).boxed().toList(),
                doubles(node.path("margins")),
                logits,
                node.has("first_logit_max_abs")
                        ? node.path("first_logit_max_abs").floatValue()
                        : largest);
    }

    /** How many greedy tokens a correct implementation must reproduce: all before the first narrow margin. */
    int certain() {
        int n = 0;
        while (n < margins.length && margins[n] >= SAFE_MARGIN) {
            n++;
        }
        return Math.min(n, greedyIds.size());
    }

    /** The long prompt that would waste space if it were stored; the only rule there is. */
    private static int[] ruledPrompt(JsonNode node) {
        assertThat(node.path("prompt_rule").asString()).isEqualTo("id[i] = (37 * i + 11 * floor(i / 50)) mod 256");
        return IntStream.range(0, node.path("prompt_count").intValue())
                .map(i -> (37 * i + 11 * (i / 50)) % 256)
                .toArray();
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }

    private static double[] doubles(JsonNode array) {
        return array.valueStream().mapToDouble(JsonNode::doubleValue).toArray();
    }
}
