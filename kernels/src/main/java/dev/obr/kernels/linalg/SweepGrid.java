package dev.obr.kernels.linalg;

/**
 * The grid that a {@link DeviceAlgebra#sweep} rounds to: {@code scale · (code - zero)}, one scale and zero a row.
 *
 * @param scale [rows]
 * @param zero [rows], whole numbers
 * @param lowest code
 * @param highest code
 */
public record SweepGrid(float[] scale, float[] zero, int lowest, int highest) {}
