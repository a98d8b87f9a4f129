package dev.obr.bench.roofline;

import java.util.List;

/** How a report is written. */
public enum RooflineFormat {
    /** Columns for a terminal. */
    TEXT,
    /** Markdown tables. */
    MARKDOWN,
    /** One object, with every number. */
    JSON;

    /** A heading. */
    String heading(String text) {
        return this == MARKDOWN ? "## " + text + "\n\n" : text + "\n\n";
    }

    /**
     * A table with a blank line behind it; first column left, others right.
     *
     * @param rows the titles first
     */
    String table(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        line(table, rows.getFirst(), widths);
        if (this == MARKDOWN) {
            table.append("|---|").append("--:|".repeat(columns - 1)).append('\n');
        }
        rows.subList(1, rows.size()).forEach(row -> line(table, row, widths));
        return table.append('\n').toString();
    }

    private void line(StringBuilder to, List<String> row, int[] widths) {
        to.append(this == MARKDOWN ? "| " : "");
        for (int i = 0; i < widths.length; i++) {
            String spaces =
                    this == MARKDOWN ? "" : " ".repeat(widths[i] - row.get(i).length());
            to.append(i == 0 ? "" : this == MARKDOWN ? " | " : "  ");
            to.append(i == 0 ? row.get(i) + spaces : spaces + row.get(i));
        }
        to.append(this == MARKDOWN ? " |\n" : "\n");
    }
}
