package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The PTX that the jar carries: compiled from {@code kernels/src/main/cuda} by {@code make ptx}, one resource for each source. */
public enum KernelModule {
    /** Sparse products with 4-bit activations; for tensor cores that multiply 4-bit integers. */
    SPGEMM_S4("spgemm_s4"),
    /** The same with activations of one byte; for all. */
    SPGEMM_S8("spgemm_s8"),
    /** Products of weights on 2:4 with activations of one byte; for all. */
    SPGEMM_S8_24("spgemm_s8_24"),
    /** Products of dense weights with 4-bit activations; for tensor cores that multiply 4-bit integers. */
    GEMM_S4("gemm_s4"),
    /** The same with activations of one byte; for all. */
    GEMM_S8("gemm_s8"),
    /** Products of weights under any mask with few activations of one byte; for all. */
    GEMM_BITMAP("gemm_bitmap"),
    /** Products of half floats. */
    GEMM_F16("gemm_f16"),
    /** Products of dense codes with half floats. */
    GEMM_CODES("gemm_codes"),
    /** RMS norm alone, of half floats. */
    RMSNORM("rmsnorm"),
    /** RMS norm and activation codes. */
    RMSNORM_QUANT("rmsnorm_quant"),
    /** Hadamard transform and activation codes. */
    HADAMARD_QUANT("hadamard_quant"),
    /** Rotary position embedding, and keys and values as 4-bit codes into their cache. */
    KV_APPEND("rope_hadamard_kv4_append"),
    /** Attention over that cache. */
    ATTENTION("attention_kv4"),
    /** Rows of the embedding table. */
    EMBED("embed"),
    /** The token of the largest logit. */
    ARGMAX("argmax"),
    /** The largest logits. */
    TOPK("topk"),
    /** Penalties for tokens that occurred, and the draw of the next. */
    SAMPLE("sample"),
    /** Which weights are kept, for compression. */
    MASK_SELECTION("mask_selection"),
    /** Systems with principal submatrices, for compression. */
    PRINCIPAL_SYSTEMS("principal_systems"),
    /** Codes along the factors of such systems, for compression. */
    SUPPORT_ROUNDING("support_rounding"),
    /** Conjugate gradients of many rows, for compression. */
    CONJUGATE_GRADIENTS("conjugate_gradients"),
    /** GPTQ's sweep of a block of columns, for compression. */
    GPTQ_SWEEP("gptq_sweep"),
    /** Codes of rows improved one after the other, for compression. */
    COORDINATE_DESCENT("coordinate_descent"),
    /** Weights of the positions that queries see, for compression. */
    CAUSAL_SOFTMAX("causal_softmax");

    private final String label;

    KernelModule(String label) {
        this.label = label;
    }

    /** What sources, resources and errors call it. */
    public String label() {
        return label;
    }

    /** Whether a device's own instructions run it: sm_80 to sm_90 do, but 4-bit products end with sm_89. Later tensor cores want sparse products in another form, {@code ::ordered_metadata}. */
    public boolean runsOn(ComputeCapability capability) {
        return capability.compareTo(ComputeCapability.SM_80) >= 0
                && capability.major() < 10
                && (!multipliesInt4() || capability.multipliesInt4());
    }

    private boolean multipliesInt4() {
        return this == SPGEMM_S4 || this == GEMM_S4;
    }

    /** Its text. */
    public String ptx() {
        String resource = label + ".ptx";
        try (InputStream in = KernelModule.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + resource + ": build it with make ptx");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Why a device does not run it, in words; nothing where it does. */
    public Optional<String> whyNotOn(GpuDevice device) {
        if (runsOn(device.capability())) {
            return Optional.empty();
        }
        return Optional.of(device.name() + " is " + device.capability() + ", which does not run the kernels " + label
                + (multipliesInt4() && device.capability().major() == 9
                        ? ": use 8-bit activations, or 4-bit ones stored as bytes"
                        : ": they need sm_80 to sm_90"));
    }

    /** @throws ObrException where the device has not the instructions */
    public GpuModule load(GpuDevice device) {
        whyNotOn(device).ifPresent(sentence -> {
            throw new ObrException(sentence);
        });
        return device.load(label + ".ptx", ptx());
    }
}
