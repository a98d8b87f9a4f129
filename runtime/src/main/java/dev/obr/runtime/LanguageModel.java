package dev.obr.runtime;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.file.WeightFiles;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.grammar.TokenConstraint;
import dev.obr.runtime.grammar.TokenTrie;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvType;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A model that is ready to generate.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.open(Path.of("SmolLM2-135M-Instruct.gguf"), RuntimeOptions.defaults());
 *         Session session = model.newSession()) {
 *     session.generate("Once upon a time", GenerationOptions.defaults()).run(System.out::print);
 * }
 * }</pre>
 *
 * <p>Safe to share between threads; each of its sessions is used by one thread at a time. {@link #close} ends the step being computed, frees all sessions, the weights and the
 * threads.
 */
public final class LanguageModel implements AutoCloseable {
    private final Model model;
    private final WeightFiles files;
    private final RuntimeOptions options;
    private final RunningPass running;
    private final Set<Integer> endTokens;
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();
    private @Nullable TokenTrie tokenTrie; // made for the first constraint, guarded by this

    private LanguageModel(Model model, WeightFiles files, RuntimeOptions options) {
        if (options.contextLength() > model.config().contextLength()) {
            throw new ObrException(
                    "A context of " + options.contextLength() + " tokens was asked for, but " + model.name()
                            + " was made for " + model.config().contextLength() + ": ask for less, or leave it out.");
        }
        this.model = model;
        this.files = files;
        this.options = options;
        this.running = RunningPass.open(model, options, contextLength());
        this.endTokens = new HashSet<>(model.config().eosTokenIds());
        ChatFormat format = model.chatFormat();
        if (format != null) {
            format.endOfTurn().stream()
                    .map(model.tokenizer()::id)
                    .filter(id -> id >= 0)
                    .forEach(endTokens::add);
        }
    }

    /**
     * Opens a Hugging Face folder or a GGUF file.
     *
     * @throws ObrException if the files are missing, damaged or of a kind that is not implemented, or the kernels asked for cannot run
     */
    public static LanguageModel open(Path path, RuntimeOptions options) {
        WeightFiles files = WeightFiles.of(path);
        return open(ModelLoader.open(path), files, options);
    }

    /** Opens the small model that ships with the library: 6.8 M parameters trained on old novels. */
    public static LanguageModel openDemo(RuntimeOptions options) {
        return open(DemoModel.open(), options);
    }

    /** Runs an open model, which is closed together with the result. */
    public static LanguageModel open(Model model, RuntimeOptions options) {
        return open(model, WeightFiles.none(), options);
    }

    private static LanguageModel open(Model model, WeightFiles files, RuntimeOptions options) {
        try {
            return new LanguageModel(model, files, options);
        } catch (Throwable failure) {
            model.close();
            throw failure;
        }
    }

    /** The model's folder or file, for people. */
    public String name() {
        return model.name();
    }

    public ModelConfig config() {
        return model.config();
    }

    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /** How chat turns are written, or null for a base model. */
    public @Nullable ChatFormat chatFormat() {
        return model.chatFormat();
    }

    /** {@code cpu}, {@code cuda:0}, {@code emulator:sm_80}. */
    public String device() {
        return running.pass().device();
    }

    /** {@code scalar}, {@code vector} or {@code native} of a CPU, {@code ptx} of a GPU. */
    public String kernelsName() {
        return running.kernelsName();
    }

    /** Which kernels run, and why not faster ones: one line. */
    public String kernels() {
        return running.description();
    }

    /** Most tokens that a session of this model holds. */
    public int contextLength() {
        int own = model.config().contextLength();
        return options.contextLength() == 0 ? own : options.contextLength();
    }

    /** How sessions keep keys and values. */
    public KvType kv() {
        return options.kvOf(model);
    }

    /** Bits of the activations that packed weights multiply where a token is computed alone: 4, 8, or 16 for floats; 16 where nothing is packed. */
    public int activationBits() {
        return running.stepBits();
    }

    /** As {@link #activationBits}, where tokens are computed together, as a prompt's are. */
    public int promptActivationBits() {
        return running.promptBits();
    }

    /** An empty session. */
    public Session newSession() {
        Session session =
                new Session(this, running.pass(), running.pass().newCache(kv(), contextLength()), contextLength());
        sessions.add(session);
        return session;
    }

    /**
     * An empty conversation.
     *
     * @param system what the model is told first, or null for the chat format's own default
     * @throws ObrException if the model has no chat format
     */
    public ChatSession newChat(@Nullable String system) {
        ChatFormat format = model.chatFormat();
        if (format == null) {
            throw new ObrException("The model " + name()
                    + " has no chat format: it continues texts, so use generate, or take an instruct model.");
        }
        return new ChatSession(this, format, system);
    }

    /**
     * Holds the tokens of one text to {@code grammar}: for callers that sample themselves. {@link GenerationOptions#withGrammar} does it for a generation.
     */
    public TokenConstraint newConstraint(Grammar grammar) {
        return new TokenConstraint(grammar, tokenTrie());
    }

    private synchronized TokenTrie tokenTrie() {
        if (tokenTrie == null) {
            tokenTrie = new TokenTrie(model.tokenizer(), endTokens);
        }
        return tokenTrie;
    }

    /**
     * Makes sure that a text can go on from a prompt.
     *
     * @throws ObrException if it is empty, leaves no room in the context, or holds what is no token of this model; or if the model's files were written to
     */
    void checkPrompt(int[] prompt, int contextLength) {
        files.checkUnchanged();
        if (prompt.length == 0) {
            throw new ObrException("The prompt is empty: give at least one token to continue from.");
        }
        if (prompt.length >= contextLength) {
            throw new ObrException(
                    "The prompt has " + prompt.length + " tokens, which leaves no room in the context of "
                            + contextLength + " tokens: shorten it or raise the context length (the model's own is "
                            + config().contextLength() + ").");
        }
        for (int id : prompt) {
            if (id < 0 || id >= config().vocabularySize()) {
                throw new ObrException("The prompt holds token " + id + ", but the model's ids are 0 to "
                        + (config().vocabularySize() - 1) + ".");
            }
        }
    }

    ForwardPass pass() {
        return running.pass();
    }

    boolean endsGeneration(int token) {
        return endTokens.contains(token);
    }

    /** Whether {@code session} was open until now. */
    boolean forget(Session session) {
        return sessions.remove(session);
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        running.pass().close();
        for (Session session : sessions) {
            session.close();
        }
        model.close();
    }
}
