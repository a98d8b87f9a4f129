package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random operands of a sparse product. */
public final class SparseOperands {
    private SparseOperands() {}

    /** 0 to n - 1 in a random order. */
    public static int[] shuffled(int n, Random random) {
        List<Integer> numbers = new ArrayList<>(IntStream.range(0, n).boxed().toList());
        Collections.shuffle(numbers, random);
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * A weight on a pattern; one row of eight is 0, and so are some groups and kept entries.
     *
     * @param range codes are in -range .. range - 1
     */
    static PackedMatrix weight(Pattern pattern, int features, int columns, int range, Random random) {
        byte[] codes = new byte[features * columns];
        boolean[] mask = new boolean[features * columns];
        float[] scales = new float[features];
        for (int row = 0; row < features; row++) {
            scales[row] = (random.nextFloat() + 0.5f) * (random.nextBoolean() ? 1 : -1) / 64;
            boolean zeros = random.nextInt(8) == 0;
            for (int group = 0; group < columns; group += pattern.group()) {
                boolean[] kept = kept(pattern, random);
                for (int c = group; c < Math.min(columns, group + pattern.group()); c++) {
                    if (!zeros && kept[c - group]) {
                        mask[row * columns + c] = true;
                        codes[row * columns + c] = (byte) (random.nextInt(2 * range) - range);
                    }
                }
            }
        }
        return Packing.pack(pattern, 4, features, columns, codes, mask, scales);
    }

    /** Half of the units of one group at random; all columns of a dense weight, half of an unstructured one's. */
    private static boolean[] kept(Pattern pattern, Random random) {
        boolean[] kept = new boolean[pattern.group()];
        if (!pattern.grouped()) {
            kept[0] = pattern == Pattern.DENSE || random.nextBoolean();
            return kept;
        }
        List<Integer> units = new ArrayList<>(
                IntStream.range(0, pattern.group() / pattern.unit()).boxed().toList());
        Collections.shuffle(units, random);
        for (int unit : units.subList(0, units.size() / 2)) {
            Arrays.fill(kept, unit * pattern.unit(), (unit + 1) * pattern.unit(), true);
        }
        return kept;
    }
}
