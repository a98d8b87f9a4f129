package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.Pattern;
import java.util.List;

/** A check for each kernel that the jar carries. */
public final class KernelChecks {
    private KernelChecks() {}

    public static List<KernelCheck> all() {
        return List.of(
                SparseGemmCase.check(KernelModule.SPGEMM_S4, TokenLayout.INT4, Pattern.PAIRS_4_OF_8),
                SparseGemmCase.check(KernelModule.SPGEMM_S8, TokenLayout.INT8, Pattern.PAIRS_4_OF_8),
                SparseGemmCase.check(KernelModule.SPGEMM_S8_24, TokenLayout.INT8, Pattern.TWO_OF_FOUR),
                SparseGemmCase.check(KernelModule.GEMM_S4, TokenLayout.INT4, Pattern.DENSE),
                SparseGemmCase.check(KernelModule.GEMM_S8, TokenLayout.INT8, Pattern.DENSE),
                SparseGemmCase.check(
                        KernelModule.GEMM_BITMAP,
                        TokenLayout.INT8,
                        Pattern.UNSTRUCTURED,
                        Pattern.FOUR_OF_EIGHT,
                        Pattern.HALF_OF_64),
                HalfGemmCase.check(),
                CodeGemmCase.check(),
                HalfNormCase.check(),
                NormQuantizerCase.check(),
                HadamardQuantizerCase.check(),
                KvAppendCase.check(),
                AttentionCase.decode(),
                AttentionCase.prefill(),
                EmbeddingCase.check(),
                ArgmaxCase.check(),
                TopKCase.check(),
                SampleCase.check(),
                SelectionCase.check(),
                SystemsCase.check(),
                RoundingCase.check(),
                GradientsCase.check(),
                SweepCase.check(),
                DescentCase.check(),
                SoftmaxCase.check());
    }
}
