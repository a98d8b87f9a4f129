package dev.obr.models.file;

/** Text out of a file as a message may show it: one line, printable, not too long. */
public final class Excerpt {
    private static final int LIMIT = 200; // longer than any tensor's name

    private Excerpt() {}

    /** {@code text} itself where it is short and printable. */
    public static String of(String text) {
        String cut = text.length() <= LIMIT ? text : text.substring(0, LIMIT - 3) + "...";
        StringBuilder printable = new StringBuilder(cut.length());
        cut.codePoints().forEach(c -> printable.appendCodePoint(isPrintable(c) ? c : '?'));
        return printable.toString();
    }

    /** Whether a name can stand in messages as it is. */
    public static boolean isPlain(String name) {
        return of(name).equals(name);
    }

    private static boolean isPrintable(int c) {
        int kind = Character.getType(c);
        return !Character.isISOControl(c)
                && kind != Character.LINE_SEPARATOR
                && kind != Character.PARAGRAPH_SEPARATOR
                && kind != Character.SURROGATE
                && c != '\uFFFD';
    }
}
