package dev.obr.bench.quality;

import dev.obr.kernels.packed.Pattern;
import java.util.ArrayList;
import java.util.List;

/**
 * A model as it is compressed.
 *
 * @param pattern of the masks; dense where the method prunes nothing
 * @param bits of a code of the linear layers
 * @param headBits of the LM head: 4, 8 or 16
 */
public record QualityCase(QualityMethod method, Pattern pattern, int bits, int headBits) {
    /** Every method with every pattern, and those that prune nothing once. */
    public static List<QualityCase> all(
            List<QualityMethod> methods, List<Pattern> patterns, int bits, List<Integer> headBits) {
        List<QualityCase> cases = new ArrayList<>();
        for (int head : headBits) {
            for (Pattern pattern : patterns) {
                methods.stream()
                        .filter(method -> method.method().prunes())
                        .forEach(method -> cases.add(new QualityCase(method, pattern, bits, head)));
            }
            methods.stream()
                    .filter(method -> !method.method().prunes())
                    .forEach(method -> cases.add(new QualityCase(method, Pattern.DENSE, bits, head)));
        }
        return cases;
    }

    /** A name for a folder. */
    String name() {
        return String.join("-", method.label(), pattern.label(), bits + "bit", "head" + headBits)
                .replaceAll("[^A-Za-z0-9.-]", "_");
    }
}
