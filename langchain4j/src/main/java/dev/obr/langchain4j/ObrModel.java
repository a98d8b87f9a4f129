package dev.obr.langchain4j;

import dev.obr.kernels.ObrException;
import dev.obr.models.chat.ChatFormat;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchStatus;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model, which several chat models may share: their requests are computed together, each step reads the weights once for all of them.
 *
 * <pre>{@code
 * try (ObrModel model = ObrModel.builder().modelPath(path).maxConcurrent(8).build()) {
 *     ChatModel chat = ObrChatModel.builder().model(model).build();
 *     StreamingChatModel streaming = ObrStreamingChatModel.builder().model(model).temperature(0.2).build();
 * }
 * }</pre>
 */
public final class ObrModel implements AutoCloseable {
    private final LanguageModel model;
    private final ChatFormat format;
    private final BatchScheduler scheduler;
    private final boolean owned;

    private ObrModel(LanguageModel model, BatchOptions options, boolean owned) {
        ChatFormat chatFormat = model.chatFormat();
        if (chatFormat == null) {
            throw new ObrException("The model " + model.name()
                    + " has no chat format: it continues texts, so take an instruct model.");
        }
        this.model = model;
        this.format = chatFormat;
        this.scheduler = new BatchScheduler(model, options);
        this.owned = owned;
    }

    /** Answers with a model that is open and stays the caller's, to be closed after this. */
    public static ObrModel of(LanguageModel model, BatchOptions options) {
        return new ObrModel(model, options, false);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The model's folder or file, for people. */
    public String name() {
        return model.name();
    }

    /** What is going on: running and waiting requests, memory of keys and values. */
    public BatchStatus status() {
        return scheduler.status();
    }

    /** Refuses requests from now on and waits so long for those that it has; false if some are left. */
    public boolean drain(Duration patience) throws InterruptedException {
        return scheduler.drain(patience);
    }

    /** Ends what is being answered, and frees the weights. {@link #drain} before it lets the answers end. */
    @Override
    public void close() {
        scheduler.close();
        if (owned) {
            model.close();
        }
    }

    LanguageModel languageModel() {
        return model;
    }

    ChatFormat format() {
        return format;
    }

    BatchScheduler scheduler() {
        return scheduler;
    }

    /** How a model is loaded. */
    public static final class Builder {
        private @Nullable Path modelPath;
        private RuntimeOptions runtime = RuntimeOptions.defaults();
        private BatchOptions batch = BatchOptions.defaults();

        private Builder() {}

        /** A Hugging Face folder, a packed model's folder or a GGUF file. */
        public Builder modelPath(Path modelPath) {
            this.modelPath = modelPath;
            return this;
        }

        /** {@code auto} (the first GPU that runs the model, else the CPU), {@code cpu}, {@code cuda}, {@code cuda:1}. */
        public Builder device(String device) {
            this.runtime = runtime.withDevice(device);
            return this;
        }

        /** Most tokens of a prompt and its answer; 0 for the model's own limit. */
        public Builder context(int tokens) {
            this.runtime = runtime.withContextLength(tokens);
            return this;
        }

        /** Requests at most that are computed together; others wait. */
        public Builder maxConcurrent(int requests) {
            this.batch = batch.withRunning(requests);
            return this;
        }

        /** All that can be said of how the model runs; replaces {@link #device} and {@link #context}. */
        public Builder runtimeOptions(RuntimeOptions options) {
            this.runtime = options;
            return this;
        }

        /** All that can be said of how requests are computed together; replaces {@link #maxConcurrent}. */
        public Builder batchOptions(BatchOptions options) {
            this.batch = options;
            return this;
        }

        /** @throws ObrException if the model cannot be loaded, or is none that chats */
        public ObrModel build() {
            if (modelPath == null) {
                throw new ObrException("No model was named: set modelPath to a folder or a GGUF file.");
            }
            LanguageModel model = LanguageModel.open(modelPath, runtime);
            try {
                return new ObrModel(model, batch, true);
            } catch (Throwable failure) {
                model.close();
                throw failure;
            }
        }
    }
}
