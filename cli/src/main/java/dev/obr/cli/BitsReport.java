package dev.obr.cli;

import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.ModelConfig;
import dev.obr.models.packed.PackedSize;
import java.util.List;
import java.util.Locale;

/** What each choice of {@code compress} costs in bytes: a table, computed from the model's shape. */
final class BitsReport {
    private static final List<Pattern> PATTERNS = List.of(
            Pattern.DENSE,
            Pattern.UNSTRUCTURED,
            Pattern.HALF_OF_64,
            Pattern.FOUR_OF_EIGHT,
            Pattern.TWO_OF_FOUR,
            Pattern.PAIRS_4_OF_8);
    private static final int CONTEXT = 8192;

    private BitsReport() {}

    /**
     * @param bits of a code
     * @param sparsity of unstructured patterns
     * @param headBits of the LM head
     */
    static String of(String model, ModelConfig config, int bits, double sparsity, int headBits) {
        PackedSize dense = PackedSize.of(config, Pattern.DENSE, bits, sparsity, headBits);
        long inHalves = PackedSize.of(config, Pattern.DENSE, bits, sparsity, 16).outside();
        long halves = 2 * dense.weights();
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%s: %.1f M weights in linear layers; embedding, head and norms take %s beside them%n%n",
                model,
                dense.weights() / 1e6,
                megabytes(dense.outside())));
        text.append(String.format(
                "%-14s %12s %16s %12s %16s%n", "weights", "bits/weight", "linear layers", "smaller", "whole model"));
        row(text, "F16", 16, halves, halves, inHalves);
        for (Pattern pattern : PATTERNS) {
            PackedSize size = PackedSize.of(config, pattern, bits, sparsity, headBits);
            row(text, pattern.label(), size.bitsPerWeight(), size.linear(), halves, size.outside());
        }
        text.append(String.format("%n%-14s %12s %16s%n", "cache", "bits/value", CONTEXT + " tokens"));
        for (int kvBits : new int[] {16, 8, 4}) {
            long head = kvBits == 16 ? 2L * config.headDim() : new KvQuantizer(kvBits, config.headDim()).byteSize();
            text.append(String.format(
                    Locale.ROOT,
                    "%-14s %12.2f %16s%n",
                    kvBits == 16 ? "F16" : "int" + kvBits,
                    8.0 * head / config.headDim(),
                    megabytes(2L * CONTEXT * config.layers() * config.kvHeads() * head)));
        }
        return text.append(
                        "\nActivations of 4, 8 or 16 bits are chosen when the model runs, and cost no bytes in it.\n")
                .toString();
    }

    private static void row(StringBuilder text, String name, double bits, long linear, long halves, long outside) {
        text.append(String.format(
                Locale.ROOT,
                "%-14s %12.3f %16s %11.2fx %16s%n",
                name,
                bits,
                megabytes(linear),
                (double) halves / linear,
                megabytes(linear + outside)));
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
