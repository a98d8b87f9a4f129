package dev.obr.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** LangChain4j's parameters, and those that only some models have. */
public final class ObrChatRequestParameters extends DefaultChatRequestParameters {
    private final @Nullable Long seed;
    private final @Nullable Double minP;
    private final @Nullable Double repeatPenalty;

    private ObrChatRequestParameters(Builder builder) {
        super(builder);
        this.seed = builder.seed;
        this.minP = builder.minP;
        this.repeatPenalty = builder.repeatPenalty;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Of the random numbers: equal seeds give equal answers. Without one, each answer has its own. */
    public @Nullable Long seed() {
        return seed;
    }

    /** Drops tokens less likely than this share of the likeliest. */
    public @Nullable Double minP() {
        return minP;
    }

    /** Makes tokens that occurred less likely where it is above 1. */
    public @Nullable Double repeatPenalty() {
        return repeatPenalty;
    }

    @Override
    public ChatRequestParameters overrideWith(ChatRequestParameters that) {
        return builder().overrideWith(this).overrideWith(that).build();
    }

    @Override
    public ChatRequestParameters defaultedBy(ChatRequestParameters that) {
        return builder().overrideWith(that).overrideWith(this).build();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ObrChatRequestParameters that
                && super.equals(that)
                && Objects.equals(seed, that.seed)
                && Objects.equals(minP, that.minP)
                && Objects.equals(repeatPenalty, that.repeatPenalty);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), seed, minP, repeatPenalty);
    }

    @Override
    public String toString() {
        return super.toString() + "{seed=" + seed + ", minP=" + minP + ", repeatPenalty=" + repeatPenalty + "}";
    }

    /** As LangChain4j's own. */
    public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
        private @Nullable Long seed;
        private @Nullable Double minP;
        private @Nullable Double repeatPenalty;

        private Builder() {}

        @Override
        public Builder overrideWith(ChatRequestParameters parameters) {
            super.overrideWith(parameters);
            if (parameters instanceof ObrChatRequestParameters own) {
                seed = own.seed == null ? seed : own.seed;
                minP = own.minP == null ? minP : own.minP;
                repeatPenalty = own.repeatPenalty == null ? repeatPenalty : own.repeatPenalty;
            }
            return this;
        }

        public Builder seed(@Nullable Long seed) {
            this.seed = seed;
            return this;
        }

        public Builder minP(@Nullable Double minP) {
            this.minP = minP;
            return this;
        }

        public Builder repeatPenalty(@Nullable Double repeatPenalty) {
            this.repeatPenalty = repeatPenalty;
            return this;
        }

        @Override
        public ObrChatRequestParameters build() {
            return new ObrChatRequestParameters(this);
        }
    }
}
