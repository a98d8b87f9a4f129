package dev.obr.bench.report;

import java.util.stream.Collectors;

/** Text in a page: nothing in a result file is ever read as markup. */
final class Html {
    private Html() {}

    /** {@code text} as it may stand in an element or a quoted attribute of HTML and of XML. */
    static String text(String text) {
        return text.codePoints()
                .mapToObj(c -> switch (c) {
                    case '&' -> "&amp;";
                    case '<' -> "&lt;";
                    case '>' -> "&gt;";
                    case '"' -> "&quot;";
                    case '\'' -> "&#39;";
                    default -> Character.toString(shown(c) ? c : 0xFFFD);
                })
                .collect(Collectors.joining());
    }

    /** Whether XML may hold the character. */
    private static boolean shown(int c) {
        return c == '\n' || c == '\t' || (c >= ' ' && (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF);
    }

    /** {@code <name>text</name>} */
    static String element(String name, String text) {
        return "<" + name + ">" + text(text) + "</" + name + ">";
    }

    /** What an id may be made of. */
    static String id(String text) {
        return text.replaceAll("[^A-Za-z0-9._-]", "-");
    }
}
