package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.check.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code gpu-check} finds: printed line by line as it comes, and at the end two files, one for people and one for programs. */
final class GpuCheckReport {
    private final Console console;
    private final StringBuilder text = new StringBuilder();
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final List<Map<String, Object>> kernels = new ArrayList<>();

    GpuCheckReport(Console console) {
        this.console = console;
        values.put("kernels", kernels);
    }

    void line(String line) {
        text.append(line).append('\n');
        console.println(line);
    }

    void value(String name, Object value) {
        values.put(name, value);
    }

    void heading(String gpu) {
        value("gpu", gpu);
        value("date", LocalDate.now().toString());
        value("version", RootCommand.productVersion());
        line("# " + gpu);
        line("");
    }

    void kernelsHeader() {
        line("| kernel                   | cases |   values | largest difference | outcome |");
        line("| :----------------------- | ----: | -------: | -----------------: | :------ |");
    }

    void kernel(Verdict verdict) {
        line(String.format(
                Locale.ROOT,
                "| %-24s | %5d | %8d | %18s | %s |",
                verdict.kernel(),
                verdict.cases(),
                verdict.values(),
                difference(verdict),
                verdict.outcome().label()
                        + (verdict.says().isEmpty() ? "" : ": " + verdict.says().replace("|", "\\|"))));
        Map<String, Object> kernel = new LinkedHashMap<>();
        kernel.put("kernel", verdict.kernel());
        kernel.put("outcome", verdict.outcome().label());
        kernel.put("cases", verdict.cases());
        kernel.put("values", verdict.values());
        kernel.put("largest_difference", difference(verdict));
        kernel.put("says", verdict.says());
        kernels.add(kernel);
    }

    private static String difference(Verdict verdict) {
        if (verdict.values() == 0) {
            return "";
        }
        double largest = verdict.largestDifference();
        return largest == 0 ? "0" : String.format(Locale.ROOT, "%.2e", largest);
    }

    /**
     * Writes both files.
     *
     * @param gpu its name, for theirs
     * @return the one for people
     */
    Path write(Path folder, String gpu) {
        String name = LocalDate.now() + "-gpu-check-"
                + gpu.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        Path markdown = folder.resolve(name + ".md");
        try {
            Files.createDirectories(folder);
            Files.writeString(markdown, text);
            Files.writeString(folder.resolve(name + ".json"), JsonOutput.pretty(values) + "\n");
        } catch (IOException e) {
            throw new ObrException(
                    "the results cannot be written to " + folder + " (" + e + "); choose another --output", e);
        }
        return markdown;
    }
}
