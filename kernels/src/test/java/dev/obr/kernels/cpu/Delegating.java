package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import java.lang.foreign.MemorySegment;

/** Kernels that pass every call on, for tests that change one. */
class Delegating implements CpuKernels {
    private final CpuKernels kernels;

    Delegating(CpuKernels kernels) {
        this.kernels = kernels;
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public String instructionSet() {
        return kernels.instructionSet();
    }

    @Override
    public PackedKernels.Choice packed() {
        return kernels.packed();
    }

    @Override
    public void matmul(WeightMatrix w, int from, int to, MemorySegment x, int tokens, MemorySegment y) {
        kernels.matmul(w, from, to, x, tokens, y);
    }

    @Override
    public void dequantizeRow(WeightMatrix w, int row, MemorySegment y) {
        kernels.dequantizeRow(w, row, y);
    }

    @Override
    public void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y) {
        kernels.rmsNorm(x, weight, eps, n, y);
    }

    @Override
    public void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin) {
        kernels.rope(x, heads, headDim, cosSin);
    }

    @Override
    public void hadamard(MemorySegment x, HadamardTransform transform, int width) {
        kernels.hadamard(x, transform, width);
    }

    @Override
    public void attention(
            MemorySegment q,
            int group,
            int headDim,
            MemorySegment keys,
            MemorySegment values,
            DType kv,
            int positions,
            float scale,
            MemorySegment scores,
            MemorySegment out) {
        kernels.attention(q, group, headDim, keys, values, kv, positions, scale, scores, out);
    }

    @Override
    public void storeCodes(
            KvTiles tiles,
            boolean values,
            MemorySegment x,
            int stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position) {
        kernels.storeCodes(tiles, values, x, stride, tokens, heads, memory, headBytes, position);
    }

    @Override
    public void attendCodes(
            KvTiles tiles,
            MemorySegment q,
            int tokens,
            int group,
            int stride,
            MemorySegment keys,
            MemorySegment values,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results) {
        kernels.attendCodes(tiles, q, tokens, group, stride, keys, values, first, from, to, scale, results);
    }

    @Override
    public void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride) {
        kernels.mergeAttention(results, spans, tokens, group, headDim, out, stride);
    }

    @Override
    public void siluMul(MemorySegment gate, MemorySegment up, long n) {
        kernels.siluMul(gate, up, n);
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long n) {
        kernels.add(x, y, n);
    }

    @Override
    public void store(MemorySegment x, DType type, int n, MemorySegment y) {
        kernels.store(x, type, n, y);
    }

    @Override
    public long read(MemorySegment memory) {
        return kernels.read(memory);
    }
}
