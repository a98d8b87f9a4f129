package dev.obr.models.tokenizer;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The tokenizer inside a GGUF file, in plain Java: SentencePiece-BPE ({@code tokenizer.ggml.model} = {@code llama}) or byte-level BPE ({@code gpt2}) with the split rule that
 * {@code tokenizer.ggml.pre} names. Tokens equal those of the model's own tokenizer; defaults for missing keys are llama.cpp's.
 */
public final class GgufTokenizer implements Tokenizer {
    private static final String SENTENCEPIECE = "llama";
    private static final String BYTE_LEVEL = "gpt2";

    private final Vocabulary vocabulary;
    private final SpecialTokens special;
    private final PieceEncoder encoder;
    private final boolean dropsLeadingSpace;
    private final int bos; // or -1: none is added
    private final int eos; // or -1: none is added

    private GgufTokenizer(
            Vocabulary vocabulary,
            SpecialTokens special,
            PieceEncoder encoder,
            boolean dropsLeadingSpace,
            int bos,
            int eos) {
        this.vocabulary = vocabulary;
        this.special = special;
        this.encoder = encoder;
        this.dropsLeadingSpace = dropsLeadingSpace;
        this.bos = bos;
        this.eos = eos;
    }

    /**
     * The tokenizer that {@code metadata} describes.
     *
     * @param metadata the file's key-values: String, Number, Boolean, and arrays as String[], float[], int[] or long[]
     * @param sourceName the file, for messages
     * @throws ObrException where a kind of vocabulary or a split rule is unknown, or the arrays contradict each other
     */
    public static GgufTokenizer create(Map<String, Object> metadata, String sourceName) {
        GgufKeys keys = new GgufKeys(metadata, sourceName);
        String model = keys.string("model");
        if (model == null) {
            throw keys.error("tokenizer.ggml.model is missing");
        }
        return switch (model) {
            case SENTENCEPIECE -> sentencePiece(keys, GgufVocabulary.read(keys));
            case BYTE_LEVEL -> byteLevel(keys, GgufVocabulary.read(keys));
            default ->
                throw new ObrException(sourceName + ": the tokenizer kind '" + Excerpt.of(model)
                        + "' (tokenizer.ggml.model) is not supported; known are " + SENTENCEPIECE
                        + " (SentencePiece) and " + BYTE_LEVEL + " (byte-level BPE)");
        };
    }

    private static GgufTokenizer sentencePiece(GgufKeys keys, GgufVocabulary tokens) {
        float[] scores = keys.floats("scores", tokens.size());
        int[] byteTokens = new int[256];
        Arrays.fill(byteTokens, -1);
        byte[][] bytes = new byte[tokens.size()][];
        Map<String, Integer> mergeable = HashMap.newHashMap(tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            if (!Float.isFinite(scores[id])) {
                throw keys.error("tokenizer.ggml.scores[" + id + "] is " + scores[id] + ", not a finite number");
            }
            String piece = tokens.piece(id);
            bytes[id] = switch (tokens.kind(id)) {
                case CONTROL, UNKNOWN -> GgufVocabulary.NO_BYTES;
                case USER_DEFINED -> piece.getBytes(StandardCharsets.UTF_8);
                case BYTE -> {
                    int b = ByteFallback.value(piece);
                    if (b < 0) {
                        throw keys.error("byte token " + id + " is written '" + Excerpt.of(piece)
                                + "', not as <0x00> to <0xFF>");
                    }
                    byteTokens[b] = id;
                    yield new byte[] {(byte) b};
                }
                case NORMAL, UNUSED -> {
                    if (!piece.isEmpty()) {
                        mergeable.put(piece, id);
                    }
                    yield piece.replace(SentencePieceBpe.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
                }
            };
        }
        boolean space = keys.flag("add_space_prefix", true);
        int unknown = keys.id("unknown_token_id", tokens.size() > 0 ? 0 : -1, tokens.size());
        return new GgufTokenizer(
                tokens.vocabulary(bytes),
                tokens.special(),
                new SentencePieceBpe(mergeable, scores, byteTokens, unknown, space),
                space,
                keys.flag("add_bos_token", true) ? ending(keys, "bos", 1, tokens.size()) : -1,
                keys.flag("add_eos_token", false) ? ending(keys, "eos", 2, tokens.size()) : -1);
    }

    private static GgufTokenizer byteLevel(GgufKeys keys, GgufVocabulary tokens) {
        String pre = keys.string("pre");
        SplitRule rule = SplitRule.named(pre == null ? "default" : pre);
        if (rule == null) {
            throw new ObrException(keys.source() + ": the split rule '" + Excerpt.of(String.valueOf(pre))
                    + "' (tokenizer.ggml.pre) is not supported; known are " + SplitRule.knownNames());
        }
        byte[][] bytes = new byte[tokens.size()][];
        for (int id = 0; id < tokens.size(); id++) {
            bytes[id] = switch (tokens.kind(id)) {
                case CONTROL, UNKNOWN -> GgufVocabulary.NO_BYTES;
                case USER_DEFINED -> tokens.piece(id).getBytes(StandardCharsets.UTF_8);
                case BYTE, NORMAL, UNUSED -> ByteAlphabet.read(tokens.piece(id));
            };
        }
        Vocabulary vocabulary = tokens.vocabulary(bytes);
        boolean llama3 = rule == SplitRule.LLAMA_BPE;
        return new GgufTokenizer(
                vocabulary,
                tokens.special(),
                new ByteLevelBpe(rule, merges(keys, vocabulary), vocabulary, llama3 ? vocabulary : null),
                false,
                keys.flag("add_bos_token", llama3) ? ending(keys, "bos", -1, tokens.size()) : -1,
                keys.flag("add_eos_token", false) ? ending(keys, "eos", -1, tokens.size()) : -1);
    }

    /** The merges, each "left right", best first. */
    private static MergeTable merges(GgufKeys keys, Vocabulary vocabulary) {
        String[] lines = keys.strings("merges");
        MergeTable merges = new MergeTable(lines.length);
        for (int rank = 0; rank < lines.length; rank++) {
            String line = lines[rank];
            int space = line.indexOf(' ');
            if (space <= 0 || space != line.lastIndexOf(' ') || space == line.length() - 1) {
                throw keys.error(
                        "merge " + rank + " is '" + Excerpt.of(line) + "', not two tokens with one space between them");
            }
            String left = line.substring(0, space);
            String right = line.substring(space + 1);
            merges.add(
                    mergeToken(keys, vocabulary, rank, left),
                    mergeToken(keys, vocabulary, rank, right),
                    mergeToken(keys, vocabulary, rank, left + right));
        }
        return merges;
    }

    private static int mergeToken(GgufKeys keys, Vocabulary vocabulary, int rank, String piece) {
        int id = vocabulary.id(piece);
        if (id < 0) {
            throw keys.error(
                    "merge " + rank + " needs the token '" + Excerpt.of(piece) + "', which the vocabulary lacks");
        }
        return id;
    }

    private static int ending(GgufKeys keys, String name, int otherwise, int vocabularySize) {
        int id = keys.id(name + "_token_id", otherwise, vocabularySize);
        if (id < 0 || id >= vocabularySize) {
            throw keys.error("tokenizer.ggml.add_" + name + "_token asks for a token that tokenizer.ggml." + name
                    + "_token_id does not name");
        }
        return id;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        TokenList tokens = new TokenList();
        if (addSpecialTokens && bos >= 0) {
            tokens.add(bos);
        }
        special.encode(CodePoints.wellFormed(text), encoder, tokens);
        if (addSpecialTokens && eos >= 0) {
            tokens.add(eos);
        }
        return tokens.toArray();
    }

    @Override
    public byte[] bytes(int id) {
        return vocabulary.bytes(id);
    }

    @Override
    public String piece(int id) {
        return vocabulary.piece(id);
    }

    @Override
    public int id(String piece) {
        return vocabulary.id(piece);
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public boolean dropsLeadingSpace() {
        return dropsLeadingSpace;
    }
}
