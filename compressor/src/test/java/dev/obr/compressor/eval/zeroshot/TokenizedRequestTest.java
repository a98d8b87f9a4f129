package dev.obr.compressor.eval.zeroshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Pieces: a 0, b 1, space 2, " b" 3, ab 4, two spaces 5, c 6, bc 7. */
class TokenizedRequestTest {
    private static final WordTokenizer TOKENIZER = new WordTokenizer();

    private static TokenizedRequest of(String context, String continuation, int bos) {
        return TokenizedRequest.of(new Request(context, continuation, 1), TOKENIZER, bos);
    }

    private static void check(TokenizedRequest found, int continuationFrom, int... tokens) {
        assertThat(found.tokens()).containsExactly(tokens);
        assertThat(found.continuationFrom()).isEqualTo(continuationFrom);
    }

    @Test
    void theContinuationBeginsAfterAsManyTokensAsTheContextHas() {
        check(of("ac", " b", -1), 2, 0, 6, 3);
        check(of("ac", " b", 9), 3, 9, 0, 6, 3);
    }

    @Test
    void spacesAtTheContextsEndGoToTheContinuation() {
        check(of("ac ", "b", -1), 2, 0, 6, 3);
        check(of("ac  ", "c", -1), 2, 0, 6, 5, 6);
    }

    @Test
    void whereTokensJoinTheContextKeepsItsOwn() {
        // together a·bc... is ab, c; the context alone is a: it is run as a, and the rest is what follows the first
        // token of the whole
        check(of("a", "bc", -1), 1, 0, 6);
    }

    @Test
    void longRequestsLoseTheirBeginning() {
        TokenizedRequest cut = of("acac", " b b", -1).keepingLast(3);
        check(cut, 1, 6, 3, 3);
        check(cut.keepingLast(3), 1, 6, 3, 3);
    }
}
