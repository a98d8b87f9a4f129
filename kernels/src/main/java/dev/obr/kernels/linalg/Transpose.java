package dev.obr.kernels.linalg;

/** Whether an operand takes part as it is or transposed. */
public enum Transpose {
    NO,
    YES
}
