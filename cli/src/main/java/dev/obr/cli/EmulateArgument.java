package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.PtxParameter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * One argument of the kernel that {@code emulate} launches.
 *
 * @param text as it was given
 * @param file to read into a buffer, to write one to, or both; null where the argument is a number
 * @param read whether the buffer begins with the file's content rather than zeros
 * @param written whether the buffer becomes the file's content
 * @param buffer bytes of a buffer that begins with zeros
 * @param bits of a number
 * @param bytes that the kernel's parameter must have: 8 for a buffer
 */
record EmulateArgument(
        String text, @Nullable Path file, boolean read, boolean written, long buffer, long bits, int bytes) {
    private static final String FORMS = "in:FILE, inout:FILE, out:FILE:BYTES, i32:NUMBER, u64:NUMBER or f32:NUMBER";

    /** Parses {@code "in:x.bin"} or {@code "i32:7"}. */
    static final class Converter implements ITypeConverter<EmulateArgument> {
        @Override
        public EmulateArgument convert(String text) {
            int colon = text.indexOf(':');
            String value = text.substring(colon + 1);
            if (colon < 0 || value.isEmpty()) {
                throw new TypeConversionException("'" + text + "' is no argument of a kernel; write " + FORMS);
            }
            return switch (text.substring(0, colon)) {
                case "in" -> new EmulateArgument(text, path(value), true, false, 0, 0, 8);
                case "inout" -> new EmulateArgument(text, path(value), true, true, 0, 0, 8);
                case "out" -> out(text, value);
                case "i32" ->
                    number(text, whole(text, value, Integer.MIN_VALUE, 0xffffffffL, "-2147483648 to 4294967295"), 4);
                case "u64" -> number(text, unsigned(text, value), 8);
                case "f32" -> number(text, Integer.toUnsignedLong(Float.floatToRawIntBits(single(text, value))), 4);
                default ->
                    throw new TypeConversionException("'" + text + "' is no argument of a kernel; write " + FORMS);
            };
        }

        private static EmulateArgument out(String text, String value) {
            int colon = value.lastIndexOf(':');
            if (colon < 1) {
                throw new TypeConversionException(
                        "'" + text + "' does not say how large the file is; write out:FILE:BYTES");
            }
            long bytes = whole(text, value.substring(colon + 1), 1, 1L << 40, "1 to 1099511627776 bytes");
            return new EmulateArgument(text, path(value.substring(0, colon)), false, true, bytes, 0, 8);
        }

        private static EmulateArgument number(String text, long bits, int bytes) {
            return new EmulateArgument(text, null, false, false, 0, bits, bytes);
        }

        private static Path path(String value) {
            try {
                return Path.of(value);
            } catch (InvalidPathException e) {
                throw new TypeConversionException("'" + value + "' is no path that this system can name");
            }
        }

        private static long whole(String text, String value, long least, long most, String range) {
            try {
                long number = Long.decode(value);
                if (number >= least && number <= most) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // said below, with the range
            }
            throw new TypeConversionException("'" + text + "' needs a whole number of " + range);
        }

        private static long unsigned(String text, String value) {
            try {
                return value.startsWith("0x")
                        ? Long.parseUnsignedLong(value.substring(2), 16)
                        : Long.parseUnsignedLong(value);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + text + "' needs a whole number of 0 to 2^64 - 1");
            }
        }

        private static float single(String text, String value) {
            try {
                return Float.parseFloat(value);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("'" + text + "' needs a number such as 0.5, 1e-3 or NaN");
            }
        }
    }

    /**
     * Holds the arguments against what the kernel takes.
     *
     * @throws ObrException with one sentence if their number or a size differs
     */
    static void check(String kernel, List<PtxParameter> parameters, List<EmulateArgument> arguments) {
        if (parameters.size() != arguments.size()) {
            throw new ObrException("kernel " + kernel + " takes " + parameters.size() + " arguments, not "
                    + arguments.size() + ": " + describe(parameters) + "; give an --arg for each, in this order");
        }
        for (int i = 0; i < parameters.size(); i++) {
            PtxParameter parameter = parameters.get(i);
            EmulateArgument argument = arguments.get(i);
            if (parameter.bytes() != argument.bytes()) {
                throw new ObrException("argument " + (i + 1) + " of kernel " + kernel + " has " + parameter.bytes()
                        + " bytes (" + parameter.type() + "), but " + argument.text() + " has " + argument.bytes()
                        + "; buffers and u64 have 8, i32 and f32 have 4");
            }
        }
    }

    private static String describe(List<PtxParameter> parameters) {
        return parameters.isEmpty()
                ? "none"
                : String.join(", ", parameters.stream().map(PtxParameter::type).toList());
    }
}
