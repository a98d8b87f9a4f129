package dev.obr.cli;

import dev.obr.kernels.gpu.LaunchShape.Dim;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Extents of a launch as the command line has them: {@code X[,Y[,Z]]}, within what devices allow. */
final class LaunchShapes {
    /** Of dynamic and static shared memory together, on the device that has most of it. */
    static final int MOST_SHARED_BYTES = 227 << 10;

    private static final Pattern EXTENTS = Pattern.compile("(-?\\d{1,10})(?:,(-?\\d{1,10}))?(?:,(-?\\d{1,10}))?");

    private LaunchShapes() {}

    /** Thread blocks. */
    static final class Grid implements ITypeConverter<Dim> {
        @Override
        public Dim convert(String text) {
            return parse(text, Integer.MAX_VALUE, 65_535, 65_535);
        }
    }

    /** Threads of a block. */
    static final class Block implements ITypeConverter<Dim> {
        @Override
        public Dim convert(String text) {
            Dim block = parse(text, 1024, 1024, 64);
            if (block.count() > 1024) {
                throw new TypeConversionException(
                        "'" + text + "' is " + block.count() + " threads, but a block has 1024 at most");
            }
            return block;
        }
    }

    private static Dim parse(String text, int... most) {
        Matcher extents = EXTENTS.matcher(text);
        if (!extents.matches()) {
            throw new TypeConversionException("'" + text + "' is not X, X,Y or X,Y,Z");
        }
        int[] values = {1, 1, 1};
        for (int i = 0; i < 3 && extents.group(i + 1) != null; i++) {
            long value = Long.parseLong(extents.group(i + 1));
            if (value < 1 || value > most[i]) {
                throw new TypeConversionException(
                        "'" + text + "': " + "XYZ".charAt(i) + " is " + value + ", but must be 1 to " + most[i]);
            }
            values[i] = (int) value;
        }
        return new Dim(values[0], values[1], values[2]);
    }
}
