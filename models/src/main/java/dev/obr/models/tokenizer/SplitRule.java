package dev.obr.models.tokenizer;

import static dev.obr.models.tokenizer.CodePoints.isLetter;
import static dev.obr.models.tokenizer.CodePoints.isNewline;
import static dev.obr.models.tokenizer.CodePoints.isNumber;
import static dev.obr.models.tokenizer.CodePoints.isOther;
import static dev.obr.models.tokenizer.CodePoints.isPunctuation;
import static dev.obr.models.tokenizer.CodePoints.isSpace;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How byte-level vocabularies cut a text into words before merging; no token crosses a cut. Published as regular expressions, written by hand here: {@code \s}, {@code \p{L}} and
 * {@code \p{N}} mean what {@link CodePoints} says, and every rule takes time linear in the text.
 */
enum SplitRule {
    /** {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}. */
    GPT_2("gpt-2") {
        @Override
        void split(String text, int start, int end, Sink words) {
            gpt2(text, start, end, words);
        }
    },
    /** Every {@code \p{N}} alone, the text between them by {@link #GPT_2}. */
    SMOLLM("smollm") {
        @Override
        void split(String text, int start, int end, Sink words) {
            int word = start;
            for (int i = start; i < end; ) {
                int c = text.codePointAt(i);
                int next = i + Character.charCount(c);
                if (isNumber(c)) {
                    gpt2(text, word, i, words);
                    words.word(i, next);
                    word = next;
                }
                i = next;
            }
            gpt2(text, word, end, words);
        }
    },
    /** {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}. */
    LLAMA_BPE("llama-bpe", "llama3", "llama-v3") {
        @Override
        void split(String text, int start, int end, Sink words) {
            llama3(text, start, end, 3, words);
        }
    },
    /** {@link #LLAMA_BPE} with every {@code \p{N}} alone. */
    QWEN2("qwen2", "deepseek-r1-qwen") {
        @Override
        void split(String text, int start, int end, Sink words) {
            llama3(text, start, end, 1, words);
        }
    },
    /** Four cuts, one after the other: {@code [\p{P}$+<=>^~|]+}, then {@link #GPT_2}, then {@code \p{N}+}, then {@code [0-9]{3}}. */
    DEFAULT("default") {
        @Override
        void split(String text, int start, int end, Sink words) {
            Sink triples = (from, to) -> threeDigits(text, from, to, words);
            Sink numbers = (from, to) -> runs(text, from, to, CodePoints::isNumber, triples);
            Sink gpt2 = (from, to) -> gpt2(text, from, to, numbers);
            runs(text, start, end, c -> isPunctuation(c) || (c < 0x80 && "$+<=>^~|".indexOf(c) >= 0), gpt2);
        }
    };

    /** Receives the words of a text in order: chars [start, end). */
    interface Sink {
        void word(int start, int end);
    }

    private interface CharacterClass {
        boolean contains(int codePoint);
    }

    private final List<String> ggufNames;

    SplitRule(String... ggufNames) {
        this.ggufNames = List.of(ggufNames);
    }

    /** Cuts chars [start, end) of {@code text}, which are whole code points, into words. */
    abstract void split(String text, int start, int end, Sink words);

    /** The rule that {@code tokenizer.ggml.pre} names, or null. */
    static @Nullable SplitRule named(String ggufName) {
        for (SplitRule rule : values()) {
            if (rule.ggufNames.contains(ggufName)) {
                return rule;
            }
        }
        return null;
    }

    /** The names that {@link #named} knows, for people. */
    static String knownNames() {
        return Arrays.stream(values()).flatMap(r -> r.ggufNames.stream()).collect(Collectors.joining(", "));
    }

    private static void gpt2(String text, int start, int end, Sink words) {
        for (int i = start; i < end; ) {
            int stop = contraction(text, i, end, false);
            if (stop == i) {
                boolean space = text.charAt(i) == ' ' && i + 1 < end;
                int first = text.codePointAt(space ? i + 1 : i);
                CharacterClass kind = kindOf(first);
                stop = kind == SPACES ? spaces(text, i, end) : run(text, space ? i + 1 : i, end, kind);
            }
            words.word(i, stop);
            i = stop;
        }
    }

    private static void llama3(String text, int start, int end, int digits, Sink words) {
        for (int i = start; i < end; ) {
            int stop = contraction(text, i, end, true);
            if (stop == i) {
                int c = text.codePointAt(i);
                int next = i + Character.charCount(c);
                if (isLetter(c)) {
                    stop = run(text, i, end, CodePoints::isLetter);
                } else if (isNumber(c)) {
                    stop = next;
                    for (int n = 1; n < digits && stop < end && isNumber(text.codePointAt(stop)); n++) {
                        stop += Character.charCount(text.codePointAt(stop));
                    }
                } else if (!isNewline(c) && next < end && isLetter(text.codePointAt(next))) {
                    stop = run(text, next, end, CodePoints::isLetter);
                } else if (!isSpace(c) || (c == ' ' && next < end && isOther(text.codePointAt(next)))) {
                    stop = run(text, run(text, next, end, CodePoints::isOther), end, CodePoints::isNewline);
                } else {
                    stop = linesOrSpaces(text, i, end);
                }
            }
            words.word(i, stop);
            i = stop;
        }
    }

    private static final CharacterClass LETTERS = CodePoints::isLetter;
    private static final CharacterClass NUMBERS = CodePoints::isNumber;
    private static final CharacterClass OTHERS = CodePoints::isOther;
    private static final CharacterClass SPACES = CodePoints::isSpace;

    private static CharacterClass kindOf(int c) {
        if (isSpace(c)) {
            return SPACES;
        }
        return isLetter(c) ? LETTERS : isNumber(c) ? NUMBERS : OTHERS;
    }

    /** End of the run of {@code kind} that starts at {@code i}. */
    private static int run(String text, int i, int end, CharacterClass kind) {
        while (i < end) {
            int c = text.codePointAt(i);
            if (!kind.contains(c)) {
                return i;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    /** {@code \s+(?!\S)|\s+}: a run of spaces leaves its last one to the word that follows. White_Space is one char each. */
    private static int spaces(String text, int start, int end) {
        int stop = run(text, start, end, SPACES);
        return stop < end && stop - start > 1 ? stop - 1 : stop;
    }

    /** {@code \s*[\r\n]+|\s+(?!\S)|\s+}: a run of spaces with line ends in it stops behind the last of them. */
    private static int linesOrSpaces(String text, int start, int end) {
        int stop = run(text, start, end, SPACES);
        for (int i = stop; i > start; i--) {
            if (isNewline(text.charAt(i - 1))) {
                return i;
            }
        }
        return stop < end && stop - start > 1 ? stop - 1 : stop;
    }

    /** End of the English contraction that starts at {@code i}, or {@code i}. Ignoring case, {@code 'ſ} is one: U+017F folds to s. */
    private static int contraction(String text, int i, int end, boolean ignoreCase) {
        if (text.charAt(i) != '\'' || i + 1 >= end) {
            return i;
        }
        char first = fold(text.charAt(i + 1), ignoreCase);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return i + 2;
        }
        char second = i + 2 < end ? fold(text.charAt(i + 2), ignoreCase) : 0;
        boolean two =
                (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
        return two ? i + 3 : i;
    }

    private static char fold(char c, boolean ignoreCase) {
        if (!ignoreCase) {
            return c;
        }
        return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c == 'ſ' ? 's' : c;
    }

    /** Cuts before and behind every run of {@code kind}. */
    private static void runs(String text, int start, int end, CharacterClass kind, Sink words) {
        for (int i = start; i < end; ) {
            boolean inside = kind.contains(text.codePointAt(i));
            int stop = run(text, i, end, c -> kind.contains(c) == inside);
            words.word(i, stop);
            i = stop;
        }
    }

    /** Cuts before and behind every three ASCII digits in a row. */
    private static void threeDigits(String text, int start, int end, Sink words) {
        int word = start;
        for (int i = start; i + 3 <= end; ) {
            if (isDigit(text.charAt(i)) && isDigit(text.charAt(i + 1)) && isDigit(text.charAt(i + 2))) {
                if (word < i) {
                    words.word(word, i);
                }
                words.word(i, i + 3);
                i += 3;
                word = i;
            } else {
                i++;
            }
        }
        if (word < end) {
            words.word(word, end);
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
