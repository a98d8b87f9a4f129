package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.tokens.Choice;
import dev.obr.kernels.gpu.tokens.ScalarSampler;
import dev.obr.kernels.gpu.tokens.TokenSampler;
import dev.obr.kernels.gpu.tokens.TopK;
import dev.obr.runtime.sampling.Draw;
import dev.obr.runtime.sampling.SamplerOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Draws a token on the device from the largest of its logits: the host gives the random number and what is penalised, and gets the token. */
final class GpuSampler {
    /** The token of a draw that the largest logits do not suffice for: the host draws from all. */
    static final int MORE = ScalarSampler.MORE;

    private final int vocabulary;
    private final int capacity;
    private final TopK largest;
    private final TokenSampler sampler;
    private final GpuMemory choice;
    private final GpuMemory context; // int32 [capacity]
    private final GpuMemory length; // int32 [1]
    private final GpuMemory token; // int32 [1]

    /** @param capacity tokens of a sequence at most */
    GpuSampler(GpuDevice device, int vocabulary, int capacity) {
        this.vocabulary = vocabulary;
        this.capacity = capacity;
        largest = new TopK(device, 1, vocabulary, TopK.MOST);
        sampler = new TokenSampler(device);
        choice = device.allocate(Choice.BYTES);
        context = device.allocate(4L * capacity);
        length = device.allocate(4);
        token = device.allocate(4);
    }

    /**
     * Draws from the first row of logits, and waits for the token.
     *
     * @param logits float32; penalised afterwards
     * @return {@link #MORE} where it takes all logits to tell
     */
    int draw(GpuStream stream, Rows logits, Draw draw) {
        try (Arena arena = Arena.ofConfined()) {
            SamplerOptions options = draw.options();
            Choice how = new Choice(
                    draw.uniform(),
                    options.temperature(),
                    options.topK(),
                    options.topP(),
                    options.minP(),
                    options.repeatPenalty(),
                    -1);
            MemorySegment bytes = arena.allocate(Choice.BYTES, 8);
            how.store(bytes, 0);
            stream.copyIn(bytes, choice, 0);
            int[] penalised = Arrays.copyOfRange(draw.context(), draw.penalisedFrom(), draw.length());
            if (penalised.length > 0) {
                stream.copyIn(arena.allocateFrom(ValueLayout.JAVA_INT, penalised), context, 0);
                stream.copyIn(arena.allocateFrom(ValueLayout.JAVA_INT, penalised.length), length, 0);
                sampler.penalise(stream, logits, 1, vocabulary, Rows.of(context, capacity), length, choice);
            }
            largest.find(stream, logits, 1);
            sampler.sample(stream, largest.candidates(), 1, choice, token);
            MemorySegment drawn = arena.allocate(ValueLayout.JAVA_INT);
            stream.copyOut(token, 0, drawn);
            stream.synchronize();
            return drawn.get(ValueLayout.JAVA_INT, 0);
        }
    }
}
