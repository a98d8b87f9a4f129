package dev.obr.models.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import dev.obr.models.file.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The tokenizer of a Hugging Face folder: {@code tokenizer.json} encoded by the tokenizers library that wrote it (native, through DJL), decoded here, so that streaming works on bytes.
 *
 * <p>Which special tokens surround a text is the business of {@code tokenizer.json}'s post-processor. As in transformers, the one exception is a {@code tokenizer_class} of
 * Llama 2's, which obeys {@code add_bos_token} and {@code add_eos_token} of {@code tokenizer_config.json} instead.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
    private static final long CLOSED = 0;

    private final String source;
    private final TokenizerJson decoding;
    private final Surround surround;
    private final TokenizersLibrary library;
    private final ReadWriteLock lifetime = new ReentrantReadWriteLock();
    private long handle;

    private HuggingFaceTokenizer(
            String source, TokenizerJson decoding, Surround surround, TokenizersLibrary library, long handle) {
        this.source = source;
        this.decoding = decoding;
        this.surround = surround;
        this.library = library;
        this.handle = handle;
    }

    /**
     * The tokenizer that {@code tokenizer.json} describes.
     *
     * @param tokenizerJson the file's bytes
     * @param tokenizerConfig {@code tokenizer_config.json}, or null where there is none
     * @param sourceName the file, for messages
     * @throws ObrException where the file is malformed, of an unsupported kind, or the native library can't be loaded
     */
    public static HuggingFaceTokenizer load(
            byte[] tokenizerJson, @Nullable JsonNode tokenizerConfig, String sourceName) {
        TokenizerJson decoding = TokenizerJson.parse(tokenizerJson, sourceName);
        Surround surround = Surround.configured(tokenizerConfig, decoding.vocabulary(), decoding.surround());
        TokenizersLibrary library = NativeTokenizers.library();
        long handle;
        try {
            handle = library.createTokenizerFromString(new String(tokenizerJson, StandardCharsets.UTF_8));
            // A file may ask for a fixed length; a language model wants the text as it is.
            library.disableTruncation(handle);
            library.disablePadding(handle);
        } catch (RuntimeException e) {
            throw unusable(sourceName, e);
        }
        return new HuggingFaceTokenizer(sourceName, decoding, surround, library, handle);
    }

    /**
     * The tokenizer of a model folder, or of a {@code tokenizer.json} and the {@code tokenizer_config.json} beside it.
     *
     * @throws ObrException as {@link #load(byte[], JsonNode, String)}, and where a file can't be read
     */
    public static HuggingFaceTokenizer load(Path folderOrFile) {
        Path file = Files.isDirectory(folderOrFile) ? folderOrFile.resolve("tokenizer.json") : folderOrFile;
        Path config = file.resolveSibling("tokenizer_config.json");
        try {
            JsonNode settings = Files.exists(config) ? JsonFile.read(config).root() : null;
            return load(Files.readAllBytes(file), settings, file.toString());
        } catch (IOException e) {
            throw new ObrException(file + " can't be read (" + e + "); name a folder that holds a tokenizer.json", e);
        }
    }

    private static ObrException unusable(String source, RuntimeException cause) {
        return new ObrException(
                source + " can't be used as a tokenizer: " + Excerpt.of(String.valueOf(cause.getMessage()))
                        + "; use the tokenizer.json that was published with the model",
                cause);
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        TokenList tokens = new TokenList();
        if (addSpecialTokens) {
            tokens.addAll(surround.before());
        }
        for (long id : encodeNatively(CodePoints.wellFormed(text))) {
            if (id >= vocabularySize()) {
                throw new ObrException(source + ": token id " + id + " is outside the vocabulary of " + vocabularySize()
                        + "; use the tokenizer.json that was published with the model");
            }
            tokens.add((int) id);
        }
        if (addSpecialTokens) {
            tokens.addAll(surround.after());
        }
        return tokens.toArray();
    }

    private long[] encodeNatively(String text) {
        lifetime.readLock().lock();
        try {
            if (handle == CLOSED) {
                throw new IllegalStateException("the tokenizer of " + source + " is closed");
            }
            long encoding = library.encode(handle, text, false);
            try {
                return library.getTokenIds(encoding);
            } finally {
                library.deleteEncoding(encoding);
            }
        } catch (RuntimeException e) {
            throw e instanceof IllegalStateException ? e : unusable(source, e);
        } finally {
            lifetime.readLock().unlock();
        }
    }

    @Override
    public byte[] bytes(int id) {
        return decoding.vocabulary().bytes(id);
    }

    @Override
    public String piece(int id) {
        return decoding.vocabulary().piece(id);
    }

    @Override
    public int id(String piece) {
        return decoding.vocabulary().id(piece);
    }

    @Override
    public int vocabularySize() {
        return decoding.vocabulary().size();
    }

    @Override
    public boolean dropsLeadingSpace() {
        return decoding.dropsLeadingSpace();
    }

    @Override
    public void close() {
        lifetime.writeLock().lock();
        try {
            if (handle != CLOSED) {
                library.deleteTokenizer(handle);
                handle = CLOSED;
            }
        } finally {
            lifetime.writeLock().unlock();
        }
    }
}
