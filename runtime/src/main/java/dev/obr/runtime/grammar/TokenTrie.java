package dev.obr.runtime.grammar;

import dev.obr.models.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A vocabulary as a tree of bytes: tokens that begin alike share their beginning, so that a byte which must not follow rules out all of them at once.
 *
 * <pre>
 *   node      0    1    2    3    4          in depth-first order
 *   byte      a    b    c    d    x
 *   depth     1    2    3    2    1          tokens "ab", "abc", "ad", "x"
 *   behind    4    3    3    4    5          the node behind all that begin like this one
 *   tokens        [ab] [abc][ad] [x]         tokens[from[node]] to tokens[from[node + 1]]
 * </pre>
 *
 * <p>Control tokens, which stand for no bytes, are in no tree; tokens that end a generation are known apart. Immutable and safe to share between threads: one for each tokenizer.
 */
public final class TokenTrie {
    private record Token(byte[] bytes, int id) {}

    private final Tokenizer tokenizer;
    private final BitSet ends = new BitSet();
    private final int[] tokens;
    private byte[] bytes = new byte[1024];
    private int[] depth = new int[1024];
    private int[] behind = new int[1024];
    private int[] from = new int[1024];
    private int nodes;
    private int deepest;

    /** @param endTokens the tokens that end a generation */
    public TokenTrie(Tokenizer tokenizer, Set<Integer> endTokens) {
        this.tokenizer = tokenizer;
        endTokens.forEach(ends::set);
        List<Token> sorted = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            if (bytes(id).length > 0) {
                sorted.add(new Token(bytes(id), id));
            }
        }
        sorted.sort(Comparator.comparing(Token::bytes, Arrays::compareUnsigned));
        this.tokens = sorted.stream().mapToInt(Token::id).toArray();
        build(sorted);
    }

    private void build(List<Token> sorted) {
        int[] path = new int[1]; // the node at each depth of the last token
        byte[] last = {};
        for (int i = 0; i < tokens.length; i++) {
            byte[] token = sorted.get(i).bytes();
            deepest = Math.max(deepest, token.length);
            path = path.length > token.length ? path : Arrays.copyOf(path, 2 * token.length);
            int mismatch = Arrays.mismatch(last, token);
            int common = mismatch < 0 ? token.length : mismatch;
            for (int d = last.length; d > common; d--) {
                behind[path[d]] = nodes;
            }
            for (int d = common + 1; d <= token.length; d++) {
                reserve();
                bytes[nodes] = token[d - 1];
                depth[nodes] = d;
                from[nodes] = i;
                path[d] = nodes++;
            }
            last = token;
        }
        for (int d = last.length; d > 0; d--) {
            behind[path[d]] = nodes;
        }
        reserve();
        from[nodes] = tokens.length;
    }

    private void reserve() {
        if (nodes == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * nodes);
            depth = Arrays.copyOf(depth, 2 * nodes);
            behind = Arrays.copyOf(behind, 2 * nodes);
            from = Arrays.copyOf(from, 2 * nodes);
        }
    }

    /** The bytes of a token; none for control tokens, tokens that end a generation, and ids that the tokenizer does not know. */
    byte[] bytes(int token) {
        boolean known = token >= 0 && token < tokenizer.vocabularySize() && !ends.get(token);
        return known ? tokenizer.bytes(token) : new byte[0];
    }

    /** Whether {@code token} ends a generation. */
    boolean ends(int token) {
        return token >= 0 && ends.get(token);
    }

    /** The tokens whose bytes may follow {@code state}, and those that end a generation where the text may end. */
    BitSet allowed(Acceptor acceptor, Acceptor.State state) {
        BitSet allowed = state.mayEnd() ? (BitSet) ends.clone() : new BitSet();
        Acceptor.State[] path = new Acceptor.State[deepest + 1]; // the state at each depth
        path[0] = state;
        for (int node = 0; node < nodes; ) {
            int d = depth[node];
            Acceptor.@Nullable State next = acceptor.after(path[d - 1], bytes[node] & 0xFF);
            if (next == null) {
                node = behind[node];
                continue;
            }
            path[d] = next;
            for (int i = from[node]; i < from[node + 1]; i++) {
                allowed.set(tokens[i]);
            }
            node++;
        }
        return allowed;
    }
}
