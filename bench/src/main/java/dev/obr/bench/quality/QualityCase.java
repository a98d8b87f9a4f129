package dev.obr.bench.quality;

import dev.obr.kernels.packed.Pattern;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as it is compressed.
 *
 * @param pattern of the masks; dense where the method prunes nothing
 * @param bits of a code of the linear layers
 * @param headBits of the LM head: 4, 8 or 16
 */
public record QualityCase(QualityMethod method, Pattern pattern, int bits, int headBits) {
    /** Every method with every pattern, each once: those that prune nothing are dense, and an order of columns is looked for in few patterns only. */
    public static List<QualityCase> all(
            List<QualityMethod> methods, List<Pattern> patterns, int bits, List<Integer> headBits) {
        Map<List<Object>, QualityCase> cases = new LinkedHashMap<>();
        for (int head : headBits) {
            for (boolean prunes : new boolean[] {true, false}) {
                for (Pattern pattern : prunes ? patterns : List.of(Pattern.DENSE)) {
                    methods.stream()
                            .filter(method -> method.method().prunes() == prunes)
                            .map(method -> new QualityCase(method, pattern, bits, head))
                            .forEach(which -> cases.putIfAbsent(which.made(), which));
                }
            }
        }
        return List.copyOf(cases.values());
    }

    /** What the compressed model depends on. */
    private List<Object> made() {
        return List.of(method.method(), method.target(), method.permute().seeks(pattern), pattern, bits, headBits);
    }

    /** A name for a folder. */
    String name() {
        return String.join("-", method.label(), pattern.label(), bits + "bit", "head" + headBits)
                .replaceAll("[^A-Za-z0-9.-]", "_");
    }
}
