package dev.obr.kernels.emulator;

import java.math.BigDecimal;

/**
 * Rounding of exact results. Nearest is what Java does; the other directions are found from the nearest number and the sign of what it is off by, which is computed exactly.
 */
enum Rounding {
    NEAREST,
    ZERO,
    DOWN,
    UP;

    /** By the modifiers rn, rz, rm and rp. */
    static Rounding of(String modifier) {
        return switch (modifier) {
            case "rz" -> ZERO;
            case "rm" -> DOWN;
            case "rp" -> UP;
            default -> NEAREST;
        };
    }

    /** a op b, op one of add, sub, mul and div. */
    float of(String operation, float a, float b) {
        float nearest = switch (operation) {
            case "add" -> a + b;
            case "sub" -> a - b;
            case "mul" -> a * b;
            default -> a / b;
        };
        if (!Float.isFinite(a) || !Float.isFinite(b) || Double.isNaN(nearest) || (operation.equals("div") && b == 0)) {
            return nearest;
        }
        return adjust(nearest, error(operation, a, b, bounded(nearest)), zero(operation, a, b, nearest));
    }

    double of(String operation, double a, double b) {
        double nearest = switch (operation) {
            case "add" -> a + b;
            case "sub" -> a - b;
            case "mul" -> a * b;
            default -> a / b;
        };
        if (!Double.isFinite(a)
                || !Double.isFinite(b)
                || Double.isNaN(nearest)
                || (operation.equals("div") && b == 0)) {
            return nearest;
        }
        return adjust(nearest, error(operation, a, b, bounded(nearest)), zero(operation, a, b, nearest));
    }

    float fma(float a, float b, float c) {
        float nearest = Math.fma(a, b, c);
        if (!Float.isFinite(a) || !Float.isFinite(b) || !Float.isFinite(c)) {
            return nearest;
        }
        BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
        boolean exactZero = exact.signum() == 0;
        return adjust(
                nearest,
                exact.subtract(new BigDecimal(bounded(nearest))).signum(),
                exactZero && differ((double) a * b, c));
    }

    double fma(double a, double b, double c) {
        double nearest = Math.fma(a, b, c);
        if (!Double.isFinite(a) || !Double.isFinite(b) || !Double.isFinite(c)) {
            return nearest;
        }
        BigDecimal exact = new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c));
        boolean productNegative = (Math.copySign(1, a) < 0) != (Math.copySign(1, b) < 0);
        return adjust(
                nearest,
                exact.subtract(new BigDecimal(bounded(nearest))).signum(),
                exact.signum() == 0 && productNegative != Math.copySign(1, c) < 0);
    }

    /** The square root. */
    float root(float a) {
        float nearest = (float) Math.sqrt(a);
        if (!(a > 0) || !Float.isFinite(a)) {
            return nearest;
        }
        BigDecimal found = new BigDecimal(nearest);
        return adjust(nearest, new BigDecimal(a).subtract(found.multiply(found)).signum(), false);
    }

    double root(double a) {
        double nearest = Math.sqrt(a);
        if (!(a > 0) || !Double.isFinite(a)) {
            return nearest;
        }
        BigDecimal found = new BigDecimal(nearest);
        return adjust(nearest, new BigDecimal(a).subtract(found.multiply(found)).signum(), false);
    }

    /** A double as a float. */
    float toFloat(double value) {
        float nearest = (float) value;
        if (!Double.isFinite(value)) {
            return nearest;
        }
        return adjust(nearest, (int) Math.signum(value - bounded(nearest)), false);
    }

    /** A half float from a float that it may not hold. */
    short toHalf(float value) {
        short nearest = Float.floatToFloat16(value);
        float found = Float.float16ToFloat(nearest);
        if (this == NEAREST || !Float.isFinite(value) || found == value) {
            return nearest;
        }
        boolean tooLarge = Math.abs(found) > Math.abs(value);
        boolean outward = this == (value < 0 ? DOWN : UP);
        // One more or less in the bits is the next number further from or nearer to 0.
        return (short) (outward == tooLarge ? nearest : tooLarge ? nearest - 1 : nearest + 1);
    }

    /** Whether an exact 0 is a difference of equals, which is -0 where one rounds down. */
    private static boolean zero(String operation, double a, double b, double nearest) {
        return switch (operation) {
            case "add" -> nearest == 0 && differ(a, b);
            case "sub" -> nearest == 0 && differ(a, -b);
            default -> false;
        };
    }

    private static boolean differ(double a, double b) {
        return (Math.copySign(1, a) < 0) != (Math.copySign(1, b) < 0);
    }

    /** The largest number in place of infinity, so that it can be compared with. */
    private static float bounded(float value) {
        return Math.clamp(value, -Float.MAX_VALUE, Float.MAX_VALUE);
    }

    private static double bounded(double value) {
        return Math.clamp(value, -Double.MAX_VALUE, Double.MAX_VALUE);
    }

    /** The sign of the exact result less what was found. */
    private static int error(String operation, double a, double b, double found) {
        BigDecimal x = new BigDecimal(a);
        BigDecimal y = new BigDecimal(b);
        BigDecimal f = new BigDecimal(found);
        return switch (operation) {
            case "add" -> x.add(y).subtract(f).signum();
            case "sub" -> x.subtract(y).subtract(f).signum();
            case "mul" -> x.multiply(y).subtract(f).signum();
            default -> x.subtract(f.multiply(y)).signum() * y.signum();
        };
    }

    private float adjust(float nearest, int error, boolean cancelled) {
        if (this == NEAREST) {
            return nearest;
        }
        if (cancelled && error == 0) {
            return this == DOWN ? -0f : 0f;
        }
        float found = bounded(nearest);
        boolean positive = found > 0 || (found == 0 && error > 0);
        return switch (this) {
            case UP -> error > 0 ? Math.nextUp(found) : found;
            case DOWN -> error < 0 ? Math.nextDown(found) : found;
            default ->
                found == 0
                        ? nearest
                        : positive
                                ? (error < 0 ? Math.nextDown(found) : found)
                                : error > 0 ? Math.nextUp(found) : found;
        };
    }

    private double adjust(double nearest, int error, boolean cancelled) {
        if (this == NEAREST) {
            return nearest;
        }
        if (cancelled && error == 0) {
            return this == DOWN ? -0d : 0d;
        }
        double found = bounded(nearest);
        boolean positive = found > 0 || (found == 0 && error > 0);
        return switch (this) {
            case UP -> error > 0 ? Math.nextUp(found) : found;
            case DOWN -> error < 0 ? Math.nextDown(found) : found;
            default ->
                found == 0
                        ? nearest
                        : positive
                                ? (error < 0 ? Math.nextDown(found) : found)
                                : error > 0 ? Math.nextUp(found) : found;
        };
    }
}
