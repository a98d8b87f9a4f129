package dev.obr.kernels.gpu;

/**
 * The architecture of a device, as in sm_80.
 *
 * @param major 8 for Ampere and Ada, 9 for Hopper
 * @param minor of that family
 */
public record ComputeCapability(int major, int minor) implements Comparable<ComputeCapability> {
    public static final ComputeCapability SM_80 = new ComputeCapability(8, 0);
    public static final ComputeCapability SM_86 = new ComputeCapability(8, 6);
    public static final ComputeCapability SM_89 = new ComputeCapability(8, 9);
    public static final ComputeCapability SM_90 = new ComputeCapability(9, 0);

    /** Whether its tensor cores multiply 4-bit integers: Ampere and Ada do, and nothing after them (NVIDIA's assembler emulates the instruction there, some 50 times slower). */
    public boolean multipliesInt4() {
        return major == 8;
    }

    @Override
    public int compareTo(ComputeCapability other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return "sm_" + major + minor;
    }
}
