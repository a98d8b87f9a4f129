package dev.obr.bench.quality;

import dev.obr.compressor.obr.CompressionOptions;
import dev.obr.compressor.obr.Method;
import dev.obr.compressor.permutation.Permute;
import dev.obr.compressor.pipeline.Preset;
import dev.obr.compressor.pipeline.Target;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.packed.Pattern;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A method with what its layers are fitted to: {@code obr-gptq}, {@code obr-plus/residual}, {@code obr-plus/residual/auto}.
 *
 * @param method of each linear layer
 * @param target the layer's own outputs where nothing else is said
 * @param permute off where nothing else is said
 */
public record QualityMethod(Method method, Target target, Permute permute) {
    private static final String SEPARATOR = "/";

    /** @throws ObrException where a part is none */
    public static QualityMethod parse(String text) {
        String[] parts = text.strip().split(SEPARATOR, -1);
        if (parts.length > 3) {
            throw new ObrException("'" + text
                    + "' is no METHOD, METHOD/TARGET or METHOD/TARGET/PERMUTE, such as obr-plus/residual/auto");
        }
        return new QualityMethod(
                Method.parse(parts[0]),
                parts.length < 2 ? Target.LAYER : one(Target.values(), parts[1]),
                parts.length < 3 ? Permute.OFF : one(Permute.values(), parts[2]));
    }

    private static <E extends Enum<E>> E one(E[] values, String name) {
        return Arrays.stream(values)
                .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() -> new ObrException("'" + name + "' is none of "
                        + Arrays.stream(values)
                                .map(value -> value.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }

    /** As it is parsed; what is usual is left out. */
    public String label() {
        return Stream.of(method.label(), target.label(), permute.label())
                .limit(permute != Permute.OFF ? 3 : target != Target.LAYER ? 2 : 1)
                .collect(Collectors.joining(SEPARATOR));
    }

    CompressionOptions linear(Pattern pattern, int bits) {
        return Preset.PAPER.linear().withMethod(method).withPattern(pattern).withBits(bits);
    }
}
