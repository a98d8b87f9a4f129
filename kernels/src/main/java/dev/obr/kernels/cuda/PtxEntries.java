package dev.obr.kernels.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The signatures of a PTX text's kernels. The driver neither lists kernels nor checks a launch's arguments (before CUDA 12.4): with too few of them it reads whatever lies behind, so launches
 * are checked against these.
 */
final class PtxEntries {
    private static final Pattern COMMENT = Pattern.compile("//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+([\\w$%]+)\\s*(?:\\(([^)]*)\\))?");
    private static final Pattern PARAMETER = Pattern.compile("\\.[bsuf](8|16|32|64)\\s[^\\[]*(?:\\[(\\d+)])?");

    private PtxEntries() {}

    /** The bytes of each parameter, by kernel in the order of the text. */
    static Map<String, List<Integer>> of(String ptx) {
        Map<String, List<Integer>> entries = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(COMMENT.matcher(ptx).replaceAll(" "));
        while (entry.find()) {
            List<Integer> bytes = new ArrayList<>();
            String parameters = entry.group(2) == null ? "" : entry.group(2);
            for (String parameter : parameters.split(",")) {
                Matcher type = PARAMETER.matcher(parameter);
                if (type.find()) {
                    int elements = type.group(2) == null ? 1 : Integer.parseInt(type.group(2));
                    bytes.add(Integer.parseInt(type.group(1)) / 8 * elements);
                }
            }
            entries.put(entry.group(1), List.copyOf(bytes));
        }
        return entries;
    }
}
