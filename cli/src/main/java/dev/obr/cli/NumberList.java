package dev.obr.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Numbers as llama-bench writes them: {@code 512}, a list {@code 16,32}, a range {@code 1-4}, with a step {@code 1-9+2} or a factor {@code 1-8*2}.
 *
 * @param values in the order given
 */
record NumberList(List<Integer> values) {
    private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9})(?:([+*])(\\d{1,9}))?)?");
    private static final int MOST_VALUES = 1000;

    NumberList {
        values = List.copyOf(values);
    }

    /** Parses {@code "16,32"} or {@code "1-8*2"}. */
    static final class Converter implements ITypeConverter<NumberList> {
        @Override
        public NumberList convert(String text) {
            List<Integer> values = new ArrayList<>();
            for (String part : text.split(",", -1)) {
                Matcher range = RANGE.matcher(part.strip());
                if (!range.matches()) {
                    throw new TypeConversionException("'" + part + "' is neither a number nor a range such as 1-8*2");
                }
                add(values, range);
            }
            return new NumberList(values);
        }

        private static void add(List<Integer> values, Matcher range) {
            long first = Long.parseLong(range.group(1));
            long last = range.group(2) == null ? first : Long.parseLong(range.group(2));
            boolean factor = "*".equals(range.group(3));
            long step = range.group(4) == null ? 1 : Long.parseLong(range.group(4));
            if (factor ? step < 2 || first == 0 : step < 1) {
                throw new TypeConversionException("'" + range.group() + "' never ends");
            }
            for (long n = first; n <= last; n = factor ? n * step : n + step) {
                values.add((int) n);
                if (values.size() > MOST_VALUES) {
                    throw new TypeConversionException(
                            "'" + range.group() + "' has more than " + MOST_VALUES + " values");
                }
            }
        }
    }
}
