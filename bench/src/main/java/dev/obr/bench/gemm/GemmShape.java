package dev.obr.bench.gemm;

import dev.obr.bench.ModelShape;
import dev.obr.kernels.ObrException;
import dev.obr.models.ModelConfig;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The shape of a linear layer's weight W [features, columns].
 *
 * @param features output channels
 * @param columns input channels
 */
public record GemmShape(int features, int columns) {
    private static final Pattern EXTENTS = Pattern.compile("(\\d{1,6})x(\\d{1,6})");

    /** What tensor cores' kernels ask of columns, and what packed rows of all patterns are whole in. */
    private static final int MULTIPLE = 64;

    private static final int MOST = 1 << 17;

    public GemmShape {
        if (features < 1
                || columns < 1
                || Math.max(features, columns) > MOST
                || features % MULTIPLE != 0
                || columns % MULTIPLE != 0) {
            throw new ObrException("the shape " + features + "x" + columns
                    + " cannot be measured: give output and input channels that are multiples of " + MULTIPLE
                    + " from " + MULTIPLE + " to " + MOST + ", such as 4096x4096");
        }
    }

    /** {@code 11008x4096}: output by input channels. */
    public String label() {
        return features + "x" + columns;
    }

    /**
     * Shapes by their labels, or those of a model's layers by its name, each once.
     *
     * @throws ObrException where one is neither
     */
    public static List<GemmShape> parse(Collection<String> names) {
        Set<GemmShape> shapes = new LinkedHashSet<>();
        for (String name : names) {
            Matcher extents = EXTENTS.matcher(name);
            if (extents.matches()) {
                shapes.add(new GemmShape(Integer.parseInt(extents.group(1)), Integer.parseInt(extents.group(2))));
            } else {
                shapes.addAll(layers(ModelShape.of(name).config()));
            }
        }
        return List.copyOf(shapes);
    }

    /** Of a decoder layer: queries, keys and values, what attention leaves, gate and up, down. */
    private static List<GemmShape> layers(ModelConfig model) {
        int hidden = model.hiddenSize();
        int heads = model.heads() * model.headDim();
        int kvHeads = model.kvHeads() * model.headDim();
        return List.of(
                new GemmShape(heads, hidden),
                new GemmShape(kvHeads, hidden),
                new GemmShape(hidden, heads),
                new GemmShape(model.intermediateSize(), hidden),
                new GemmShape(hidden, model.intermediateSize()));
    }
}
