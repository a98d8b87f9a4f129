package dev.obr.bench.quality;

import dev.obr.bench.results.ResultFile;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A page of Markdown with tables that are written by the program, between prose that is not.
 *
 * <pre>
 *   &lt;!-- quality: NAME --&gt;
 *   ..
 *   &lt;!-- end --&gt;
 * </pre>
 */
public final class QualityDocument {
    private static final String END = "<!-- end -->";

    private QualityDocument() {}

    /**
     * Writes the table of {@code results} between the marks of {@code name}.
     *
     * @throws ObrException where the page has no such marks, or cannot be written
     */
    public static void update(Path page, String name, ResultFile results) {
        String begin = "<!-- quality: " + name + " -->";
        try {
            String text = Files.readString(page);
            int from = text.indexOf(begin);
            int to = from < 0 ? -1 : text.indexOf(END, from);
            if (to < 0) {
                throw new ObrException(page + " has no place for the table: put the lines " + begin + " and " + END
                        + " where it belongs");
            }
            Path partial = page.resolveSibling(page.getFileName() + ".partial");
            Files.writeString(
                    partial,
                    text.substring(0, from + begin.length()) + "\n" + QualityTable.of(results) + text.substring(to));
            Files.move(partial, page, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ObrException("cannot write the table into " + page + " (" + e.getMessage()
                    + "): name a Markdown file that can be written with --document");
        }
    }
}
